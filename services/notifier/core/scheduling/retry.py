"""Retry policy: when a failed attempt is made again, and when it is given up. It never waits and never sends."""

from dataclasses import dataclass
from datetime import timedelta
from typing import assert_never

from schemas.events.deliveries import AttemptOutcome, Channel

_MAX_DOUBLINGS = 32  # 2**32 times any `first_backoff` exceeds any `max_backoff`; it keeps the product from overflowing


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """Exponential backoff from `first_backoff` to `max_backoff`, at most `max_attempts` attempts in all.

    With the defaults the last attempt comes within a day of the first.
    """

    first_backoff: timedelta = timedelta(seconds=30)
    max_backoff: timedelta = timedelta(hours=4)
    max_attempts: int = 12

    def backoff(self, attempt: int, jitter: float) -> timedelta:
        """Return the time to wait after *attempt* (1 is the first).

        *jitter* in [0, 1) shortens it by up to half, so that deliveries that failed together do not return together.
        """
        doublings = min(attempt - 1, _MAX_DOUBLINGS)
        backoff: timedelta = min(self.first_backoff * 2**doublings, self.max_backoff) * (1 - jitter / 2)
        return backoff


def backoff_after(
    policy: RetryPolicy, outcome: AttemptOutcome, channel: Channel, *, attempt: int, jitter: float
) -> timedelta | None:
    """Return how long to wait after *attempt* ended in *outcome*, or None if no further attempt is made.

    An attempt whose outcome is unknown: a mail is sent again after the same backoff as a failed one (15 to 30 s after
    the first attempt), under the same Message-ID, by which mail programs and servers recognise it. An SMS is not sent
    again: a centre cannot be asked whether it has it.
    """
    match outcome:
        case AttemptOutcome.TEMPORARY_FAILURE | AttemptOutcome.TECHNICAL_FAILURE:
            is_repeated = True
        case AttemptOutcome.UNKNOWN:
            is_repeated = channel is Channel.EMAIL
        case (
            AttemptOutcome.DELIVERED
            | AttemptOutcome.PERMANENT_FAILURE
            | AttemptOutcome.CANCELLED
            | AttemptOutcome.UNREACHABLE
        ):
            is_repeated = False
        case _:
            assert_never(outcome)
    return policy.backoff(attempt, jitter) if is_repeated and attempt < policy.max_attempts else None
