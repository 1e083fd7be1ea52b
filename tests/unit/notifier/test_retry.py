"""Temporary failures are tried again with growing, spread pauses; final ones are not."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.events.deliveries import AttemptOutcome, Channel
from services.notifier.core.scheduling.retry import RetryPolicy, pause_after

POLICY = RetryPolicy(first=timedelta(seconds=30), longest=timedelta(hours=4), attempts=5)
AGAIN = [AttemptOutcome.TEMPORARY_FAILURE, AttemptOutcome.TECHNICAL_FAILURE]
FINAL = [
    AttemptOutcome.DELIVERED,
    AttemptOutcome.PERMANENT_FAILURE,
    AttemptOutcome.CANCELLED,
    AttemptOutcome.UNREACHABLE,
]


@pytest.mark.parametrize("outcome", AGAIN)
def test_pauses_double(outcome: AttemptOutcome) -> None:
    """Half a minute, one, two, four."""
    pauses = [pause_after(POLICY, outcome, Channel.SMS, attempt=number, spread=0.0) for number in range(1, 5)]
    assert [timedelta(seconds=seconds) for seconds in (30, 60, 120, 240)] == pauses


@pytest.mark.parametrize("outcome", [*AGAIN, AttemptOutcome.UNKNOWN])
def test_the_last_attempt_is_the_last(outcome: AttemptOutcome) -> None:
    """After the fifth of five nothing is planned."""
    assert pause_after(POLICY, outcome, Channel.EMAIL, attempt=5, spread=0.0) is None


@pytest.mark.parametrize("outcome", FINAL)
def test_what_is_final_is_not_tried_again(outcome: AttemptOutcome) -> None:
    """Delivered, refused for good, cancelled, out of reach."""
    assert pause_after(POLICY, outcome, Channel.EMAIL, attempt=1, spread=0.0) is None


def test_an_unknown_mail_goes_out_again_and_an_unknown_sms_does_not() -> None:
    """A Message-ID makes a second mail recognisable; nothing does that for an SMS."""
    assert pause_after(POLICY, AttemptOutcome.UNKNOWN, Channel.EMAIL, attempt=1, spread=0.0) == timedelta(seconds=30)
    assert pause_after(POLICY, AttemptOutcome.UNKNOWN, Channel.SMS, attempt=1, spread=0.0) is None


@given(st.integers(1, 10_000), st.floats(0, 1, exclude_max=True))
def test_a_pause_keeps_within_half_and_the_whole_of_its_bound(attempt: int, spread: float) -> None:
    """However many attempts, however unlucky the spread."""
    whole = POLICY.pause(attempt, 0.0)
    assert whole / 2 <= POLICY.pause(attempt, spread) <= whole <= POLICY.longest
