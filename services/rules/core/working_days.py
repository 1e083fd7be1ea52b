"""Which days are worked: Monday to Friday, Vietnam's public holidays, and the swapped days that the registry announces.

The usual holidays come from a library; swaps are decided yearly, so the registry's tables always win (Labour Code
2019, art. 112).
"""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Literal

from holidays.countries.vietnam import Vietnam

from schemas.plan.registry import Holiday, Registry

WeekendRule = Literal["none", "next_working_day", "previous_working_day"]
_DAY = timedelta(days=1)


class WorkingDays:
    """The working calendar of one registry."""

    def __init__(self, registry: Registry) -> None:
        self._off = _dates(registry.holidays)
        self._on = _dates(registry.working_days)
        self._usual = Vietnam()  # type: ignore[no-untyped-call]  # the library annotates no constructors

    def is_worked(self, day: date) -> bool:
        """Whether offices work on *day*."""
        if day in self._on:
            return True
        return day not in self._off and self._usual.is_working_day(day)

    def moved(self, day: date, rule: WeekendRule) -> date:
        """Return the last good day after *rule* has moved it off weekends and holidays (ruling 3)."""
        if rule == "none":
            return day
        step = _DAY if rule == "next_working_day" else -_DAY
        while not self.is_worked(day):
            day += step
        return day


def _dates(days: Iterable[Holiday | date]) -> frozenset[date]:
    return frozenset(day.date if isinstance(day, Holiday) else day for day in days)
