"""The rate limits of keys, in this process: a key in debt is told when to come back, before its body is read."""

import math
import time

from services.intake.asgi import RequestRefusedError
from services.intake.core.problems import Refusal, RequestProblem, Said
from services.intake.core.scopes import ApiKey
from services.intake.core.token_bucket import TokenBucket


class Limits:
    """The buckets of the keys that have a rate."""

    def __init__(self) -> None:
        self._buckets: dict[str, TokenBucket] = {}

    def refuse_excess(self, key: ApiKey) -> None:
        """Raise with 429 while *key* has overdrawn its rate."""
        bucket = self._bucket(key)
        if bucket is None:
            return
        wait = bucket.seconds_until_open(time.monotonic())
        if wait > 0:
            raise RequestRefusedError(_excess(key, math.ceil(wait)))

    def charge(self, key: ApiKey, events: int) -> None:
        """Count *events* against the rate of *key*, good ones and bad ones alike."""
        bucket = self._bucket(key)
        if bucket is not None:
            bucket.charge(events, time.monotonic())

    def _bucket(self, key: ApiKey) -> TokenBucket | None:
        rate = key.events_per_second
        if rate is None:
            return None
        bucket = self._buckets.get(key.id)
        if bucket is None or bucket.events_per_second != rate:
            bucket = self._buckets[key.id] = TokenBucket.full(rate, time.monotonic())
        return bucket


def _excess(key: ApiKey, seconds: int) -> Refusal:
    return Refusal(
        problem=RequestProblem.TOO_MANY_REQUESTS,
        detail=Said(
            en=f"this key may post {key.events_per_second:g} events a second; send the same event again later",
            vi=f"khóa này chỉ được gửi {key.events_per_second:g} sự kiện mỗi giây; hãy gửi lại đúng sự kiện này sau",
        ),
        retry_after_seconds=seconds,
    )
