"""How attempts at a delivery ended, and the events on `dondoc.deliveries.v1` that tell of them.

Events hold no address. A digest about several agencies (an escalation to the province) yields one event for each agency
about its own duties, because events are keyed by agency.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from msgspec import UNSET

from schemas.events import ids
from schemas.events.deliveries import DELIVERED, AttemptOutcome
from schemas.events.wire import WireAlertAttempted, WireAlertedDuty, WireEvent
from services.notifier.core.scheduling import routing
from services.notifier.core.scheduling.routing import Delivery
from services.notifier.core.scheduling.scheduled_alert import DutyAlert

SOURCE = "dondoc/notifier"


@dataclass(frozen=True, slots=True, kw_only=True)
class SentText:
    """What a message said, as the record keeps it: without the tokens of its links, which are keys to a form.

    `template` is the template of the words with the version of the set, `template_digest` that of its files.
    """

    template: str
    template_digest: str
    subject: str | None
    body: str

    @property
    def digest(self) -> str:
        """The digest of the text, which the event about the attempt carries."""
        return ids.digest(self.subject or "", self.body)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryAttempt:
    """How attempt `delivery.attempt` ended, and when the next one is due (None: never).

    `reason` is a code such as `smtp_550`, never a server's own words: those may hold an address. `answer` has
    those without it, as evidence in the ledger alone. `provider_ids` are the ids by which what comes back names it.
    `is_hard`: nobody has the address. `spent` counts the attempts that count towards giving up. The next attempt is
    made by the route `bound_to` alone; if what was accepted comes back, the route `falls_back_to` makes it. `text` is
    what was sent; None where nothing was, or where what became of it is learnt later.
    """

    delivery: Delivery
    outcome: AttemptOutcome
    at: datetime
    reason: str | None = None
    message_id: str | None = None
    segments: int | None = None
    next_at: datetime | None = None
    provider_ids: tuple[str, ...] = ()
    answer: str | None = None
    spent: int = 0
    route: str | None = None
    bound_to: str | None = None
    falls_back_to: str | None = None
    text: SentText | None = None
    is_hard: bool = False

    @property
    def goes_to_next_channel(self) -> bool:
        """Whether its alerts are to be told by the next channel: they surely did not arrive, and never will here."""
        return self.is_hard and self.next_at is None and bool(self.delivery.alerts)


def build_events(attempt: DeliveryAttempt) -> Iterator[WireEvent[WireAlertAttempted]]:
    """Yield one event for each agency that the delivery is about. The event id derives from the attempt."""
    delivery = attempt.delivery
    for agency in dict.fromkeys(one.duty.agency for one in delivery.alerts):
        trace = routing.find_latest_origin(one for one in delivery.alerts if one.duty.agency == agency).trace
        yield WireEvent(
            id=derive_event_id(delivery.id, delivery.attempt, attempt.outcome, agency=agency, at=attempt.at),
            source=SOURCE,
            type=DELIVERED,
            subject=agency,
            time=attempt.at,
            traceparent=UNSET if trace is None else trace.parent,
            tracestate=UNSET if trace is None or trace.state is None else trace.state,
            data=_build_event_data(attempt, agency),
        )


def derive_event_id(delivery_id: str, attempt: int, outcome: AttemptOutcome, *, agency: str, at: datetime) -> str:
    """Return the id of the event about an attempt at a delivery, for the part of it that is about *agency*.

    The instant is part of it. A ledger that was restored from a backup makes an attempt of the same number again, and
    that is another event.
    """
    return ids.digest(delivery_id, str(attempt), outcome, agency, at.astimezone(UTC).isoformat())


def describe_duty(one: DutyAlert) -> WireAlertedDuty:
    """Return the duty that an alert is about, as events and `dondoc simulate` write it."""
    return WireAlertedDuty(
        plan=one.duty.plan,
        agency=one.duty.agency,
        obligation=one.duty.obligation,
        period=one.duty.period,
        kind=one.alert.kind,
        step=one.alert.label,
        due_at=one.alert.due_at,
        as_successor=one.alert.is_inherited,
    )


def _build_event_data(attempt: DeliveryAttempt, agency: str) -> WireAlertAttempted:
    delivery = attempt.delivery
    lead = delivery.lead.alert
    return WireAlertAttempted(
        alert=delivery.alert_id,
        channel=delivery.channel,
        to_agency=delivery.to_agency,
        kind=lead.kind,
        step=lead.label,
        duties=tuple(describe_duty(one) for one in delivery.alerts if one.duty.agency == agency),
        attempt=delivery.attempt,
        outcome=attempt.outcome,
        reason=attempt.reason,
        attempted_at=attempt.at,
        message_id=attempt.message_id,
        segments=attempt.segments,
        delivery=delivery.public_id,
        route=attempt.route,
        template=None if attempt.text is None else attempt.text.template,
        template_digest=None if attempt.text is None else attempt.text.template_digest,
        text_digest=None if attempt.text is None else attempt.text.digest,
        instead_of=delivery.instead_of,
    )
