"""Small files that hold secrets or copies of them: lock one against other writers, replace it atomically, reload it.

Used for keys of every kind and for the local copy of the published plans. Knows nothing of their content.
"""

import asyncio
import fcntl
import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

OWNER_ONLY = 0o600

# The longest time until a revoked key or a rotated signing key takes effect.
POLL_SECONDS = 0.5

log = logging.getLogger(__name__)

# Modification time in nanoseconds, inode and size of a file.
Fingerprint = tuple[int, int, int]


@contextmanager
def lock_file(path: Path) -> Iterator[None]:
    """Hold an exclusive lock for changing the secret file *path*; wait while another process holds it.

    Hold it from reading the file to replacing it. Otherwise the later of two writers would undo what the earlier one
    changed, for example bring a revoked key back. Readers are not kept out. A thread that holds the lock must not ask
    for it again (flock would wait for itself). Raises `OSError` if the folder cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # The lock is a file of its own, because each replacement gives *path* another inode. It is never deleted: a
    # process that still held a deleted lock file and one that created the next would both believe that they hold the
    # lock.
    lock = os.open(path.with_name(f"{path.name}.lock"), os.O_RDWR | os.O_CREAT, OWNER_ONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def replace_file(path: Path, content: bytes) -> None:
    """Replace the content of *path* atomically, readable by its owner only, and on disk before this returns.

    A crash leaves either the old file or the new one. Raises `OSError`.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # Written beside the target, because rename(2) is atomic only within one file system; named after the process, so
    # that two writers without a lock do not write into one file.
    temporary = path.with_name(f"{path.name}.{os.getpid()}.new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, OWNER_ONLY)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    temporary.replace(path)


class FileWatcher:
    """Detects that a file was changed or replaced since it was last looked at."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._last: Fingerprint | None = None

    def has_changed(self) -> bool:
        """Whether the file differs from what it was at the last call."""
        current = self._fingerprint()
        changed = current != self._last
        self._last = current
        return changed

    def _fingerprint(self) -> Fingerprint | None:
        try:
            found = self.path.stat()
        except FileNotFoundError:
            return None
        # The inode tells two replacements within one tick of the file system's clock apart.
        return found.st_mtime_ns, found.st_ino, found.st_size


async def reload_on_change(watcher: FileWatcher, load: Callable[[], None], unreadable: type[Exception]) -> None:
    """Call *load* whenever the watched file changes, until cancelled.

    If *load* raises *unreadable*, the error is logged and the content that was loaded before stays in force.
    """
    while True:
        await asyncio.sleep(POLL_SECONDS)
        if not watcher.has_changed():
            continue
        try:
            load()
        except unreadable:
            log.exception(
                "a file cannot be read; the last readable content stays in force",
                extra={"action": "file_unreadable", "file": watcher.path.name},
            )
