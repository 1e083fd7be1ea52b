"""When an obligation falls due: from the plan's words to one exclusive instant in UTC (rulings 1, 3 and 9).

This module also knows which days are worked in Vietnam and how to move an instant by a duration in the plan's zone.
It does not know agencies: rules decides whom a duty binds.
"""

from calendar import monthrange
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Literal
from zoneinfo import ZoneInfo

from holidays.countries.vietnam import Vietnam

from schemas.plan import durations, instants, periods
from schemas.plan.periods import MONTHS_OF, Period, Recurrence
from schemas.plan.plan import Anchor, Obligation, ObligationVersion, Plan
from schemas.plan.registry import Holiday, Registry

WeekendRule = Literal["none", "next_working_day", "previous_working_day"]

_DAY = timedelta(days=1)
_CACHED_INSTANTS = 65_536  # the days on which duties open, fall due and end are few, and all agencies share them


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodTerms:
    """What the plan asks for one period of an obligation, whichever agency owes it.

    An agency is bound if it is a member of an addressed group on `membership_decided_on` (ruling 8). That is the last
    good day, or the last day of an undated period, or `date.max` where there is neither a due instant nor a period.
    """

    obligation: Obligation
    version: ObligationVersion
    period: Period | None
    opens_on: date
    membership_decided_on: date
    due_at: datetime | None


class WorkingDays:
    """The working days of one registry.

    Offices work from Monday to Friday except on Vietnam's public holidays. The usual holidays come from a library.
    Swapped days are decided every year, so the registry's own tables always win (Labour Code 2019, art. 112).
    """

    def __init__(self, registry: Registry) -> None:
        self._days_off = _dates_of(registry.holidays)
        self._extra_working_days = _dates_of(registry.working_days)
        self._public_holidays = Vietnam()  # type: ignore[no-untyped-call]  # the library annotates no constructors

    def is_working_day(self, day: date) -> bool:
        """Whether offices work on *day*."""
        if day in self._extra_working_days:
            return True
        return day not in self._days_off and self._public_holidays.is_working_day(day)

    def move_off_weekend(self, day: date, rule: WeekendRule) -> date:
        """Return the last good day after *rule* has moved it off weekends and holidays (ruling 3)."""
        if rule == "none":
            return day
        step = _DAY if rule == "next_working_day" else -_DAY
        while not self.is_working_day(day):
            day += step
        return day


class Calendar:
    """The dates of one plan, with the working days of its registry."""

    def __init__(self, plan: Plan, working_days: WorkingDays) -> None:
        self.zone = ZoneInfo(plan.zone)
        self._issued_on = plan.issued_on
        self._working_days = working_days

    def terms_of(self, obligation: Obligation, period: Period | None) -> PeriodTerms | None:
        """Return the terms of *obligation* for *period*, or None where it does not bind anybody in that period.

        The version in force at the due instant decides. Where a change of setting makes two versions claim the period,
        the earlier due instant stands: a later setting never rewrites a due instant that has passed (ruling 9).
        """
        chosen = self._choose_version(list(_versions_for(obligation, period)), period)
        if chosen is None:
            return None
        due_at = self.due_at(chosen, period)
        opens_on = max(self._issued_on, obligation.versions[0].from_, period.starts_on if period else date.min)
        closes_on = last_good_day(due_at, self.zone) + _DAY if due_at else (period.ends_on if period else date.max)
        if closes_on <= opens_on:
            return None
        return PeriodTerms(
            obligation=obligation,
            version=chosen,
            period=period,
            opens_on=opens_on,
            membership_decided_on=closes_on - _DAY,
            due_at=due_at,
        )

    def due_at(self, version: ObligationVersion, period: Period | None) -> datetime | None:
        """Return the exclusive due instant under *version* in UTC, or None where the plan gives no date (ruling 1)."""
        due = version.due
        if due is None:
            return None
        day = resolve_anchor(due, period, version.from_)
        last = day if due.boundary == "inclusive" else day - _DAY
        return midnight(self._working_days.move_off_weekend(last, due.weekend_rule) + _DAY, self.zone)

    def _choose_version(self, versions: list[ObligationVersion], period: Period | None) -> ObligationVersion | None:
        """Return the version that rules the period: one in force at its own due instant, else an undated one."""
        dated = [(due, version) for version in versions if (due := self.due_at(version, period)) is not None]
        ruling = [(due, version) for due, version in dated if version.in_force_on(due.astimezone(self.zone).date())]
        if ruling:
            return min(ruling, key=lambda pair: pair[0])[1]
        undated = [version for version in versions if version.due is None]
        at_end = [one for one in undated if period is None or one.in_force_on(period.ends_on - _DAY)]
        if at_end:
            return at_end[-1]
        return self._choose_version_at_earliest_due(dated)

    def _choose_version_at_earliest_due(
        self, dated: list[tuple[datetime, ObligationVersion]]
    ) -> ObligationVersion | None:
        """Return the version in force at the earliest of the due instants.

        This decides where no version is in force at its own due instant. Example: the old version, which ends on
        1 November, names 10 December; the new one names 1 October. The old one is in force on 1 October, so it rules.
        """
        if not dated:
            return None
        earliest = min(due for due, _ in dated).astimezone(self.zone).date()
        return next((version for _, version in dated if version.in_force_on(earliest)), None)


