"""What intake remembers of the events in the log: enough to give a repeated one its first receipt.

Two generations, swapped once a span: an identity is remembered for at least one span and at most two, and forgetting
millions costs nothing. It is a cache of the log and the spool; nothing in it is the only copy.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from services.intake.core.stamps import Entry, Stamp, is_same_content

_PENDING = b"p"
_LOGGED = b"l"
"""In front of a stamp: whether the log was seen to have it, or it may still be on its way there."""


class Memory:
    """First stamps by identity."""

    def __init__(self, *, span: timedelta, now: Callable[[], datetime]) -> None:
        self._span = span
        self._now = now
        self._recent: dict[bytes, bytes] = {}
        self._older: dict[bytes, bytes] = {}
        self._swapped_at = now()

    def __len__(self) -> int:
        return len(self._recent) + len(self._older)

    def find(self, identity: bytes) -> Stamp | None:
        """Return the first stamp of *identity*, or nothing if it was not seen within the span."""
        marked = self._marked(identity)
        return None if marked is None else marked[1:]

    def remember(self, entry: Entry) -> None:
        """Keep the first stamp of an event, which this process made durable; a later one changes nothing."""
        if self._marked(entry.identity) is None:
            self._keep(entry.identity, _PENDING + entry.stamp)

    def remember_logged(self, entry: Entry) -> None:
        """Keep that the log has *entry*. The first stamp stays, and so does one of other content."""
        marked = self._marked(entry.identity)
        if marked is None:
            self._keep(entry.identity, _LOGGED + entry.stamp)
        elif marked[:1] == _PENDING and is_same_content(marked[1:], entry.stamp):
            self._keep(entry.identity, _LOGGED + marked[1:])

    def is_logged(self, entry: Entry) -> bool:
        """Whether the log is known to hold the event of *entry* with its content."""
        marked = self._marked(entry.identity)
        return marked is not None and marked[:1] == _LOGGED and is_same_content(marked[1:], entry.stamp)

    def _marked(self, identity: bytes) -> bytes | None:
        return self._recent.get(identity) or self._older.get(identity)

    def _keep(self, identity: bytes, marked: bytes) -> None:
        now = self._now()
        if now - self._swapped_at >= self._span:
            self._older, self._recent = self._recent, {}
            self._swapped_at = now
        self._recent[identity] = marked
