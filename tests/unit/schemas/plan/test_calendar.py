"""When an obligation falls due: anchors, boundaries, working days, zones and versions (rulings 1, 3 and 9)."""

from datetime import date

import pytest

from schemas.plan import calendar, periods
from schemas.plan.registry import WorkingDays
from tests.support.assertions.spec import HANOI, a_catalogue, a_duty, instant, wall
from tests.support.builders.plans import Json, a_plan, a_registry, a_version, an_obligation

YEARS = range(2016, 2030)


def due(period: str | None, **changes: object) -> str | None:
    """Return when the duty of *period* falls due under the usual version with *changes*."""
    return wall(a_duty(a_version(**changes), period=period).due_at)


def decembers(**setting: str) -> list[str | None]:
    """Return the due instants of 2016 to 2029 under a *setting* of the usual date."""
    return [due(str(year), due={"month": 12, "day": 10, **setting}) for year in YEARS]


class TestBoundary:
    """Ruling 1: due is an exclusive instant in the plan's zone."""

    def test_before_the_10th_ends_as_the_10th_begins(self) -> None:
        """«Trước ngày 10 tháng 12» is 00:00 of 10 December in Hanoi, 17:00 UTC of the 9th."""
        duty = a_duty(period="2026")
        assert duty.due_at is not None
        assert duty.due_at.isoformat() == "2026-12-09T17:00:00+00:00"

    def test_an_inclusive_10th_counts_whole(self) -> None:
        """With an inclusive boundary the 10th is the last good day."""
        assert due("2026", due={"month": 12, "day": 10, "boundary": "inclusive"}) == "2026-12-11 00:00"

    @pytest.mark.parametrize("year", YEARS)
    def test_a_deadline_stands_on_any_weekday_by_default(self, year: int) -> None:
        """Without a weekend rule the due instant does not move, whatever weekday the 9th is."""
        assert due(str(year)) == f"{year}-12-10 00:00"


class TestWeekend:
    """Ruling 3: the last good day moves, 9 December, not the day after it."""

    def test_the_next_working_day_takes_over_a_weekend(self) -> None:
        """The 9th is a Saturday in 2017, 2023 and 2028 and a Sunday in 2018 and 2029: Monday is then the last day."""
        moved = {2017: 12, 2018: 11, 2023: 12, 2028: 12, 2029: 11}
        expected = [f"{year}-12-{moved.get(year, 10)} 00:00" for year in YEARS]
        assert decembers(weekend_rule="next_working_day") == expected

    def test_the_previous_working_day_takes_over_a_weekend(self) -> None:
        """In the same years Friday, the 8th or 7th, is the last good day."""
        moved = {2017: "09", 2018: "08", 2023: "09", 2028: "09", 2029: "08"}
        expected = [f"{year}-12-{moved.get(year, '10')} 00:00" for year in YEARS]
        assert decembers(weekend_rule="previous_working_day") == expected

    def test_an_inclusive_10th_on_a_weekend_moves_by_its_own_weekday(self) -> None:
        """The 10th is a Saturday in 2016 and 2022, a Sunday in 2017, 2023 and 2028."""
        moved = {2016: 13, 2017: 12, 2022: 13, 2023: 12, 2028: 12}
        expected = [f"{year}-12-{moved.get(year, 11)} 00:00" for year in YEARS]
        assert decembers(boundary="inclusive", weekend_rule="next_working_day") == expected

    def test_public_holidays_are_no_working_days(self) -> None:
        """A deadline at the end of April 2024 passes Reunification Day, Labour Day and reaches 2 May."""
        settings = {"month": 4, "day": 30, "boundary": "inclusive", "weekend_rule": "next_working_day"}
        assert due("2024", due=settings) == "2024-05-03 00:00"


ANCHORS: list[tuple[str, str | None, Json, str]] = [
    ("the first day after a year, where no day is named", "2026", {}, "2027-01-01"),
    ("a half-year ends on 30 June", "2026-H1", {}, "2026-07-01"),
    ("a quarter ends on 30 September", "2026-Q3", {}, "2026-10-01"),
    ("a month ends on its last day", "2026-02", {}, "2026-03-01"),
    ("an offset moves the day after the period on", "2026-Q3", {"offset": "P14D"}, "2026-10-15"),
    ("a month's offset keeps to the calendar", "2026-01", {"offset": "P1M"}, "2026-03-01"),
    ("a day alone is in the last month of a quarter", "2026-Q3", {"day": 25}, "2026-09-25"),
    ("a day alone is in the month itself", "2026-07", {"day": 5}, "2026-07-05"),
    ("a month counts within a half-year", "2026-H2", {"month": 2, "day": 10}, "2026-08-10"),
    ("a month alone means its last day", "2026", {"month": 6}, "2026-06-30"),
    ("a day past the month's end is its last day", "2026-02", {"day": 31}, "2026-02-28"),
    ("in a leap year too", "2028-02", {"day": 31}, "2028-02-29"),
    ("29 February is the 28th in a common year", "2027", {"month": 2, "day": 29}, "2027-02-28"),
    ("a named day with an offset", "2026", {"month": 12, "day": 10, "offset": "P1M"}, "2027-01-10"),
]


