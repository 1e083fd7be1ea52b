"""One partition of the log as the log reader knows it: how far it was read, in which order, and what lay at its end."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from services.intake.core.fact_record import DedupEntries, DedupEntry


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
    """Puts own acknowledged batches and records read from one partition into the order of the log.

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
        self._acknowledged_to = base + len(entries)
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
