"""A state that lacks something has to reach the end of its log; until then, or when set back, it is incomplete."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiokafka import TopicPartition

from services.runtime.kafka.log_coverage import Agreement, Coverage, LogState
from services.runtime.state.checkpoints import Checkpoint, CompletenessMonitor, find_least, plan_reading

THEN = datetime(2026, 12, 1, tzinfo=UTC)
NOW = THEN + timedelta(days=8)
PLACE = TopicPartition("t", 0)
LAST = "a" * 32
STORED = Checkpoint(coverage=Coverage(next_offset=10, last_offset=9, fingerprint=LAST), must_reach=10, begun_at=THEN)
LOG = LogState(beginning=0, end=10, committed=10, fingerprint=LAST)


def plan(
    stored: Checkpoint | None, log: LogState, *, last: Checkpoint | None = None, must_reach_end: bool = False
) -> tuple[Agreement, int, int, bool]:
    """Return agreement, next offset, what must be reached, and whether the state is read anew."""
    found = plan_reading(stored, log, last=last, now=NOW, must_reach_end=must_reach_end)
    checkpoint = found.checkpoint
    return found.agreement, checkpoint.coverage.next_offset, checkpoint.must_reach, found.is_begun_anew


def moved(next_offset: int, **changes: Any) -> Checkpoint:
    """Return the stored checkpoint at another offset."""
    return replace(STORED, coverage=replace(STORED.coverage, next_offset=next_offset), **changes)


@pytest.mark.parametrize(
    ("stored", "log", "expected"),
    [
        (STORED, LOG, (Agreement.INTACT, 10, 10, False)),
        (STORED, replace(LOG, end=30), (Agreement.INTACT, 10, 10, False)),
        (STORED, replace(LOG, committed=3), (Agreement.INTACT, 10, 10, False)),
        (None, replace(LOG, committed=None), (Agreement.NEW, 0, 10, True)),
        (None, LOG, (Agreement.STATE_LOST, 0, 10, True)),
        (STORED, replace(LOG, end=30, committed=20), (Agreement.STATE_BEHIND, 10, 30, True)),
        (STORED, replace(LOG, end=7), (Agreement.LOG_SHORTER, 0, 7, True)),
        (STORED, replace(LOG, fingerprint="b" * 32), (Agreement.LOG_REPLACED, 0, 10, True)),
    ],
)
def test_what_lacks_something_must_reach_the_end_that_the_log_has(
    stored: Checkpoint | None, log: LogState, expected: tuple[Agreement, int, int, bool]
) -> None:
    """An intact state goes on from its own offset, wherever the group's offset is; any other is begun anew."""
    assert plan(stored, log) == expected


def test_a_state_that_is_still_being_read_again_goes_on_to_where_it_must() -> None:
    """Neither a restart nor an offset that was moved back makes it complete earlier."""
    reading = moved(4, must_reach=10)
    assert plan(reading, replace(LOG, committed=2)) == (Agreement.INTACT, 4, 10, False)


def test_database_and_offset_that_were_both_set_back_are_recognised_by_whoever_knew_them() -> None:
    """The process has seen a newer checkpoint, so the state lacks something; a database that is gone likewise."""
    older = moved(4)
    assert plan(older, replace(LOG, committed=4), last=STORED) == (Agreement.STATE_BEHIND, 4, 10, True)
    assert plan(None, replace(LOG, committed=None), last=STORED) == (Agreement.STATE_LOST, 0, 10, True)


def test_a_state_may_have_to_reach_the_end_at_every_start() -> None:
    """Then an intact state with unread records is begun anew where it stands, and one without goes on."""
    behind = replace(LOG, end=12)
    assert plan(STORED, behind, must_reach_end=True) == (Agreement.INTACT, 10, 12, True)
    assert plan(STORED, LOG, must_reach_end=True) == (Agreement.INTACT, 10, 10, False)
    assert plan(moved(4, must_reach=10), replace(LOG, committed=4), must_reach_end=True) == (
        Agreement.INTACT,
        4,
        10,
        False,
    )


def test_what_is_begun_anew_is_newer_than_everything_before_it() -> None:
    """Also where the clock went back since: else its own begin would look like an older copy."""
    ahead = replace(STORED, begun_at=NOW + timedelta(days=1))
    begun = plan_reading(None, LOG, last=ahead, now=NOW, must_reach_end=False).checkpoint
    assert ahead.is_older_than(begun)
    assert not begun.is_older_than(ahead)


def test_an_offset_is_committed_where_the_group_has_another() -> None:
    """Otherwise what a killed process had stored would show as unread for ever."""
    assert plan_reading(STORED, LOG, last=None, now=NOW, must_reach_end=False).is_committed
    killed = replace(LOG, committed=8)
    assert not plan_reading(STORED, killed, last=None, now=NOW, must_reach_end=False).is_committed


def test_nothing_is_complete_before_it_was_compared_with_the_log() -> None:
    """A database that looks well may be an older copy."""
    monitor = CompletenessMonitor([PLACE])
    assert monitor.find_incomplete({PLACE: STORED}, monitor.list_least()) == [PLACE]
    monitor.require({})
    assert monitor.find_incomplete({PLACE: STORED}, monitor.list_least()) == []
    assert monitor.find_incomplete({}, monitor.list_least()) == [PLACE]
    assert monitor.find_incomplete({PLACE: moved(4)}, monitor.list_least()) == [PLACE]


def test_a_checkpoint_that_is_written_while_the_database_is_read_does_not_make_the_answer_an_older_copy() -> None:
    """The answer is compared with what was known before it was asked for, so a busy database is not taken for lost."""
    monitor = CompletenessMonitor([PLACE])
    monitor.require({PLACE: moved(3)})
    least = monitor.list_least()
    monitor.remember({PLACE: moved(11)})
    assert monitor.find_incomplete({PLACE: STORED}, least) == []
    assert monitor.find_incomplete({PLACE: STORED}, monitor.list_least()) == [PLACE]


def test_a_database_that_was_set_back_is_not_believed_until_it_is_begun_anew() -> None:
    """Whatever was seen or written once is remembered; only a later begin makes it void."""
    monitor = CompletenessMonitor([PLACE])
    monitor.require({})
    monitor.remember({PLACE: STORED})
    assert monitor.find_incomplete({PLACE: moved(4, must_reach=0)}, monitor.list_least()) == [PLACE]
    begun = moved(4, must_reach=4, begun_at=NOW)
    assert monitor.find_incomplete({PLACE: begun}, monitor.list_least()) == []
    assert monitor.find_incomplete({PLACE: moved(3, must_reach=4, begun_at=NOW)}, monitor.list_least()) == [PLACE]


@pytest.mark.parametrize(("must_reach_end", "next_offset"), [(False, 20), (True, 30)])
def test_at_the_start_a_state_must_have_what_was_committed_or_all(*, must_reach_end: bool, next_offset: int) -> None:
    """An older copy has less; it is believed once it has that much, or was begun anew by its owner."""
    monitor = CompletenessMonitor([PLACE])
    log = replace(LOG, end=30, committed=20)
    monitor.require({PLACE: find_least(STORED, log, must_reach_end=must_reach_end)})
    assert monitor.find_incomplete({PLACE: STORED}, monitor.list_least()) == [PLACE]
    assert monitor.find_incomplete({PLACE: moved(next_offset - 1)}, monitor.list_least()) == [PLACE]
    assert monitor.find_incomplete({PLACE: moved(next_offset)}, monitor.list_least()) == []
    assert monitor.find_incomplete({PLACE: replace(STORED, begun_at=NOW)}, monitor.list_least()) == []
