"""The format of a spool segment: a header page, then one frame a record. Bytes in, records out; it opens no file.

The header says how much of the segment was forced to disk, and so may have been acknowledged. A frame begins with a
marker that no record contains, because records are UTF-8 text and the marker is not. Its checksum covers where it lies
(number of the segment, offset, place among the records), so that bytes which look like a frame elsewhere are none.
"""

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

# 0xFF occurs nowhere in UTF-8 (RFC 3629, section 1).
FRAME_MARKER = b"\xff\xfe\xff\x00rec\n"
HEADER_MARKER = b"\xff\xfe\xff\x02seg\n"

# The header has a page of its own: it is written again after every fsync, and a write that a power cut tears must not
# harm the records beside it.
HEADER_BYTES = 4096

# Marker, number of the segment, sealed length, sealed records; then the CRC-32 of these.
_HEADER = struct.Struct(">8sQQQ")

# Marker, place among the records of the segment, length of the payload; then the CRC-32 of place and payload.
_FRAME = struct.Struct(">8sII")
_CHECKSUM = struct.Struct(">I")

# What a frame's checksum covers besides its payload: number of the segment, offset, place among the records, length.
_PLACE = struct.Struct(">QQII")

_KEY_LENGTH = struct.Struct(">H")

FRAME_OVERHEAD = _FRAME.size + _CHECKSUM.size + _KEY_LENGTH.size


class SpooledRecord(NamedTuple):
    """The key and the value of a Kafka record."""

    key: bytes
    value: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentHeader:
    """What the header of a segment states."""

    number: int
    sealed_bytes: int
    """The length up to which the segment was forced to disk, header included."""
    sealed_records: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SpoolFrame:
    """One record of a segment, its place among the records, and where it ends."""

    record: SpooledRecord
    place: int
    end: int


def encode_header(header: SegmentHeader) -> bytes:
    """Return *header* as the first bytes of a segment; the rest of its page holds zeros."""
    fields = _HEADER.pack(HEADER_MARKER, header.number, header.sealed_bytes, header.sealed_records)
    return fields + _CHECKSUM.pack(zlib.crc32(fields))


def decode_header(content: bytes) -> SegmentHeader | None:
    """Return the header of the segment *content*, or None where it is damaged or there is none."""
    if len(content) < _HEADER.size + _CHECKSUM.size:
        return None
    marker, number, sealed_bytes, sealed_records = _HEADER.unpack_from(content)
    (checksum,) = _CHECKSUM.unpack_from(content, _HEADER.size)
    if marker != HEADER_MARKER or checksum != zlib.crc32(content[: _HEADER.size]):
        return None
    return SegmentHeader(number=number, sealed_bytes=sealed_bytes, sealed_records=sealed_records)


def size_of(records: Sequence[tuple[bytes, bytes]]) -> int:
    """Return how many bytes *records*, pairs of key and value, take in a segment."""
    return sum(FRAME_OVERHEAD + len(key) + len(value) for key, value in records)


def encode_records(records: Sequence[tuple[bytes, bytes]], *, after: SegmentHeader) -> bytes:
    """Return *records* as the bytes that follow what *after* seals."""
    frames: list[bytes] = []
    offset = after.sealed_bytes
    for place, (key, value) in enumerate(records, start=after.sealed_records):
        payload = _KEY_LENGTH.pack(len(key)) + key + value
        checksum = _checksum(payload, number=after.number, offset=offset, place=place)
        frames.append(_FRAME.pack(FRAME_MARKER, place, len(payload)) + _CHECKSUM.pack(checksum) + payload)
        offset += len(frames[-1])
    return b"".join(frames)


def read_frame(content: bytes, offset: int, *, number: int) -> SpoolFrame | None:
    """Return the frame at *offset* of segment *number*; None where it is cut off, damaged or belongs elsewhere."""
    start = offset + _FRAME.size + _CHECKSUM.size
    if start > len(content):
        return None
    marker, place, length = _FRAME.unpack_from(content, offset)
    (checksum,) = _CHECKSUM.unpack_from(content, offset + _FRAME.size)
    end = start + length
    if marker != FRAME_MARKER or length < _KEY_LENGTH.size or end > len(content):
        return None
    payload = content[start:end]
    if checksum != _checksum(payload, number=number, offset=offset, place=place):
        return None
    return SpoolFrame(record=decode_payload(payload), place=place, end=end)


def decode_payload(payload: bytes) -> SpooledRecord:
    """Return the record in the payload of a frame, whose length is checked."""
    (length,) = _KEY_LENGTH.unpack_from(payload)
    start = _KEY_LENGTH.size
    return SpooledRecord(key=payload[start : start + length], value=payload[start + length :])


def _checksum(payload: bytes, *, number: int, offset: int, place: int) -> int:
    return zlib.crc32(payload, zlib.crc32(_PLACE.pack(number, offset, place, len(payload))))
