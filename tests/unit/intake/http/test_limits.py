"""The rate of an API key: a request is charged before it is taken, and refused if the key cannot pay for all of it."""

import asyncio
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from services.intake.asgi import RequestRefusedError
from services.intake.core.cloud_event import BATCH_EVENTS_MAX
from services.intake.core.problems import RequestProblem
from services.intake.core.token_bucket import BURST_SECONDS, TokenBucket
from services.intake.http.limits import InflightLimit, RateLimits, TokenBuckets
from services.intake.metrics import IntakeMetrics
from tests.support.builders.keys import a_key

RATE = 10.0
BURST = int(RATE * BURST_SECONDS)


def test_a_new_key_may_use_some_seconds_at_once() -> None:
    """And at least one event, however low its rate is."""
    bucket = TokenBucket.new(RATE, 0.0)
    assert bucket.take(BURST, 0.0) == 0
    assert bucket.take(1, 0.0) > 0
    assert TokenBucket.new(1 / 86_400, 0.0).take(1, 0.0) == 0


def test_a_batch_that_cannot_be_paid_is_refused_and_costs_nothing() -> None:
    """What is left serves a smaller request."""
    bucket = TokenBucket.new(RATE, 0.0)
    assert bucket.take(BURST + 1, 0.0) == pytest.approx(1 / RATE)
    assert bucket.take(BURST, 0.0) == 0


@given(st.floats(1e-4, 1e5), st.lists(st.tuples(st.integers(1, BATCH_EVENTS_MAX), st.floats(0, 1e4)), max_size=20))
def test_every_batch_can_be_paid_after_the_wait_that_was_named(rate: float, requests: list[tuple[int, float]]) -> None:
    """And not half a second of work sooner; so `Retry-After` is true."""
    now, bucket = 0.0, TokenBucket.new(rate, 0.0)
    for events, pause in requests:
        now += pause
        wait = bucket.take(events, now)
        if wait > 1e-3:
            assert bucket.take(events, now + wait / 2) > 0
            now += math.ceil(wait)
            assert bucket.take(events, now) == 0


@given(st.lists(st.tuples(st.integers(1, BATCH_EVENTS_MAX), st.floats(0, 100)), max_size=50))
def test_no_key_posts_more_than_its_rate_and_one_full_bucket(requests: list[tuple[int, float]]) -> None:
    """However its requests are spread over time."""
    now, taken, bucket = 0.0, 0, TokenBucket.new(RATE, 0.0)
    for events, pause in requests:
        now += pause
        taken += 0 if bucket.take(events, now) else events
        assert taken <= BURST + RATE * now + 1e-3


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


def test_silence_saves_up_for_one_full_batch_and_no_more() -> None:
    """A key that was quiet for a year has the same as after some minutes."""
    bucket = TokenBucket.new(RATE, 0.0)
    assert bucket.take(BATCH_EVENTS_MAX, 1e8) == 0
    assert bucket.take(1, 1e8) > 0


def open_limits() -> RateLimits:
    """The limits of the process that has the buckets."""
    buckets = TokenBuckets()

    async def charge(key_id: str, events_per_second: float, events: int) -> float:
        return buckets.charge(key_id, events_per_second, events)

    return RateLimits(charge)


def test_a_refusal_tells_the_seconds_until_the_same_request_is_taken() -> None:
    """And a key that can pay for nothing is refused before its next body is read."""
    limits, key = open_limits(), a_key(events_per_second=RATE)
    asyncio.run(limits.charge(key, BURST))
    with pytest.raises(RequestRefusedError) as refused:
        asyncio.run(limits.charge(key, BURST))
    assert refused.value.refusal.retry_after_seconds == BURST_SECONDS
    with pytest.raises(RequestRefusedError) as refused:
        limits.refuse_exhausted(key)
    assert refused.value.refusal.retry_after_seconds == 1


def test_a_key_that_can_pay_for_less_is_not_refused_before_its_body_is_read() -> None:
    """A batch that is too large for what is left does not keep the key from sending a single event."""
    limits, key = open_limits(), a_key(events_per_second=RATE)
    with pytest.raises(RequestRefusedError):
        asyncio.run(limits.charge(key, BURST + 1))
    limits.refuse_exhausted(key)
    asyncio.run(limits.charge(key, 1))


def test_a_key_without_a_rate_is_never_charged() -> None:
    """No bucket is kept for it."""

    async def charge(key_id: str, events_per_second: float, events: int) -> float:
        raise AssertionError((key_id, events_per_second, events))

    limits = RateLimits(charge)
    limits.refuse_exhausted(a_key())
    asyncio.run(limits.charge(a_key(), 1_000_000))


def test_another_rate_begins_anew() -> None:
    """A key whose rate was changed has what a new key has, and is not refused for what it used before."""
    limits = open_limits()
    asyncio.run(limits.charge(a_key(events_per_second=RATE), BURST))
    with pytest.raises(RequestRefusedError):
        asyncio.run(limits.charge(a_key(events_per_second=RATE), BURST))
    limits.refuse_exhausted(a_key(events_per_second=2 * RATE))
    buckets = TokenBuckets()
    assert buckets.charge("k-1", RATE, BURST) == 0
    assert buckets.charge("k-1", RATE, BURST) > 0
    assert buckets.charge("k-1", 2 * RATE, 2 * BURST) == 0
