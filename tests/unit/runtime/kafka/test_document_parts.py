"""A document in parts: whole when all parts of one writing are there, and never before."""

from itertools import permutations

import pytest

from services.runtime.decoding import UnreadableRecordError
from services.runtime.kafka import document_parts
from services.runtime.kafka.document_parts import (
    DOCUMENT_BYTES_MAX,
    PART_BYTES_MAX,
    DocumentParts,
    DocumentRecord,
    PartKey,
)

KEY = "registry:th@1"
OLD, NEW = (bytes([letter]) * (2 * PART_BYTES_MAX + 1) for letter in b"ab")


def add(parts: DocumentParts, record: DocumentRecord) -> bytes | None:
    """Add the part in *record* and return the document; None where something is lacking."""
    try:
        return parts.add(key_of(record), record.value, record.headers)
    except UnreadableRecordError:
        return None


def key_of(record: DocumentRecord) -> PartKey:
    """Return the key of a part."""
    key = document_parts.parse_part_key(record.key.encode())
    assert key is not None
    return key


def test_what_fits_into_a_record_is_one_under_the_key_of_the_document() -> None:
    """Up to the bound nothing is divided, and nobody who knows no parts is told of any."""
    assert document_parts.split_document(KEY, b"x" * PART_BYTES_MAX) == (
        DocumentRecord(key=KEY, value=b"x" * PART_BYTES_MAX),
    )
    assert document_parts.parse_part_key(KEY.encode()) is None
    assert document_parts.parse_part_key(None) is None


def test_parts_are_the_document_in_whatever_order_they_come() -> None:
    """Each is small enough for a record, and the last to come completes the document."""
    records = document_parts.split_document(KEY, OLD)
    assert [one.key for one in records] == [f"{KEY}#1/3", f"{KEY}#2/3", f"{KEY}#3/3"]
    for order in permutations(records):
        parts = DocumentParts()
        assert [add(parts, one) for one in order] == [None, None, OLD]


def test_two_writings_are_never_put_together() -> None:
    """A second writing that was cut off leaves a mixture, which is no document until the rest of it comes."""
    parts = DocumentParts()
    for one in document_parts.split_document(KEY, OLD):
        add(parts, one)
    found = [add(parts, one) for one in document_parts.split_document(KEY, NEW)]
    assert found == [None, None, NEW]


def test_parts_without_a_digest_count_together() -> None:
    """Another writer sets no header; but a part of theirs and one of ours are no document."""
    parts = DocumentParts()
    first, *others = document_parts.split_document(KEY, OLD)
    bare = [DocumentRecord(key=one.key, value=one.value) for one in (first, *others)]
    assert [add(parts, one) for one in bare] == [None, None, OLD]
    assert add(parts, first) is None


def test_a_part_that_was_removed_is_lacking() -> None:
    """A tombstone takes a part away, and the reason names it."""
    parts = DocumentParts()
    records = document_parts.split_document(KEY, OLD)
    for one in records:
        add(parts, one)
    parts.remove(key_of(records[1]))
    with pytest.raises(UnreadableRecordError, match="of 3 parts these are not there: 2"):
        parts.add(key_of(records[0]), records[0].value, records[0].headers)


@pytest.mark.parametrize("key", ["registry:th@1#3/2", "registry:th@1#1/17"])
def test_a_part_that_cannot_be_is_refused(key: str) -> None:
    """The number is at most the count, and the count is bounded: a reader keeps the parts in memory."""
    with pytest.raises(UnreadableRecordError, match="names no part"):
        document_parts.parse_part_key(key.encode())


def test_a_document_beyond_the_bound_is_refused() -> None:
    """The refusal names both sizes; `dondoc check` says it before anybody publishes."""
    with pytest.raises(ValueError, match=r"14,400,001 bytes; a document has at most 14,400,000"):
        document_parts.split_document(KEY, b"x" * (DOCUMENT_BYTES_MAX + 1))
