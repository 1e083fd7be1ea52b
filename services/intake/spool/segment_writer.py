"""The segment that is being written: frames at its end, forced to disk, then sealed in its header.

The order tells a torn end from damage. The header is written once the frames are on disk and before anybody gets a
receipt: what it seals may have been acknowledged, what lies behind it was not.
"""

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from services.intake.spool import record_format
from services.intake.spool.record_format import HEADER_BYTES, SegmentHeader
from services.intake.spool.spool_folder import OWNER_ONLY


class SegmentWriter:
    """One new segment. Every method blocks."""

    def __init__(self, path: Path, number: int) -> None:
        self.path = path
        self.header = SegmentHeader(number=number, sealed_bytes=HEADER_BYTES, sealed_records=0)
        # O_EXCL: an existing file of this number holds records of another writer and must not be overwritten.
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, OWNER_ONLY)

    def append(self, records: Sequence[tuple[bytes, bytes]]) -> SegmentHeader:
        """Write *records* and return the header that seals them once they are on disk; raise `OSError`."""
        content = record_format.encode_records(records, after=self.header)
        if self.header.sealed_records == 0:
            self._write_header(self.header)
        _write_all(self._descriptor, content, self.header.sealed_bytes)
        os.fsync(self._descriptor)
        return SegmentHeader(
            number=self.header.number,
            sealed_bytes=self.header.sealed_bytes + len(content),
            sealed_records=self.header.sealed_records + len(records),
        )

    def seal(self, header: SegmentHeader) -> None:
        """State *header* in the file; raise `OSError`.

        It goes to disk with the next fsync. A process that is killed before leaves it in the kernel's cache.
        """
        self._write_header(header)
        self.header = header

    def discard_tail(self) -> None:
        """Cut off what is not sealed, as far as the disk still lets that happen."""
        with suppress(OSError):
            os.ftruncate(self._descriptor, self.header.sealed_bytes)

    def close(self) -> None:
        """Close the file, its header on disk."""
        # The records are on disk in any case. Without the header of the last append, which a failing disk may keep from
        # being written, an end that is damaged later would be taken for a torn one.
        with suppress(OSError):
            os.fsync(self._descriptor)
        os.close(self._descriptor)

    def _write_header(self, header: SegmentHeader) -> None:
        content = record_format.encode_header(header)
        _write_all(self._descriptor, content.ljust(HEADER_BYTES, b"\0") if not header.sealed_records else content, 0)


def _write_all(descriptor: int, content: bytes, offset: int) -> None:
    # pwrite(2) may write less than it was given, for example when a disk is nearly full.
    rest = memoryview(content)
    while rest:
        written = os.pwrite(descriptor, rest, offset)
        rest, offset = rest[written:], offset + written
