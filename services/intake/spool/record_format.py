"""The format of a spool file: one frame a record, each of length, CRC-32 and payload. A torn tail is recognised.

Bytes in, records out; it opens no file.
"""

import struct
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

# Length and CRC-32 of the payload, big-endian.
_HEADER = struct.Struct(">II")

_KEY_LENGTH = struct.Struct(">H")


class SpooledRecord(NamedTuple):
    """The key and the value of a Kafka record."""

    key: bytes
    value: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanResult:
    """The whole records of a spool file, and the length up to which it is whole."""

    records: tuple[SpooledRecord, ...]
    whole_bytes: int


def encode_records(records: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Return *records*, pairs of key and value, as the bytes of a spool file."""
    return b"".join(_encode_frame(_KEY_LENGTH.pack(len(key)) + key + value) for key, value in records)


def scan_records(content: bytes) -> ScanResult:
    """Read *content* up to its end, or up to the first frame that is cut off or does not match its checksum."""
    records: list[SpooledRecord] = []
    at = 0
    while True:
        payload = _read_payload(content, at)
        if payload is None:
            return ScanResult(records=tuple(records), whole_bytes=at)
        records.append(_decode_record(payload))
        at += _HEADER.size + len(payload)


def _encode_frame(payload: bytes) -> bytes:
    return _HEADER.pack(len(payload), zlib.crc32(payload)) + payload


def _read_payload(content: bytes, at: int) -> bytes | None:
    start = at + _HEADER.size
    # A crash may cut a frame anywhere, also within its header.
    if start > len(content):
        return None
    length, checksum = _HEADER.unpack_from(content, at)
    payload = content[start : start + length]
    # The second bound is for a length of zero: the CRC-32 of nothing is 0, so a run of zero bytes, which a file system
    # may leave at the end of a file after a power cut, would read as empty records.
    if len(payload) < max(length, _KEY_LENGTH.size) or zlib.crc32(payload) != checksum:
        return None
    return payload


def _decode_record(payload: bytes) -> SpooledRecord:
    (length,) = _KEY_LENGTH.unpack_from(payload)
    start = _KEY_LENGTH.size
    return SpooledRecord(key=payload[start : start + length], value=payload[start + length :])
