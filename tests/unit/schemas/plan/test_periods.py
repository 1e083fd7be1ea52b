"""Reporting periods: their text form and the days they cover."""

import itertools
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

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
        ("2026-9M", date(2026, 1, 1), date(2026, 10, 1), Recurrence.NINE_MONTH),
        ("2026-W01", date(2025, 12, 29), date(2026, 1, 5), Recurrence.WEEK),
        ("2026-W07", date(2026, 2, 9), date(2026, 2, 16), Recurrence.WEEK),
        ("2026-W53", date(2026, 12, 28), date(2027, 1, 4), Recurrence.WEEK),
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
    [
        "",
        "26",
        "2026-H3",
        "2026-Q0",
        "2026-Q5",
        "2026-13",
        "2026-00",
        "2026-1",
        "2026-3M",
        "2026-W00",
        "2026-W54",
        "2026-W7",
        "1899",
        "9999",
        "2026\n",
        "٢٠٢٦",
    ],
)
def test_anything_else_is_no_period(text: str) -> None:
    """The message says what to write."""
    with pytest.raises(ValueError, match="write 2026, 2026-H1, 2026-9M, 2026-Q3, 2026-07 or 2026-W07"):
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
    found = [periods.first_ending_after(date(2026, 11, 30), one) for one in (Recurrence.MONTH, Recurrence.QUARTER)]
    assert [one.text for one in found] == ["2026-11", "2026-Q4"]
    assert [periods.following(one).text for one in found] == ["2026-12", "2027-Q1"]


@pytest.mark.parametrize(
    ("text", "earlier"),
    [
        ("2026", ["2025", "2024", "2023"]),
        ("2026-Q2", ["2026-Q1", "2025-Q4", "2025-Q3"]),
        ("2026-01", ["2025-12", "2025-11", "2025-10"]),
        ("2026-9M", ["2025-9M", "2024-9M", "2023-9M"]),
        ("2027-W01", ["2026-W53", "2026-W52", "2026-W51"]),
        ("1901", ["1900"]),
    ],
)
def test_the_periods_before_are_of_the_same_recurrence(text: str, earlier: list[str]) -> None:
    """The nearest first; the first year that has periods has none before it."""
    assert [one.text for one in periods.before(periods.parse(text), 3)] == earlier


def test_a_week_53_is_one_only_of_the_years_that_have_it() -> None:
    """2026 has 53 ISO weeks and 2025 has 52; the message says so."""
    with pytest.raises(ValueError, match="2025 has 52 weeks, by ISO 8601; there is no 2025-W53"):
        periods.parse("2025-W53")


@pytest.mark.parametrize(
    ("text", "earlier"),
    [("2026", "2025"), ("2026-9M", "2025-9M"), ("2026-W07", "2025-W07"), ("2026-W53", None), ("1900-H1", None)],
)
def test_a_year_before_is_the_same_part_of_it(text: str, earlier: str | None) -> None:
    """There is none before the first year, nor for a week 53 that the year before has not."""
    found = periods.year_before(periods.parse(text))
    assert (found and found.text) == earlier


def test_periods_sort_in_time_and_the_shorter_one_of_one_beginning_first() -> None:
    """January, the first quarter, half-year, nine months and year begin together and end one after the other."""
    texts = ["2026", "2026-9M", "2026-H1", "2026-Q1", "2026-01", "2025-12", "2026-W01", "2026-W10"]
    expected = ["2025-12", "2026-W01", "2026-01", "2026-Q1", "2026-H1", "2026-9M", "2026", "2026-W10"]
    assert sorted(texts, key=periods.sort_key) == expected
    assert sorted(["2026", None], key=periods.sort_key) == [None, "2026"]


PARTITIONING = [one for one in Recurrence if one.is_periodic and one is not Recurrence.NINE_MONTH]


@given(day=st.dates(date(1901, 1, 1), date(2198, 12, 31)), recurrence=st.sampled_from(PARTITIONING))
def test_every_day_is_in_exactly_one_period(day: date, recurrence: Recurrence) -> None:
    """Periods of one recurrence follow each other without gap or overlap, and each is the one that its text names."""
    found = periods.first_ending_after(day, recurrence)
    assert found.starts_on <= day < found.ends_on
    assert periods.following(found).starts_on == found.ends_on
    assert periods.before(found, 1)[0].ends_on == found.starts_on
    assert periods.parse(found.text) == found


@given(year=st.integers(1901, 2198), recurrence=st.sampled_from([one for one in Recurrence if one.is_periodic]))
def test_a_year_holds_its_own_periods_and_no_others(year: int, recurrence: Recurrence) -> None:
    """All periods that a year holds bear its number; the first one of the next year follows the last."""
    found = list(periods.within(periods.parse(str(year)), recurrence))
    assert {one.year for one in found} == {year}
    assert periods.following(found[-1]).year == year + 1
    assert periods.before(found[0], 1)[0].year == year - 1
    for one, following in itertools.pairwise(found):
        assert one.ends_on == following.starts_on


@pytest.mark.parametrize("year", range(2015, 2035))
def test_the_weeks_of_a_year_are_those_of_its_iso_year(year: int) -> None:
    """The last week of an ISO year is the one of 28 December."""
    last = (date(year, 12, 28)).isocalendar().week
    weeks = list(periods.within(periods.parse(str(year)), Recurrence.WEEK))
    assert [one.text for one in weeks] == [f"{year}-W{week:02d}" for week in range(1, last + 1)]
    assert all(one.starts_on.isoweekday() == 1 and one.last_day == one.starts_on + timedelta(days=6) for one in weeks)


def test_a_week_belongs_to_the_month_of_its_thursday() -> None:
    """Week 27 of 2026 begins on 29 June and belongs to July; week 31 ends on 2 August and does, too."""
    found = [one.text for one in periods.within(periods.parse("2026-07"), Recurrence.WEEK)]
    assert found == ["2026-W27", "2026-W28", "2026-W29", "2026-W30", "2026-W31"]
