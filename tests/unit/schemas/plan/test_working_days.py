"""The days that Vietnamese offices work, held to the Government's decisions of 2024 to 2026 and to a naive count."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.plan.registry import WorkingDays
from tests.support.builders.plans import a_registry

# Weekdays on which offices are closed, and weekend days on which they work, by the Government's decisions.
DAYS_OFF = {
    2024: "01-01 02-08 02-09 02-12 02-13 02-14 04-18 04-29 04-30 05-01 09-02 09-03",
    2025: "01-01 01-27 01-28 01-29 01-30 01-31 04-07 04-30 05-01 05-02 09-01 09-02",
    2026: "01-01 01-02 02-16 02-17 02-18 02-19 02-20 04-27 04-30 05-01 08-31 09-01 09-02 11-24",
}
WORKED_AT_WEEKENDS = {2024: "05-04", 2025: "04-26", 2026: "01-10 08-22"}

DAYS = st.dates(date(2016, 1, 1), date(2029, 12, 31))


def days_of(year: int, table: dict[int, str]) -> list[date]:
    """Return the days that *table* lists for a year."""
    return [date.fromisoformat(f"{year}-{day}") for day in table[year].split()]


@pytest.mark.parametrize("year", DAYS_OFF)
def test_every_day_of_three_years_is_as_the_government_decided(year: int) -> None:
    """Closed weekdays and worked Saturdays of 2024 to 2026 are those of the decisions, and no others."""
    days = [date(year, 1, 1) + timedelta(days=number) for number in range(365 + (year % 4 == 0))]
    working = WorkingDays()
    closed = [day for day in days if day.isoweekday() < 6 and not working.is_working_day(day)]
    worked = [day for day in days if day.isoweekday() >= 6 and working.is_working_day(day)]
    assert (closed, worked) == (days_of(year, DAYS_OFF), days_of(year, WORKED_AT_WEEKENDS))


def test_the_registry_wins_over_the_decisions_that_come_with_the_software() -> None:
    """A registry may say that a swap was taken back, and may swap other days."""
    registry = a_registry(working_days=["2026-01-02"], holidays=[{"date": "2026-01-10"}, {"date": "2026-01-12"}])
    working = WorkingDays(registry)
    assert [working.is_working_day(date(2026, 1, day)) for day in (2, 10, 12)] == [True, False, False]


@given(day=DAYS, count=st.integers(1, 40), swaps=st.sets(DAYS, max_size=5), closed=st.sets(DAYS, max_size=5))
def test_working_days_are_counted_as_a_person_counts_them(
    day: date, count: int, swaps: set[date], closed: set[date]
) -> None:
    """The n-th working day is the n-th worked one of the days that follow, the day itself left out."""
    registry = a_registry(
        working_days=[one.isoformat() for one in sorted(swaps - closed)],
        holidays=[{"date": one.isoformat()} for one in sorted(closed)],
    )
    working = WorkingDays(registry)
    counted, found = 0, day
    while counted < count:
        found = found + timedelta(days=1)
        counted += working.is_working_day(found)
    assert working.count_on(day, count) == found


@given(day=DAYS)
def test_the_neighbouring_working_days_leave_nothing_worked_between(day: date) -> None:
    """A working day is its own neighbour; otherwise no day between it and its neighbours is worked."""
    working = WorkingDays()
    following, preceding = working.next_working_day(day), working.previous_working_day(day)
    between = (preceding + timedelta(days=number) for number in range(1, (following - preceding).days))
    assert working.is_working_day(following)
    assert working.is_working_day(preceding)
    assert not any(working.is_working_day(one) for one in between)
