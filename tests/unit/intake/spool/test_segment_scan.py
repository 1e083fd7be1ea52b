"""What is read of a segment after its bytes were damaged, torn or put elsewhere."""

import struct
import zlib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.spool import record_format, segment_scan
from services.intake.spool.record_format import FRAME_OVERHEAD, HEADER_BYTES, SegmentHeader, SpooledRecord
from services.intake.spool.segment_scan import DamagedRange, SegmentScan

NUMBER = 7
VALUES = st.lists(st.text(max_size=60), min_size=1, max_size=8)


def a_segment(*values: str, unsealed: int = 0) -> bytes:
    """Segment 7 with a record for each value, the last *unsealed* of which were never acknowledged."""
    records = [SpooledRecord(b"h-mot", value.encode()) for value in values]
    frames = record_format.encode_records(records, after=a_header())
    sealed = records[: len(records) - unsealed]
    header = a_header(sealed_bytes=HEADER_BYTES + record_format.size_of(sealed), sealed_records=len(sealed))
    return record_format.encode_header(header).ljust(HEADER_BYTES, b"\0") + frames


def a_header(*, sealed_bytes: int = HEADER_BYTES, sealed_records: int = 0) -> SegmentHeader:
    """The header of segment 7, by default of one without records."""
    return SegmentHeader(number=NUMBER, sealed_bytes=sealed_bytes, sealed_records=sealed_records)


def a_first_segment(*values: str) -> bytes:
    """A segment of the first format, as version 0.1 wrote it."""
    payloads = [struct.pack(">H", 5) + b"h-mot" + value.encode() for value in values]
    return b"".join(struct.pack(">II", len(one), zlib.crc32(one)) + one for one in payloads)


def values_of(scan: SegmentScan) -> list[str]:
    """The values of the records that were read."""
    return [record.value.decode() for record in scan.records]


def flip(content: bytes, place: int, bit: int = 0) -> bytes:
    """The content with one bit flipped."""
    return content[:place] + bytes([content[place] ^ (1 << bit)]) + content[place + 1 :]


def frame_start(*values: str) -> int:
    """Where the frame behind those of *values* begins."""
    return HEADER_BYTES + sum(FRAME_OVERHEAD + len(b"h-mot") + len(value.encode()) for value in values)


@given(VALUES)
def test_a_whole_segment_is_read_whole(values: list[str]) -> None:
    """Every record, in order, and no damage."""
    scan = segment_scan.scan_segment(a_segment(*values), NUMBER)
    assert (values_of(scan), scan.damaged, scan.torn_bytes) == (values, (), 0)


@given(VALUES, st.data())
def test_one_flipped_bit_costs_at_most_one_record(values: list[str], data: st.DataObject) -> None:
    """What lies behind it is read, and how many are lost is known exactly."""
    content = a_segment(*values)
    place = data.draw(st.integers(HEADER_BYTES, len(content) - 1))
    scan = segment_scan.scan_segment(flip(content, place, data.draw(st.integers(0, 7))), NUMBER)
    found = values_of(scan)
    (damaged,) = scan.damaged
    assert damaged.records == 1
    assert damaged.start <= place < damaged.end
    assert any(found == values[:hit] + values[hit + 1 :] for hit in range(len(values)))


@given(VALUES, st.data())
def test_zeros_over_any_stretch_cost_what_lay_there(values: list[str], data: st.DataObject) -> None:
    """As a disk leaves pages that it has lost: read and lost records together are all of them."""
    content = a_segment(*values)
    start, end = sorted(data.draw(st.tuples(*[st.integers(HEADER_BYTES, len(content))] * 2)))
    scan = segment_scan.scan_segment(content[:start] + bytes(end - start) + content[end:], NUMBER)
    assert len(scan.records) + sum(one.records or 0 for one in scan.damaged) == len(values)
    assert set(values_of(scan)) <= set(values)


@given(VALUES, st.data())
def test_a_sealed_segment_that_was_cut_is_damaged(values: list[str], data: st.DataObject) -> None:
    """An end that was acknowledged and is gone is no torn end."""
    content = a_segment(*values)
    cut = data.draw(st.integers(HEADER_BYTES, len(content) - 1))
    scan = segment_scan.scan_segment(content[:cut], NUMBER)
    (damaged,) = scan.damaged
    assert values_of(scan) == values[: len(scan.records)]
    assert (damaged.end, damaged.records) == (len(content), len(values) - len(scan.records))
    assert scan.torn_bytes == 0


@given(VALUES, st.text(min_size=1), st.data())
def test_an_end_that_was_never_sealed_is_torn(values: list[str], last: str, data: st.DataObject) -> None:
    """Cut anywhere, full of zeros, or damaged: nobody has a receipt for it."""
    content = a_segment(*values, last, unsealed=1)
    start = frame_start(*values)
    cut = data.draw(st.integers(start + 1, len(content) - 1))
    tail = data.draw(st.sampled_from([content[start:cut], bytes(cut - start), content[start : cut - 1] + b"\xff"]))
    scan = segment_scan.scan_segment(content[:start] + tail, NUMBER)
    assert (values_of(scan), scan.damaged, scan.torn_bytes) == (values, (), len(tail))


