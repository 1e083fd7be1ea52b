"""The files of the spool: numbered segments in one folder, appended with fsync, removed after their replay.

Every function here blocks and is called from one thread at a time. What was appended survives a power cut.
"""

import fcntl
import logging
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from services.intake.spool import record_format
from services.intake.spool.record_format import SpooledRecord

SUFFIX = ".spool"
TORN_SUFFIX = ".torn"
DIGITS = 12
OWNER_ONLY = 0o600

log = logging.getLogger(__name__)


class SpoolInUseError(Exception):
    """Another process has this spool folder; give each replica its own with DONDOC_INTAKE_SPOOL."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpoolSegment:
    """A sealed file and the records in it, oldest first."""

    path: Path
    records: tuple[SpooledRecord, ...]


class SegmentFiles:
    """The folder of segments, one of which is being written."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._sealed: list[Path] = []
        self._descriptor: int | None = None
        self._current: Path | None = None
        self._length = 0
        self._lock: int | None = None
        self._next = 1

    def open(self) -> Iterator[SpoolSegment]:
        """Lock the folder and yield the segments of an earlier process, oldest first, without torn tails."""
        self._folder.mkdir(parents=True, exist_ok=True)
        self._lock_folder()
        for path in sorted(self._folder.glob(f"*{SUFFIX}")):
            segment = _recover_segment(path)
            self._next = int(path.stem) + 1
            if segment.records:
                self._sealed.append(path)
                yield segment
            else:
                path.unlink()

    def close(self) -> None:
        """Close the files and unlock the folder; the segments stay."""
        self.seal()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def append(self, content: bytes) -> None:
        """Append *content* and return when it is on disk; after a failure the file is as it was before."""
        descriptor = self._open_current()
        try:
            _write_all(descriptor, content)
            os.fsync(descriptor)
        except OSError:
            # Part of the content may be in the file. Left there it would end the scan of the segment early, and records
            # that are appended and acknowledged later would be lost behind it.
            os.ftruncate(descriptor, self._length)
            os.lseek(descriptor, self._length, os.SEEK_SET)
            raise
        self._length += len(content)

    @property
    def length(self) -> int:
        """Bytes in the segment that is being written."""
        return self._length

    def seal(self) -> None:
        """End the segment that is being written; the next append begins another."""
        if self._descriptor is None or self._current is None:
            return
        os.close(self._descriptor)
        if self._length:
            self._sealed.append(self._current)
        else:
            self._current.unlink()
        self._descriptor = self._current = None
        self._length = 0

    def oldest(self) -> SpoolSegment | None:
        """Return the oldest sealed segment, or None."""
        if not self._sealed:
            return None
        path = self._sealed[0]
        return SpoolSegment(path=path, records=record_format.scan_records(path.read_bytes()).records)

    def remove(self, segment: SpoolSegment) -> int:
        """Delete a replayed segment and return how many bytes it held."""
        size = segment.path.stat().st_size
        # The folder is not synced: a segment that a power cut brings back is found in the log and skipped.
        segment.path.unlink()
        self._sealed.remove(segment.path)
        return size

    def _open_current(self) -> int:
        if self._descriptor is None:
            self._current = self._folder / f"{self._next:0{DIGITS}d}{SUFFIX}"
            self._next += 1
            # O_EXCL: an existing file of this number holds records of another writer and must not be overwritten.
            self._descriptor = os.open(self._current, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY)
            # fsync of a file does not make its name durable; after a power cut the folder could lack the segment.
            _sync_folder(self._folder)
        return self._descriptor

    def _lock_folder(self) -> None:
        self._lock = os.open(self._folder / "lock", os.O_RDWR | os.O_CREAT, OWNER_ONLY)
        # The kernel releases the lock when the process ends, however it ends. A file with a process id would have to be
        # cleared by hand after a crash.
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as cause:
            os.close(self._lock)
            self._lock = None
            raise SpoolInUseError(str(self._folder)) from cause


def _recover_segment(path: Path) -> SpoolSegment:
    content = path.read_bytes()
    scan = record_format.scan_records(content)
    if scan.whole_bytes < len(content):
        # Nothing in a torn tail was acknowledged. It is kept aside all the same: a disk may also lie in the middle.
        path.with_suffix(TORN_SUFFIX).write_bytes(content[scan.whole_bytes :])
        os.truncate(path, scan.whole_bytes)
        extra = {"action": "spool_torn", "file": path.name, "bytes": len(content) - scan.whole_bytes}
        log.warning("a spool file had a torn tail, which is set aside", extra=extra)
    return SpoolSegment(path=path, records=scan.records)


def _write_all(descriptor: int, content: bytes) -> None:
    # write(2) may write less than it was given, for example when a disk is nearly full.
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
