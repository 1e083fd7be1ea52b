"""How records lie in a spool file."""

from hypothesis import given
from hypothesis import strategies as st

from services.intake.spool import record_format
from services.intake.spool.record_format import Kept

RECORDS = st.lists(st.builds(Kept, key=st.binary(max_size=20), value=st.binary(max_size=60)), max_size=6)


@given(RECORDS)
def test_what_was_framed_is_scanned_back(records: list[Kept]) -> None:
    """Whole and in order."""
    content = record_format.framed(records)
    scanned = record_format.scan(content)
    assert list(scanned.records) == records
    assert scanned.whole_bytes == len(content)


@given(RECORDS, st.data())
def test_a_tail_torn_anywhere_leaves_all_whole_records(records: list[Kept], data: st.DataObject) -> None:
    """Only what was cut off is missing, and the length says where to go on."""
    content = record_format.framed(records)
    cut = data.draw(st.integers(0, len(content)))
    scanned = record_format.scan(content[:cut])
    assert list(scanned.records) == records[: len(scanned.records)]
    assert content[: scanned.whole_bytes] == record_format.framed(scanned.records)
    assert cut - scanned.whole_bytes < len(record_format.framed(records[len(scanned.records) :][:1]) or b"x")


@given(RECORDS.filter(bool), st.data())
def test_a_flipped_byte_is_never_read_as_a_record(records: list[Kept], data: st.DataObject) -> None:
    """The checksum tells it; what stood before is kept."""
    content = bytearray(record_format.framed(records))
    content[data.draw(st.integers(0, len(content) - 1))] ^= 0xFF
    assert all(record in records for record in record_format.scan(bytes(content)).records)


@given(st.binary(max_size=300))
def test_any_bytes_are_scanned_without_an_error(content: bytes) -> None:
    """Whatever a disk gives back."""
    assert record_format.scan(content).whole_bytes <= len(content)
