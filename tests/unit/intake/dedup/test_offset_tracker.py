"""The order in which a partition of the log is remembered, however acknowledgements and reading take turns."""

from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from services.intake.core.fact_record import DedupEntries, DedupEntry
from services.intake.dedup.recent_events import OffsetTracker, RateMeter

# What lies in the log, one after the other: batches of our own, and of others, of so many records.
SEGMENTS = st.lists(st.tuples(st.booleans(), st.integers(1, 3)), max_size=8)


def an_entry(offset: int) -> DedupEntry:
    """The entry of the record at *offset*."""
    return DedupEntry(offset.to_bytes(2), b"")


def entries_of(chunks: Iterable[DedupEntries]) -> list[DedupEntry]:
    """What came out, one by one."""
    return [DedupEntry(*pair) for chunk in chunks for pair in zip(chunk.identities, chunk.stamps, strict=True)]


def first_seen(entries: list[DedupEntry]) -> list[DedupEntry]:
    """Without repetitions, as the cache of recent events keeps them."""
    return list(dict.fromkeys(entries))


@given(SEGMENTS, st.data())
def test_all_of_the_log_comes_out_in_its_order(segments: list[tuple[bool, int]], data: st.DataObject) -> None:
    """Whether our own batches are acknowledged before, between or after what others wrote is read."""
    end = sum(length for _, length in segments)
    log = [an_entry(offset) for offset in range(end)]
    starts = [sum(length for _, length in segments[:number]) for number in range(len(segments))]
    own = [(start, length) for start, (is_own, length) in zip(starts, segments, strict=True) if is_own]
    tracker, out = OffsetTracker(0), list[DedupEntry]()
    while own or tracker.position < end:
        acknowledge = bool(own) and (tracker.position >= end or data.draw(st.booleans()))
        if acknowledge:
            base, length = own.pop(0)
            out += entries_of(tracker.add_acknowledged(base, DedupEntries.from_entries(log[base : base + length])))
        else:
            upto = data.draw(st.integers(tracker.position + 1, end))
            out += entries_of(tracker.add_read(upto, DedupEntries.from_entries(log[tracker.position : upto])))
        assert first_seen(out) == log[: tracker.position]
    assert tracker.position == end


def test_nothing_is_read_where_nobody_else_writes() -> None:
    """Acknowledgements alone carry a lone replica along."""
    tracker = OffsetTracker(7)
    chunks = [
        *tracker.add_acknowledged(7, DedupEntries.from_entries([an_entry(7)])),
        *tracker.add_acknowledged(8, DedupEntries.from_entries([an_entry(8), an_entry(9)])),
    ]
    assert entries_of(chunks) == [an_entry(7), an_entry(8), an_entry(9)]
    assert tracker.position == 10


def test_a_rate_is_that_of_the_last_whole_span() -> None:
    """Until a span has ended the one before it counts; what happened long ago does not."""
    meter = RateMeter(span=0.5, since=10.0)
    meter.counted += 50
    assert meter.per_second(10.25) == 0.0
    assert meter.per_second(10.5) == 100.0
    assert meter.per_second(10.75) == 100.0
    assert meter.per_second(11.0) == 0.0
