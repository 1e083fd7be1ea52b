"""The token bucket of an API key, and charges that other processes report."""

from datetime import UTC, datetime

import pytest
from prometheus_client import CollectorRegistry

from services.intake.asgi import RequestRefusedError
from services.intake.core.problems import RequestProblem
from services.intake.core.scopes import ApiKey, KeyScope
from services.intake.core.token_bucket import BURST_SECONDS, TokenBucket
from services.intake.http.limits import InflightLimit, RateLimits
from services.intake.metrics import IntakeMetrics

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


def a_key(rate: float | None) -> ApiKey:
    """A key that may post *rate* events a second."""
    scope = KeyScope(agencies=frozenset("*"), groups=frozenset(), types=frozenset("*"), may_decide=False)
    created_at = datetime(2026, 1, 1, tzinfo=UTC)
    return ApiKey(id="k-1", system="test", sha256="", scope=scope, created_at=created_at, events_per_second=rate)


def test_the_bytes_of_a_form_are_reserved_as_they_arrive() -> None:
    """A body that has arrived counts until it is worked on; what would be too much is refused and holds nothing."""
    metrics = IntakeMetrics(CollectorRegistry())
    limit = InflightLimit(100, metrics)
    with limit.hold() as reserve, limit.hold() as reserve_other:
        reserve(60)
        reserve_other(40)
        with pytest.raises(RequestRefusedError) as refused:
            reserve(1)
        assert refused.value.refusal.problem is RequestProblem.UNAVAILABLE
    with limit.hold() as reserve:
        reserve(100)


def test_a_charge_in_one_process_counts_in_the_others() -> None:
    """A key that overdraws its rate at one process is refused at every process that has heard of the charges."""
    here, there = RateLimits(), RateLimits()
    here.on_charge = there.charge_bucket
    here.charge(a_key(RATE), 1_000)
    for limits in (here, there):
        with pytest.raises(RequestRefusedError) as refused:
            limits.refuse_excess(a_key(RATE))
        assert refused.value.refusal.retry_after_seconds == 1_000 / RATE - BURST_SECONDS


def test_a_key_without_a_rate_is_never_refused_and_never_reported() -> None:
    """No bucket is kept for it, and no other process hears of it."""
    limits = RateLimits()
    reported: list[str] = []
    limits.on_charge = lambda key_id, _rate, _events: reported.append(key_id)
    limits.charge(a_key(None), 1_000_000)
    limits.refuse_excess(a_key(None))
    assert reported == []
