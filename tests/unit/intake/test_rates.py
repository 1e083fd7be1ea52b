"""The rate of a key."""

import pytest

from services.intake.core.token_bucket import BURST_SECONDS, RateMeter, TokenBucket

RATE = 10.0


def test_a_quiet_key_may_use_some_seconds_at_once() -> None:
    """And is not made to wait for it."""
    bucket = TokenBucket.full(RATE, 0.0)
    bucket.charge(int(RATE * BURST_SECONDS), 0.0)
    assert bucket.seconds_until_open(0.0) == 0


def test_a_request_beyond_the_rate_is_taken_and_paid_for_afterwards() -> None:
    """So that a batch larger than the rate can be sent at all."""
    bucket = TokenBucket.full(RATE, 0.0)
    bucket.charge(1_000, 0.0)
    assert bucket.seconds_until_open(0.0) == pytest.approx(1_000 / RATE - BURST_SECONDS)
    assert bucket.seconds_until_open(1_000 / RATE - BURST_SECONDS) == pytest.approx(0)


def test_waiting_longer_than_the_burst_saves_no_more() -> None:
    """A key that was quiet for a year has the same burst as after some seconds."""
    bucket = TokenBucket.full(RATE, 0.0)
    bucket.charge(int(RATE * BURST_SECONDS) + 1, 1_000_000.0)
    assert bucket.seconds_until_open(1_000_000.0) > 0


def test_a_pace_is_that_of_the_last_span() -> None:
    """Until a span has passed the one before it counts; what happened long ago does not."""
    pace = RateMeter(span=0.5, since=10.0)
    pace.count(50)
    assert pace.current_rate(10.25) == 0.0
    assert pace.current_rate(10.5) == 100.0
    assert pace.current_rate(10.75) == 100.0
    assert pace.current_rate(11.0) == 0.0
