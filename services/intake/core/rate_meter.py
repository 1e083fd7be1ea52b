"""How many things happen a second, measured over a span of time that ends when it is asked for."""

from dataclasses import dataclass


@dataclass(slots=True, kw_only=True)
class RateMeter:
    """Counts events and tells their rate, measured anew each *span* seconds."""

    span: float
    since: float = 0.0
    counted: int = 0
    rate: float = 0.0

    def count(self, events: int) -> None:
        """Add *events*."""
        self.counted += events

    def per_second(self, now: float) -> float:
        """Return the events a second of the last whole span before *now*, an instant of a monotonic clock (seconds)."""
        elapsed = now - self.since
        if elapsed >= self.span:
            self.rate = self.counted / elapsed
            self.since, self.counted = now, 0
        return self.rate
