"""Rate limiting by a token bucket.

The bucket may be overdrawn by one request, so that a batch larger than the bucket can pass at all.
"""

from dataclasses import dataclass

# The size of a bucket, in seconds of its rate: a key that was idle may use so much at once.
BURST_SECONDS = 5.0


@dataclass(slots=True, kw_only=True)
class TokenBucket:
    """The tokens that a key has left: `level` events at the time `at`, in seconds of a monotonic clock."""

    events_per_second: float
    level: float
    at: float

    @classmethod
    def full(cls, events_per_second: float, now: float) -> "TokenBucket":
        """Return a full bucket, that of a key that was idle."""
        return cls(events_per_second=events_per_second, level=events_per_second * BURST_SECONDS, at=now)

    def seconds_until_open(self, now: float) -> float:
        """Return the seconds until the bucket is no longer overdrawn; 0 if it is not."""
        self._fill(now)
        return max(0.0, -self.level / self.events_per_second)

    def charge(self, events: int, now: float) -> None:
        """Take *events* tokens, below zero if there are fewer."""
        self._fill(now)
        self.level -= events

    def _fill(self, now: float) -> None:
        # The level is computed from the elapsed time when it is asked for, so no timer has to fill the buckets.
        size = self.events_per_second * BURST_SECONDS
        self.level = min(size, self.level + (now - self.at) * self.events_per_second)
        self.at = now
