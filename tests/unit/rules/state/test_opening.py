"""A restored state is compared with its log: it goes on, is rebuilt, or keeps what the log has lost."""

from typing import Any

import msgspec
import pytest

from services.rules.state.opening import Opening, RestoredState, StateFinding, decide_opening
from services.rules.state.state_store import StateCoverage, current_layout
from services.runtime.kafka.log_coverage import LogState

LAST = "a" * 32
COVERAGE = StateCoverage(
    next_offset=10,
    last_offset=9,
    fingerprint=LAST,
    generation=0,
    records=3,
    digest="d" * 32,
    verdicts_end=20,
    layout=current_layout(),
)
SOUND = RestoredState(coverage=COVERAGE, records=3, digest="d" * 32)
NOTHING = RestoredState(coverage=None, records=0, digest="0" * 32)


def a_log(**changes: Any) -> LogState:
    """Build a log that agrees with `COVERAGE`, but for *changes*."""
    usual: dict[str, Any] = {"beginning": 0, "end": 10, "committed": 10, "fingerprint": LAST}
    return LogState(**(usual | changes))


def a_state(**changes: Any) -> RestoredState:
    """Build a restored state whose coverage record differs from `COVERAGE` by *changes*."""
    return RestoredState(coverage=msgspec.structs.replace(COVERAGE, **changes), records=3, digest="d" * 32)


def open_with(restored: RestoredState, log: LogState, *, verdicts_end: int = 20) -> Opening:
    """Decide how to open a partition."""
    return decide_opening(restored, log, verdicts_end=verdicts_end)


def test_an_intact_state_goes_on_where_it_ends() -> None:
    """Nothing is read again, wherever the committed offset was moved to before that."""
    for committed in (None, 0, 10):
        found = open_with(SOUND, a_log(end=15, committed=committed))
        assert found == Opening(finding=StateFinding.INTACT, next_offset=10, reread_until=10)


def test_the_first_start_reads_from_the_beginning_and_is_no_rebuild() -> None:
    """Without a state and a committed offset nothing was lost; what lies on the verdicts is not written again."""
    found = open_with(NOTHING, a_log(beginning=2, committed=None))
    assert found == Opening(finding=StateFinding.NEW, next_offset=2, reread_until=10)


@pytest.mark.parametrize(
    "restored, finding",
    [
        (NOTHING, StateFinding.STATE_LOST),
        (RestoredState(coverage=None, records=3, digest="d" * 32), StateFinding.STATE_LOST),
        (RestoredState(coverage=COVERAGE, records=2, digest="d" * 32), StateFinding.STATE_DAMAGED),
        (RestoredState(coverage=COVERAGE, records=3, digest="e" * 32), StateFinding.STATE_DAMAGED),
        (a_state(layout="another"), StateFinding.LAYOUT_CHANGED),
    ],
)
def test_a_state_that_does_not_fit_is_rebuilt_from_the_beginning(
    restored: RestoredState, finding: StateFinding
) -> None:
    """A missing, incomplete or altered state is dropped, and the whole log is read again."""
    found = open_with(restored, a_log(end=15))
    assert found == Opening(finding=finding, next_offset=0, reread_until=15, keeps_state=False)


def test_records_without_coverage_are_rebuilt_even_where_no_offset_is_committed() -> None:
    """Only an empty partition of the state topic is a first start."""
    found = open_with(RestoredState(coverage=None, records=3, digest="d" * 32), a_log(committed=None))
    assert (found.finding, found.keeps_state) == (StateFinding.STATE_LOST, False)


def test_an_older_state_goes_on_where_it_ends() -> None:
    """An older state was put back, or the offset moved: what lies between may have been processed before."""
    behind = Opening(finding=StateFinding.STATE_BEHIND, next_offset=10, reread_until=15)
    assert open_with(SOUND, a_log(end=15, committed=15)) == behind
    moved = decide_opening(SOUND, a_log(end=15, committed=0), verdicts_end=30, has_later_verdicts=True)
    assert moved == behind  # the verdicts show it where the offset was moved as well


@pytest.mark.parametrize(
    "log, finding",
    [
        (a_log(end=5), StateFinding.LOG_SHORTER),
        (a_log(committed=12), StateFinding.LOG_SHORTER),
        (a_log(fingerprint="b" * 32), StateFinding.LOG_REPLACED),
    ],
)
def test_a_state_keeps_what_its_log_has_lost(log: LogState, finding: StateFinding) -> None:
    """The log is read again from its beginning in a new generation; a sound state is kept, a damaged one is not."""
    found = open_with(SOUND, log)
    assert (found.finding, found.next_offset, found.reread_until) == (finding, 0, log.end)
    assert (found.keeps_state, found.begins_generation) == (True, True)
    damaged = open_with(RestoredState(coverage=COVERAGE, records=1, digest="e" * 32), log)
    assert (damaged.finding, damaged.keeps_state, damaged.begins_generation) == (finding, False, True)


def test_lost_verdicts_are_told_again_from_the_first_log_and_from_the_state_of_a_later_one() -> None:
    """The history of a later log cannot be told from it alone: the last verdicts come from the state."""
    first = open_with(SOUND, a_log(), verdicts_end=19)
    assert (first.finding, first.next_offset, first.keeps_state) == (StateFinding.VERDICTS_LOST, 0, False)
    later = open_with(a_state(generation=1), a_log(), verdicts_end=19)
    assert later == Opening(finding=StateFinding.VERDICTS_LOST, next_offset=10, reread_until=10, begins_generation=True)
