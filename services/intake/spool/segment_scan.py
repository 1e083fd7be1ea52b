"""Read a segment of the spool whatever became of its bytes: every whole record, and every place that is damaged.

What the header seals was forced to disk before anybody was answered. An end of the file behind that was torn by a
crash and never acknowledged; anything else that cannot be read is damage. Behind damage the next frame is found by its
marker and its checksum.
"""

import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace

from services.intake.spool import record_format
from services.intake.spool.record_format import FRAME_MARKER, HEADER_BYTES, SegmentHeader, SpooledRecord, SpoolFrame

# The first format, until version 0.1: no header; each frame has the length and the CRC-32 of its payload.
_FIRST_FRAME = struct.Struct(">II")
_FIRST_LENGTH_MIN = 2  # the length of the key
_FIRST_LENGTH_MAX = 16 * 1024 * 1024  # an event has at most 1 MiB

# Where a frame of the first format may begin. Its length is below 16 MiB and so begins with a zero byte, which JSON
# text never contains: no record of that format has an image of a frame in it.
_FIRST_CANDIDATE = re.compile(rb"(?=\x00(?!\x00\x00\x00))")


@dataclass(frozen=True, slots=True, kw_only=True)
class DamagedRange:
    """Bytes of a segment that were acknowledged and cannot be read."""

    start: int
    end: int
    """Where the next whole frame begins, or where the segment should end: the file may be shorter."""
    records: int | None
    """How many records are lost there; None if that cannot be known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentScan:
    """What a segment holds."""

    records: tuple[SpooledRecord, ...]
    damaged: tuple[DamagedRange, ...] = ()
    torn_bytes: int = 0
    """Bytes at the end that were never acknowledged, because a crash came between."""


def scan_segment(content: bytes, number: int, *, sealed: SegmentHeader | None = None) -> SegmentScan:
    """Read the segment *content*, whose file has *number*; *sealed* is what is known of it if not from its header."""
    header = sealed or record_format.decode_header(content)
    if header is not None:
        scan = _scan_sealed(content, header)
        # A copy of another segment under this name: its records are good, but those of this number are lost.
        return scan if header.number == number else _with_damaged_header(content, scan, records=None)
    if FRAME_MARKER in content or not _may_be_first_format(content):
        return _scan_without_header(content, number)
    return _scan_first_format(content)


def scan_unlisted(content: bytes, number: int) -> SegmentScan:
    """Read a segment that the process was killed over before it was listed: nothing in it was acknowledged."""
    scan = scan_segment(content, number)
    return replace(scan, damaged=(), torn_bytes=scan.torn_bytes + sum(one.end - one.start for one in scan.damaged))


def _scan_sealed(content: bytes, header: SegmentHeader) -> SegmentScan:
    records: list[SpooledRecord] = []
    damaged: list[DamagedRange] = []
    at, expected = HEADER_BYTES, 0
    while at < len(content):
        frame = record_format.read_frame(content, at, number=header.number)
        if frame is None:
            found = _find_frame(content, at, number=header.number)
            if found is None:
                break
            start, frame = found
            damaged.append(DamagedRange(start=at, end=start, records=max(0, frame.place - expected)))
        records.append(frame.record)
        at, expected = frame.end, frame.place + 1
    if at < header.sealed_bytes:
        end = max(len(content), header.sealed_bytes)
        damaged.append(DamagedRange(start=at, end=end, records=max(0, header.sealed_records - expected)))
        at = len(content)
    torn = max(0, len(content) - at)
    return SegmentScan(records=tuple(records), damaged=tuple(damaged), torn_bytes=torn)


def _scan_without_header(content: bytes, number: int) -> SegmentScan:
    """Read a segment whose header is damaged. How much was acknowledged is not known: all of it may have been."""
    whole = SegmentHeader(number=number, sealed_bytes=len(content), sealed_records=0)
    scan = _scan_sealed(content, whole)
    # Behind the last frame no place among the records tells how many there were.
    damaged = tuple(replace(one, records=None) if one.end == len(content) else one for one in scan.damaged)
    return _with_damaged_header(content, replace(scan, damaged=damaged), records=0)


def _with_damaged_header(content: bytes, scan: SegmentScan, *, records: int | None) -> SegmentScan:
    header = DamagedRange(start=0, end=min(HEADER_BYTES, len(content)), records=records)
    return replace(scan, damaged=(header, *scan.damaged))


def _find_frame(content: bytes, start: int, *, number: int) -> tuple[int, SpoolFrame] | None:
    at = content.find(FRAME_MARKER, start + 1)
    while at >= 0:
        frame = record_format.read_frame(content, at, number=number)
        if frame is not None:
            return at, frame
        at = content.find(FRAME_MARKER, at + 1)
    return None


def _may_be_first_format(content: bytes) -> bool:
    return any(_read_first_frame(content, at) is not None for at in _first_candidates(content, 0))


def _scan_first_format(content: bytes) -> SegmentScan:
    """Read a segment of the first format, which does not tell a torn end from damage: both count as damage."""
    records: list[SpooledRecord] = []
    damaged: list[DamagedRange] = []
    at = 0
    while at < len(content):
        payload = _read_first_frame(content, at)
        if payload is None:
            found = (one for one in _first_candidates(content, at + 1) if _read_first_frame(content, one) is not None)
            end = next(found, len(content))
            damaged.append(DamagedRange(start=at, end=end, records=None))
            at = end
            continue
        records.append(record_format.decode_payload(payload))
        at += _FIRST_FRAME.size + len(payload)
    return SegmentScan(records=tuple(records), damaged=tuple(damaged))


def _first_candidates(content: bytes, start: int) -> Iterator[int]:
    return (found.start() for found in _FIRST_CANDIDATE.finditer(content, start))


def _read_first_frame(content: bytes, at: int) -> bytes | None:
    start = at + _FIRST_FRAME.size
    if start > len(content):
        return None
    length, checksum = _FIRST_FRAME.unpack_from(content, at)
    if not _FIRST_LENGTH_MIN <= length <= min(_FIRST_LENGTH_MAX, len(content) - start):
        return None
    payload = content[start : start + length]
    return payload if zlib.crc32(payload) == checksum else None
