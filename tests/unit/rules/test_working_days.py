"""Which days are worked in Vietnam."""

from datetime import date

import pytest

from services.rules.core.working_days import WorkingDays
from tests.support.builders.plans import a_registry


@pytest.mark.parametrize(
    "day, is_worked",
    [
        (date(2026, 12, 9), True),
        (date(2026, 12, 12), False),
        (date(2026, 12, 13), False),
        (date(2026, 1, 1), False),
        (date(2026, 2, 17), False),
        (date(2026, 4, 30), False),
        (date(2026, 5, 1), False),
        (date(2026, 9, 2), False),
    ],
)
def test_the_usual_calendar_knows_weekends_and_public_holidays(day: date, *, is_worked: bool) -> None:
    """New Year, Tết, Reunification, Labour and National Day are off, as Saturday and Sunday are."""
    assert WorkingDays(a_registry()).is_worked(day) is is_worked


@pytest.mark.parametrize("year", range(2016, 2030))
def test_no_holiday_touches_the_deadline(year: int) -> None:
    """From 9 to 12 December only weekends are off."""
    days = WorkingDays(a_registry())
    for day in range(9, 13):
        assert days.is_worked(date(year, 12, day)) is (date(year, 12, day).weekday() < 5)


def test_a_swapped_saturday_is_worked_and_its_monday_is_off() -> None:
    """What the registry announces wins over the usual calendar."""
    days = WorkingDays(
        a_registry(working_days=["2024-05-04", {"date": "2024-05-11"}], holidays=[{"date": "2024-04-29"}])
    )
    assert [days.is_worked(date(2024, *day)) for day in ((5, 4), (5, 11), (4, 29))] == [True, True, False]


def test_a_day_moves_over_a_whole_row_of_days_off() -> None:
    """From Saturday 9 December, with the Monday swapped off, Tuesday takes over; backwards it is Friday."""
    days = WorkingDays(a_registry(holidays=[{"date": "2023-12-11", "name": "Hoán đổi"}]))
    saturday = date(2023, 12, 9)
    moved = [days.moved(saturday, rule) for rule in ("none", "next_working_day", "previous_working_day")]
    assert moved == [saturday, date(2023, 12, 12), date(2023, 12, 8)]


def test_a_swapped_in_saturday_is_a_good_last_day() -> None:
    """Who works that Saturday can send on it."""
    days = WorkingDays(a_registry(working_days=["2023-12-09"]))
    assert days.moved(date(2023, 12, 9), "next_working_day") == date(2023, 12, 9)
