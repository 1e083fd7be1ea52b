"""Temporary failures are tried again after a growing backoff with jitter; final outcomes are not."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.events.deliveries import AttemptOutcome, Channel
from services.notifier.core.scheduling import retry
from services.notifier.core.scheduling.retry import EndedAttempt, RetryPolicy

POLICY = RetryPolicy(first_backoff=timedelta(seconds=30), max_backoff=timedelta(hours=4), max_attempts=5)
REPEATED = [AttemptOutcome.TEMPORARY_FAILURE, AttemptOutcome.TECHNICAL_FAILURE]
FINAL = [one for one in AttemptOutcome if one not in {*REPEATED, AttemptOutcome.UNKNOWN}]


def backoff_after(
    outcome: AttemptOutcome, channel: Channel = Channel.EMAIL, *, attempt: int = 1, spent: int | None = None
) -> timedelta | None:
    """Return the backoff after an attempt; without *spent* every attempt was spent."""
    ended = EndedAttempt(
        outcome=outcome,
        channel=channel,
        attempt=attempt,
        spent=attempt if spent is None else spent,
        is_spent=spent is None,
    )
    return retry.backoff_after(POLICY, ended, jitter=0.0)


@pytest.mark.parametrize("outcome", REPEATED)
def test_the_backoff_doubles(outcome: AttemptOutcome) -> None:
    """The backoff is half a minute, then one, two and four minutes."""
    backoffs = [backoff_after(outcome, Channel.SMS, attempt=number) for number in range(1, 5)]
    assert [timedelta(seconds=seconds) for seconds in (30, 60, 120, 240)] == backoffs


@pytest.mark.parametrize("outcome", [*REPEATED, AttemptOutcome.UNKNOWN])
def test_the_last_attempt_is_the_last(outcome: AttemptOutcome) -> None:
    """After the fifth of five attempts no further one is made."""
    assert backoff_after(outcome, attempt=5) is None


@pytest.mark.parametrize("outcome", FINAL)
def test_a_final_outcome_is_not_tried_again(outcome: AttemptOutcome) -> None:
    """A delivery that is delivered, refused for good, cancelled or unreachable is not attempted again."""
    assert backoff_after(outcome) is None


def test_an_unknown_mail_goes_out_again_and_an_unknown_sms_does_not() -> None:
    """A Message-ID makes a second mail recognisable, and nothing makes a second SMS so."""
    assert backoff_after(AttemptOutcome.UNKNOWN) == timedelta(seconds=30)
    assert backoff_after(AttemptOutcome.UNKNOWN, Channel.SMS) is None


def test_what_is_not_the_messages_fault_is_not_given_up() -> None:
    """A hundred refusals by a route that is down spend nothing, and none of them waits for more than five minutes."""
    backoffs = [backoff_after(AttemptOutcome.TECHNICAL_FAILURE, attempt=number, spent=0) for number in range(1, 101)]
    assert max(filter(None, backoffs)) == timedelta(minutes=5)
    assert None not in backoffs


def test_a_delivery_that_waited_five_days_for_its_route_is_expired() -> None:
    """RFC 5321 lets a mail system try for four to five days."""
    created = datetime(2026, 12, 1, tzinfo=UTC)
    assert not POLICY.is_expired(created, created + timedelta(days=4, hours=23))
    assert POLICY.is_expired(created, created + timedelta(days=5))
    assert not POLICY.is_expired(None, created)


@given(st.integers(1, 10_000), st.floats(0, 1, exclude_max=True))
def test_jitter_shortens_the_backoff_by_at_most_half(attempt: int, jitter: float) -> None:
    """For any attempt and any jitter the backoff lies between half of its bound and the bound."""
    whole = POLICY.backoff(attempt, 0.0)
    assert whole / 2 <= POLICY.backoff(attempt, jitter) <= whole <= POLICY.max_backoff
