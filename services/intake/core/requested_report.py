"""What the report of one duty is asked to contain, and which of its figures look like a slip.

Only rules can say when a duty falls due. Until it has said so, the version of the obligation is that of the period's
last day.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Self
from zoneinfo import ZoneInfo

import msgspec

from schemas.content import figure_findings, requested_content
from schemas.content.figure_findings import FigureFinding
from schemas.content.requested_content import RequestedContent
from schemas.events.ids import DutyKey
from schemas.plan import calendar, periods, values
from schemas.plan.calendar import FiguresWindow
from schemas.plan.periods import Period
from schemas.plan.plan import Obligation, ObligationVersion, Plan
from schemas.plan.registry import Registry


class ReportedContent(msgspec.Struct, frozen=True):
    """The figures of a report with the digits that they were written with."""

    nil_return: bool = False
    indicators: dict[str, Decimal] = {}


class SubmittedReport(msgspec.Struct, frozen=True):
    """The data of a submitted event as far as its figures are concerned; the event has passed validation."""

    plan: str
    obligation: str
    agency: str
    content: ReportedContent
    period: str | None = None
    on_behalf_of: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedDuty:
    """A duty with the documents that describe it. `day` is today in the zone of the plan."""

    key: DutyKey
    plan: Plan
    registry: Registry
    obligation: Obligation
    day: date

    @classmethod
    def find(cls, key: DutyKey, documents: tuple[Plan, Registry] | None, now: datetime) -> Self | None:
        """Return the duty of *key* with the plan and the registry of *documents*.

        None if these are not published, have no such obligation, or if the period is malformed.
        """
        obligation = None if documents is None else documents[0].obligation(key.obligation)
        if documents is None or obligation is None or not _is_period(key.period):
            return None
        plan, registry = documents
        day = values.move_to_zone(now, ZoneInfo(plan.zone)).date()
        return cls(key=key, plan=plan, registry=registry, obligation=obligation, day=day)

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.plan.zone)

    @property
    def _period(self) -> Period | None:
        return None if self.key.period is None else periods.parse(self.key.period)

    def version(self, due_at: datetime | None) -> ObligationVersion:
        """Return the version of the obligation that asks for the period and is in force on the due day.

        If that day is unknown, it is the day after the period, or today for a duty without periods.
        """
        day, period = self.day, self._period
        if due_at is not None:
            day = values.move_to_zone(due_at, self.zone).date()
        elif period is not None:
            day = period.ends_on
        return calendar.find_version(self.obligation, period, day)

    def find_window(self, due_at: datetime | None) -> FiguresWindow | None:
        """Return the days that the figures are to cover, where the plan states them."""
        return calendar.find_window(self.version(due_at), self._period)

    def list_requested(self, due_at: datetime | None) -> RequestedContent:
        """Return what the agency is asked for: by its id, and by its groups on the last good day."""
        agency = self.registry.agency(self.key.agency)
        groups = () if agency is None else agency.groups
        day = self._last_good_day(due_at)
        names = {self.key.agency, *(one.id for one in groups if one.contains(day))}
        return requested_content.list_requested(self.plan, self.version(due_at), names)

    def find_slips(self, content: ReportedContent, due_at: datetime | None) -> tuple[FigureFinding, ...]:
        """Return which figures of *content* look like a slip by themselves; a nil return has no figures.

        Intake keeps no reports, so it cannot compare them with last year's; reporting does.
        """
        given = {} if content.nil_return else content.indicators
        return figure_findings.find_slips(self.list_requested(due_at).indicators, given, None)

    def _last_good_day(self, due_at: datetime | None) -> date:
        """Return the last day on which the duty can be fulfilled in time; today for a duty without dates."""
        if due_at is not None:
            return (values.move_to_zone(due_at, self.zone) - timedelta(microseconds=1)).date()
        return self.day if self._period is None else self._period.last_day


def _is_period(text: str | None) -> bool:
    try:
        return text is None or bool(periods.parse(text))
    except ValueError:
        return False
