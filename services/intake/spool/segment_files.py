"""The files of the spool: numbered segments in one folder, appended with fsync, read back whole, removed when drained.

Every function here blocks and is called from one thread at a time. What `append` returned from survives a power cut.
"""

import fcntl
import logging
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from services.intake.spool import record_format
from services.intake.spool.record_format import Kept

SUFFIX = ".spool"
TORN_SUFFIX = ".torn"
DIGITS = 12
OWNER_ONLY = 0o600

log = logging.getLogger(__name__)


class SpoolInUseError(Exception):
    """Another process has this spool folder; give each replica its own with DONDOC_INTAKE_SPOOL."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A sealed file of the spool and the records in it, oldest first."""

    path: Path
    records: tuple[Kept, ...]


class Segments:
    """The folder, and the one segment in it that is being written."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._sealed: list[Path] = []
        self._descriptor: int | None = None
        self._current: Path | None = None
        self._length = 0
        self._lock: int | None = None
        self._next = 1

    def open(self) -> Iterator[Segment]:
        """Lock the folder and yield what an earlier process left, oldest first, cutting off tails that a crash tore."""
        self._folder.mkdir(parents=True, exist_ok=True)
        self._take_lock()
        for path in sorted(self._folder.glob(f"*{SUFFIX}")):
            segment = _recovered(path)
            self._next = int(path.stem) + 1
            if segment.records:
                self._sealed.append(path)
                yield segment
            else:
                path.unlink()

    def close(self) -> None:
        """Close the files and give the folder free; what is in it stays."""
        self.seal()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def append(self, content: bytes) -> None:
        """Write *content* behind the rest and return when it is on disk; on a failure the file is as it was before."""
        descriptor = self._writable()
        try:
            _write_all(descriptor, content)
            os.fsync(descriptor)
        except OSError:
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

    def oldest(self) -> Segment | None:
        """Return the oldest sealed segment, or nothing if there is none."""
        if not self._sealed:
            return None
        path = self._sealed[0]
        return Segment(path=path, records=record_format.scan(path.read_bytes()).records)

    def remove(self, segment: Segment) -> int:
        """Delete a drained segment and return how many bytes it held."""
        size = segment.path.stat().st_size
        segment.path.unlink()
        self._sealed.remove(segment.path)
        return size

    def _writable(self) -> int:
        if self._descriptor is None:
            self._current = self._folder / f"{self._next:0{DIGITS}d}{SUFFIX}"
            self._next += 1
            self._descriptor = os.open(self._current, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY)
            _sync_folder(self._folder)
        return self._descriptor

    def _take_lock(self) -> None:
        self._lock = os.open(self._folder / "lock", os.O_RDWR | os.O_CREAT, OWNER_ONLY)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as cause:
            os.close(self._lock)
            self._lock = None
            raise SpoolInUseError(str(self._folder)) from cause


def _recovered(path: Path) -> Segment:
    content = path.read_bytes()
    scanned = record_format.scan(content)
    if scanned.whole_bytes < len(content):
        # Nothing in a torn tail was acknowledged. It is kept aside all the same: a disk may also lie in the middle.
        path.with_suffix(TORN_SUFFIX).write_bytes(content[scanned.whole_bytes :])
        os.truncate(path, scanned.whole_bytes)
        extra = {"action": "spool_torn", "file": path.name, "bytes": len(content) - scanned.whole_bytes}
        log.warning("a spool file had a torn tail, which is set aside", extra=extra)
    return Segment(path=path, records=scanned.records)


def _write_all(descriptor: int, content: bytes) -> None:
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
