"""What intake remembers of the events in the log: enough to give a repeated one its first receipt.

Two generations, swapped once a span: an identity is remembered for at least one span and at most two, and forgetting
millions costs nothing. It is a cache of the log and the spool; nothing in it is the only copy.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta

from services.intake.core.dedup_entry import Entries, Entry, Stamp, is_same_content


class Memory:
    """First stamps by identity."""

    def __init__(self, *, span: timedelta, now: Callable[[], datetime]) -> None:
        self._span = span
        self._now = now
        self._recent: dict[bytes, Stamp] = {}
        self._older: dict[bytes, Stamp] = {}
        self._swapped_at = now()
        self._unlogged: set[bytes] = set()

    def __len__(self) -> int:
        return len(self._recent) + len(self._older)

    def find(self, identity: bytes) -> Stamp | None:
        """Return the first stamp of *identity*, or nothing if it was not seen within the span."""
        return self._recent.get(identity) or self._older.get(identity)

    def has_just(self, stamps: Mapping[bytes, Stamp]) -> bool:
        """Whether each identity of *stamps* was seen lately, and its first stamp is the one given."""
        return list(map(self._recent.get, stamps)) == list(stamps.values())

    def knows_none_of(self, identities: Iterable[bytes]) -> bool:
        """Whether none of *identities* was seen within the span."""
        return self._recent.keys().isdisjoint(identities) and self._older.keys().isdisjoint(identities)

    def remember(self, stamps: Mapping[bytes, Stamp]) -> None:
        """Keep the first stamps of events that this process made durable; a later one changes nothing."""
        if all(map(self._recent.__contains__, stamps)):  # nearly always: the log told of them before
            return
        for identity, stamp in stamps.items():
            if self.find(identity) is None:
                self._kept_now()[identity] = stamp
                self._unlogged.add(identity)

    def remember_logged(self, entries: Entries) -> None:
        """Keep that the log has *entries*, in its order. A first stamp stays, and so does one of other content."""
        recent = self._kept_now()
        if not self._unlogged and self._older.keys().isdisjoint(entries.identities):
            list(map(recent.setdefault, entries.identities, entries.stamps))
            return
        for identity, stamp in zip(entries.identities, entries.stamps, strict=True):
            standing = self.find(identity)
            if standing is None:
                recent[identity] = stamp
            elif is_same_content(standing, stamp):
                self._unlogged.discard(identity)

    def is_logged(self, entry: Entry) -> bool:
        """Whether the log is known to hold the event of *entry* with its content."""
        standing = self.find(entry.identity)
        return standing is not None and entry.identity not in self._unlogged and is_same_content(standing, entry.stamp)

    def _kept_now(self) -> dict[bytes, Stamp]:
        now = self._now()
        if now - self._swapped_at >= self._span:
            self._older, self._recent = self._recent, {}
            self._swapped_at = now
        return self._recent