def recurrence_of(period: str) -> str:
    """Return the recurrence of a period."""
    return str(periods.parse(period).recurrence)


@pytest.mark.parametrize("rule, period, anchor, expected", ANCHORS, ids=[one[0] for one in ANCHORS])
def test_an_anchor_names_a_day_of_each_period(rule: str, period: str, anchor: Json, expected: str) -> None:
    """The anchor names one day for each period, and the duty falls due at the midnight that begins it."""
    assert due(period, recurrence=recurrence_of(period), due=anchor) == f"{expected} 00:00", rule


class TestOnce:
    """A one-off duty has no period; its date stands in the plan or counts from the version's first day."""

    def test_a_fixed_date_is_the_date(self) -> None:
        """A fixed date is the due date, as in «Hoàn thành trước 30/6/2016»."""
        assert due(None, recurrence="once", due={"date": "2016-06-30"}) == "2016-06-30 00:00"

    def test_an_offset_counts_from_the_first_day_in_force(self) -> None:
        """An offset of thirty days counts from the version's first day."""
        assert due(None, recurrence="once", due={"offset": "P30D"}) == "2016-06-04 00:00"

    @pytest.mark.parametrize(
        "anchor, expected",
        [
            ({"month": 12, "day": 10}, "2016-12-10"),
            ({"month": 3, "day": 1}, "2017-03-01"),
            ({"day": 20}, "2016-05-20"),
            ({"day": 1}, "2017-05-01"),
        ],
    )
    def test_a_day_of_the_year_is_the_next_one_to_come(self, anchor: Json, expected: str) -> None:
        """A day of the year that has passed when the version begins means that day of the next year."""
        assert due(None, recurrence="once", due=anchor) == f"{expected} 00:00"


class TestVersions:
    """The version in force when the due instant falls decides; a later setting never rewrites a passed deadline."""

    def test_each_period_is_judged_by_the_version_of_its_due_instant(self) -> None:
        """A version that makes the 10th inclusive from 2020 on leaves the due instant of 2019 as it was."""
        old = a_version(to="2020-01-01")
        new = a_version(**{"from": "2020-01-01"}, due={"month": 12, "day": 10, "boundary": "inclusive"})
        dues = [wall(a_duty(old, new, period=period).due_at) for period in ("2019", "2020")]
        assert dues == ["2019-12-10 00:00", "2020-12-11 00:00"]

    def test_of_two_versions_that_claim_a_period_the_earlier_deadline_stands(self) -> None:
        """A version that begins between two due instants of one year cannot move the one that has passed."""
        old = a_version(to="2020-11-01", due={"month": 10, "day": 1})
        new = a_version(**{"from": "2020-11-01"}, due={"month": 12, "day": 10})
        assert wall(a_duty(old, new, period="2020").due_at) == "2020-10-01 00:00"

    def test_a_deadline_that_no_version_rules_is_the_successor_setting_s(self) -> None:
        """Where neither version is in force at its own due instant, the one in force at the earlier instant rules."""
        old = a_version(to="2020-11-01", due={"month": 12, "day": 10})
        new = a_version(**{"from": "2020-11-01"}, due={"month": 10, "day": 1})
        assert wall(a_duty(old, new, period="2020").due_at) == "2020-12-10 00:00"

    def test_a_date_may_be_dropped_from_a_year_on(self) -> None:
        """If the version in force at the end of the period has no date, the duty is undated."""
        old = a_version(to="2020-01-01")
        new = a_version(**{"from": "2020-01-01"}, due=None)
        duty = a_duty(old, new, period="2020")
        assert (duty.is_binding, duty.due_at) == (True, None)

    def test_a_period_that_no_version_has_binds_nobody(self) -> None:
        """A period after the end of the last version binds nobody."""
        assert not a_duty(a_version(to="2020-01-01"), period="2021").is_binding

    def test_a_recurrence_may_change(self) -> None:
        """A yearly duty whose next version is quarterly is quarterly from then on, and not yearly any more."""
        old = a_version(to="2020-01-01")
        new = a_version(**{"from": "2020-01-01"}, recurrence="quarter", due={})
        obligation = an_obligation(old, new)
        assert a_duty(obligation=obligation, period="2019").is_binding
        assert not a_duty(obligation=obligation, period="2020").is_binding
        assert wall(a_duty(obligation=obligation, period="2020-Q1").due_at) == "2020-04-01 00:00"


