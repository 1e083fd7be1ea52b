"""The format of a spool file."""

from hypothesis import given
from hypothesis import strategies as st

from services.intake.spool import record_format
from services.intake.spool.record_format import SpooledRecord

RECORDS = st.lists(st.builds(SpooledRecord, key=st.binary(max_size=20), value=st.binary(max_size=60)), max_size=6)


@given(RECORDS)
def test_encoded_records_are_scanned_back(records: list[SpooledRecord]) -> None:
    """All records come back whole and in order, and the whole file counts as whole."""
    content = record_format.encode_records(records)
    scanned = record_format.scan_records(content)
    assert list(scanned.records) == records
    assert scanned.whole_bytes == len(content)


@given(RECORDS, st.data())
def test_a_tail_torn_anywhere_leaves_all_whole_records(records: list[SpooledRecord], data: st.DataObject) -> None:
    """Only what was cut off is missing, and the length says where to go on."""
    content = record_format.encode_records(records)
    cut = data.draw(st.integers(0, len(content)))
    scanned = record_format.scan_records(content[:cut])
    assert list(scanned.records) == records[: len(scanned.records)]
    assert content[: scanned.whole_bytes] == record_format.encode_records(scanned.records)
    assert cut - scanned.whole_bytes < len(record_format.encode_records(records[len(scanned.records) :][:1]) or b"x")


@given(RECORDS.filter(bool), st.data())
def test_a_flipped_byte_is_never_read_as_a_record(records: list[SpooledRecord], data: st.DataObject) -> None:
    """The checksum tells it; what stood before is kept."""
    content = bytearray(record_format.encode_records(records))
    content[data.draw(st.integers(0, len(content) - 1))] ^= 0xFF
    assert all(record in records for record in record_format.scan_records(bytes(content)).records)


@given(st.binary(max_size=300))
def test_any_bytes_are_scanned_without_an_error(content: bytes) -> None:
    """Whatever a disk gives back."""
    assert record_format.scan_records(content).whole_bytes <= len(content)
