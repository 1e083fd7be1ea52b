"""Reporting periods: their text form and the days they cover."""

from datetime import date

import pytest

from schemas.plan import periods
from schemas.plan.periods import Recurrence


@pytest.mark.parametrize(
    "text, starts_on, ends_on, recurrence",
    [
        ("2026", date(2026, 1, 1), date(2027, 1, 1), Recurrence.YEAR),
        ("2026-H1", date(2026, 1, 1), date(2026, 7, 1), Recurrence.HALF_YEAR),
        ("2026-H2", date(2026, 7, 1), date(2027, 1, 1), Recurrence.HALF_YEAR),
        ("2026-Q1", date(2026, 1, 1), date(2026, 4, 1), Recurrence.QUARTER),
        ("2026-Q4", date(2026, 10, 1), date(2027, 1, 1), Recurrence.QUARTER),
        ("2024-02", date(2024, 2, 1), date(2024, 3, 1), Recurrence.MONTH),
        ("2026-12", date(2026, 12, 1), date(2027, 1, 1), Recurrence.MONTH),
        ("2199", date(2199, 1, 1), date(2200, 1, 1), Recurrence.YEAR),
    ],
)
def test_a_written_period_covers_its_days(text: str, starts_on: date, ends_on: date, recurrence: Recurrence) -> None:
    """A period is half-open, and its text form is the one that was parsed."""
    period = periods.parse(text)
    assert (period.starts_on, period.ends_on, period.recurrence) == (starts_on, ends_on, recurrence)
    assert (str(period), period.text) == (text, text)


@pytest.mark.parametrize(
    "text",
    ["", "26", "2026-H3", "2026-Q0", "2026-Q5", "2026-13", "2026-00", "2026-1", "1899", "9999", "2026\n", "٢٠٢٦"],
)
def test_anything_else_is_no_period(text: str) -> None:
    """The message says what to write."""
    with pytest.raises(ValueError, match="write 2026, 2026-H1, 2026-Q3 or 2026-07"):
        periods.parse(text)


def test_a_year_holds_its_shorter_periods() -> None:
    """The shorter periods come in order; a quarter has three months and no half-year; one-off duties have none."""
    year, quarter = periods.parse("2026"), periods.parse("2026-Q3")
    assert [one.text for one in periods.within(year, Recurrence.HALF_YEAR)] == ["2026-H1", "2026-H2"]
    assert [one.text for one in periods.within(quarter, Recurrence.MONTH)] == ["2026-07", "2026-08", "2026-09"]
    assert list(periods.within(quarter, Recurrence.HALF_YEAR)) == []
    assert list(periods.within(year, Recurrence.ONCE)) == []


def test_periods_follow_each_other_without_a_gap() -> None:
    """The period after the last one of a year is the first one of the next."""
    found = [periods.containing(date(2026, 11, 30), one) for one in (Recurrence.MONTH, Recurrence.QUARTER)]
    assert [one.text for one in found] == ["2026-11", "2026-Q4"]
    assert [periods.following(one).text for one in found] == ["2026-12", "2027-Q1"]


@pytest.mark.parametrize(
    ("text", "earlier"),
    [
        ("2026", ["2025", "2024", "2023"]),
        ("2026-Q2", ["2026-Q1", "2025-Q4", "2025-Q3"]),
        ("2026-01", ["2025-12", "2025-11", "2025-10"]),
        ("1901", ["1900"]),
    ],
)
def test_the_periods_before_are_of_the_same_recurrence(text: str, earlier: list[str]) -> None:
    """The nearest first; the first year that has periods has none before it."""
    assert [one.text for one in periods.before(periods.parse(text), 3)] == earlier
