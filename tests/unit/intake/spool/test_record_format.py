"""The format of a segment: what is written is read back, and only where it was written."""

from hypothesis import given
from hypothesis import strategies as st

from services.intake.spool import record_format
from services.intake.spool.record_format import FRAME_MARKER, HEADER_BYTES, SegmentHeader, SpooledRecord

RECORDS = st.lists(
    st.builds(SpooledRecord, key=st.text(max_size=9).map(str.encode), value=st.text(max_size=30).map(str.encode)),
    max_size=6,
)
HEADERS = st.builds(
    SegmentHeader, number=st.integers(0, 10**12), sealed_bytes=st.integers(0, 2**40), sealed_records=st.integers(0, 99)
)


@given(HEADERS, st.integers(0, 35), st.integers(0, 7))
def test_a_header_with_a_flipped_bit_is_none(header: SegmentHeader, place: int, bit: int) -> None:
    """Its checksum covers every field."""
    content = bytearray(record_format.encode_header(header))
    assert record_format.decode_header(bytes(content)) == header
    content[place % len(content)] ^= 1 << bit
    assert record_format.decode_header(bytes(content)) is None


@given(RECORDS.filter(bool), HEADERS)
def test_a_frame_is_read_where_it_was_written_and_nowhere_else(
    records: list[SpooledRecord], header: SegmentHeader
) -> None:
    """The checksum covers the number of the segment and the offset."""
    header = SegmentHeader(number=header.number, sealed_bytes=HEADER_BYTES, sealed_records=header.sealed_records)
    frames = record_format.encode_records(records, after=header)
    content = bytes(HEADER_BYTES) + frames
    frame = record_format.read_frame(content, HEADER_BYTES, number=header.number)
    assert frame is not None
    assert (frame.record, frame.place) == (records[0], header.sealed_records)
    assert record_format.read_frame(content, HEADER_BYTES, number=header.number + 1) is None
    assert record_format.read_frame(b"x" + content, HEADER_BYTES + 1, number=header.number) is None


@given(RECORDS)
def test_the_size_is_known_before_records_are_encoded(records: list[SpooledRecord]) -> None:
    """The bound of the spool counts what the disk gets."""
    header = SegmentHeader(number=1, sealed_bytes=HEADER_BYTES, sealed_records=0)
    assert record_format.size_of(records) == len(record_format.encode_records(records, after=header))


@given(st.text())
def test_no_text_contains_the_marker_of_a_frame(text: str) -> None:
    """So a sender cannot write an event in which a frame is found."""
    assert FRAME_MARKER not in text.encode("utf-8", errors="ignore")
