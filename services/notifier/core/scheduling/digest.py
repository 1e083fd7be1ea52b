"""Digests: everything that one recipient gets at one time on one channel goes into one message."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from schemas.events import ids
from schemas.events.assessments import StepKind
from schemas.events.deliveries import Channel
from schemas.plan.plan import Plan
from schemas.plan.registry import Registry
from services.notifier.core.scheduling import routing
from services.notifier.core.scheduling.quiet_hours import SendingHours
from services.notifier.core.scheduling.routing import Contact, ContactBook
from services.notifier.core.scheduling.scheduled_alert import SEVERITY, DutyAlert


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
        to_agency = routing.resolve_recipient(one.alert.to, one.duty.agency, registry, on=called_on)
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
