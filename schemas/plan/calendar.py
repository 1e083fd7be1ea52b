"""When an obligation falls due: from the plan's words to one exclusive instant in UTC (rulings 1, 3 and 9).

This module also says which days the figures cover, who receives the report of a duty, and how to move an instant by a
duration in the plan's zone. It does not decide whom a duty binds; rules does.
"""

from calendar import monthrange
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Protocol
from zoneinfo import ZoneInfo

from schemas.plan import periods, values
from schemas.plan.periods import MONTHS_OF, Period, Recurrence
from schemas.plan.plan import PARENT, Obligation, ObligationVersion, Plan
from schemas.plan.registry import Registry, WorkingDays
from schemas.plan.timing import Anchor, DueRule, WindowEdge

_DAY = timedelta(days=1)
_A_YEAR = "P12M"
_PERIODS_OF_YEAR_MAX = 53  # weeks; no recurrence has more
_CACHED_INSTANTS = 65_536  # the days on which duties open, fall due and end are few, and all agencies share them


class NamedDuty(Protocol):
    """A duty by name, as a duty key has it."""

    @property
    def agency(self) -> str: ...

    @property
    def obligation(self) -> str: ...

    @property
    def period(self) -> str | None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class FiguresWindow:
    """The days that figures cover, both included; `ends_on` is their cut-off."""

    starts_on: date
    ends_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodTerms:
    """What the plan asks for one period of an obligation, whichever agency owes it.

    An agency is bound if it is a member of an addressed group on `membership_decided_on` (ruling 8). That is the last
    good day, or the last day of an undated period, or `date.max` where there is neither a due instant nor a period.
    `recurs_after` is the ISO 8601 duration after which the next duty of the kind falls due; a year for a one-off duty.
    """

    obligation: Obligation
    version: ObligationVersion
    period: Period | None
    opens_on: date
    membership_decided_on: date
    due_at: datetime | None
    recurs_after: str


class Calendar:
    """The dates of one plan, with the working days of its registry."""

    def __init__(self, plan: Plan, working_days: WorkingDays) -> None:
        self.zone = ZoneInfo(plan.zone)
        self._issued_on = plan.issued_on
        self.working_days = working_days

    def terms_of(self, obligation: Obligation, period: Period | None) -> PeriodTerms | None:
        """Return the terms of *obligation* for *period*, or None where it does not bind anybody in that period.

        The version in force at the due instant decides. Where a change of setting makes two versions claim the period,
        the earlier due instant stands: a later setting never rewrites a due instant that has passed (ruling 9).
        """
        claiming = [version for version in obligation.versions if version.asks_for(period)]
        chosen = self._choose_version(claiming, period)
        if chosen is None:
            return None
        due_at = self.due_at(chosen, period)
        begins_on = _find_beginning(obligation.versions, claiming)
        opens_on = max(self._issued_on, begins_on, period.starts_on if period else date.min)
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
            recurs_after=_find_recurrence(obligation, period),
        )

    def due_at(self, version: ObligationVersion, period: Period | None) -> datetime | None:
        """Return the exclusive due instant under *version* in UTC, or None where the plan gives no date (ruling 1)."""
        due = version.due
        if due is None:
            return None
        last = resolve_last_good_day(version, due, period, self.working_days)
        if due.time is None:
            return midnight(last + _DAY, self.zone)
        return at_wall_time(last, time.fromisoformat(due.time), self.zone)

    def _choose_version(self, versions: list[ObligationVersion], period: Period | None) -> ObligationVersion | None:
        """Return the version that rules the period: one in force at its own due instant, else an undated one."""
        dated = [(due, version) for version in versions if (due := self.due_at(version, period)) is not None]
        ruling = [(due, version) for due, version in dated if version.in_force_on(due.astimezone(self.zone).date())]
        if ruling:
            return min(ruling, key=lambda pair: pair[0])[1]
        undated = [version for version in versions if version.due is None]
        at_end = [one for one in undated if period is None or one.in_force_on(period.last_day)]
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
    """Return the first instant of a local *day*, in UTC."""
    return at_wall_time(day, time(), zone)


def at_wall_time(day: date, wall: time, zone: ZoneInfo) -> datetime:
    """Return the instant of *wall* time on a local *day*, in UTC.

    Two aware times of one zone compare by wall time in Python, which is wrong when clocks go back; UTC has no such gap.
    """
    return values.move_to_zone(datetime.combine(day, wall, zone), UTC)


@lru_cache(maxsize=_CACHED_INSTANTS)
def last_good_day(due_at: datetime, zone: ZoneInfo) -> date:
    """Return the local day of the last instant before *due_at*: a report on that day is on time (rulings 1 and 3)."""
    return (values.move_to_zone(due_at, zone) - timedelta(microseconds=1)).date()


def resolve_last_good_day(
    version: ObligationVersion, due: DueRule, period: Period | None, working_days: WorkingDays
) -> date:
    """Return the last day in time under the rule *due* of *version*, moved off weekends where asked (ruling 3)."""
    if due.working_days_after_cut_off is not None:
        return working_days.count_on(find_cut_off(version, period), due.working_days_after_cut_off)
    day = resolve_anchor(due, period, version.from_)
    last = day if due.names_last_good_day else day - _DAY
    return working_days.move_off_weekend(last, due.weekend_rule)


