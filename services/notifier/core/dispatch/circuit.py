"""The circuit breaker of a route: after failures that are no recipient's fault nothing is sent on it for a while.

Closed, the route is used as usual. Open, it is not used until `open_until`. Then one message goes out as a probe: if
it gets through, the circuit closes; if not, it stays open twice as long, up to a limit.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from services.notifier.core.dispatch.refusals import DeliveryRefusal, RefusalFault

# Refusals of so many messages in a row that name no recipient and could be meant for one: `550 5.7.1` to RCPT.
FAILURES_MAX = 3
BUSY_MAX = timedelta(minutes=5)  # a server that asks for less may be used slowly; one that does so for ever is away
_DOUBLINGS_MAX = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class CircuitPolicy:
    """How long a circuit stays open: *first* after it opens, doubling up to *longest*."""

    first: timedelta = timedelta(seconds=15)
    longest: timedelta = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Circuit:
    """The state of a breaker: failures in a row, since when, and from when until when it is open (None: closed)."""

    failures: int = 0
    failing_since: datetime | None = None
    openings: int = 0
    opened_at: datetime | None = None
    open_until: datetime | None = None

    @property
    def is_closed(self) -> bool:
        """Whether messages go out as usual."""
        return self.open_until is None

    def allows_probe(self, now: datetime) -> bool:
        """Whether an open circuit may try one message; also where the clock was set back to before it opened."""
        if self.open_until is None or self.opened_at is None:
            return False
        return not self.opened_at <= now < self.open_until


def record_success(circuit: Circuit) -> Circuit:
    """Return the circuit after the server has taken a message, or has refused one for its own sake."""
    return Circuit() if circuit != Circuit() else circuit


def record_failure(circuit: Circuit, refusal: DeliveryRefusal | None, policy: CircuitPolicy, now: datetime) -> Circuit:
    """Return the circuit after a failure that was not the message's. Without *refusal* the outcome is unknown."""
    since = min(circuit.failing_since or now, now)
    failed = replace(circuit, failures=circuit.failures + 1, failing_since=since)
    if not circuit.is_closed:
        # Answers to what was on its way when the circuit opened say nothing new. The answer to a probe does.
        return _open(failed, policy, now) if circuit.allows_probe(now) else failed
    if refusal is not None and refusal.fault is RefusalFault.BUSY:
        return _open(failed, policy, now) if now - since >= BUSY_MAX else failed
    is_certain = refusal is not None and refusal.concerns_route
    return _open(failed, policy, now) if is_certain or failed.failures >= FAILURES_MAX else failed


def _open(circuit: Circuit, policy: CircuitPolicy, now: datetime) -> Circuit:
    pause = min(policy.first * 2 ** min(circuit.openings, _DOUBLINGS_MAX), policy.longest)
    return replace(circuit, openings=circuit.openings + 1, opened_at=now, open_until=now + pause)
