"""Retry policy: when a failed attempt is made again, and when it is given up. It never waits and never sends."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import assert_never

from schemas.events.deliveries import AttemptOutcome, Channel

_MAX_DOUBLINGS = 32  # 2**32 times any `first_backoff` exceeds any `max_backoff`; it keeps the product from overflowing
# Whether a route works again is found out by its circuit breaker, so what waits for it need not wait long itself.
_MAX_BACKOFF_OF_ROUTE = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """Exponential backoff from `first_backoff` to `max_backoff`, at most `max_attempts` spent attempts in all.

    With the defaults the last attempt comes within a day of the first. Attempts that failed for no fault of the message
    are not spent; they go on until `expires_after` (RFC 5321, section 4.5.4.1: four to five days).
    """

    first_backoff: timedelta = timedelta(seconds=30)
    max_backoff: timedelta = timedelta(hours=4)
    max_attempts: int = 12
    expires_after: timedelta = timedelta(days=5)

    def backoff(self, attempt: int, jitter: float) -> timedelta:
        """Return the time to wait after *attempt* (1 is the first).

        *jitter* in [0, 1) shortens it by up to half, so that deliveries that failed together do not return together.
        """
        doublings = min(max(attempt - 1, 0), _MAX_DOUBLINGS)
        backoff: timedelta = min(self.first_backoff * 2**doublings, self.max_backoff) * (1 - jitter / 2)
        return backoff

    def is_expired(self, created_at: datetime | None, now: datetime) -> bool:
        """Whether a delivery of *created_at* has waited too long for its route."""
        return created_at is not None and now - created_at >= self.expires_after


@dataclass(frozen=True, slots=True, kw_only=True)
class EndedAttempt:
    """An attempt that has ended: its number, and how many were spent with it. `is_spent`: it is among those."""

    outcome: AttemptOutcome
    channel: Channel
    attempt: int
    spent: int
    is_spent: bool


def backoff_after(policy: RetryPolicy, ended: EndedAttempt, *, jitter: float) -> timedelta | None:
    """Return how long to wait after an attempt, or None if no further attempt is made.

    An attempt whose outcome is unknown: a mail is sent again after the same backoff as a failed one (15 to 30 s after
    the first attempt), under the same Message-ID, by which mail programs and servers recognise it. An SMS is not sent
    again: a centre cannot be asked whether it has it.
    """
    if not _is_repeated(ended.outcome, ended.channel) or ended.spent >= policy.max_attempts:
        return None
    backoff = policy.backoff(ended.attempt, jitter)
    return backoff if ended.is_spent else min(backoff, _MAX_BACKOFF_OF_ROUTE)


def _is_repeated(outcome: AttemptOutcome, channel: Channel) -> bool:
    match outcome:
        case AttemptOutcome.TEMPORARY_FAILURE | AttemptOutcome.TECHNICAL_FAILURE:
            return True
        case AttemptOutcome.UNKNOWN:
            return channel is Channel.EMAIL
        case (
            AttemptOutcome.ACCEPTED
            | AttemptOutcome.CONFIRMED
            | AttemptOutcome.BOUNCED
            | AttemptOutcome.COMPLAINED
            | AttemptOutcome.EXPIRED
            | AttemptOutcome.DELIVERED
            | AttemptOutcome.PERMANENT_FAILURE
            | AttemptOutcome.CANCELLED
            | AttemptOutcome.UNREACHABLE
        ):
            return False
        case _:
            assert_never(outcome)