def resolve_anchor(anchor: Anchor, period: Period | None, starts_on: date) -> date:
    """Return the day that *anchor* names for *period*; a one-off duty counts from *starts_on*."""
    if anchor.date is not None:
        day = anchor.date
    elif anchor.month is None and anchor.day is None:
        day = period.ends_on if period else starts_on
    elif period is not None and period.recurrence is Recurrence.WEEK:
        day = period.starts_on + ((anchor.day or 1) - 1) * _DAY
    else:
        day = _resolve_month_and_day(anchor, period, starts_on)
    if anchor.offset is not None:
        day = values.shift(datetime.combine(day, time()), anchor.offset).date()
    return day


def find_window(version: ObligationVersion, period: Period | None) -> FiguresWindow | None:
    """Return the window of the figures under *version*; None where the plan states none or there is no period."""
    window = version.window
    if window is None or period is None or period.recurrence not in MONTHS_OF:
        return None
    last_month = periods.first_of_month(
        period.starts_on.year, period.starts_on.month + MONTHS_OF[period.recurrence] - 1
    )
    first_day = WindowEdge(months=window.from_.months, day=window.from_.day or 1)
    return FiguresWindow(
        starts_on=_resolve_edge(first_day, period.starts_on), ends_on=_resolve_edge(window.to, last_month)
    )


def find_cut_off(version: ObligationVersion, period: Period | None) -> date:
    """Return the cut-off of the figures: the window's end, else `cut_off`, else the period's last day (ruling 3).

    A one-off duty without `cut_off` has no figures to close; working days are counted from its first day.
    """
    window = find_window(version, period)
    if window is not None:
        return window.ends_on
    if version.cut_off is not None:
        return resolve_anchor(version.cut_off, period, version.from_)
    return period.last_day if period else version.from_


def find_version(obligation: Obligation, period: Period | None, day: date) -> ObligationVersion:
    """Return the version that asks for *period* and is in force on *day*, the day on which the duty is due.

    For readers that know the due instant. Where no version is in force then, it is the last one that asks for the
    period or, where none does, the last one.
    """
    asking = [one for one in obligation.versions if one.asks_for(period)]
    in_force = next((one for one in asking if one.in_force_on(day)), None)
    return in_force or (asking or obligation.versions)[-1]


def recurrences_of(obligation: Obligation) -> frozenset[Recurrence]:
    """Return every recurrence the obligation has had."""
    return frozenset(version.recurrence for version in obligation.versions)


def is_asked_for(obligation: Obligation, period: Period) -> bool:
    """Whether any version of the obligation asks for *period*, whatever its dates."""
    return any(version.asks_for(period) for version in obligation.versions)


# The due instants of a plan are few, and every duty that shares one asks for the same alerts.
@lru_cache(maxsize=_CACHED_INSTANTS)
def shift_instant(instant: datetime, duration: str, zone: ZoneInfo, *, back: bool = False) -> datetime:
    """Return the instant whose wall time in *zone* is *duration* (ISO 8601) away from that of *instant*.

    A day is a day on the wall even when clocks change, because people read clocks.
    """
    local = values.move_to_zone(instant, zone).replace(tzinfo=None)
    return values.move_to_zone(values.shift(local, duration, back=back).replace(tzinfo=zone), UTC)


def _find_beginning(versions: Iterable[ObligationVersion], claiming: Sequence[ObligationVersion]) -> date:
    """Return from when the obligation binds as the *claiming* versions have it.

    A version that has ended by then is a predecessor: with it the obligation began, though at another recurrence. One
    that is still in force stands beside them and has nothing to do with their periods.
    """
    begins_on = min(version.from_ for version in claiming)
    predecessors = (one.from_ for one in versions if one.to is not None and one.to <= begins_on)
    return min((begins_on, *predecessors))


def _find_recurrence(obligation: Obligation, period: Period | None) -> str:
    """Return the duration from *period* to the next one that any version asks for; a year where there is none."""
    if period is None:
        return _A_YEAR
    following, steps = periods.following(period), 1
    while not is_asked_for(obligation, following) and steps < _PERIODS_OF_YEAR_MAX:
        following, steps = periods.following(following), steps + 1
    match period.recurrence:
        case Recurrence.WEEK:
            return f"P{7 * steps}D"
        case Recurrence.NINE_MONTH:
            return _A_YEAR
        case recurrence:
            return f"P{MONTHS_OF[recurrence] * steps}M"


def _resolve_edge(edge: WindowEdge, month: date) -> date:
    """Return the day of *edge* counted from the month that begins on *month*."""
    first = periods.first_of_month(month.year, month.month + edge.months)
    return _clamp_to_month(first.year, first.month, edge.day)


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


def find_recipient(plan: Plan, registry: Registry, key: NamedDuty, *, today: date) -> str | None:
    """Return who receives the report of the duty *key*, else the issuer of the plan; None where neither is named.

    The recipient `parent` is the agency above on the last good day that the plan gives, whatever was extended; on
    *today* where there is no such day.
    """
    obligation = plan.obligation(key.obligation)
    recipient = None if obligation is None else obligation.recipient
    if obligation is not None and recipient == PARENT:
        recipient = registry.parent_on(key.agency, _find_last_good_day(plan, registry, obligation, key) or today)
    return recipient or plan.issuer


def _find_last_good_day(plan: Plan, registry: Registry, obligation: Obligation, key: NamedDuty) -> date | None:
    period = periods.parse(key.period) if key.period else None
    terms = Calendar(plan, WorkingDays(registry)).terms_of(obligation, period)
    return None if terms is None or terms.membership_decided_on == date.max else terms.membership_decided_on
