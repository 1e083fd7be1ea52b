"""The dates that reporting regimes state: weeks, nine months, chosen parts, windows, working days, times of day.

The clauses are those of Decree 09/2019/NĐ-CP, Circular 02/2023/TT-BTTTT and Decision 01/2023/QĐ-UBND of Khánh Hòa.
"""

import itertools
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.plan import calendar, periods
from schemas.plan.calendar import FiguresWindow
from schemas.plan.periods import Recurrence
from schemas.plan.plan import ObligationVersion
from schemas.plan.registry import WorkingDays
from tests.support.assertions.spec import HANOI, a_catalogue, a_duty, wall
from tests.support.builders.plans import Json, a_plan, a_version, an_obligation

FOUR_WINDOWS: list[tuple[str, Json, str, str]] = [
    ("2026-07", {"from": {"months": -1, "day": 15}, "to": {"day": 14}}, "2026-06-15", "2026-07-14"),
    ("2026-Q1", {"from": {"months": -1, "day": 15}, "to": {"day": 14}}, "2025-12-15", "2026-03-14"),
    ("2026-H2", {"from": {"months": -1, "day": 15}, "to": {"day": 14}}, "2026-06-15", "2026-12-14"),
    ("2026-9M", {"from": {"months": -1, "day": 15}, "to": {"day": 14}}, "2025-12-15", "2026-09-14"),
    ("2026", {"from": {"months": -1, "day": 15}, "to": {"day": 14}}, "2025-12-15", "2026-12-14"),
    ("2026-02", {"from": {"day": 1}, "to": {"day": 31}}, "2026-02-01", "2026-02-28"),
    ("2028-02", {"from": {"day": 30}, "to": {"day": 30}}, "2028-02-29", "2028-02-29"),
    ("2026-Q2", {"from": {"months": -3}, "to": {"months": 1}}, "2026-01-01", "2026-07-31"),
]


def due(period: str | None, **changes: Any) -> str | None:
    """Return when the duty of *period* falls due under a version with *changes*."""
    recurrence = "once" if period is None else str(periods.parse(period).recurrence)
    return wall(a_duty(a_version(**{"recurrence": recurrence, **changes}), period=period).due_at)


@pytest.mark.parametrize(("period", "window", "starts_on", "ends_on"), FOUR_WINDOWS)
def test_a_window_counts_from_the_first_and_the_last_month(
    period: str, window: Json, starts_on: str, ends_on: str
) -> None:
    """«Tính từ ngày 15 tháng trước kỳ báo cáo đến ngày 14 của tháng cuối kỳ»; a day past a month's end is its last."""
    parsed = periods.parse(period)
    version = ObligationVersion.model_validate(a_version(recurrence=parsed.recurrence, window=window))
    expected = FiguresWindow(starts_on=date.fromisoformat(starts_on), ends_on=date.fromisoformat(ends_on))
    assert calendar.find_window(version, parsed) == expected
    assert calendar.find_cut_off(version, parsed) == expected.ends_on


def test_a_window_moves_neither_the_period_nor_its_opening() -> None:
    """The duty of July opens on 1 July though its figures begin in June."""
    window = {"from": {"months": -1, "day": 15}, "to": {"day": 14}}
    duty = a_duty(a_version(recurrence="month", window=window, due={"day": 20}), period="2026-07")
    assert wall(duty.opens_at) == "2026-07-01 00:00"


WINDOW: Json = {"from": {"months": -1, "day": 15}, "to": {"day": 14}}

# The ten months of which the nearest wording without working days made the deadline a day early.
MONTHS = {
    "2025-02": "2025-02-19",
    "2025-03": "2025-03-19",
    "2025-06": "2025-06-18",
    "2025-11": "2025-11-19",
    "2026-02": "2026-02-25",
    "2026-03": "2026-03-18",
    "2026-08": "2026-08-19",
    "2026-11": "2026-11-18",
    "2027-05": "2027-05-19",
    "2027-08": "2027-08-18",
}


class TestWorkingDaysAfterCutOff:
    """«02 ngày làm việc kể từ ngày chốt số liệu», counted from the day after the cut-off (ruling 3)."""

    @pytest.mark.parametrize(("period", "expected"), MONTHS.items())
    def test_two_working_days_after_the_14th(self, period: str, expected: str) -> None:
        """The second working day after the window's end is the last good day, whole."""
        asked = {"working_days_after_cut_off": 2}
        assert due(period, window=WINDOW, due=asked) == f"{expected} 00:00"

    def test_a_time_ends_the_second_working_day_earlier(self) -> None:
        """With a time the duty falls due at that time on the last good day, exclusive."""
        asked = {"working_days_after_cut_off": 2, "time": "17:00"}
        assert due("2026-07", window=WINDOW, due=asked) == "2026-07-16 17:00"

    def test_without_a_window_the_cut_off_is_the_stated_one_or_the_period_s_last_day(self) -> None:
        """`cut_off` comes before the last day of the period; both days may be days off."""
        asked = {"working_days_after_cut_off": 1}
        assert due("2026-01", cut_off={"day": 10}, due=asked) == "2026-01-13 00:00"
        assert due("2026-01", due=asked) == "2026-02-03 00:00"
        assert due("2026-W07", due=asked) == "2026-02-24 00:00"
        assert due(None, cut_off={"date": "2026-04-29"}, due=asked) == "2026-05-05 00:00"


