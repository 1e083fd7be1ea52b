"""How fast a route or a recipient's domain takes messages: a token bucket, set by hand and learnt from refusals.

A server that is busy answers 421, 450, 451 or 454. Then the rate falls below what the server took lately, and rises
again. Where the server has refused at the same rate twice, that is taken for its limit, and the rate rises slowly up to
it. Example: a relay that takes 20 mails a minute is sent 18 to 20, and refuses some every twenty minutes.
"""

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta

_MINUTE = timedelta(minutes=1)
_COUNTED = timedelta(seconds=62)  # Postfix's anvil(8) counts whole seconds and begins a new minute after the 61st
_SHORTEST_MEASURE = timedelta(seconds=1)
_FLOOR = 1.0  # messages a minute: the rate at which a server that refuses everything is asked again
_UNBOUNDED = 60_000.0  # messages a minute: faster than one route sends, so a rate above it bounds nothing
_BACK_OFF = 0.9  # of the rate at which the server took messages until it refused one
_FIRST_GROWTH = 0.02  # in a minute without a refusal; it doubles with each such minute, up to the largest
_LARGEST_GROWTH = 0.5
_GROWTH_TO_LIMIT = 0.005  # in a minute, up to what is taken for the server's limit
_SAME_RATE = 0.25  # two refusals are at the same rate if it differs by less than this share
_BEYOND_LIMIT = 1.1  # of the limit: a server that takes so much has another limit by now


@dataclass(slots=True, kw_only=True)
class Pace:
    """A token bucket that holds a minute's messages at most.

    `limit` is the rate that the operator has set and is never exceeded within any minute, `learnt` the rate that
    refusals taught; both are messages a minute, None where nothing bounds them. `refused_at` is the rate at which the
    server took messages when it last refused one.
    """

    limit: float | None = None
    learnt: float | None = None
    tokens: float = 0.0
    filled_at: datetime | None = None
    growth: float = _FIRST_GROWTH
    refused_at: float = 0.0
    is_limit_known: bool = False
    grown_at: datetime | None = None
    refused_in_a_row: int = 0
    accepted: deque[datetime] = field(default_factory=deque)
    taken: deque[datetime] = field(default_factory=deque)

    @property
    def rate(self) -> float | None:
        """Messages a minute, or None where nothing bounds them."""
        return min((one for one in (self.limit, self.learnt) if one is not None), default=None)

    def count_free(self, now: datetime, most: int) -> int:
        """Return how many messages, up to *most*, may go out now."""
        self._fill(now)
        if self.rate is None:
            return most
        _forget(self.taken, now, _COUNTED)
        free = self.tokens if self.limit is None else min(self.tokens, self.limit - len(self.taken))
        return max(0, min(most, int(free)))

    def take(self, count: int, now: datetime) -> None:
        """Spend the tokens of *count* messages."""
        if self.rate is not None:
            self.tokens -= count
            self.taken.extend([now] * count)

    def record_accepted(self, now: datetime) -> None:
        """Remember that a message was taken."""
        self.refused_in_a_row = 0
        self.accepted.append(now)
        _forget(self.accepted, now)

    def slow_down(self, now: datetime) -> bool:
        """Lower the rate after a refusal by a server that is busy; return whether it is bounded from now on.

        One refusal among messages that are taken was meant for its recipient. The next one in a row was not.
        """
        self._fill(now)
        _forget(self.accepted, now)
        self.refused_in_a_row += 1
        if self.learnt is None and self.refused_in_a_row == 1:
            return False
        measured = self._measure(now)
        if self.learnt is None:
            self.learnt = max(_FLOOR, min(measured * _BACK_OFF, self.limit or _UNBOUNDED))
            self.refused_at = measured
        elif self.refused_in_a_row == 1:
            self.learnt = max(_FLOOR, min(measured, self.learnt) * _BACK_OFF)
            self.is_limit_known = abs(measured - self.refused_at) < _SAME_RATE * self.refused_at
            self.refused_at = measured
        elif self.grown_at is not None and now - self.grown_at >= _MINUTE / self.learnt / 2:
            # What was on its way at the first refusal is refused with it, and teaches nothing. This one was sent later.
            self.learnt = max(_FLOOR, self.learnt / 2)
        self.tokens = 0.0
        self.growth, self.grown_at = _FIRST_GROWTH, now
        return True

    def _measure(self, now: datetime) -> float:
        """Return the rate, a minute, at which messages were taken since the first one of the last minute."""
        if not self.accepted:
            return 0.0
        return len(self.accepted) * (_MINUTE / max(now - self.accepted[0], _SHORTEST_MEASURE))

    def _fill(self, now: datetime) -> None:
        self._grow(now)
        rate = self.rate
        if rate is None:
            return
        if self.filled_at is not None:
            passed = max(now - self.filled_at, timedelta())
            self.tokens = min(max(1.0, rate), self.tokens + passed / _MINUTE * rate)
        elif self.learnt is None:
            self.tokens = max(1.0, rate)
        self.filled_at = now

    def _grow(self, now: datetime) -> None:
        """Raise the learnt rate for each minute without a refusal; forget it where it no longer bounds anything."""
        if self.grown_at is not None:
            self.grown_at = min(self.grown_at, now)
        while self.learnt is not None and self.grown_at is not None and now - self.grown_at >= _MINUTE:
            self.grown_at += _MINUTE
            if self.is_limit_known and self.learnt < self.refused_at * _BEYOND_LIMIT:
                self.learnt *= 1 + _GROWTH_TO_LIMIT
                continue
            self.learnt *= 1 + self.growth
            self.growth = min(self.growth * 2, _LARGEST_GROWTH)
            if self.learnt > min(self.limit or _UNBOUNDED, _UNBOUNDED):
                self.learnt = None


def _forget(instants: deque[datetime], now: datetime, age: timedelta = _MINUTE) -> None:
    """Drop the first instants that are at least *age* old, or lie in the future after the clock was set back."""
    while instants and not timedelta() <= now - instants[0] < age:
        instants.popleft()
