"""Attempts: a delivery becomes a message, goes out by a route, and its answer says what comes next.

A route is one provider of one channel, with its window, its pace and its circuit breaker; it learns from each answer.
The routes of a channel stand in the order of preference. A later one is used only while every earlier one is open.
"""

import asyncio
import logging
import time as monotonic
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from zoneinfo import ZoneInfo

from schemas.events.deliveries import TAKEN, AttemptOutcome, Channel
from services.notifier.channels.message_channel import MessageChannel, OutgoingMessage, SendResult
from services.notifier.cited_documents import CitedDocuments
from services.notifier.core.dispatch import circuit, server_answers, template_parameters
from services.notifier.core.dispatch.circuit import Circuit, CircuitPolicy
from services.notifier.core.dispatch.pacing import Pace
from services.notifier.core.dispatch.refusals import RefusalFault
from services.notifier.core.rendering import officer_letter, render
from services.notifier.core.rendering.officer_letter import OfficerReading
from services.notifier.core.rendering.render import Occasion, RenderedMessage, RenderOptions
from services.notifier.core.scheduling import letter_history, retry, sending_delay
from services.notifier.core.scheduling.delivery_events import DeliveryAttempt
from services.notifier.core.scheduling.letter_history import LetterHistory
from services.notifier.core.scheduling.officer_digest import OfficerDigest
from services.notifier.core.scheduling.retry import EndedAttempt, RetryPolicy
from services.notifier.core.scheduling.routing import Delivery
from services.notifier.core.scheduling.scheduled_alert import DutyAlert
from services.notifier.metrics import NotifierMetrics
from services.runtime.clock import Clock

_DOMAINS_MAX = 4_096  # recipient domains whose pace is remembered; the one unused for longest is forgotten
_DOMAINS_IN_A_ROW = 2  # so many domains are busy one after another: it is the route that is

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteLimits:
    """At most `window` attempts are begun, of which `concurrency` are on the wire.

    `per_minute` and `per_domain` bound the rate (None: only what is learnt).
    """

    window: int
    concurrency: int
    per_minute: float | None = None
    per_domain: float | None = None