class TestTime:
    """A time of day with a plain due: the day named is itself the last good day."""

    def test_a_time_is_exclusive_on_the_day_named(self) -> None:
        """«Trước 17 giờ ngày 10 tháng 12»: due at 17:00 of the 10th."""
        assert due("2026", due={"month": 12, "day": 10, "time": "17:00"}) == "2026-12-10 17:00"

    def test_a_weekend_rule_moves_the_day_and_keeps_the_time(self) -> None:
        """Saturday 10 January 2026 is worked and stays; Friday 2 January is not and moves to Monday."""
        rule = {"time": "17:00", "weekend_rule": "next_working_day"}
        assert due("2026-01", due={"day": 10, **rule}) == "2026-01-10 17:00"
        assert due("2026-01", due={"day": 2, **rule}) == "2026-01-05 17:00"

    def test_without_a_day_it_is_that_time_on_the_first_day_after(self) -> None:
        """The day named without a day is the first day after the period."""
        assert due("2026-07", due={"time": "09:30"}) == "2026-08-01 09:30"


class TestSwappedDays:
    """Case s11: the Government swapped Friday 2 January 2026 for Saturday 10 January."""

    @pytest.mark.parametrize(("day", "expected"), [(10, "2026-01-11 00:00"), (2, "2026-01-06 00:00")])
    def test_the_last_good_day_follows_the_swap(self, day: int, expected: str) -> None:
        """The swapped-in Saturday is a last good day; the swapped-out Friday moves to Monday the 5th."""
        asked = {"day": day, "boundary": "inclusive", "weekend_rule": "next_working_day"}
        assert due("2026-01", due=asked) == expected


NINE_MONTHS: list[tuple[Json, str]] = [
    ({}, "2026-10-01 00:00"),
    ({"day": 15}, "2026-09-15 00:00"),
    ({"month": 9, "day": 14, "boundary": "inclusive"}, "2026-09-15 00:00"),
    ({"month": 10, "day": 5}, "2026-10-05 00:00"),
    ({"offset": "P4D"}, "2026-10-05 00:00"),
]


@pytest.mark.parametrize(("asked", "expected"), NINE_MONTHS)
def test_nine_months_begin_in_january(asked: Json, expected: str) -> None:
    """`month` counts from January, and without a day it is due on the first day after, 1 October."""
    assert due("2026-9M", due=asked) == expected


WEEKS: list[tuple[str, Json, str]] = [
    ("2026-W07", {}, "2026-02-16 00:00"),
    ("2026-W07", {"day": 5}, "2026-02-13 00:00"),
    ("2026-W07", {"day": 5, "boundary": "inclusive"}, "2026-02-14 00:00"),
    ("2026-W07", {"day": 5, "time": "16:00"}, "2026-02-13 16:00"),
    ("2026-W07", {"day": 1, "offset": "P7D"}, "2026-02-16 00:00"),
    ("2026-W53", {"day": 7}, "2027-01-03 00:00"),
    ("2026-W07", {"day": 2, "offset": "P7D", "time": "10:00", "weekend_rule": "next_working_day"}, "2026-02-23 10:00"),
]


@pytest.mark.parametrize(("period", "asked", "expected"), WEEKS)
def test_a_day_of_a_week_is_its_weekday(period: str, asked: Json, expected: str) -> None:
    """1 is Monday and 7 Sunday of the ISO week itself; without a day it is due on the Monday after."""
    assert due(period, due=asked) == expected


def dues_of(*versions: Json, year: str = "2026") -> dict[str | None, str | None]:
    """Return when the duties of a year fall due, by their periods, for the first agency."""
    catalogue = a_catalogue(a_plan(an_obligation(*versions)))
    duties = catalogue.duties_within(periods.parse(year))
    return {one.key.period: wall(one.due_at) for one in duties if one.key.agency == "h-mot"}


def test_only_the_parts_named_are_owed() -> None:
    """Circular 02/2023 asks for the first half-year alone; months may be numbers or texts."""
    assert dues_of(a_version(recurrence="half-year", only=["H1"], due={"month": 6, "day": 6})) == {
        "2026-H1": "2026-06-06 00:00"
    }
    assert list(dues_of(a_version(recurrence="month", only=[7, "08", "9"], due={}))) == [
        "2026-07",
        "2026-08",
        "2026-09",
    ]
    assert list(dues_of(a_version(recurrence="week", only=["W07"], due={}))) == ["2026-W07"]
    assert list(dues_of(a_version(recurrence="nine-month", due={}))) == ["2026-9M"]


