"""The days on which Vietnamese offices work: Monday to Friday except public holidays, and the swapped Saturdays.

Public holidays follow from the Labour Code (2019, art. 112) and come from a library. Which days are swapped the
Government decides every year. The library knows most of these decisions, `SWAPPED_DAYS` the others, and the tables of
the registry win over both.
"""

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from itertools import islice
from typing import Literal

from holidays.countries.vietnam import Vietnam

from schemas.plan.registry import Holiday, Registry

WeekendRule = Literal["none", "next_working_day", "previous_working_day"]

ONE_DAY = timedelta(days=1)

SWAPPED_DAYS = {date(2026, 1, 2): date(2026, 1, 10)}
"""Days off with the Saturday that is worked for each, where the library does not know the decision.

2 January 2026: the Government Office's letter 12729/VPCP-KGVX of 25 December 2025.
"""

_SWAPPED_IN = frozenset(SWAPPED_DAYS.values())


class WorkingDays:
    """The working days of one registry; without one, those of the usual calendar."""

    def __init__(self, registry: Registry | None = None) -> None:
        self._days_off = _dates_of(registry.holidays if registry else ())
        self._extra_working_days = _dates_of(registry.working_days if registry else ())
        self._public_holidays = Vietnam()  # type: ignore[no-untyped-call]  # the library annotates no constructors
        self._known: dict[date, bool] = {}

    def is_working_day(self, day: date) -> bool:
        """Whether offices work on *day*."""
        is_known = self._known.get(day)
        if is_known is None:
            is_known = self._known[day] = self._decide(day)
        return is_known

    def next_working_day(self, day: date) -> date:
        """Return *day* if offices work on it, else the next day on which they do."""
        while not self.is_working_day(day):
            day += ONE_DAY
        return day

    def previous_working_day(self, day: date) -> date:
        """Return *day* if offices work on it, else the last day before it on which they do."""
        while not self.is_working_day(day):
            day -= ONE_DAY
        return day

    def count_on(self, day: date, count: int) -> date:
        """Return the *count*-th working day after *day*, which does not count (Civil Code 2015, art. 147.2)."""
        return next(islice(self._following(day), count - 1, None))

    def move_off_weekend(self, day: date, rule: WeekendRule) -> date:
        """Return the last good day after *rule* has moved it off weekends and holidays (ruling 3)."""
        match rule:
            case "none":
                return day
            case "next_working_day":
                return self.next_working_day(day)
            case "previous_working_day":
                return self.previous_working_day(day)

    def _decide(self, day: date) -> bool:
        if day in self._extra_working_days:
            return True
        if day in self._days_off:
            return False
        if day in SWAPPED_DAYS or day in _SWAPPED_IN:
            return day in _SWAPPED_IN
        return self._public_holidays.is_working_day(day)

    def _following(self, day: date) -> Iterator[date]:
        while True:
            day = self.next_working_day(day + ONE_DAY)
            yield day


def _dates_of(days: Iterable[Holiday | date]) -> frozenset[date]:
    return frozenset(day.date if isinstance(day, Holiday) else day for day in days)
