"""The rate limits of keys, in this process: a key in debt is told when to come back, before its body is read."""

import math
import time

from services.intake.asgi import RefusedError
from services.intake.core.problems import Problem, Refusal, Said
from services.intake.core.scopes import Key
from services.intake.core.token_bucket import Bucket


class Limits:
    """The buckets of the keys that have a rate."""

    def __init__(self) -> None:
        self._buckets: dict[str, Bucket] = {}

    def refuse_excess(self, key: Key) -> None:
        """Raise with 429 while *key* has overdrawn its rate."""
        bucket = self._bucket(key)
        if bucket is None:
            return
        wait = bucket.seconds_until_open(time.monotonic())
        if wait > 0:
            raise RefusedError(_excess(key, math.ceil(wait)))

    def charge(self, key: Key, events: int) -> None:
        """Count *events* against the rate of *key*, good ones and bad ones alike."""
        bucket = self._bucket(key)
        if bucket is not None:
            bucket.charge(events, time.monotonic())

    def _bucket(self, key: Key) -> Bucket | None:
        rate = key.events_per_second
        if rate is None:
            return None
        bucket = self._buckets.get(key.id)
        if bucket is None or bucket.events_per_second != rate:
            bucket = self._buckets[key.id] = Bucket.full(rate, time.monotonic())
        return bucket


def _excess(key: Key, seconds: int) -> Refusal:
    return Refusal(
        problem=Problem.TOO_MANY_REQUESTS,
        detail=Said(
            en=f"this key may post {key.events_per_second:g} events a second; send the same event again later",
            vi=f"khóa này chỉ được gửi {key.events_per_second:g} sự kiện mỗi giây; hãy gửi lại đúng sự kiện này sau",
        ),
        retry_after_seconds=seconds,
    )
