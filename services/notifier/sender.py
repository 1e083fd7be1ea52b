"""One attempt at one delivery: put it into words, give it to its channel, say how it ended and when to try again."""

import asyncio
import time as monotonic
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from schemas.events.deliveries import AttemptOutcome, Channel
from services.notifier.channels.message import Answer, Carrier, Message
from services.notifier.cited_documents import PublishedLibrary
from services.notifier.core.rendering import render
from services.notifier.core.rendering.render import Means, Text
from services.notifier.core.scheduling import retry
from services.notifier.core.scheduling.delivery import Attempt
from services.notifier.core.scheduling.retry import RetryPolicy
from services.notifier.ledger_documents import Claimed, Ended
from services.notifier.metrics import NotifierMetrics
from services.runtime.clock import Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How attempts are made. `spread` returns a number in [0, 1); `slots` bounds what is under way at once."""

    policy: RetryPolicy
    spread: Callable[[], float]
    lease: timedelta
    domain: str
    means: Means
    slots: Mapping[Channel, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Postponed:
    """A claimed delivery that was not attempted, and when it may be."""

    claimed: Claimed
    until: datetime


class Sender:
    """Makes attempts, as many at once as each channel has slots."""

    def __init__(
        self,
        manner: Manner,
        *,
        library: PublishedLibrary,
        carriers: Mapping[Channel, Carrier],
        clock: Clock,
        metrics: NotifierMetrics,
    ) -> None:
        self._manner = manner
        self._library = library
        self._carriers = carriers
        self._clock = clock
        self._metrics = metrics
        self._slots = {channel: asyncio.Semaphore(count) for channel, count in manner.slots.items()}

    @property
    def lease(self) -> timedelta:
        """How long a claim is good."""
        return self._manner.lease

    async def attempt(self, claimed: Claimed, lease_ends: float) -> Ended | Postponed:
        """Attempt *claimed* unless less than half of its lease is left by then (*lease_ends* by the loop's clock)."""
        async with self._slots[claimed.delivery.channel]:
            now = self._clock.now()
            left = lease_ends - asyncio.get_running_loop().time()
            if left < self._manner.lease.total_seconds() / 2:
                return Postponed(claimed=claimed, until=now)
            try:
                opens = self._next_open(claimed, now)
                text = self._text(claimed, now)
            except LookupError:
                return self.ended(claimed, Answer(outcome=AttemptOutcome.TECHNICAL_FAILURE, reason="documents_missing"))
            if opens > now:
                return Postponed(claimed=claimed, until=opens)
            answer = await self._sent(claimed, text, now=now, seconds=left)
        return self.ended(claimed, answer, segments=text.segments)

    def ended(self, claimed: Claimed, answer: Answer, *, segments: int | None = None) -> Ended:
        """Return how *claimed* ended, and when it is attempted again: within sending hours, if ever."""
        now = self._clock.now()
        channel = claimed.delivery.channel
        self._metrics.attempts.labels(channel.value, answer.outcome.value).inc()
        pause = retry.pause_after(
            self._manner.policy, answer.outcome, channel, attempt=claimed.attempt, spread=self._manner.spread()
        )
        return Ended(
            claimed=claimed,
            attempt=Attempt(
                number=claimed.attempt,
                outcome=answer.outcome,
                at=now,
                reason=answer.reason,
                message_id=self._message_id(claimed) if channel is Channel.EMAIL else None,
                segments=segments,
            ),
            next_at=None if pause is None else now + pause,
            provider_ids=answer.provider_ids,
        )

    async def _sent(self, claimed: Claimed, text: Text, *, now: datetime, seconds: float) -> Answer:
        channel = claimed.delivery.channel
        started = monotonic.perf_counter()
        try:
            async with asyncio.timeout(seconds):
                return await self._carriers[channel].send(self._message(claimed, text, now))
        except TimeoutError:
            return Answer(outcome=AttemptOutcome.UNKNOWN, reason="no_answer")
        finally:
            self._metrics.seconds.labels(channel.value).observe(monotonic.perf_counter() - started)

    def _message(self, claimed: Claimed, text: Text, now: datetime) -> Message:
        delivery = claimed.delivery
        return Message(
            id=delivery.id,
            address=delivery.address,
            message_id=self._message_id(claimed),
            language=delivery.language,
            text=text,
            at=now,
        )

    def _text(self, claimed: Claimed, now: datetime) -> Text:
        delivery = claimed.delivery
        manner = self._manner
        return render.text(delivery.notice, self._library, language=delivery.language, means=manner.means, now=now)

    def _next_open(self, claimed: Claimed, now: datetime) -> datetime:
        lead = claimed.delivery.notice.lead
        return self._library.hours(lead.duty.plan, lead.plan_version).next_open(now)

    def _message_id(self, claimed: Claimed) -> str:
        return claimed.delivery.message_id(self._manner.domain)
