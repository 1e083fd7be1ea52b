"""Dispatch due deliveries: claim, send, record, in this order, so that no crash makes a second message unseen.

The rule for an attempt whose outcome is unknown (its process died between claim and record, or the connection broke
after the message was handed over): it is recorded as `unknown`. A mail is then sent again with the same Message-ID, an
SMS is not. The record shows both attempts.
"""

import asyncio
import logging
import time as monotonic
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from schemas.events.deliveries import AttemptOutcome, Channel
from services.notifier.channels.message_channel import MessageChannel, OutgoingMessage, SendResult
from services.notifier.cited_documents import CitedDocuments
from services.notifier.core.rendering import render
from services.notifier.core.rendering.render import RenderedMessage, RenderOptions
from services.notifier.core.scheduling import retry
from services.notifier.core.scheduling.delivery import Delivery, DeliveryAttempt
from services.notifier.core.scheduling.retry import RetryPolicy
from services.notifier.core.scheduling.scheduled_alert import DutyAlert
from services.notifier.leases import Leases
from services.notifier.ledger import Ledger
from services.notifier.ledger_documents import StoredSchedule
from services.notifier.metrics import NotifierMetrics
from services.runtime.clock import Clock

CHUNK_SIZE = 256  # deliveries claimed at once: keeps all connections busy, and is sent long before the lease ends

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class SendPolicy:
    """How attempts are made. `jitter` returns a number in [0, 1); `concurrency` bounds the sends in flight."""

    retry: RetryPolicy
    jitter: Callable[[], float]
    message_id_domain: str
    rendering: RenderOptions
    concurrency: Mapping[Channel, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptWindow:
    """The part of a lease in which its attempts may be made, as two instants of the event loop's clock."""

    latest_start: float
    ends_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PostponedDelivery:
    """A claimed delivery that was not attempted, and when it is due again."""

    delivery: Delivery
    due_at: datetime


class Sender:
    """Makes attempts: renders a delivery, gives it to its channel, and decides when to try again."""

    def __init__(
        self,
        policy: SendPolicy,
        *,
        documents: CitedDocuments,
        channels: Mapping[Channel, MessageChannel],
        clock: Clock,
        metrics: NotifierMetrics,
    ) -> None:
        self._policy = policy
        self._documents = documents
        self._channels = channels
        self._clock = clock
        self._metrics = metrics
        self._slots = {channel: asyncio.Semaphore(count) for channel, count in policy.concurrency.items()}

    async def attempt(self, delivery: Delivery, window: AttemptWindow) -> DeliveryAttempt | PostponedDelivery:
        """Attempt *delivery* once a connection is free, unless that is after `latest_start` or in the quiet hours."""
        async with self._slots[delivery.channel]:
            now = self._clock.now()
            started_at = asyncio.get_running_loop().time()
            # Past the end of the lease another process records this attempt as unknown and may make the next one. So
            # a send starts only while half of the lease is left, and is given up at its end.
            if started_at > window.latest_start:
                return PostponedDelivery(delivery=delivery, due_at=now)
            try:
                opens_at = self._next_open(delivery, now)
                content = self._render(delivery, now)
            except LookupError:
                missing = SendResult(outcome=AttemptOutcome.TECHNICAL_FAILURE, reason="documents_missing")
                return self.finish(delivery, missing)
            if opens_at > now:
                return PostponedDelivery(delivery=delivery, due_at=opens_at)
            result = await self._send(delivery, content, now=now, seconds=window.ends_at - started_at)
        return self.finish(delivery, result, segments=content.segments)

    def finish(self, delivery: Delivery, result: SendResult, *, segments: int | None = None) -> DeliveryAttempt:
        """Return the attempt that ended in *result*, with the instant of the next one if there is one."""
        now = self._clock.now()
        channel = delivery.channel
        self._metrics.attempts.labels(channel.value, result.outcome.value).inc()
        backoff = retry.backoff_after(
            self._policy.retry, result.outcome, channel, attempt=delivery.attempt, jitter=self._policy.jitter()
        )
        return DeliveryAttempt(
            delivery=delivery,
            outcome=result.outcome,
            at=now,
            reason=result.reason,
            message_id=self._message_id(delivery) if channel is Channel.EMAIL else None,
            segments=segments,
            next_at=None if backoff is None else now + backoff,
            provider_ids=result.provider_ids,
        )

    async def _send(self, delivery: Delivery, content: RenderedMessage, *, now: datetime, seconds: float) -> SendResult:
        channel = delivery.channel
        message = OutgoingMessage(
            id=delivery.id,
            address=delivery.address,
            message_id=self._message_id(delivery),
            language=delivery.language,
            content=content,
            at=now,
        )
        started = monotonic.perf_counter()
        try:
            async with asyncio.timeout(seconds):
                return await self._channels[channel].send(message)
        except TimeoutError:
            return SendResult(outcome=AttemptOutcome.UNKNOWN, reason="no_answer")
        finally:
            self._metrics.seconds.labels(channel.value).observe(monotonic.perf_counter() - started)

    def _render(self, delivery: Delivery, now: datetime) -> RenderedMessage:
        return render.render_digest(
            delivery.digest, self._documents, language=delivery.language, options=self._policy.rendering, now=now
        )

    def _next_open(self, delivery: Delivery, now: datetime) -> datetime:
        lead = delivery.lead
        return self._documents.hours(lead.duty.plan, lead.plan_version).next_open(now)

    def _message_id(self, delivery: Delivery) -> str:
        return delivery.message_id(self._policy.message_id_domain)


class Dispatcher:
    """Claims due deliveries for one process, has them sent, and records the attempts.

    It sets `recorded` when there may be new events to publish.
    """

    def __init__(
        self, ledger: Ledger, sender: Sender, *, clock: Clock, leases: Leases, recorded: asyncio.Event
    ) -> None:
        self._ledger = ledger
        self._sender = sender
        self._clock = clock
        self._leases = leases
        self._recorded = recorded

    async def dispatch_due(self) -> bool:
        """Attempt one chunk of due deliveries; return whether there was any."""
        now = self._clock.now()
        # Taken before the claim: the time that the claim itself takes must not count as part of the lease.
        window = self._open_window()
        claimed = await self._ledger.claim_deliveries(now, self._leases.begin(), limit=CHUNK_SIZE)
        if not claimed:
            return False
        called_for, cancelled = await self._drop_uncalled_alerts(claimed, now)
        results = await asyncio.gather(*(self._sender.attempt(one, window) for one in called_for))
        attempts = [*cancelled, *(one for one in results if isinstance(one, DeliveryAttempt))]
        await self._record(attempts, now)
        postponed = [one for one in results if isinstance(one, PostponedDelivery)]
        await self._ledger.release_deliveries([(one.delivery, one.due_at) for one in postponed])
        self._recorded.set()
        return True

    async def record_abandoned(self) -> None:
        """Record as unknown the attempts that processes had claimed and died over."""
        abandoned = await self._ledger.find_abandoned_deliveries(self._leases.now())
        if abandoned:
            result = SendResult(outcome=AttemptOutcome.UNKNOWN, reason="process_died")
            await self._record([self._sender.finish(one, result) for one in abandoned], self._clock.now())

    def _open_window(self) -> AttemptWindow:
        now, seconds = asyncio.get_running_loop().time(), self._leases.duration.total_seconds()
        return AttemptWindow(latest_start=now + seconds / 2, ends_at=now + seconds)

    async def _drop_uncalled_alerts(
        self, claimed: Sequence[Delivery], now: datetime
    ) -> tuple[list[Delivery], list[DeliveryAttempt]]:
        """Return the deliveries with only those alerts that are still called for, and those cancelled as a whole."""
        # Between the creation of a delivery and a retry hours later the report may have come in.
        duties = {str(one.duty) for delivery in claimed for one in delivery.alerts}
        schedules = await self._ledger.find_schedules(sorted(duties))
        called_for, cancelled = [], []
        for delivery in claimed:
            alerts = tuple(one for one in delivery.alerts if _is_called_for(one, schedules, now))
            if alerts:
                called_for.append(replace(delivery, alerts=alerts))
            else:
                result = SendResult(outcome=AttemptOutcome.CANCELLED, reason="not_called_for")
                cancelled.append(self._sender.finish(delivery, result))
        return called_for, cancelled

    async def _record(self, attempts: Sequence[DeliveryAttempt], now: datetime) -> None:
        await self._ledger.record_attempts(attempts)
        provider_ids = [name for one in attempts for name in one.provider_ids]
        if provider_ids:
            await self._ledger.apply_receipts(provider_ids, now)
        for one in attempts:
            log.info(
                "an attempt ended",
                extra={
                    "action": "attempted",
                    "delivery": one.delivery.id,
                    "channel": one.delivery.channel.value,
                    "attempt": one.delivery.attempt,
                    "outcome": one.outcome.value,
                    "reason": one.reason,
                },
            )


def _is_called_for(one: DutyAlert, schedules: Mapping[str, StoredSchedule], now: datetime) -> bool:
    stored = schedules.get(str(one.duty))
    return stored is not None and stored.schedule.calls_for(one.alert, now)
