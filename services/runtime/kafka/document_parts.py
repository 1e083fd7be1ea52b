"""A published document that is larger than a record travels in parts, and counts when all of one writing are there.

The key of a part is that of the document with `#NUMBER/COUNT` behind it (contract section 2). A header of each part
holds the SHA-256 of the whole: so a document that was written twice, and the second time not to its end, is never put
together from both. Parts of another writer, who sets no header, count when they are a document together.
"""

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from schemas.plan.plan import Plan
from schemas.plan.registry import Registry
from services.runtime.decoding import UnreadableRecordError

# Brokers, producers and consumers take a mebibyte by default, with the key and what is around the record.
PART_BYTES_MAX = 900_000

# Reporting keeps a document whole in its database, which takes 16 MiB.
PARTS_MAX = 16
DOCUMENT_BYTES_MAX = PARTS_MAX * PART_BYTES_MAX
DIGEST_HEADER = "document-sha256"

_PART = re.compile(rb"(?P<key>.+)#(?P<number>[1-9][0-9]{0,3})/(?P<count>[1-9][0-9]{0,3})", re.DOTALL)

Headers = Sequence[tuple[str, bytes]]


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentRecord:
    """A record that holds a document or a part of one, as it is written."""

    key: str
    value: bytes
    headers: tuple[tuple[str, bytes], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PartKey:
    """The key of a part: of which document it is, its number and how many there are."""

    document: bytes
    number: int
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    value: bytes
    digest: bytes | None


def encode_document(document: Plan | Registry) -> bytes:
    """Return *document* as it is published."""
    return document.model_dump_json(by_alias=True, exclude_defaults=True).encode()


def split_document(key: str, value: bytes) -> tuple[DocumentRecord, ...]:
    """Return the records in which a document is written; raise `ValueError` where it is larger than a document may be.

    One that fits into a record is one record, under the key of the document itself.
    """
    if len(value) > DOCUMENT_BYTES_MAX:
        raise ValueError(f"{key} has {len(value):,} bytes; a document has at most {DOCUMENT_BYTES_MAX:,}")
    if len(value) <= PART_BYTES_MAX:
        return (DocumentRecord(key=key, value=value),)
    pieces = [value[start : start + PART_BYTES_MAX] for start in range(0, len(value), PART_BYTES_MAX)]
    headers = ((DIGEST_HEADER, _digest(value)),)
    return tuple(
        DocumentRecord(key=f"{key}#{number}/{len(pieces)}", value=piece, headers=headers)
        for number, piece in enumerate(pieces, 1)
    )


def parse_part_key(key: bytes | None) -> PartKey | None:
    """Return the key of a part, None for any other; raise `UnreadableRecordError` where there can be no such part."""
    match = _PART.fullmatch(key or b"")
    if match is None:
        return None
    number, count = int(match["number"]), int(match["count"])
    if number > count or count > PARTS_MAX:
        raise UnreadableRecordError("", f"the key {key!r} names no part; a document has at most {PARTS_MAX}")
    return PartKey(document=match["key"], number=number, count=count)


class DocumentParts:
    """The parts that have been read so far."""

    def __init__(self) -> None:
        self._sets: dict[tuple[bytes, int], dict[int, _Part]] = {}

    def add(self, key: PartKey, value: bytes, headers: Headers) -> bytes:
        """Add a part, and return the document once all parts of one writing are there.

        Raises `UnreadableRecordError` with what is lacking until then.
        """
        parts = self._sets.setdefault((key.document, key.count), {})
        parts[key.number] = _Part(value=value, digest=_find_digest(headers))
        missing = [number for number in range(1, key.count + 1) if number not in parts]
        if missing:
            raise UnreadableRecordError("", f"of {key.count} parts these are not there: {_enumerate(missing)}")
        whole = b"".join(parts[number].value for number in range(1, key.count + 1))
        digests = {one.digest for one in parts.values()}
        if digests not in ({None}, {_digest(whole)}):
            raise UnreadableRecordError("", f"its {key.count} parts are not of one document; publish it again")
        return whole

    def remove(self, key: PartKey) -> None:
        """Forget a part that was removed from the log."""
        self._sets.get((key.document, key.count), {}).pop(key.number, None)


def _find_digest(headers: Headers) -> bytes | None:
    return next((value for name, value in headers if name == DIGEST_HEADER), None)


def _digest(value: bytes) -> bytes:
    return hashlib.sha256(value).hexdigest().encode()


def _enumerate(numbers: Iterable[int]) -> str:
    return ", ".join(map(str, numbers))
