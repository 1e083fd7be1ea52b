"""The index gives back the facts that can bear on a period, and survives being killed, damaged and upgraded."""

import sqlite3
from pathlib import Path
from typing import Any

import pytest
from aiokafka import TopicPartition

from schemas.events.topics import FACTS
from services.console.audit.log_index import (
    DamagedIndexError,
    FactSelection,
    IndexedAttempt,
    IndexedFact,
    LogIndex,
)
from services.console.support.inputs import UnusableInputError
from services.runtime.kafka.log_coverage import Coverage

PLACE = TopicPartition(FACTS.name, 0)


def a_fact(offset: int, **changes: Any) -> IndexedFact:
    """Build a submission of one agency for 2026."""
    usual: dict[str, Any] = {
        "partition": 0,
        "offset": offset,
        "recorded_at": 1_000 + offset,
        "plan": "P-1",
        "agency": "h-01",
        "obligation": "results",
        "period": "2026",
        "is_submission": True,
        "moves_submissions": False,
        "identity": offset,
        "value": b"fact %d" % offset,
    }
    return IndexedFact(**usual | changes)


def offsets_of(index: LogIndex, *agencies: str, period: str = "2026") -> list[int]:
    """Return the offsets of the facts that can bear on *period*."""
    selected = FactSelection(plan="P-1", partition=0, agencies=agencies or ("h-01",), periods=[period])
    return [record.offset for record in index.facts(selected)]


def an_index(*facts: IndexedFact, file: Path | None = None, version: str = "1") -> LogIndex:
    """Open an index and add *facts*."""
    index = LogIndex(file, version)
    with index.transaction():
        index.add_facts(facts)
    return index


def test_a_submission_of_another_period_is_left_out() -> None:
    """It cannot bear on this one; a decision or a report without a period can."""
    exemption = a_fact(2, period=None, is_submission=False)
    extension = a_fact(3, period="2025", is_submission=False)
    one_off = a_fact(4, period=None)
    index = an_index(a_fact(0), a_fact(1, period="2025"), exemption, extension, one_off, a_fact(5, agency="h-02"))
    assert offsets_of(index) == [0, 2, 3, 4]
    assert offsets_of(index, "h-02", "h-01") == [0, 2, 3, 4, 5]


@pytest.mark.parametrize(
    "later",
    [
        a_fact(9, period="2024", is_submission=False, moves_submissions=True),
        a_fact(9, period="2026", identity=1),
    ],
    ids=["a submission may move", "one identity with two periods"],
)
def test_a_docket_is_given_whole_where_periods_touch_each_other(later: IndexedFact) -> None:
    """A withdrawal or a move names a submission of any period; of one identity, rules keeps the first."""
    index = an_index(a_fact(0), a_fact(1, period="2025"))
    assert offsets_of(index) == [0]
    with index.transaction():
        index.add_facts([later])
    assert offsets_of(index) == [0, 1, 9]


def test_what_rules_has_set_aside_is_left_out() -> None:
    """Whether it was noted before or after the fact."""
    index = an_index(a_fact(0), a_fact(1))
    with index.transaction():
        index.add_set_aside(0, 1)
        index.add_set_aside(0, 1)
        index.add_set_aside(7, 0)
    assert offsets_of(index) == [0]


def test_an_attempt_counts_once_and_up_to_an_instant() -> None:
    """Of one event that comes twice the first counts; the instant is inclusive, the offset exclusive."""
    index = an_index()
    with index.transaction():
        for offset, value in enumerate((b"first", b"second")):
            attempt: Any = {
                "attempted_at": 5,
                "partition": 1,
                "offset": offset,
                "duties": ["d-1", "d-2"],
                "value": value,
            }
            index.add_attempt(IndexedAttempt(event="e", **attempt))
    assert index.attempts(["d-1", "d-2"], until=5) == [("e", b"first")]
    assert index.attempts(["d-1"], until=4) == []
    assert index.attempts(["d-1"], until=5, below={1: 1}) == [("e", b"first")]
    assert index.attempts(["d-1"], until=5, below={1: 0}) == index.attempts(["d-1"], until=5, below={}) == []
    assert index.attempts(["d-3"], until=5) == []


def test_records_and_their_coverage_are_written_together_or_not_at_all(tmp_path: Path) -> None:
    """After a failure between the two, neither is there."""
    file = tmp_path / "index.sqlite"
    index = an_index(a_fact(0), file=file)
    coverage = Coverage(next_offset=1, last_offset=0, fingerprint="f")
    with index.transaction():
        index.set_coverage(PLACE, coverage)
    with pytest.raises(RuntimeError):
        write_and_fail(index)
    index.close()
    again = LogIndex(file, "1")
    assert offsets_of(again) == [0]
    assert again.coverage(FACTS.name) == {0: coverage}
    again.close()


def write_and_fail(index: LogIndex) -> None:
    """Add a fact and its coverage, and fail before the transaction ends."""
    with index.transaction():
        index.add_facts([a_fact(1)])
        index.set_coverage(PLACE, Coverage(next_offset=2, last_offset=1, fingerprint="g"))
        raise RuntimeError("killed")


def test_an_index_of_another_version_is_made_anew(tmp_path: Path) -> None:
    """Another version may decode what the earlier one left out."""
    file = tmp_path / "index.sqlite"
    an_index(a_fact(0), file=file, version="1").close()
    index = LogIndex(file, "2")
    assert offsets_of(index) == []
    index.close()


def test_a_file_that_is_no_index_is_replaced_and_a_damaged_value_is_noticed(tmp_path: Path) -> None:
    """It is a copy of the log: what cannot be read is thrown away by whoever notices."""
    file = tmp_path / "index.sqlite"
    file.write_bytes(b"no database, and long enough to be looked at as one" * 100)
    index = an_index(a_fact(0), file=file)
    index.close()
    with sqlite3.connect(file) as other:
        other.execute("UPDATE facts SET value = X'00'")
    other.close()
    index = LogIndex(file, "1")
    with pytest.raises(DamagedIndexError):
        offsets_of(index)
    index.start_anew()
    assert offsets_of(index) == []
    index.close()


def test_one_process_at_a_time_uses_a_file(tmp_path: Path) -> None:
    """A second audit with the same file says so instead of waiting."""
    file = tmp_path / "index.sqlite"
    index = an_index(file=file)
    with pytest.raises(UnusableInputError, match="another audit may be using it"):
        LogIndex(file, "1")
    index.close()
