"""What is known of the log: the first stamps of recent events, and for each partition how far it was read.

The stamps are a cache of the log and the spool, never the only copy.

Two generations are swapped once a span, so an identity is known for at least one span and at most two, and dropping
millions of them costs nothing. Where the log has lost an event, its first stamp stays known, and that it is missing.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from services.intake.core.fact_record import DedupEntries, DedupEntry, Stamp, is_same_content


class RecentEvents:
    """First stamps by identity."""

    def __init__(self, *, span: timedelta, now: Callable[[], datetime]) -> None:
        self._span = span
        self._now = now
        self._recent: dict[bytes, Stamp] = {}
        self._older: dict[bytes, Stamp] = {}
        self._swapped_at = now()
        # At the start the log of one span is read, so its events are remembered although they are older.
        self._older_since = self._recent_since = self._swapped_at - span
        self._spooled: set[bytes] = set()
        self._missing: set[bytes] = set()

    def __len__(self) -> int:
        return len(self._recent) + len(self._older)

    def find(self, identity: bytes) -> Stamp | None:
        """Return the first stamp of *identity*, or None if it was not seen within the span."""
        return self._recent.get(identity) or self._older.get(identity)

    def are_latest(self, stamps: Mapping[bytes, Stamp]) -> bool:
        """Whether each identity of *stamps* is in the younger generation with exactly the stamp given."""
        # Both lists are built and compared in C, without a step of Python for each event. A stamp of the older
        # generation makes it False, which costs a look-up and a second signature, never a wrong answer.
        return list(map(self._recent.get, stamps)) == list(stamps.values())

    def knows_none_of(self, identities: Iterable[bytes]) -> bool:
        """Whether none of *identities* was seen within the span."""
        return self._recent.keys().isdisjoint(identities) and self._older.keys().isdisjoint(identities)

    @property
    def remembered_since(self) -> datetime:
        """An instant after which all events came that are remembered, by the clock as it was then."""
        return min(self._older_since, self._recent_since)

    @property
    def missing(self) -> int:
        """How many events with a receipt are neither in the log nor in the spool, as far as is known."""
        return len(self._missing)

    def is_missing(self, identity: bytes) -> bool:
        """Whether the event of *identity* was in the log and is not found there any more."""
        return identity in self._missing

    def add_durable(self, stamps: Mapping[bytes, Stamp]) -> None:
        """Add events that this process made durable. A known identity keeps its stamp."""
        if all(map(self._recent.__contains__, stamps)):  # usually: they were added when they were acknowledged
            return
        for identity, stamp in stamps.items():
            if self.find(identity) is None:
                self._younger_generation()[identity] = stamp

    def add_spooled(self, stamps: Mapping[bytes, Stamp]) -> None:
        """Add events that are in the spool; the log may have them too, where a known identity is not missing."""
        self._spooled.update(
            identity for identity in stamps if identity in self._missing or self.find(identity) is None
        )
        self._missing.difference_update(stamps)
        self.add_durable(stamps)

    def distrust_log(self) -> None:
        """Take every event for missing that is not in the spool, until it is read in the log again."""
        self._missing = (self._recent.keys() | self._older.keys()) - self._spooled

    def add_logged(self, entries: DedupEntries) -> None:
        """Add *entries* of the log, in its order. The first stamp of an identity stays, whatever its content."""
        recent = self._younger_generation()
        if not self._spooled and not self._missing and self._older.keys().isdisjoint(entries.identities):
            # The fast way for the usual case: nothing waits in the spool. `map` with `setdefault` runs in C.
            list(map(recent.setdefault, entries.identities, entries.stamps))
            return
        for identity, stamp in zip(entries.identities, entries.stamps, strict=True):
            standing = self.find(identity)
            if standing is None or (identity in self._missing and not is_same_content(standing, stamp)):
                recent[identity] = stamp  # of a missing event only a receipt is left, and the log decides
                self._missing.discard(identity)
            elif is_same_content(standing, stamp):
                self._spooled.discard(identity)
                self._missing.discard(identity)

    def is_logged(self, entry: DedupEntry) -> bool:
        """Whether the log is known to hold the event of *entry* with its content."""
        standing = self.find(entry.identity)
        return (
            standing is not None
            and entry.identity not in self._spooled
            and entry.identity not in self._missing
            and is_same_content(standing, entry.stamp)
        )

    def _younger_generation(self) -> dict[bytes, Stamp]:
        """Return the generation that takes new entries, after the swap that may be due."""
        now = self._now()
        if now < self._swapped_at:  # the clock was set back
            self._swapped_at, self._recent_since = now, min(now, self._recent_since)
        if now - self._swapped_at >= self._span:
            self._older, self._recent = self._recent, {}
            self._older_since, self._recent_since = self._recent_since, now
            self._swapped_at = now
            self._missing.intersection_update(self._older)
        return self._recent


class KnownRecord(NamedTuple):
    """An event at an offset of the log, by which another log with the same offsets is told."""

    offset: int
    entry: DedupEntry


@dataclass(slots=True, kw_only=True)
class RateMeter:
    """The rate of the records that are added to `counted`, measured anew each *span* seconds."""

    span: float
    since: float = 0.0
    counted: int = 0
    rate: float = 0.0

    def per_second(self, now: float) -> float:
        """Return the events a second of the last whole span before *now*, an instant of a monotonic clock (seconds)."""
        elapsed = now - self.since
        if elapsed >= self.span:
            self.rate = self.counted / elapsed
            self.since, self.counted = now, 0
        return self.rate


class OffsetTracker:
    """One partition as the log reader knows it: how far it was read, in which order, and what lay at its end.

    It puts own acknowledged batches and records read from the partition into the order of the log.

    All of the log before `position` has been yielded; own batches may be known already and wait behind it. The order
    matters: of two replicas that write the same event, every replica must take the same one for the first.
    """

    def __init__(self, position: int) -> None:
        self.position = position
        self.fetched_to = position
        """Where the consumer stands. It goes back by itself only if the log ends before that."""
        self.last: KnownRecord | None = None
        """The last event before `position`."""
        self._acknowledged_to = 0
        self._acknowledged: deque[tuple[int, DedupEntries]] = deque()

    def is_possible(self, base: int) -> bool:
        """Whether an own batch can have got offset *base*: the log never gives an offset twice."""
        return base >= self._acknowledged_to

    def add_acknowledged(self, base: int, entries: DedupEntries) -> Iterator[DedupEntries]:
        """Take an own batch at offset *base*; yield the entries that are in order now."""
        self._acknowledged_to = base + len(entries.identities)
        self._acknowledged.append((base, entries))
        yield from self._yield_reached()

    def add_read(self, end: int, entries: DedupEntries, last: KnownRecord | None = None) -> Iterator[DedupEntries]:
        """Take *entries* read from `position` up to *end*, of which *last* is one; yield the entries in order now.

        Own entries among them are yielded a second time, which changes nothing: the first stamp of an identity stays.
        """
        yield entries
        self._reach(end, last)
        yield from self._yield_reached()

    def _yield_reached(self) -> Iterator[DedupEntries]:
        while self._acknowledged and self._acknowledged[0][0] <= self.position:
            base, entries = self._acknowledged.popleft()
            yield entries
            end = base + len(entries)
            self._reach(end, KnownRecord(end - 1, DedupEntry(entries.identities[-1], entries.stamps[-1])))

    def _reach(self, end: int, last: KnownRecord | None) -> None:
        if last is not None and (self.last is None or last.offset > self.last.offset):
            self.last = last
        self.position = max(self.position, end)
