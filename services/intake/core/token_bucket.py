"""Rate limiting by a token bucket: a request is taken only if the bucket holds a token for each of its events.

The bucket of a new key holds some seconds of its rate. It fills up to a whole batch, however low the rate is, so that
every batch can be paid for at some time, and the wait that a refusal names is true. At 5 events a second a key may post
25 events at once, then, after some three minutes of silence, a batch of 1,000.
"""

from dataclasses import dataclass

from services.intake.core.cloud_event import BATCH_EVENTS_MAX

# What a new key may use at once, in seconds of its rate; at least one event.
BURST_SECONDS = 5.0

# Sums of fractions of a second are not exact: after the very wait that was named, a whole token may lack so much.
_ROUNDING = 1e-6


@dataclass(slots=True, kw_only=True)
class TokenBucket:
    """The tokens that a key has left: `level` events at the time `at`, in seconds of a monotonic clock."""

    events_per_second: float
    level: float
    at: float

    @classmethod
    def new(cls, events_per_second: float, now: float) -> "TokenBucket":
        """Return the bucket of a key that was not used yet."""
        return cls(events_per_second=events_per_second, level=max(1.0, events_per_second * BURST_SECONDS), at=now)

    def take(self, events: int, now: float) -> float:
        """Take *events* tokens if there are so many, and return 0; else the seconds until there are, and take none."""
        # The level is computed from the elapsed time when it is asked for, so no timer has to fill the buckets.
        size = max(BATCH_EVENTS_MAX, self.events_per_second * BURST_SECONDS)
        self.level = min(size, self.level + (now - self.at) * self.events_per_second)
        self.at = now
        if events > self.level + _ROUNDING:
            return (events - self.level) / self.events_per_second
        self.level -= events
        return 0.0
