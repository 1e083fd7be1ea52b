"""How fast a key may post: a bucket that fills with time and may be overdrawn by one request, so that a batch fits.

And how fast something goes, for whoever works otherwise when it goes fast.
"""

from dataclasses import dataclass

BURST_SECONDS = 5.0
"""Seconds of its rate that a quiet key may use at once."""


@dataclass(slots=True, kw_only=True)
class TokenBucket:
    """What a key has left, in events, at an instant of a clock that only goes forward (seconds)."""

    events_per_second: float
    level: float
    at: float

    @classmethod
    def full(cls, events_per_second: float, now: float) -> "TokenBucket":
        """Return the bucket of a key that has been quiet."""
        return cls(events_per_second=events_per_second, level=events_per_second * BURST_SECONDS, at=now)

    def seconds_until_open(self, now: float) -> float:
        """Return how long the key must wait; nothing while the bucket is not overdrawn."""
        self._fill(now)
        return max(0.0, -self.level / self.events_per_second)

    def charge(self, events: int, now: float) -> None:
        """Take *events* out, below zero if need be."""
        self._fill(now)
        self.level -= events

    def _fill(self, now: float) -> None:
        most = self.events_per_second * BURST_SECONDS
        self.level = min(most, self.level + (now - self.at) * self.events_per_second)
        self.at = now


@dataclass(slots=True, kw_only=True)
class RateMeter:
    """Counts what happens, and tells how much of it there was a second, measured anew each *span* seconds."""

    span: float
    since: float = 0.0
    counted: int = 0
    a_second: float = 0.0

    def count(self, events: int) -> None:
        """Take note of *events*."""
        self.counted += events

    def current_rate(self, now: float) -> float:
        """Return the events a second of the last whole span before *now*, an instant of a clock that goes forward."""
        passed = now - self.since
        if passed >= self.span:
            self.a_second = self.counted / passed
            self.since, self.counted = now, 0
        return self.a_second
