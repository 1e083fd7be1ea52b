"""The manifest of a spool: which segments exist, so that one that is gone is missed.

A small file that is written in place. A replacement would need room on a disk that the spool may have filled, and then
the spool could never be emptied.
"""

import os
import struct
import zlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from services.intake.spool.spool_folder import OWNER_ONLY

_MARKER = b"\xff\xfe\xff\x02man\n"
_FIELDS = struct.Struct(">8sQQ")  # marker, first number, number after the last
_CHECKSUM = struct.Struct(">I")


class ManifestDamagedError(Exception):
    """The manifest is there and cannot be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentRange:
    """The segments from `first` up to `following`: each was created, and none was removed."""

    first: int
    following: int

    def find_missing(self, known: Collection[int]) -> Sequence[int]:
        """Return the numbers in the range that are not among the *known* ones."""
        return [number for number in range(self.first, self.following) if number not in known]


class SpoolManifest:
    """The file of the manifest, open for writing."""

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT, OWNER_ONLY)

    def read(self) -> SegmentRange | None:
        """Return what it says, or None if it is new; raise `ManifestDamagedError`."""
        return decode_manifest(os.pread(self._descriptor, _FIELDS.size + _CHECKSUM.size, 0))

    def write(self, segments: SegmentRange) -> None:
        """Replace what it says; on disk when this returns. A sector is written whole, and this is less than one."""
        fields = _FIELDS.pack(_MARKER, segments.first, segments.following)
        os.pwrite(self._descriptor, fields + _CHECKSUM.pack(zlib.crc32(fields)), 0)
        os.fsync(self._descriptor)

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)


def read_manifest(path: Path) -> SegmentRange | None:
    """Return what the manifest *path* says, or None if there is none; raise `ManifestDamagedError` or `OSError`."""
    return decode_manifest(path.read_bytes()) if path.exists() else None


def decode_manifest(content: bytes) -> SegmentRange | None:
    """Return what the manifest *content* says, or None if it is empty; raise `ManifestDamagedError`."""
    if not content:
        return None
    fields = content[: _FIELDS.size]
    if content[_FIELDS.size :] != _CHECKSUM.pack(zlib.crc32(fields)) or not fields.startswith(_MARKER):
        raise ManifestDamagedError
    _, first, following = _FIELDS.unpack(fields)
    return SegmentRange(first=first, following=following)
