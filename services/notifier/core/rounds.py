"""A round: all that is due at one instant, taken from the agendas, gathered by recipient and channel."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from schemas.plan import Plan
from schemas.registry import Registry
from services.notifier.core import dedup, digests, routing
from services.notifier.core.calls import Agenda, Telling
from services.notifier.core.digests import Notice
from services.notifier.core.quiet_hours import SendingHours
from services.notifier.core.routing import ContactBook


class Calendar(Protocol):
    """The reference documents and the hours that follow from them. Raises `LookupError` for what has not come yet."""

    def plan(self, plan_id: str, version: int) -> Plan: ...

    def registry(self, registry_id: str, version: int) -> Registry: ...

    def hours(self, plan_id: str, version: int) -> SendingHours: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """The agendas after the round, in the order they were given, and what is to be told."""

    agendas: tuple[Agenda, ...]
    notices: tuple[Notice, ...]


def due_round(agendas: Iterable[Agenda], calendar: Calendar, book: ContactBook, now: datetime) -> Round:
    """Take from *agendas* what is due at *now*, for whoever can be reached on that day."""
    after: list[Agenda] = []
    told: dict[str, list[Telling]] = {}
    days: dict[str, date] = {}
    for agenda in agendas:
        hours = calendar.hours(agenda.duty.plan, agenda.plan_version)
        registry = calendar.registry(agenda.registry, agenda.registry_version)
        tellings, taken = dedup.take(agenda, hours, now)
        after.append(taken)
        for one in tellings:
            to_agency = routing.destination(one.call.to, agenda.duty.agency, registry)
            told.setdefault(to_agency, []).append(one)
            days.setdefault(to_agency, now.astimezone(hours.zone).date())
    reached = {to_agency: book.reaching(to_agency, day) for to_agency, day in days.items()}
    return Round(agendas=tuple(after), notices=tuple(digests.gathered(told, reached)))