class TestBeginning:
    """A plan binds from its date of issue (ruling 8)."""

    def test_the_first_year_opens_on_the_day_of_issue(self) -> None:
        """The duty of the plan's first year opens on the day of issue, 5 May 2016."""
        duty = a_duty(period="2016")
        assert (wall(duty.opens_at), wall(duty.due_at)) == ("2016-05-05 00:00", "2016-12-10 00:00")

    def test_a_later_year_opens_with_the_year(self) -> None:
        """The duty of a later year opens on the first day of the year."""
        assert wall(a_duty(period="2024").opens_at) == "2024-01-01 00:00"

    def test_a_deadline_before_the_plan_was_issued_binds_nobody(self) -> None:
        """A duty that falls due before the plan's day of issue binds nobody."""
        for since in ("2010-01-01", "2016-05-05"):
            version = a_version(**{"from": since}, due={"month": 3, "day": 1})
            assert not a_duty(version, period="2016").is_binding

    def test_an_undated_period_before_the_plan_binds_nobody(self) -> None:
        """An undated duty of a period before the plan's day of issue binds nobody."""
        assert not a_duty(a_version(due=None), period="2015").is_binding


@pytest.mark.parametrize(
    "zone, expected",
    [
        ("Asia/Ho_Chi_Minh", "2026-12-09T17:00:00+00:00"),
        ("UTC", "2026-12-10T00:00:00+00:00"),
        ("America/New_York", "2026-12-10T05:00:00+00:00"),
        ("Pacific/Kiritimati", "2026-12-09T10:00:00+00:00"),
    ],
)
def test_a_day_begins_when_it_begins_in_the_plan_s_zone(zone: str, expected: str) -> None:
    """The due instant is midnight in the plan's zone, whatever zone the server has."""
    catalogue = a_catalogue(a_plan(zone=zone))
    due_at = catalogue.duty(agency="h-mot", obligation="results", period="2026").due_at
    assert due_at is not None
    assert due_at.isoformat() == expected


def test_the_last_good_day_is_the_one_before_an_exclusive_due() -> None:
    """The last good day is the day before an exclusive due instant: «hạn cuối: hết ngày 09/12/2026»."""
    assert calendar.last_good_day(instant("2026-12-10 00:00"), HANOI) == date(2026, 12, 9)


@pytest.mark.parametrize(
    "day, is_working_day",
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
def test_the_usual_calendar_knows_weekends_and_public_holidays(day: date, *, is_working_day: bool) -> None:
    """Saturday, Sunday, New Year, Tết, Reunification, Labour and National Day are no working days."""
    assert WorkingDays(a_registry()).is_working_day(day) is is_working_day


@pytest.mark.parametrize("year", range(2016, 2030))
def test_no_holiday_touches_the_deadline(year: int) -> None:
    """From 9 to 12 December all days but weekends are working days, in every year of the plan."""
    days = WorkingDays(a_registry())
    for day in range(9, 13):
        assert days.is_working_day(date(year, 12, day)) is (date(year, 12, day).weekday() < 5)


def test_a_swapped_saturday_is_worked_and_its_monday_is_off() -> None:
    """Working days and holidays that the registry announces win over the usual calendar."""
    days = WorkingDays(
        a_registry(working_days=["2024-05-04", {"date": "2024-05-11"}], holidays=[{"date": "2024-04-29"}])
    )
    assert [days.is_working_day(date(2024, *day)) for day in ((5, 4), (5, 11), (4, 29))] == [True, True, False]


def test_a_day_moves_over_a_whole_row_of_days_off() -> None:
    """From Saturday 9 December, with Monday a holiday, the next working day is Tuesday, the previous one Friday."""
    days = WorkingDays(a_registry(holidays=[{"date": "2023-12-11", "name": "Hoán đổi"}]))
    saturday = date(2023, 12, 9)
    moved = [days.move_off_weekend(saturday, rule) for rule in ("none", "next_working_day", "previous_working_day")]
    assert moved == [saturday, date(2023, 12, 12), date(2023, 12, 8)]


def test_a_swapped_in_saturday_is_a_good_last_day() -> None:
    """A Saturday that the registry makes a working day does not move."""
    days = WorkingDays(a_registry(working_days=["2023-12-09"]))
    assert days.move_off_weekend(date(2023, 12, 9), "next_working_day") == date(2023, 12, 9)