class DeliveryRoute:
    """Decides how many messages may go out now, and learns from each answer."""

    def __init__(self, name: str, carrier: MessageChannel, *, limits: RouteLimits, policy: CircuitPolicy) -> None:
        self.name = name
        self.carrier = carrier
        self.slots = asyncio.Semaphore(limits.concurrency)
        self._limits = limits
        self._policy = policy
        self._circuit = Circuit()
        self._pace = Pace(limit=limits.per_minute)
        # Whether there is a rate to keep to. As long as nothing bounds the route, no tokens are counted.
        self.is_bounded = limits.per_minute is not None
        self._domains: OrderedDict[str, Pace] = OrderedDict()
        self._busy_domains: set[str] = set()
        self._preferred: Sequence[DeliveryRoute] = ()
        # Counts the times at which the route became slower. What was begun before and is not on the wire is taken back.
        self.epoch = 0

    def stand_in_for(self, preferred: Sequence["DeliveryRoute"]) -> None:
        """Use this route only while none of *preferred* can be used."""
        self._preferred = preferred

    @property
    def is_preferred(self) -> bool:
        """Whether every route before this one is open, so that it sends what any of them may send."""
        return all(one.is_open for one in self._preferred)

    @property
    def is_open(self) -> bool:
        """Whether the circuit is open: the route takes nothing for now."""
        return not self._circuit.is_closed

    @property
    def rate(self) -> float | None:
        """Messages a minute, or None where nothing bounds them."""
        return self._pace.rate

    def count_free(self, now: datetime, in_flight: int) -> int:
        """Return how many messages may be started now beside those *in_flight*."""
        if self.is_open:
            return 1 if not in_flight and self._circuit.allows_probe(now) else 0
        free = self._limits.window - in_flight
        return self._pace.count_free(now, free) if self.is_bounded else free

    def find_paused(self, addresses: Sequence[str], now: datetime) -> set[int]:
        """Return the positions in *addresses* whose domains take no more now, and spend the tokens of the others."""
        paused = set()
        for position, address in enumerate(addresses):
            pace = self._domain_pace(address, create=self._limits.per_domain is not None)
            if pace is None:
                continue
            if pace.count_free(now, 1):
                pace.take(1, now)
            else:
                paused.add(position)
        if self.is_bounded:
            self._pace.take(len(addresses) - len(paused), now)
        return paused

    def learn(self, address: str, result: SendResult, now: datetime) -> None:
        """Learn from the answer to a message to *address*."""
        refusal = result.refusal
        was_open = self.is_open
        if result.outcome in TAKEN:
            self._pace.record_accepted(now)
            self._busy_domains.clear()
            if (pace := self._domain_pace(address)) is not None:
                pace.record_accepted(now)
        if refusal is not None and refusal.fault is RefusalFault.BUSY:
            self._slow_down(address, now, concerns_route=refusal.concerns_route)
        if result.outcome in TAKEN or (refusal is not None and refusal.spends_attempt):
            self._circuit = circuit.record_success(self._circuit)
        elif refusal is not None or result.outcome is AttemptOutcome.UNKNOWN:
            self._circuit = circuit.record_failure(self._circuit, refusal, self._policy, now)
        if was_open != self.is_open:
            self.epoch += 1
            self._log_change(result.reason)

    def _log_change(self, reason: str | None) -> None:
        details = {"route": self.name, "reason": reason}
        if self.is_open:
            log.warning("a route does not work: it rests", extra={"action": "route_opened", **details})
        else:
            log.warning("a route works again", extra={"action": "route_closed", **details})

    def _slow_down(self, address: str, now: datetime, *, concerns_route: bool) -> None:
        pace = None if concerns_route else self._domain_pace(address, create=True)
        if pace is not None:
            pace.slow_down(now)
            self._busy_domains.add(_domain_of(address))
        # A relay that limits us may say so in answer to RCPT, as an overloaded recipient does. Two recipients' servers
        # are rarely overloaded together.
        if (pace is None or len(self._busy_domains) >= _DOMAINS_IN_A_ROW) and self._pace.slow_down(now):
            self.is_bounded = True
            self.epoch += 1

    def _domain_pace(self, address: str, *, create: bool = False) -> Pace | None:
        """Return the pace of the domain of *address*; None for a number, and for a domain that nothing bounds."""
        domain = _domain_of(address)
        if not domain:
            return None
        if domain not in self._domains:
            if not create:
                return None
            self._domains[domain] = Pace(limit=self._limits.per_domain)
            if len(self._domains) > _DOMAINS_MAX:
                self._domains.popitem(last=False)
        self._domains.move_to_end(domain)
        return self._domains[domain]


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

    def prepare_digest(
        self, delivery: Delivery, digest: OfficerDigest, now: datetime
    ) -> PreparedDelivery | PostponedDelivery:
        """Render the officer's weekly *digest* as things stand *now*, unless it is quiet or a document is missing."""
        options = self._policy.rendering
        try:
            opens_at = self._documents.hours(digest.week.plan, digest.lead.plan_version).next_open(now)
            if opens_at > now:
                return PostponedDelivery(delivery=delivery, due_at=opens_at)
            reading = OfficerReading(
                officer=options.officers[digest.week.plan],
                now=now,
                language=delivery.language,
                watch_link=options.dashboard_links.base_url if options.dashboard_links else "",
            )
            content = officer_letter.render_officer_digest(
                digest, self._documents, reading, channel=delivery.channel, options=options
            )
        except LookupError:
            log.warning("a digest waits for a document", extra={"action": "document_missing"})
            return PostponedDelivery(delivery=delivery, due_at=now + self._policy.retry.first_backoff)
        return PreparedDelivery(delivery=delivery, content=content, at=now)

    def find_local_date(self, delivery: Delivery, now: datetime) -> date | None:
        """Return the date where the plan of *delivery* is in force; None while a document that it cites is missing."""
        try:
            zone = self._documents.hours(delivery.lead.duty.plan, delivery.lead.plan_version).zone
        except LookupError:
            return None
        return now.astimezone(zone).date()

    def has_officer(self, plan: str) -> bool:
        """Whether somebody is set to whom the digest of *plan* goes."""
        return plan in self._policy.rendering.officers

    def is_quieted(self, one: DutyAlert, history: LetterHistory, now: datetime) -> bool:
        """Whether an urging waits for the day that its agency has named."""
        named = history.of(str(one.duty)).named
        if named is None:
            return False
        zone = ZoneInfo(self._documents.plan(one.duty.plan, one.plan_version).zone)
        return letter_history.is_quieted(history.of(str(one.duty)), one.alert, now.astimezone(zone).date())

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
        if attempt.outcome in TAKEN and delivery.alerts:
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
        outcome = result.outcome
        jitter = 0.0 if outcome in TAKEN else self._policy.jitter()  # it asks the system
        backoff = retry.backoff_after(policy, ended, jitter=jitter)
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
            # Here and not in the channels, so that no channel can forget it.
            answer=result.answer and server_answers.scrub_answer(result.answer, delivery.address),
            spent=spent,
            route=route,
            text=None if content is None else render.keep_text(content),
            is_hard=result.refusal is not None and result.refusal.is_hard,
        )


def _domain_of(address: str) -> str:
    return address.rpartition("@")[2].lower() if "@" in address else ""
