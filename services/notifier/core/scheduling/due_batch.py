"""A round: all that is due at one instant, taken from the agendas, gathered by recipient and channel."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from schemas.plan.plan import Plan
from schemas.plan.registry import Registry
from services.notifier.core.scheduling import digest, routing, schedule
from services.notifier.core.scheduling.digest import Notice
from services.notifier.core.scheduling.quiet_hours import SendingHours
from services.notifier.core.scheduling.routing import ContactBook
from services.notifier.core.scheduling.scheduled_alert import Agenda, Call, Telling


class Calendar(Protocol):
    """The reference documents and the hours that follow from them. Raises `LookupError` for what has not come yet."""

    def plan(self, plan_id: str, version: int) -> Plan: ...

    def registry(self, registry_id: str, version: int) -> Registry: ...

    def hours(self, plan_id: str, version: int) -> SendingHours: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """An agenda after its due calls were taken, and those calls: none where they wait for the sending hours."""

    agenda: Agenda
    calls: tuple[Call, ...]

    @property
    def tellings(self) -> tuple[Telling, ...]:
        """The calls with all that their words depend on."""
        return tuple(map(self.agenda.telling, self.calls))


def due(agenda: Agenda, calendar: Calendar, now: datetime) -> Due:
    """Take from *agenda* what is due at *now*."""
    calls, after = schedule.take(agenda, calendar.hours(agenda.duty.plan, agenda.plan_version), now)
    return Due(agenda=after, calls=calls)


def notices(tellings: Iterable[Telling], calendar: Calendar, book: ContactBook, now: datetime) -> list[Notice]:
    """Gather *tellings* into notices to whoever can be reached on the day of *now*."""
    told: dict[str, list[Telling]] = {}
    days: dict[str, date] = {}
    for one in tellings:
        registry = calendar.registry(one.registry, one.registry_version)
        to_agency = routing.destination(one.call.to, one.duty.agency, registry)
        told.setdefault(to_agency, []).append(one)
        days[to_agency] = now.astimezone(calendar.hours(one.duty.plan, one.plan_version).zone).date()
    return digest.gathered(told, {to_agency: book.reaching(to_agency, day) for to_agency, day in days.items()})
