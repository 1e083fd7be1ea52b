"""The limits of one process: the bytes of request bodies in flight, and the events a second of each API key.

A request is charged to its key before it is taken, and refused if the key cannot pay for all its events. The main
process has the token buckets and the workers ask it, so that a key has one rate however many processes there are.
"""

import math
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

from schemas.plan.values import Bilingual
from services.intake.asgi import RequestRefusedError
from services.intake.core.event_log import LogUnavailableError
from services.intake.core.problems import Refusal, RequestProblem
from services.intake.core.scopes import ApiKey
from services.intake.core.token_bucket import TokenBucket
from services.intake.metrics import IntakeMetrics

RETRY_AFTER_SECONDS = 1

_NEVER_EXHAUSTED = (0.0, 0.0)

# Charges events to a key: its id, its events a second, the events. Returns 0, or the seconds until they can be paid.
Charge = Callable[[str, float, int], Awaitable[float]]


class InflightLimit:
    """Bounds the total size of request bodies in flight, so that a flood gets 503 and does not exhaust the memory."""

    def __init__(self, bytes_max: int, metrics: IntakeMetrics) -> None:
        self._bytes_max = bytes_max
        self._reserved = 0
        metrics.bodies.set_function(lambda: self._reserved)

    def reserve(self, size: int) -> None:
        """Reserve *size* bytes until `release`; raise `RequestRefusedError` (503) if that exceeds the bound."""
        if self._reserved + size > self._bytes_max:
            raise RequestRefusedError(_TOO_MANY_BODIES)
        self._reserved += size

    def release(self, size: int) -> None:
        """Give back *size* reserved bytes."""
        self._reserved -= size

    @contextmanager
    def hold(self) -> Iterator[Callable[[int], None]]:
        """Yield the function that reserves that many bytes more; all are given back at the end.

        It raises `RequestRefusedError` (503) as `reserve` does.
        """
        held = 0

        def reserve_more(size: int) -> None:
            nonlocal held
            self.reserve(size)
            held += size

        try:
            yield reserve_more
        finally:
            self.release(held)


class TokenBuckets:
    """The token buckets of the keys that have a rate. Only the main process has them."""

    def __init__(self) -> None:
        self._buckets: dict[str, TokenBucket] = {}

    def charge(self, key_id: str, events_per_second: float, events: int) -> float:
        """Charge *events* to a key and return 0; if it cannot pay, return the seconds until it can, and charge none."""
        now = time.monotonic()
        bucket = self._buckets.get(key_id)
        # Another rate means that the key was changed: its bucket begins anew.
        if bucket is None or bucket.events_per_second != events_per_second:
            bucket = self._buckets[key_id] = TokenBucket.new(events_per_second, now)
        return bucket.take(events, now)


class RateLimits:
    """Refuses what exceeds the rates of the keys, which *charge* knows."""

    def __init__(self, charge: Charge) -> None:
        self._charge = charge
        # By key: the rate by which it was exhausted, and until when.
        self._exhausted_until: dict[str, tuple[float, float]] = {}

    def refuse_exhausted(self, key: ApiKey) -> None:
        """Raise `RequestRefusedError` (429) while it is known that *key* can pay for no event at all."""
        rate, until = self._exhausted_until.get(key.id, _NEVER_EXHAUSTED)
        wait = until - time.monotonic()
        if rate == key.events_per_second and wait > 0:
            raise RequestRefusedError(_excess(rate, 1, wait))

    async def charge(self, key: ApiKey, events: int) -> None:
        """Charge *events* to the rate of *key*; raise `RequestRefusedError` (429) if it cannot pay for all of them.

        Raise it with 503 if the main process, which has the buckets, is gone.
        """
        rate = key.events_per_second
        if rate is None:
            return
        try:
            wait = await self._charge(key.id, rate, events)
        except LogUnavailableError as error:
            raise RequestRefusedError(_CANNOT_CHARGE) from error
        if wait > 0:
            # One event can be paid as much sooner as the others take to be earned.
            self._exhausted_until[key.id] = rate, time.monotonic() + wait - (events - 1) / rate
            raise RequestRefusedError(_excess(rate, events, wait))


def _excess(events_per_second: float, events: int, wait_seconds: float) -> Refusal:
    return Refusal(
        problem=RequestProblem.TOO_MANY_REQUESTS,
        detail=Bilingual.of(
            en=f"this key may post {events_per_second:g} events a second and has too little left for {events}; "
            "send the same again later, or fewer events at once",
            vi=f"khóa này chỉ được gửi {events_per_second:g} sự kiện mỗi giây và chưa đủ hạn mức cho {events} sự kiện; "
            "hãy gửi lại đúng nội dung này sau, hoặc gửi ít sự kiện hơn mỗi lần",
        ),
        retry_after_seconds=math.ceil(wait_seconds),
    )


_CANNOT_CHARGE = Refusal(
    problem=RequestProblem.UNAVAILABLE,
    detail=Bilingual.of(
        en="intake is restarting; send the same again shortly",
        vi="hệ thống tiếp nhận đang khởi động lại; hãy gửi lại đúng nội dung này sau giây lát",
    ),
    retry_after_seconds=RETRY_AFTER_SECONDS,
)
_TOO_MANY_BODIES = Refusal(
    problem=RequestProblem.UNAVAILABLE,
    detail=Bilingual.of(
        en="too many requests are being worked on; try again shortly",
        vi="đang xử lý quá nhiều yêu cầu; hãy thử lại sau giây lát",
    ),
    retry_after_seconds=RETRY_AFTER_SECONDS,
)
