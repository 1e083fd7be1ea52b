"""The folder of a spool: the names of its files, its lock, and how a file is kept, marked or read.

`NNNNNNNNNNNN.spool` is a segment. A segment that was damaged is kept as `.damaged`, one with a torn end as `.torn`; an
empty `.missing` stands for one that is gone. `dondoc spool recover` renames what it has dealt with to `.recovered`.
"""

import errno
import fcntl
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

SEGMENT = ".spool"
DAMAGED = ".damaged"
MISSING = ".missing"
TORN = ".torn"
RECOVERED = ".recovered"

MANIFEST_FILE = "manifest"
LOCK_FILE = "lock"
OWNER_ONLY = 0o600

# Of a segment's number in the name of its file.
DIGITS = 12

# The smallest unit that a disk reports as unreadable.
BLOCK_BYTES = 4096

_SEGMENT_NAME = re.compile(rf"\d{{{DIGITS}}}{re.escape(SEGMENT)}")
_NUMBERED_NAME = re.compile(rf"(\d{{{DIGITS}}})[.-]")


class SpoolUnusableError(Exception):
    """The spool folder cannot be used; the message says why. Look at DONDOC_INTAKE_SPOOL."""


class SpoolInUseError(SpoolUnusableError):
    """Another process has this spool folder; stop it, or give each replica its own with DONDOC_INTAKE_SPOOL."""


def lock_folder(folder: Path) -> int:
    """Lock *folder* for this process and return the descriptor that holds the lock; raise `SpoolUnusableError`.

    The kernel releases the lock when the process ends, however it ends. A file with a process id would have to be
    cleared by hand after a crash.
    """
    return _lock(folder, os.O_RDWR | os.O_CREAT)


@contextmanager
def hold_lock(folder: Path) -> Iterator[None]:
    """Keep other processes from using *folder*, if any ever did; nothing is created. Raise `SpoolUnusableError`."""
    if not (folder / LOCK_FILE).exists():
        yield
        return
    descriptor = _lock(folder, os.O_RDONLY)
    try:
        yield
    finally:
        os.close(descriptor)


def _lock(folder: Path, flags: int) -> int:
    descriptor = os.open(folder / LOCK_FILE, flags, OWNER_ONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as cause:
        os.close(descriptor)
        raise SpoolInUseError(f"another process uses the spool {folder}") from cause
    return descriptor


def segment_path(folder: Path, number: int) -> Path:
    """Return the path of segment *number*."""
    return folder / f"{number:0{DIGITS}d}{SEGMENT}"


def number_of(path: Path) -> int:
    """Return the number in the name of a segment."""
    return int(path.stem)


def list_segments(folder: Path) -> Sequence[Path]:
    """Return the segments in *folder*, oldest first."""
    return sorted(path for path in folder.iterdir() if _SEGMENT_NAME.fullmatch(path.name))


def find_number(path: Path) -> int | None:
    """Return the number in the name of a segment or of what was kept of one; None for any other file."""
    found = _NUMBERED_NAME.match(path.name)
    return None if found is None else int(found[1])


def list_numbers(folder: Path) -> set[int]:
    """Return the numbers of which there is any file: a segment, or what was kept of one."""
    return {number for path in folder.iterdir() if (number := find_number(path)) is not None}


def list_kept(folder: Path, *suffixes: str) -> Sequence[Path]:
    """Return the files with one of *suffixes*, in the order of their numbers."""
    return sorted(path for path in folder.iterdir() if path.suffix in suffixes)


def keep_file(path: Path, suffix: str) -> Path:
    """Give *path* the first free name that ends in *suffix* and return it; the name is on disk when this returns.

    Renamed and not copied: the bytes are never written again, and a full disk does not matter.
    """
    target = _find_free_name(path, suffix)
    path.rename(target)
    sync_folder(path.parent)
    return target


def copy_file(path: Path, suffix: str) -> None:
    """Copy *path* to the first free name that ends in *suffix*; the copy is on disk when this returns."""
    descriptor = os.open(_find_free_name(path, suffix), os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(read_file(path))
        stream.flush()
        os.fsync(descriptor)
    sync_folder(path.parent)


def _find_free_name(path: Path, suffix: str) -> Path:
    stem, copies = path.name.partition(".")[0], 1
    target = path.with_name(f"{stem}{suffix}")
    while target.exists():
        copies += 1
        target = path.with_name(f"{stem}-{copies}{suffix}")
    return target


def mark_missing(path: Path) -> None:
    """Create the empty file that stands for *path*, which is gone."""
    os.close(os.open(path.with_suffix(MISSING), os.O_WRONLY | os.O_CREAT, OWNER_ONLY))
    sync_folder(path.parent)


def read_file(path: Path) -> bytes:
    """Return the content of *path*; blocks that the disk cannot read come as zeros. Raise any other `OSError`."""
    try:
        return path.read_bytes()
    except OSError as cause:
        if cause.errno != errno.EIO:
            raise
    descriptor = os.open(path, os.O_RDONLY)
    try:
        size = os.fstat(descriptor).st_size
        return b"".join(_read_block(descriptor, start, size) for start in range(0, size, BLOCK_BYTES))
    finally:
        os.close(descriptor)


def _read_block(descriptor: int, start: int, size: int) -> bytes:
    length = min(BLOCK_BYTES, size - start)
    try:
        return os.pread(descriptor, length, start).ljust(length, b"\0")
    except OSError as cause:
        if cause.errno != errno.EIO:
            raise
        return bytes(length)


def sync_folder(folder: Path) -> None:
    """Force the names in *folder* to disk: fsync of a file does not do that."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