@lru_cache(maxsize=_CACHED_INSTANTS)
def midnight(day: date, zone: ZoneInfo) -> datetime:
    """Return the first instant of a local *day*, in UTC.

    Two aware times of one zone compare by wall time in Python, which is wrong when clocks go back; UTC has no such gap.
    """
    return instants.in_zone(datetime.combine(day, time(), zone), UTC)


@lru_cache(maxsize=_CACHED_INSTANTS)
def last_good_day(due_at: datetime, zone: ZoneInfo) -> date:
    """Return the local day of the last instant before *due_at*: a report on that day is on time (rulings 1 and 3)."""
    return (instants.in_zone(due_at, zone) - timedelta(microseconds=1)).date()


def resolve_anchor(anchor: Anchor, period: Period | None, starts_on: date) -> date:
    """Return the day that *anchor* names for *period*; a one-off duty counts from *starts_on*."""
    if anchor.date is not None:
        day = anchor.date
    elif anchor.month is None and anchor.day is None:
        day = period.ends_on if period else starts_on
    else:
        day = _resolve_month_and_day(anchor, period, starts_on)
    if anchor.offset is not None:
        day = durations.shift(datetime.combine(day, time()), anchor.offset).date()
    return day


def recurrences_of(obligation: Obligation) -> frozenset[Recurrence]:
    """Return every recurrence the obligation has had."""
    return frozenset(version.recurrence for version in obligation.versions)


# The due instants of a plan are few, and every duty that shares one asks for the same alerts.
@lru_cache(maxsize=_CACHED_INSTANTS)
def shift_instant(instant: datetime, duration: str, zone: ZoneInfo, *, back: bool = False) -> datetime:
    """Return the instant whose wall time in *zone* is *duration* (ISO 8601) away from that of *instant*.

    A day is a day on the wall even when clocks change, because people read clocks.
    """
    local = instants.in_zone(instant, zone).replace(tzinfo=None)
    return instants.in_zone(durations.shift(local, duration, back=back).replace(tzinfo=zone), UTC)


def _resolve_month_and_day(anchor: Anchor, period: Period | None, starts_on: date) -> date:
    """Return the named month and day within *period*; for a one-off duty, the next such day from *starts_on* on."""
    if period is None:
        day = _clamp_to_month(starts_on.year, anchor.month or starts_on.month, anchor.day)
        if day >= starts_on:
            return day
        return _clamp_to_month(starts_on.year + 1, anchor.month or starts_on.month, anchor.day)
    month = anchor.month or MONTHS_OF[period.recurrence]
    first = periods.first_of_month(period.starts_on.year, period.starts_on.month + month - 1)
    return _clamp_to_month(first.year, first.month, anchor.day)


def _clamp_to_month(year: int, month: int, day: int | None) -> date:
    """Return the day of the month; one past its end, or none, means the month's last day (29 February: the 28th)."""
    last = monthrange(year, month)[1]
    return date(year, month, min(day or last, last))


def _versions_for(obligation: Obligation, period: Period | None) -> Iterable[ObligationVersion]:
    """Yield the versions whose recurrence is that of *period*; without a period, those that do not recur."""
    for version in obligation.versions:
        if version.recurrence == period.recurrence if period else not version.recurrence.is_periodic:
            yield version


def _dates_of(days: Iterable[Holiday | date]) -> frozenset[date]:
    return frozenset(day.date if isinstance(day, Holiday) else day for day in days)
