"""A state is compared with its log: what is missing is found, and reading goes on at the right offset."""

from dataclasses import dataclass

import pytest

from services.runtime.kafka.log_coverage import Agreement, Coverage, LogState, cover_up_to, fingerprint_record, judge

LAST = "a" * 32
COVERED = Coverage(next_offset=10, last_offset=8, fingerprint=LAST)


@dataclass(frozen=True)
class ARecord:
    """A record of the log."""

    offset: int = 8
    timestamp: int = 1_764_000_000_000
    key: bytes | None = b"so-ct"
    value: bytes | None = b"{}"


def a_log(*, beginning: int = 0, end: int = 10, committed: int | None = 10, fingerprint: str | None = LAST) -> LogState:
    """Return a log that agrees with `COVERED`, but for what is given."""
    return LogState(beginning=beginning, end=end, committed=committed, fingerprint=fingerprint)


@pytest.mark.parametrize(
    ("coverage", "log", "agreement", "next_offset"),
    [
        (None, a_log(committed=None, fingerprint=None), Agreement.NEW, 0),
        (None, a_log(beginning=3, committed=3, fingerprint=None), Agreement.NEW, 3),
        (None, a_log(fingerprint=None), Agreement.STATE_LOST, 0),
        (None, a_log(end=4, fingerprint=None), Agreement.LOG_SHORTER, 0),
        (COVERED, a_log(), Agreement.INTACT, 10),
        (COVERED, a_log(end=12), Agreement.INTACT, 10),
        (COVERED, a_log(committed=None), Agreement.INTACT, 10),
        (COVERED, a_log(committed=4), Agreement.INTACT, 10),
        (COVERED, a_log(end=15, committed=15), Agreement.STATE_BEHIND, 10),
        (COVERED, a_log(end=9, committed=None), Agreement.LOG_SHORTER, 0),
        (COVERED, a_log(end=12, committed=15), Agreement.LOG_SHORTER, 0),
        (COVERED, a_log(fingerprint="b" * 32), Agreement.LOG_REPLACED, 0),
        (COVERED, a_log(fingerprint=None), Agreement.LOG_REPLACED, 0),
        (COVERED, a_log(beginning=9, fingerprint=None), Agreement.INTACT, 10),
        (COVERED, a_log(beginning=11, end=12, committed=12, fingerprint=None), Agreement.LOG_REPLACED, 11),
        (Coverage(next_offset=0), a_log(committed=0, fingerprint=None), Agreement.INTACT, 0),
    ],
)
def test_a_state_reads_on_where_it_ends_unless_something_is_lost(
    coverage: Coverage | None, log: LogState, agreement: Agreement, next_offset: int
) -> None:
    """The state decides where reading goes on; a lost state or another log means reading from the beginning."""
    found = judge(coverage, log)
    assert (found.agreement, found.next_offset) == (agreement, next_offset)


@pytest.mark.parametrize(
    "other", [ARecord(timestamp=0), ARecord(key=b"so-c"), ARecord(key=None), ARecord(value=None), ARecord(value=b"{} ")]
)
def test_a_fingerprint_tells_records_apart(other: ARecord) -> None:
    """The timestamp, the key and the value of a record all count."""
    assert fingerprint_record(ARecord()) == fingerprint_record(ARecord())
    assert fingerprint_record(other) != fingerprint_record(ARecord())


def test_bytes_cannot_move_from_the_key_to_the_value() -> None:
    """The length of each part is in the digest."""
    assert fingerprint_record(ARecord(key=b"ab", value=b"c")) != fingerprint_record(ARecord(key=b"a", value=b"bc"))


def test_a_coverage_ends_behind_its_last_record_or_behind_a_marker() -> None:
    """The markers of transactions take offsets, so the next offset may be given."""
    assert cover_up_to(ARecord()).next_offset == 9
    assert cover_up_to(ARecord(), next_offset=11) == Coverage(
        next_offset=11, last_offset=8, fingerprint=fingerprint_record(ARecord())
    )
