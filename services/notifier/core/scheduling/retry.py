"""Retry: when an attempt that failed is made again, and when it is given up. The policy never waits and never sends."""

from dataclasses import dataclass
from datetime import timedelta
from typing import assert_never

from schemas.events.deliveries import AttemptOutcome, Channel


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """Doubling pauses from `first` to `longest`; with the defaults the last attempt comes within a day of the first."""

    first: timedelta = timedelta(seconds=30)
    longest: timedelta = timedelta(hours=4)
    attempts: int = 12

    def pause(self, attempt: int, spread: float) -> timedelta:
        """Return the pause after *attempt*; *spread* in [0, 1) shortens it by up to half, to spread retries."""
        doublings = min(attempt - 1, 32)  # beyond 2^32 pauses any `longest` has long been reached
        pause: timedelta = min(self.first * 2**doublings, self.longest) * (1 - spread / 2)
        return pause


def pause_after(
    policy: RetryPolicy, outcome: AttemptOutcome, channel: Channel, *, attempt: int, spread: float
) -> timedelta | None:
    """Return how long to wait after *attempt* ended in *outcome*, or nothing where it is final.

    The rule for an attempt whose outcome is unknown: mail is sent again at once with the same Message-ID, which readers
    and servers recognise; an SMS is not, because a centre cannot be asked whether it has it.
    """
    match outcome:
        case AttemptOutcome.TEMPORARY_FAILURE | AttemptOutcome.TECHNICAL_FAILURE:
            return policy.pause(attempt, spread) if attempt < policy.attempts else None
        case AttemptOutcome.UNKNOWN:
            return policy.pause(attempt, spread) if channel is Channel.EMAIL and attempt < policy.attempts else None
        case (
            AttemptOutcome.DELIVERED
            | AttemptOutcome.PERMANENT_FAILURE
            | AttemptOutcome.CANCELLED
            | AttemptOutcome.UNREACHABLE
        ):
            return None
        case _:
            assert_never(outcome)
