"""Make attempts: write a message as things stand, hand it to a channel, and say how that ended and what comes next."""

import asyncio
import logging
import time as monotonic
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from schemas.events.deliveries import TAKEN, AttemptOutcome, Channel
from services.notifier.channels.message_channel import MessageChannel, OutgoingMessage, SendResult
from services.notifier.cited_documents import CitedDocuments
from services.notifier.core.dispatch import template_parameters
from services.notifier.core.rendering import render
from services.notifier.core.rendering.render import Occasion, RenderedMessage, RenderOptions
from services.notifier.core.scheduling import retry, sending_delay, sent_alerts
from services.notifier.core.scheduling.delivery import Delivery, DeliveryAttempt
from services.notifier.core.scheduling.retry import EndedAttempt, RetryPolicy
from services.notifier.core.scheduling.scheduled_alert import DutyAlert
from services.notifier.core.scheduling.sent_alerts import LetterHistory
from services.notifier.metrics import NotifierMetrics
from services.runtime.clock import Clock

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class SendPolicy:
    """How attempts are made. `jitter` returns a number in [0, 1)."""

    retry: RetryPolicy
    jitter: Callable[[], float]
    message_id_domain: str
    rendering: RenderOptions


@dataclass(frozen=True, slots=True, kw_only=True)
class PostponedDelivery:
    """A claimed delivery that is not to be attempted yet, and when it is due again."""

    delivery: Delivery
    due_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedDelivery:
    """A delivery that may go out at once, with its text, as things stand at `at`."""

    delivery: Delivery
    content: RenderedMessage
    at: datetime
    parameters: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class EndedSend:
    """A send that has ended: the attempt to record, and the answer from which the route learns."""

    attempt: DeliveryAttempt
    result: SendResult


class Sender:
    """Makes attempts on whichever channel it is given."""

    def __init__(
        self, policy: SendPolicy, *, documents: CitedDocuments, clock: Clock, metrics: NotifierMetrics
    ) -> None:
        self._policy = policy
        self._documents = documents
        self._clock = clock
        self._metrics = metrics

    def prepare(
        self, delivery: Delivery, history: LetterHistory, now: datetime
    ) -> PreparedDelivery | PostponedDelivery:
        """Render *delivery* as things stand *now*, unless it is quiet now or a document that it cites is missing."""
        lead = delivery.lead
        try:
            opens_at = self._documents.hours(lead.duty.plan, lead.plan_version).next_open(now)
            if opens_at > now:
                return PostponedDelivery(delivery=delivery, due_at=opens_at)
            content = render.render_digest(
                delivery.digest,
                self._documents,
                language=delivery.language,
                options=self._policy.rendering,
                occasion=Occasion(now=now, history=history, delivery=delivery.public_id),
            )
            parameters: Mapping[str, str] = {}
            if delivery.channel is Channel.SMS:
                parameters = template_parameters.describe_delivery(delivery, self._documents, now)
        except LookupError:
            log.warning("an alert waits for a document", extra={"action": "document_missing"})
            return PostponedDelivery(delivery=delivery, due_at=now + self._policy.retry.first_backoff)
        return PreparedDelivery(delivery=delivery, content=content, at=now, parameters=parameters)

    def is_quieted(self, one: DutyAlert, history: LetterHistory, now: datetime) -> bool:
        """Whether an urging waits for the day that its agency has named."""
        named = history.of(str(one.duty)).named
        if named is None:
            return False
        zone = ZoneInfo(self._documents.plan(one.duty.plan, one.plan_version).zone)
        return sent_alerts.is_quieted(history.of(str(one.duty)), one.alert, now.astimezone(zone).date())

    async def send(
        self, prepared: PreparedDelivery, channel: MessageChannel, *, route: str, seconds: float
    ) -> EndedSend:
        """Send *prepared* on *channel*, and give up waiting for the answer after *seconds*."""
        delivery = prepared.delivery
        message = OutgoingMessage(
            id=delivery.id,
            address=delivery.address,
            message_id=delivery.message_id(self._policy.message_id_domain),
            language=delivery.language,
            content=prepared.content,
            at=prepared.at,
            parameters=prepared.parameters,
            trace=delivery.origin.trace,
        )
        started = monotonic.perf_counter()
        try:
            async with asyncio.timeout(seconds):
                result = await channel.send(message)
        except TimeoutError:
            result = SendResult(outcome=AttemptOutcome.UNKNOWN, reason="no_answer")
        except Exception as cause:  # noqa: BLE001 - a carrier's own fault must not stop the other channels
            # The error itself may quote the message, so its class alone is logged.
            details = {"action": "carrier_failed", "route": route, "reason": type(cause).__name__}
            log.error("a carrier has failed", extra=details)  # noqa: TRY400 - as above
            result = SendResult(outcome=AttemptOutcome.UNKNOWN, reason="carrier_error")
        if result.refusal is not None:
            self._metrics.refusals.labels(delivery.channel.value, result.refusal.fault.value).inc()
        self._metrics.seconds.labels(delivery.channel.value).observe(monotonic.perf_counter() - started)
        attempt = self.finish(delivery, result, route=route, content=prepared.content)
        if attempt.outcome in TAKEN:
            self._measure_delay(attempt)
        return EndedSend(attempt=attempt, result=result)

    def _measure_delay(self, attempt: DeliveryAttempt) -> None:
        lead = attempt.delivery.lead
        delay = sending_delay.find_delay(lead, self._documents.hours(lead.duty.plan, lead.plan_version))
        if delay is None:
            return
        trace = lead.origin.trace
        self._metrics.due_to_sent.observe(delay.due_at, attempt.at, delay.cause, trace=trace)
        if delay.received_at is not None:
            channel = attempt.delivery.channel
            self._metrics.received_to_sent.observe(delay.received_at, attempt.at, channel, trace=trace)

    def finish(
        self, delivery: Delivery, result: SendResult, *, route: str | None, content: RenderedMessage | None = None
    ) -> DeliveryAttempt:
        """Return the attempt that ended in *result*, with the instant of the next one if there is one."""
        now, channel, policy = self._clock.now(), delivery.channel, self._policy.retry
        is_spent = result.refusal is None or result.refusal.spends_attempt
        spent = delivery.spent + is_spent
        ended = EndedAttempt(
            outcome=result.outcome, channel=channel, attempt=delivery.attempt, spent=spent, is_spent=is_spent
        )
        backoff = retry.backoff_after(policy, ended, jitter=self._policy.jitter())
        outcome = result.outcome
        if backoff is not None and not is_spent and policy.is_expired(delivery.created_at, now):
            backoff, outcome = None, AttemptOutcome.EXPIRED
        self._metrics.attempts.labels(channel.value, outcome.value).inc()
        return DeliveryAttempt(
            delivery=delivery,
            outcome=outcome,
            at=now,
            reason=result.reason,
            message_id=delivery.message_id(self._policy.message_id_domain) if channel is Channel.EMAIL else None,
            segments=None if content is None else content.segments,
            next_at=None if backoff is None else now + backoff,
            provider_ids=result.provider_ids,
            spent=spent,
            route=route,
            text=None if content is None else render.keep_text(content),
        )
