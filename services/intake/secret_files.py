"""A file that may be replaced while the service runs: says when it is worth reading anew."""

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path

POLL_SECONDS = 0.5
"""How long a revocation or a rotation may take to be seen."""

log = logging.getLogger(__name__)

Fingerprint = tuple[int, int, int]


class FileWatcher:
    """Remembers what a file looked like when it was last read."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._seen: Fingerprint | None = None

    def has_changed(self) -> bool:
        """Whether the file differs from what it was at the last call."""
        now = self._fingerprint()
        changed = now != self._seen
        self._seen = now
        return changed

    def _fingerprint(self) -> Fingerprint | None:
        try:
            found = self.path.stat()
        except FileNotFoundError:
            return None
        return found.st_mtime_ns, found.st_ino, found.st_size


async def reload_on_change(watched: FileWatcher, load: Callable[[], None], broken: type[Exception]) -> None:
    """Call *load* whenever the file changes; where it raises *broken*, what was loaded before stays in force."""
    while True:
        await asyncio.sleep(POLL_SECONDS)
        if not watched.has_changed():
            continue
        try:
            load()
        except broken:
            log.exception(
                "a file cannot be read; the last good one stays",
                extra={"action": "file_unreadable", "file": watched.path.name},
            )