def test_a_record_that_was_written_and_not_yet_sealed_is_read() -> None:
    """The process was killed between the fsync and the header: it may be kept, and its sender comes again."""
    scan = segment_scan.scan_segment(a_segment("one", "two", unsealed=1), NUMBER)
    assert (values_of(scan), scan.damaged, scan.torn_bytes) == (["one", "two"], (), 0)


@given(VALUES, st.integers(0, 35))
def test_a_damaged_header_costs_no_record(values: list[str], place: int) -> None:
    """All of the segment counts as acknowledged then."""
    scan = segment_scan.scan_segment(flip(a_segment(*values), place), NUMBER)
    assert values_of(scan) == values
    assert scan.damaged == (DamagedRange(start=0, end=HEADER_BYTES, records=0),)


def test_behind_a_damaged_header_a_cut_end_is_damage() -> None:
    """Nobody knows what was sealed, so nothing may be taken for torn."""
    scan = segment_scan.scan_segment(flip(a_segment("one", "two"), 0)[:-1], NUMBER)
    assert values_of(scan) == ["one"]
    assert [one.records for one in scan.damaged] == [0, None]


@pytest.mark.parametrize("content", [b"", bytes(3 * HEADER_BYTES), b"\xa5" * 9_999], ids=["empty", "zeros", "noise"])
def test_a_segment_of_which_nothing_is_left_is_damaged(content: bytes) -> None:
    """It holds no record, and how many it held is not known."""
    scan = segment_scan.scan_segment(content, NUMBER)
    assert scan.records == ()
    assert scan.damaged


def test_an_event_that_holds_the_image_of_a_segment_is_one_event() -> None:
    """No frame is found in the text of another, whatever becomes of that one."""
    inner = a_segment("forged", "forged too")
    values = ["one", inner.decode("latin-1"), "two"]
    content = a_segment(*values)
    assert values_of(segment_scan.scan_segment(content, NUMBER)) == values
    damaged = flip(content, frame_start("one") + 1)
    assert values_of(segment_scan.scan_segment(damaged, NUMBER)) == ["one", "two"]


def test_even_the_raw_image_of_a_frame_is_none_at_another_offset() -> None:
    """The second line of defence: should a record ever hold the bytes of a frame, its checksum is wrong there."""
    image = a_segment("forged")[HEADER_BYTES:]
    records = [SpooledRecord(b"k", b"one"), SpooledRecord(b"k", image + b"rest"), SpooledRecord(b"k", b"two")]
    frames = record_format.encode_records(records, after=a_header())
    header = a_header(sealed_bytes=HEADER_BYTES + len(frames), sealed_records=3)
    content = record_format.encode_header(header).ljust(HEADER_BYTES, b"\0") + frames
    hit = HEADER_BYTES + record_format.size_of(records[:1]) + 9
    scan = segment_scan.scan_segment(flip(content, hit), NUMBER)
    assert [record.value for record in scan.records] == [b"one", b"two"]
    assert [one.records for one in scan.damaged] == [1]


def test_a_copy_under_another_number_is_read_and_told() -> None:
    """Its records are good, but what had that number is lost."""
    scan = segment_scan.scan_segment(a_segment("one", "two"), NUMBER + 1)
    assert values_of(scan) == ["one", "two"]
    assert scan.damaged == (DamagedRange(start=0, end=HEADER_BYTES, records=None),)


@given(VALUES)
def test_a_segment_of_the_first_format_is_read(values: list[str]) -> None:
    """An upgrade with a full spool loses nothing."""
    scan = segment_scan.scan_segment(a_first_segment(*values), NUMBER)
    assert (values_of(scan), scan.damaged, scan.torn_bytes) == (values, (), 0)


@given(VALUES, st.data())
def test_a_flipped_bit_in_the_first_format_costs_at_most_one_record(values: list[str], data: st.DataObject) -> None:
    """Behind it the next frame is found by its checksum."""
    content = a_first_segment(*values)
    place = data.draw(st.integers(0, len(content) - 1))
    scan = segment_scan.scan_segment(flip(content, place, data.draw(st.integers(0, 7))), NUMBER)
    found = values_of(scan)
    assert any(found == values[:hit] + values[hit + 1 :] for hit in range(len(values)))
    assert scan.damaged


@given(st.binary(max_size=300) | st.binary(max_size=60).map(lambda tail: a_segment("one") + tail))
def test_any_bytes_are_read_without_an_error(content: bytes) -> None:
    """Whatever a disk gives back."""
    scan = segment_scan.scan_segment(content, NUMBER)
    assert all(one.start <= one.end for one in scan.damaged)


def test_a_failed_append_behind_what_is_sealed_is_left_out() -> None:
    """The process that wrote a segment knows better than its header how far it was acknowledged."""
    content = a_segment("one", "two")
    sealed = a_header(sealed_bytes=frame_start("one"), sealed_records=1)
    scan = segment_scan.scan_segment(content[: sealed.sealed_bytes], NUMBER, sealed=sealed)
    assert (values_of(scan), scan.damaged) == (["one"], ())
    assert replace(scan, records=()) == SegmentScan(records=())
