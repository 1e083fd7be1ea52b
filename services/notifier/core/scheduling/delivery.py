"""A delivery is one digest to one address. Its attempts are reported on `dondoc.deliveries.v1`.

Events hold no address. A digest about several agencies (an escalation to the province) yields one event for each agency
about its own duties, because events are keyed by agency.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any

from schemas.events import ids
from schemas.events.deliveries import DELIVERED, AlertAttempted, AlertedDuty, AttemptOutcome, Channel
from schemas.events.envelope import Envelope
from schemas.events.event_origin import NO_ORIGIN, EventOrigin
from services.notifier.core.scheduling.routing import Contact, Digest, Language
from services.notifier.core.scheduling.scheduled_alert import DutyAlert

SOURCE = "dondoc/notifier"
OFFICER = "officer"  # stands for the agency where the reader is a plan's officer
PUBLIC_DIGITS = 40  # hexadecimal digits of the delivery id: 160 bits are unique, and fit into one header line


@dataclass(frozen=True, slots=True, kw_only=True)
class OfficerWeek:
    """The week, by its Monday, in which a plan's officer is told what needs a person."""

    plan: str
    monday: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One digest to one address; the address is empty if nobody can be reached.

    Either it has alerts, or it is the digest of `officer_week`, which is about a plan and no alert.

    `attempt` counts the attempts, the current one included, and `spent` those of them that count towards giving up.
    `claim` names the claim under which this process alone may make the attempt; None if the delivery is not claimed.
    `route` names the provider of the last attempt. `may_have_arrived`: not every attempt surely failed. `instead_of` is
    the public id of the delivery on an earlier channel whose address nobody has.
    """

    id: str
    alert_id: str
    to_agency: str
    channel: Channel
    address: str
    language: Language
    alerts: tuple[DutyAlert, ...]
    created_at: datetime | None = None
    attempt: int = 0
    spent: int = 0
    claim: str | None = None
    route: str | None = None
    officer_week: OfficerWeek | None = None
    instead_of: str | None = None
    may_have_arrived: bool = False

    @property
    def digest(self) -> Digest:
        """The digest that is delivered, without its other contacts."""
        return Digest(to_agency=self.to_agency, channel=self.channel, alerts=self.alerts)

    @property
    def lead(self) -> DutyAlert:
        """The most pressing alert."""
        return self.alerts[0]

    @property
    def kind(self) -> str:
        """What it tells, as the operator reads it."""
        return "officer-digest" if self.officer_week else self.lead.alert.kind.value

    @property
    def step(self) -> str:
        """Which one of its kind it is: a step of the plan, or the Monday of the week."""
        return self.officer_week.monday.isoformat() if self.officer_week else self.lead.alert.label

    @property
    def origin(self) -> EventOrigin:
        """The event that was received last among those that its alerts follow from."""
        return _latest_origin(self.alerts)

    @property
    def public_id(self) -> str:
        """The id that mails and events carry. It derives from the address, and does not give it away."""
        return self.id[:PUBLIC_DIGITS]

    def message_id(self, domain: str) -> str:
        """Return the Message-ID, which is the same on every attempt, so that mail programs recognise a second copy."""
        return f"<{self.public_id}@{domain}>"


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


def create_deliveries(digest: Digest, batch: str) -> tuple[Delivery, ...]:
    """Return one delivery for each contact of *digest*, or a single one without address if there is no contact.

    Within one batch an address gets one delivery for an agency and channel. The id depends on the batch and not on the
    alerts, so a batch that another process finishes after a crash creates the same ids, and no second delivery. The one
    without address only records that nobody was reached: it is the same however often that is found.
    """
    contacts: tuple[Contact | None, ...] = digest.contacts or (None,)
    return tuple(_create_delivery(digest, contact, batch) for contact in contacts)


def create_next_deliveries(bounced: Delivery, digest: Digest, *, first_id: str) -> tuple[Delivery, ...]:
    """Return the deliveries of *digest*, which tells the alerts of *bounced* by the next channel.

    *first_id* is the lowest id of all deliveries of that alert on its channel. So they are the same for whichever of
    these bounced, and however often that is found; and as part of it is public nowhere, no id gives an address away.
    """
    created = create_deliveries(digest, batch=f"instead of {first_id}")
    return tuple(replace(one, instead_of=bounced.public_id) for one in created)


def create_officer_delivery(week: OfficerWeek, address: str) -> Delivery:
    """Return the delivery of the digest of *week* to its officer: the same one however often it is created."""
    return Delivery(
        id=ids.digest("officer-digest", week.plan, week.monday.isoformat(), address),
        alert_id=ids.digest("officer-digest", week.plan, week.monday.isoformat()),
        to_agency=OFFICER,
        channel=Channel.EMAIL,
        address=address,
        language="vi",
        alerts=(),
        officer_week=week,
    )


def build_events(attempt: DeliveryAttempt) -> Iterator[Envelope[AlertAttempted]]:
    """Yield one event for each agency that the delivery is about. The event id derives from the attempt."""
    delivery = attempt.delivery
    for agency in dict.fromkeys(one.duty.agency for one in delivery.alerts):
        yield Envelope(
            id=derive_event_id(delivery.id, delivery.attempt, attempt.outcome, agency=agency, at=attempt.at),
            source=SOURCE,
            type=DELIVERED,
            subject=agency,
            time=attempt.at,
            data=_build_event_data(attempt, agency),
            **_trace_attributes(one for one in delivery.alerts if one.duty.agency == agency),
        )


def derive_event_id(delivery_id: str, attempt: int, outcome: AttemptOutcome, *, agency: str, at: datetime) -> str:
    """Return the id of the event about an attempt at a delivery, for the part of it that is about *agency*.

    The instant is part of it. A ledger that was restored from a backup makes an attempt of the same number again, and
    that is another event.
    """
    return ids.digest(delivery_id, str(attempt), outcome, agency, at.astimezone(UTC).isoformat())


def describe_duty(one: DutyAlert) -> AlertedDuty:
    """Return the duty that an alert is about, as events and `dondoc simulate` write it."""
    return AlertedDuty(
        plan=one.duty.plan,
        agency=one.duty.agency,
        obligation=one.duty.obligation,
        period=one.duty.period,
        kind=one.alert.kind,
        step=one.alert.label,
        due_at=one.alert.due_at,
        as_successor=one.alert.is_inherited,
    )


def _latest_origin(alerts: Iterable[DutyAlert]) -> EventOrigin:
    origins = (one.origin for one in alerts)
    return max(origins, key=lambda one: (one.received_at is not None, one.received_at), default=NO_ORIGIN)


def _trace_attributes(alerts: Iterable[DutyAlert]) -> Mapping[str, Any]:
    """Return the trace of what *alerts* follow from as attributes of an event; none where there is no trace."""
    trace = _latest_origin(alerts).trace
    if trace is None:
        return {}
    return {"traceparent": trace.parent} | ({} if trace.state is None else {"tracestate": trace.state})


def _create_delivery(digest: Digest, contact: Contact | None, batch: str) -> Delivery:
    address = contact.address if contact else ""
    named = (batch, digest.to_agency, digest.channel.value, address)
    # What is told to an agency as the one above others is a message of its own beside what it owes itself.
    apart = ("superior",) if digest.is_to_superior else ()
    parts = (*named, *apart) if contact else ("unreached", digest.alert_id)
    return Delivery(
        id=ids.digest(*parts),
        alert_id=digest.alert_id,
        to_agency=digest.to_agency,
        channel=digest.channel,
        address=address,
        language=contact.language if contact else "vi",
        alerts=digest.alerts,
    )


def _build_event_data(attempt: DeliveryAttempt, agency: str) -> AlertAttempted:
    delivery = attempt.delivery
    lead = delivery.lead.alert
    return AlertAttempted(
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
