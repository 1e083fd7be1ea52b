"""How records lie in a spool file: length, checksum, payload, one after the other; a torn tail is told apart.

Bytes in, records out; knows no file.
"""

import struct
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

_HEADER = struct.Struct(">II")
"""Length and CRC-32 of the payload, big-endian."""

_KEY_LENGTH = struct.Struct(">H")


class Kept(NamedTuple):
    """A record as it goes to the bus: its key and its value."""

    key: bytes
    value: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Scanned:
    """What a spool file holds: its whole records, and the length up to which it is whole."""

    records: tuple[Kept, ...]
    whole_bytes: int


def framed(records: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Return the bytes that stand for *records*, each a key and a value."""
    return b"".join(_frame(_KEY_LENGTH.pack(len(key)) + key + value) for key, value in records)


def scan(content: bytes) -> Scanned:
    """Read *content* up to its end, or up to the first frame that is cut off or does not match its checksum."""
    records: list[Kept] = []
    at = 0
    while True:
        payload = _payload(content, at)
        if payload is None:
            return Scanned(records=tuple(records), whole_bytes=at)
        records.append(_record(payload))
        at += _HEADER.size + len(payload)


def _frame(payload: bytes) -> bytes:
    return _HEADER.pack(len(payload), zlib.crc32(payload)) + payload


def _payload(content: bytes, at: int) -> bytes | None:
    start = at + _HEADER.size
    if start > len(content):
        return None
    length, checksum = _HEADER.unpack_from(content, at)
    payload = content[start : start + length]
    if len(payload) < max(length, _KEY_LENGTH.size) or zlib.crc32(payload) != checksum:
        return None
    return payload


def _record(payload: bytes) -> Kept:
    (length,) = _KEY_LENGTH.unpack_from(payload)
    start = _KEY_LENGTH.size
    return Kept(key=payload[start : start + length], value=payload[start + length :])
