"""The order in which a partition of the log is remembered, however acknowledgements and reading take turns."""

from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from services.intake.core.dedup_entry import Entries, Entry
from services.intake.dedup.offset_tracker import Progress

SEGMENTS = st.lists(st.tuples(st.booleans(), st.integers(1, 3)), max_size=8)
"""What lies in the log, one after the other: batches of our own, and of others, of so many records."""


def an_entry(offset: int) -> Entry:
    """The entry of the record at *offset*."""
    return Entry(offset.to_bytes(2), b"")


def entries_of(chunks: Iterable[Entries]) -> list[Entry]:
    """What came out, one by one."""
    return [Entry(*pair) for chunk in chunks for pair in zip(chunk.identities, chunk.stamps, strict=True)]


def first_seen(entries: list[Entry]) -> list[Entry]:
    """Without repetitions, as a memory keeps them."""
    return list(dict.fromkeys(entries))


@given(SEGMENTS, st.data())
def test_all_of_the_log_comes_out_in_its_order(segments: list[tuple[bool, int]], data: st.DataObject) -> None:
    """Whether our own batches are acknowledged before, between or after what others wrote is read."""
    end = sum(length for _, length in segments)
    log = [an_entry(offset) for offset in range(end)]
    starts = [sum(length for _, length in segments[:number]) for number in range(len(segments))]
    own = [(start, length) for start, (is_own, length) in zip(starts, segments, strict=True) if is_own]
    progress, out = Progress(0), list[Entry]()
    while own or progress.position < end:
        acknowledge = bool(own) and (progress.position >= end or data.draw(st.booleans()))
        if acknowledge:
            base, length = own.pop(0)
            out += entries_of(progress.appended(base, Entries.of(log[base : base + length])))
        else:
            upto = data.draw(st.integers(progress.position + 1, end))
            out += entries_of(progress.read(upto, Entries.of(log[progress.position : upto])))
        assert first_seen(out) == log[: progress.position]
    assert progress.position == end


def test_nothing_is_read_where_nobody_else_writes() -> None:
    """Acknowledgements alone carry a lone replica along."""
    progress = Progress(7)
    chunks = [
        *progress.appended(7, Entries.of([an_entry(7)])),
        *progress.appended(8, Entries.of([an_entry(8), an_entry(9)])),
    ]
    assert entries_of(chunks) == [an_entry(7), an_entry(8), an_entry(9)]
    assert progress.position == 10
