"""When an obligation falls due: from the plan's words to one exclusive instant in the plan's zone (rulings 1 and 3)."""

from calendar import monthrange
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from schemas.plan import durations, instants, periods
from schemas.plan.periods import MONTHS_OF, Period, Recurrence
from schemas.plan.plan import Anchor, Obligation, ObligationVersion, Plan
from services.rules.core.working_days import WorkingDays

_DAY = timedelta(days=1)
_DAYS_KEPT = 65_536  # the days on which duties open, fall due and end are few, and all agencies share them


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What the plan asks for one period of an obligation, whoever the agency is.

    Membership on `decided_on` decides whom it binds; without due instant and period, at the end of time.
    """

    obligation: Obligation
    version: ObligationVersion
    period: Period | None
    opens_on: date
    decided_on: date
    due_at: datetime | None


@lru_cache(maxsize=_DAYS_KEPT)
def midnight(day: date, zone: ZoneInfo) -> datetime:
    """Return the first instant of a local *day*, in UTC, for times of one zone compare by the clock on its walls."""
    return instants.in_zone(datetime.combine(day, time(), zone), UTC)


@lru_cache(maxsize=_DAYS_KEPT)
def last_good_day(due_at: datetime, zone: ZoneInfo) -> date:
    """Return the local day of the last instant before *due_at*."""
    return (instants.in_zone(due_at, zone) - timedelta(microseconds=1)).date()


def anchored_day(anchor: Anchor, period: Period | None, starts_on: date) -> date:
    """Return the day that *anchor* names for *period*; a one-off duty counts from *starts_on*."""
    if anchor.date is not None:
        day = anchor.date
    elif anchor.month is None and anchor.day is None:
        day = period.ends_on if period else starts_on
    else:
        day = _day_in(anchor, period, starts_on)
    if anchor.offset is not None:
        day = durations.shift(datetime.combine(day, time()), anchor.offset).date()
    return day


def _day_in(anchor: Anchor, period: Period | None, starts_on: date) -> date:
    if period is None:
        day = _clamped(starts_on.year, anchor.month or starts_on.month, anchor.day)
        return day if day >= starts_on else _clamped(starts_on.year + 1, anchor.month or starts_on.month, anchor.day)
    month = anchor.month or MONTHS_OF[period.recurrence]
    first = periods.first_of_month(period.starts_on.year, period.starts_on.month + month - 1)
    return _clamped(first.year, first.month, anchor.day)


def _clamped(year: int, month: int, day: int | None) -> date:
    last = monthrange(year, month)[1]
    return date(year, month, min(day or last, last))


class Calendar:
    """The dates of one plan, with the working days of its registry."""

    def __init__(self, plan: Plan, working_days: WorkingDays) -> None:
        self.zone = ZoneInfo(plan.zone)
        self._issued_on = plan.issued_on
        self._working_days = working_days

    def due_at(self, version: ObligationVersion, period: Period | None) -> datetime | None:
        """Return the exclusive due instant under *version*, or nothing where the text gives no date."""
        due = version.due
        if due is None:
            return None
        day = anchored_day(due, period, version.from_)
        last = day if due.boundary == "inclusive" else day - _DAY
        return midnight(self._working_days.moved(last, due.weekend_rule) + _DAY, self.zone)

    def terms(self, obligation: Obligation, period: Period | None) -> Terms | None:
        """Return the terms of *obligation* for *period*, or nothing where it does not bind at all then.

        The version in force when the due instant falls decides. Where a change of setting makes two versions claim the
        period, the earlier due instant stands: a later setting never rewrites a deadline that has passed (ruling 9).
        """
        chosen = self._deciding(list(_candidates(obligation, period)), period)
        if chosen is None:
            return None
        due_at = self.due_at(chosen, period)
        opens_on = max(self._issued_on, obligation.versions[0].from_, period.starts_on if period else date.min)
        closes_on = last_good_day(due_at, self.zone) + _DAY if due_at else (period.ends_on if period else date.max)
        if closes_on <= opens_on:
            return None
        return Terms(
            obligation=obligation,
            version=chosen,
            period=period,
            opens_on=opens_on,
            decided_on=closes_on - _DAY,
            due_at=due_at,
        )

    def _deciding(self, versions: list[ObligationVersion], period: Period | None) -> ObligationVersion | None:
        dated = [(due, version) for version in versions if (due := self.due_at(version, period)) is not None]
        ruling = [(due, version) for due, version in dated if version.in_force_on(due.astimezone(self.zone).date())]
        if ruling:
            return min(ruling, key=lambda pair: pair[0])[1]
        undated = [version for version in versions if version.due is None]
        at_end = [one for one in undated if period is None or one.in_force_on(period.ends_on - _DAY)]
        if at_end:
            return at_end[-1]
        return self._orphan(dated)

    def _orphan(self, dated: list[tuple[datetime, ObligationVersion]]) -> ObligationVersion | None:
        """Return the version in force at the earliest instant claimed, where no version rules its own claim."""
        if not dated:
            return None
        earliest = min(due for due, _ in dated).astimezone(self.zone).date()
        return next((version for _, version in dated if version.in_force_on(earliest)), None)


def _candidates(obligation: Obligation, period: Period | None) -> Iterable[ObligationVersion]:
    for version in obligation.versions:
        if version.recurrence == period.recurrence if period else not version.recurrence.is_periodic:
            yield version


def recurrences(obligation: Obligation) -> frozenset[Recurrence]:
    """Return every recurrence the obligation has had."""
    return frozenset(version.recurrence for version in obligation.versions)
