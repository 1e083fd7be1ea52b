"""Which seasons a plan has, and which one runs: the one that was begun last, until the next one begins.

A season is one period of one obligation with a due date. It begins when agencies are first reminded of it. So in
January the season of the year before still stands first, with what is open of it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from schemas.plan import calendar, periods
from schemas.plan.calendar import Calendar
from schemas.plan.periods import Period
from schemas.plan.plan import Obligation, Plan
from schemas.plan.registry import Registry, WorkingDays

# Where the plan names no reminders.
_LEAD = timedelta(days=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Season:
    """One period of one obligation: when it is due, and from when agencies are reminded of it.

    `period` is None for a one-off report.
    """

    obligation: Obligation
    period: str | None
    due_at: datetime
    begins_at: datetime

    @property
    def lead(self) -> timedelta:
        """How long before the due instant the first reminder goes out."""
        return self.due_at - self.begins_at


def list_seasons(plan: Plan, registry: Registry, known_periods: Iterable[str]) -> tuple[Season, ...]:
    """Return the seasons of *plan* in *known_periods* and its one-off ones, in the order in which they begin."""
    dates = Calendar(plan, WorkingDays(registry))
    parsed = [periods.parse(text) for text in known_periods]
    seasons = []
    for obligation in plan.obligations:
        recurrences = calendar.recurrences_of(obligation)
        wanted: list[Period | None] = [one for one in parsed if one.recurrence in recurrences]
        if any(not one.is_periodic for one in recurrences):
            wanted.append(None)
        seasons += [season for one in wanted if (season := _build_season(dates, obligation, one)) is not None]
    return tuple(sorted(seasons, key=lambda one: one.begins_at))


def choose_season(seasons: Iterable[Season], now: datetime) -> Season | None:
    """Return the season that runs at *now*: the last that has begun, else the first to begin; None where none is."""
    seasons = tuple(seasons)
    begun = [one for one in seasons if one.begins_at <= now]
    if not begun:
        return next(iter(seasons), None)
    # Of those that begin together the first in the plan's order.
    latest = max(one.begins_at for one in begun)
    return next(one for one in begun if one.begins_at == latest)


def find_year_before(period: str | None) -> str | None:
    """Return the same period a year earlier; None where there is none."""
    found = None if period is None else periods.year_before(periods.parse(period))
    return None if found is None else found.text


def name_period(period: str | None, language: str) -> str:
    """Return a period by its own name: `quý III năm 2026`, `third quarter of 2026`, `July 2026`."""
    if period is None:
        return "báo cáo một lần" if language == "vi" else "one-off report"
    return periods.name_period(periods.parse(period)).in_language(language).removeprefix("the ")


def _build_season(dates: Calendar, obligation: Obligation, period: Period | None) -> Season | None:
    terms = dates.terms_of(obligation, period)
    if terms is None or terms.due_at is None:
        return None
    return Season(
        obligation=obligation,
        period=None if period is None else period.text,
        due_at=terms.due_at,
        begins_at=_first_reminder(terms.due_at, terms.version.reminders.before, dates.zone),
    )


def _first_reminder(due_at: datetime, before: Iterable[str], zone: ZoneInfo) -> datetime:
    reminders = [calendar.shift_instant(due_at, duration, zone, back=True) for duration in before]
    return min(reminders, default=due_at - _LEAD)
