"""The limits of one process: the bytes of request bodies in flight, and the events a second of each API key.

Rates are charged after a request is read and checked before the next one is, so a batch may overdraw its key once.
With workers, each process reports its charges to the others, so every process charges what all of them accept.
"""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from schemas.plan.values import Bilingual
from services.intake.asgi import Request, RequestRefusedError
from services.intake.core.problems import Refusal, RequestProblem
from services.intake.core.scopes import ApiKey
from services.intake.core.token_bucket import TokenBucket
from services.intake.metrics import IntakeMetrics

RETRY_AFTER_SECONDS = 1

# Called with each charge of this process: key id, events a second of the key, events.
OnCharge = Callable[[str, float, int], None]


class InflightLimit:
    """Bounds the total size of request bodies in flight, so that a flood gets 503 and does not exhaust the memory."""

    def __init__(self, bytes_max: int, metrics: IntakeMetrics) -> None:
        self._bytes_max = bytes_max
        self._reserved = 0
        metrics.bodies.set_function(lambda: self._reserved)

    def reserve(self, request: Request, limit: int) -> int:
        """Reserve the announced size of the body, or *limit* if none is announced; return it for `release`.

        Raise `RequestRefusedError` (503) if the total would exceed the bound.
        """
        # A chunked body announces no length (RFC 9112 section 7.1), so it counts as the largest that would be accepted.
        announced = request.content_length
        wanted = limit if announced is None else min(announced, limit)
        self._add(wanted)
        return wanted

    def release(self, reserved: int) -> None:
        """Give back what `reserve` returned."""
        self._reserved -= reserved

    @contextmanager
    def hold(self) -> Iterator[Callable[[int], None]]:
        """Yield the function that reserves that many bytes more; all are given back at the end.

        It raises `RequestRefusedError` (503) as `reserve` does.
        """
        held = 0

        def reserve_more(size: int) -> None:
            nonlocal held
            self._add(size)
            held += size

        try:
            yield reserve_more
        finally:
            self._reserved -= held

    def _add(self, size: int) -> None:
        if self._reserved + size > self._bytes_max:
            raise RequestRefusedError(_TOO_MANY_BODIES)
        self._reserved += size


class RateLimits:
    """The token buckets of the keys that have a rate."""

    def __init__(self) -> None:
        self.on_charge: OnCharge | None = None
        self._buckets: dict[str, TokenBucket] = {}

    def refuse_excess(self, key: ApiKey) -> None:
        """Raise `RequestRefusedError` (429) while *key* has overdrawn its rate."""
        rate = key.events_per_second
        if rate is None:
            return
        wait = self._bucket(key.id, rate).seconds_until_open(time.monotonic())
        if wait > 0:
            raise RequestRefusedError(_excess(rate, math.ceil(wait)))

    def charge(self, key: ApiKey, events: int) -> None:
        """Charge *events* to the rate of *key*, valid or not."""
        rate = key.events_per_second
        if rate is None:
            return
        self.charge_bucket(key.id, rate, events)
        if self.on_charge is not None:
            self.on_charge(key.id, rate, events)

    def charge_bucket(self, key_id: str, events_per_second: float, events: int) -> None:
        """Charge *events* that another process accepted."""
        self._bucket(key_id, events_per_second).charge(events, time.monotonic())

    def _bucket(self, key_id: str, events_per_second: float) -> TokenBucket:
        bucket = self._buckets.get(key_id)
        # Another rate means that the key was changed: its bucket begins anew and full.
        if bucket is None or bucket.events_per_second != events_per_second:
            bucket = self._buckets[key_id] = TokenBucket.full(events_per_second, time.monotonic())
        return bucket


def _excess(events_per_second: float, seconds: int) -> Refusal:
    return Refusal(
        problem=RequestProblem.TOO_MANY_REQUESTS,
        detail=Bilingual.of(
            en=f"this key may post {events_per_second:g} events a second; send the same event again later",
            vi=f"khóa này chỉ được gửi {events_per_second:g} sự kiện mỗi giây; hãy gửi lại đúng sự kiện này sau",
        ),
        retry_after_seconds=seconds,
    )


_TOO_MANY_BODIES = Refusal(
    problem=RequestProblem.UNAVAILABLE,
    detail=Bilingual.of(
        en="too many requests are being worked on; try again shortly",
        vi="đang xử lý quá nhiều yêu cầu; hãy thử lại sau giây lát",
    ),
    retry_after_seconds=RETRY_AFTER_SECONDS,
)