def test_one_obligation_has_several_dates_at_once() -> None:
    """Of versions in force together each period finds its own: the half-years by other dates, the year beside them."""
    first = a_version(recurrence="half-year", only=["H1"], due={"month": 6, "day": 15})
    second = a_version(recurrence="half-year", only=["H2"], due={"day": 20, "time": "17:00"})
    year = a_version(due={"month": 12, "day": 15})
    assert dues_of(year, second, first) == {
        "2026-H1": "2026-06-15 00:00",
        "2026-H2": "2026-12-20 17:00",
        "2026": "2026-12-15 00:00",
    }


def test_a_version_that_joins_later_opens_its_first_period_on_its_own_first_day() -> None:
    """A quarterly version from 10 February on stands beside the yearly one, and does not begin with it in 2016."""
    quarter = a_version(**{"from": "2026-02-10"}, recurrence="quarter", due={})
    opened = [wall(a_duty(a_version(), quarter, period=one).opens_at) for one in ("2026", "2026-Q1", "2026-Q2")]
    assert opened == ["2026-01-01 00:00", "2026-02-10 00:00", "2026-04-01 00:00"]


def test_a_period_that_no_version_asks_for_is_not_applicable() -> None:
    """The second half-year binds nobody where only the first one is asked for."""
    duty = a_duty(a_version(recurrence="half-year", only=["H1"], due={}), period="2026-H2")
    assert not duty.is_binding


def test_the_next_duty_of_the_kind_is_the_next_part_that_any_version_asks_for() -> None:
    """Urging ends when the next duty falls due: of H1 alone in a year, of H1 and H2 in two versions in six months."""
    first = a_version(recurrence="half-year", only=["H1"], due={"month": 6, "day": 6})
    second = a_version(recurrence="half-year", only=["H2"], due={})
    quarters = a_version(recurrence="quarter", only=["Q1", "Q3"], due={})
    found = [
        a_duty(first, period="2026-H1").recurs_after,
        a_duty(first, second, period="2026-H1").recurs_after,
        a_duty(quarters, period="2026-Q3").recurs_after,
        a_duty(a_version(recurrence="week", due={}), period="2026-W07").recurs_after,
        a_duty(a_version(recurrence="nine-month", due={}), period="2026-9M").recurs_after,
        a_duty(period="2026").recurs_after,
    ]
    assert found == ["P12M", "P6M", "P6M", "P7D", "P12M", "P12M"]


ANCHORS = st.fixed_dictionaries(
    {}, optional={"day": st.integers(1, 7), "weekend_rule": st.sampled_from(["none", "next_working_day"])}
)
WORKING_DAYS = st.fixed_dictionaries({"working_days_after_cut_off": st.integers(1, 30)})


@given(
    recurrence=st.sampled_from([one for one in Recurrence if one.is_periodic]),
    asked=st.one_of(ANCHORS, WORKING_DAYS),
    time=st.sampled_from([None, "07:30", "17:00"]),
    year=st.integers(2016, 2030),
)
def test_a_later_period_is_never_due_earlier(recurrence: Recurrence, asked: Json, time: str | None, year: int) -> None:
    """Due instants do not decrease from one period to the next, and each is the exclusive end of a last good day."""
    version = ObligationVersion.model_validate(
        {"from": "2010-01-01", "recurrence": recurrence, "due": asked if time is None else {**asked, "time": time}}
    )
    dates = a_catalogue().calendar
    found = [dates.due_at(version, one) for one in periods.within(periods.parse(str(year)), recurrence)]
    instants = [one for one in found if one is not None]
    assert len(instants) == len(found)
    assert instants == sorted(instants)
    if "working_days_after_cut_off" in asked:
        working = WorkingDays()
        assert all(working.is_working_day(calendar.last_good_day(one, HANOI)) for one in instants)


@given(months=st.integers(-3, 3), year=st.integers(2016, 2030))
def test_windows_of_consecutive_periods_follow_each_other(months: int, year: int) -> None:
    """Where a window begins on the day after it ends, a month later, the windows of all months make one whole."""
    window = {"from": {"months": months - 1, "day": 15}, "to": {"months": months, "day": 14}}
    version = ObligationVersion.model_validate(a_version(recurrence="month", window=window))
    found = [calendar.find_window(version, one) for one in periods.within(periods.parse(str(year)), Recurrence.MONTH)]
    for one, following in itertools.pairwise(found):
        assert one is not None
        assert following is not None
        assert following.starts_on == one.ends_on + timedelta(days=1)
