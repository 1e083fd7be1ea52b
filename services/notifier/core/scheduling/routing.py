"""Routing: which agency or contact list gets an alert, which people are its contacts, and what makes one message.

An alert is meant for `self` (the agency that owes the report), `parent` (the agency above it) or a named contact list.
Everything that one recipient gets at one time on one channel goes into one message, a digest; a delivery is one digest
to one address.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from itertools import chain
from typing import Literal, Protocol

from schemas.events import ids
from schemas.events.assessments import StepKind
from schemas.events.deliveries import Channel
from schemas.events.event_origin import NO_ORIGIN, EventOrigin
from schemas.plan.plan import PARENT, Plan
from schemas.plan.registry import Registry
from schemas.text import comparison
from services.notifier.core.scheduling.schedule import SendingHours
from services.notifier.core.scheduling.scheduled_alert import SEVERITY, DutyAlert

Language = Literal["vi", "en"]
SELF = "self"
OFFICER = "officer"  # stands for the agency where the reader is a plan's officer
PUBLIC_DIGITS = 40  # hexadecimal digits of the delivery id: 160 bits are unique, and fit into one header line


class ContactRole(StrEnum):
    """What a contact is at its agency: the office that registers letters, the officer in charge, or who leads it."""

    OFFICE = "office"
    OFFICER = "officer"
    LEADER = "leader"


# Words of the titles that people write, without accents. The first role that has one counts, so that a "lãnh đạo văn
# phòng" is a leader. Whoever has another title is the person in charge.
_TITLES = (
    (ContactRole.LEADER, ("leader", "lanh dao", "chu tich", "giam doc", "truong", "head", "director", "chanh")),
    (ContactRole.OFFICE, ("office", "van thu", "van phong", "hanh chinh", "clerk", "registry")),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """How one person at an agency (or on a list) is reached on the local dates [from_, to).

    `suspended` is the code for which nothing is sent to the address any more; None while it is not suspended.
    """

    agency: str
    channel: Channel
    address: str
    role: ContactRole = ContactRole.OFFICE
    language: Language = "vi"
    from_: date | None = None
    to: date | None = None
    suspended: str | None = None

    def is_valid_on(self, day: date) -> bool:
        """Whether the contact holds on the local date *day*."""
        return (self.from_ is None or self.from_ <= day) and (self.to is None or day < self.to)


# On which channel the contacts of a role are written to, the preferred one first. A role without an order: on all.
ChannelOrder = Mapping[ContactRole, Sequence[Channel]]
EVERY_CHANNEL: ChannelOrder = {}


class ContactBook:
    """All contacts, by agency or list, in the order of the file.

    Where *order* has a role, its contacts on a later channel are written to only while it has nobody on an earlier one.
    """

    def __init__(self, contacts: Iterable[Contact] = (), order: ChannelOrder = EVERY_CHANNEL) -> None:
        self._order = order
        self._by_agency: dict[str, list[Contact]] = {}
        for contact in contacts:
            self._by_agency.setdefault(contact.agency, []).append(contact)

    def __iter__(self) -> Iterator[Contact]:
        return chain.from_iterable(self._by_agency.values())

    def find_reachable(self, agency: str, day: date) -> dict[Channel, tuple[Contact, ...]]:
        """Return the contacts of *agency* (an id or the name of a list) on *day*, by channel; no address twice.

        Those that are suspended are left out, and those on whose channel their role is not written to.
        """
        return self._choose_by_order(one for one in self._find_valid(agency, day) if one.suspended is None)

    def find_next(
        self, agency: str, day: date, *, channel: Channel, address: str
    ) -> dict[Channel, tuple[Contact, ...]]:
        """Return who of *agency* is written to on *day* because nobody has *address* on *channel*, by channel.

        A channel on which the agency was told all the same is not among them, whoever that was: it is told once there.
        """
        valid = self._find_valid(agency, day)
        told = self._choose_by_order(
            one for one in valid if one.suspended is None or (one.channel, one.address) == (channel, address)
        )
        now = self.find_reachable(agency, day)
        return {later: people for later, people in now.items() if later not in told}

    def find_instead(self, agency: str, day: date, *, channel: Channel, address: str) -> Contact | None:
        """Return who is written to on *channel* now that *address* is no contact's of *agency* any more.

        None where it still is one, and where not exactly one person is written to there.
        """
        if any((one.channel, one.address) == (channel, address) for one in self._find_valid(agency, day)):
            return None
        people = self.find_reachable(agency, day).get(channel, ())
        return people[0] if len(people) == 1 else None

    def _find_valid(self, agency: str, day: date) -> list[Contact]:
        return [one for one in self._by_agency.get(agency, ()) if one.is_valid_on(day)]

    def _choose_by_order(self, contacts: Iterable[Contact]) -> dict[Channel, tuple[Contact, ...]]:
        reachable: dict[Channel, dict[str, Contact]] = {}
        usable = list(contacts)
        channels = {(one.role, one.channel) for one in usable}
        for contact in usable:
            order = self._order.get(contact.role, (contact.channel,))
            if not any((contact.role, one) in channels for one in order[: order.index(contact.channel)]):
                reachable.setdefault(contact.channel, {}).setdefault(contact.address, contact)
        return {channel: tuple(people.values()) for channel, people in reachable.items()}

    def find_suspended(self, agency: str, day: date) -> tuple[Channel, ...]:
        """Return the channels on which every contact of *agency* on *day* is suspended."""
        valid = self._find_valid(agency, day)
        reached = {one.channel for one in valid if one.suspended is None}
        return tuple(sorted({one.channel for one in valid} - reached))

    def find_next_start(self, agency: str, day: date) -> date | None:
        """Return the first date after *day* from which another contact of *agency* holds."""
        starts = (one.from_ for one in self._by_agency.get(agency, ()) if one.from_ is not None and one.from_ > day)
        return min(starts, default=None)


def classify_role(title: str) -> ContactRole:
    """Return the role of a contact whose *title* is written as people do: `Văn thư`, `Chuyên viên`, `Lãnh đạo`.

    Where no title is written it is the office: most agencies give one address, that of their incoming letters.
    """
    words = comparison.make_search_key(title)
    if not words or words == ContactRole.OFFICER:
        return ContactRole.OFFICER if words else ContactRole.OFFICE
    return next((role for role, titles in _TITLES if any(one in words for one in titles)), ContactRole.OFFICER)


def resolve_recipient(to: str, agency: str, registry: Registry, *, on: date) -> str:
    """Return the id of the agency, or the name of the list, that gets an alert of *agency* meant for *to*.

    *on* is the local day of the alert's instant, on which it is decided who is above the agency. Where nobody is, it
    resolves to `parent` itself, for which nobody is a contact, so that the gap is recorded.
    """
    match to:
        case "self":
            return agency
        case "parent":
            return registry.parent_on(agency, on) or PARENT
        case name:
            return name


class DocumentVersions(Protocol):
    """The plans and registries, by id and version. Raises `LookupError` for a version that has not been published."""

    def plan(self, plan_id: str, version: int) -> Plan: ...

    def registry(self, registry_id: str, version: int) -> Registry: ...


class SendingCalendar(DocumentVersions, Protocol):
    """The documents, and the sending hours in the time zone of a plan."""

    def hours(self, plan_id: str, version: int) -> SendingHours: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """The alerts that one agency or contact list gets at one time on one channel, most pressing first.

    `contacts` is empty if nobody can be reached.
    """

    to_agency: str
    channel: Channel
    alerts: tuple[DutyAlert, ...]
    contacts: tuple[Contact, ...] = ()

    @property
    def alert_id(self) -> str:
        """The id of the alert in events: the same for every person of the agency who gets it on this channel."""
        return ids.digest("alert", self.to_agency, self.channel.value, *sorted(one.dedup_key for one in self.alerts))

    @property
    def is_to_superior(self) -> bool:
        """Whether it tells the reader of what others owe."""
        return self.lead.alert.kind is StepKind.ESCALATION

    @property
    def lead(self) -> DutyAlert:
        """The most pressing alert: it gives the message its kind and step."""
        return self.alerts[0]


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
        return find_latest_origin(self.alerts)

    @property
    def public_id(self) -> str:
        """The id that mails and events carry. It derives from the address, and does not give it away."""
        return self.id[:PUBLIC_DIGITS]

    def message_id(self, domain: str) -> str:
        """Return the Message-ID, which is the same on every attempt, so that mail programs recognise a second copy."""
        return f"<{self.public_id}@{domain}>"


def collect_digests(
    alerts: Iterable[DutyAlert], calendar: SendingCalendar, book: ContactBook, now: datetime
) -> list[Digest]:
    """Group *alerts* by recipient and channel. Contacts are those valid on the local date of *now* in the plan's zone.

    Raises `LookupError` if a cited document has not been published.
    """
    by_recipient: dict[str, list[DutyAlert]] = {}
    local_dates: dict[str, date] = {}
    for one in alerts:
        registry = calendar.registry(one.registry, one.registry_version)
        zone = calendar.hours(one.duty.plan, one.plan_version).zone
        called_on = one.alert.at.astimezone(zone).date()
        to_agency = resolve_recipient(one.alert.to, one.duty.agency, registry, on=called_on)
        by_recipient.setdefault(to_agency, []).append(one)
        local_dates[to_agency] = now.astimezone(zone).date()
    contacts = {to_agency: book.find_reachable(to_agency, day) for to_agency, day in local_dates.items()}
    return build_digests(by_recipient, contacts)


def build_digests(
    alerts: Mapping[str, Iterable[DutyAlert]], contacts: Mapping[str, Mapping[Channel, tuple[Contact, ...]]]
) -> list[Digest]:
    """Return one digest for each recipient of *alerts* and each channel on which *contacts* has somebody.

    What a superior is told of others is a digest apart from what it owes itself.

    A recipient without any contact yields one digest without contacts, so that the failure to reach it is recorded.
    """
    digests = []
    for to_agency in sorted(alerts):
        channels = contacts.get(to_agency) or {Channel.EMAIL: ()}
        for ordered in _split_from_superior(alerts[to_agency]):
            digests += [
                Digest(to_agency=to_agency, channel=channel, alerts=ordered, contacts=channels[channel])
                for channel in sorted(channels)
            ]
    return digests


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


def find_latest_origin(alerts: Iterable[DutyAlert]) -> EventOrigin:
    """Return the event that was received last among those that *alerts* follow from; `NO_ORIGIN` without any."""
    origins = (one.origin for one in alerts)
    return max(origins, key=lambda one: (one.received_at is not None, one.received_at), default=NO_ORIGIN)


def _split_from_superior(alerts: Iterable[DutyAlert]) -> Iterator[tuple[DutyAlert, ...]]:
    """Yield what the reader is told of others, and what it owes itself: a letter asks one thing of its reader."""
    ordered = sorted(alerts, key=_order_by_urgency)
    for is_escalation in (True, False):
        chosen = tuple(one for one in ordered if (one.alert.kind is StepKind.ESCALATION) is is_escalation)
        if chosen:
            yield chosen


def _order_by_urgency(one: DutyAlert) -> tuple[int, str, str]:
    due = one.alert.due_at.isoformat() if one.alert.due_at else "9999"
    return -SEVERITY[one.alert.kind], due, str(one.duty)


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
