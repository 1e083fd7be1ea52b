"""Temporary failures are tried again after a growing backoff with jitter; final outcomes are not."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.events.deliveries import AttemptOutcome, Channel
from services.notifier.core.scheduling.retry import RetryPolicy, backoff_after

POLICY = RetryPolicy(first_backoff=timedelta(seconds=30), max_backoff=timedelta(hours=4), max_attempts=5)
REPEATED = [AttemptOutcome.TEMPORARY_FAILURE, AttemptOutcome.TECHNICAL_FAILURE]
FINAL = [
    AttemptOutcome.DELIVERED,
    AttemptOutcome.PERMANENT_FAILURE,
    AttemptOutcome.CANCELLED,
    AttemptOutcome.UNREACHABLE,
]


@pytest.mark.parametrize("outcome", REPEATED)
def test_the_backoff_doubles(outcome: AttemptOutcome) -> None:
    """The backoff is half a minute, then one, two and four minutes."""
    backoffs = [backoff_after(POLICY, outcome, Channel.SMS, attempt=number, jitter=0.0) for number in range(1, 5)]
    assert [timedelta(seconds=seconds) for seconds in (30, 60, 120, 240)] == backoffs


@pytest.mark.parametrize("outcome", [*REPEATED, AttemptOutcome.UNKNOWN])
def test_the_last_attempt_is_the_last(outcome: AttemptOutcome) -> None:
    """After the fifth of five attempts no further one is made."""
    assert backoff_after(POLICY, outcome, Channel.EMAIL, attempt=5, jitter=0.0) is None


@pytest.mark.parametrize("outcome", FINAL)
def test_a_final_outcome_is_not_tried_again(outcome: AttemptOutcome) -> None:
    """A delivery that is delivered, refused for good, cancelled or unreachable is not attempted again."""
    assert backoff_after(POLICY, outcome, Channel.EMAIL, attempt=1, jitter=0.0) is None


def test_an_unknown_mail_goes_out_again_and_an_unknown_sms_does_not() -> None:
    """A Message-ID makes a second mail recognisable, and nothing makes a second SMS so."""
    assert backoff_after(POLICY, AttemptOutcome.UNKNOWN, Channel.EMAIL, attempt=1, jitter=0.0) == timedelta(seconds=30)
    assert backoff_after(POLICY, AttemptOutcome.UNKNOWN, Channel.SMS, attempt=1, jitter=0.0) is None


@given(st.integers(1, 10_000), st.floats(0, 1, exclude_max=True))
def test_jitter_shortens_the_backoff_by_at_most_half(attempt: int, jitter: float) -> None:
    """For any attempt and any jitter the backoff lies between half of its bound and the bound."""
    whole = POLICY.backoff(attempt, 0.0)
    assert whole / 2 <= POLICY.backoff(attempt, jitter) <= whole <= POLICY.max_backoff
