"""The book looks duties up, lists them, and names the part of a question that fits nothing."""

from datetime import UTC, datetime

import pytest

from schemas.plan import periods
from services.rules.core.duty_catalogue import DutyCatalogue, UnknownDuty
from tests.support.assertions.spec import a_book, instant, received, undated
from tests.support.builders.plans import a_plan, a_registry, a_submission, a_version, an_agency, an_obligation

QUARTERLY = an_obligation(a_version(recurrence="quarter", due={"offset": "P14D"}), id="quarterly")
ONCE = an_obligation(a_version(recurrence="once", due=None), id="programme")
CONTINUOUS = an_obligation(undated(), id="publicity")
CHANGED = an_obligation(
    a_version(to="2020-01-01", due=None),
    a_version(**{"from": "2020-01-01"}, recurrence="once", due={"date": "2020-06-01"}),
    id="changed",
)


def a_wide_book() -> DutyCatalogue:
    """A book with every sort of recurrence and one agency."""
    plan = a_plan(an_obligation(), QUARTERLY, ONCE, CONTINUOUS, CHANGED)
    return a_book(plan, a_registry(an_agency("h-mot")))


class TestLookup:
    """A duty is found by agency, obligation and period."""

    def test_the_same_question_gets_the_same_duty(self) -> None:
        """It is made once."""
        book = a_book()
        asked = {"agency": "h-mot", "obligation": "results", "period": "2024"}
        assert book.duty(**asked) is book.duty(**asked)

    @pytest.mark.parametrize(
        "agency, obligation, period, field, message",
        [
            ("h-bon", "results", "2024", "agency", "'h-bon' is not in registry th@1"),
            ("h-mot", "other", "2024", "obligation", "'other' is not in plan P-1@1"),
            ("h-mot", "results", "2024-13", "period", "'2024-13' is not a reporting period"),
            ("h-mot", "results", "2024-Q1", "period", "does not fit the recurrence of results; write 2026"),
            ("h-mot", "results", None, "period", "results recurs; name its period, for example 2026"),
            ("h-mot", "quarterly", "2024", "period", "write 2026-Q3"),
            ("h-mot", "programme", "2024", "period", "write no period at all"),
        ],
    )
    def test_what_fits_nothing_is_named(
        self, agency: str, obligation: str, period: str | None, field: str, message: str
    ) -> None:
        """The field to correct, and what to write."""
        with pytest.raises(UnknownDuty, match=message) as refusal:
            a_wide_book().duty(agency=agency, obligation=obligation, period=period)
        assert refusal.value.field == field

    @pytest.mark.parametrize(
        "data, field",
        [
            ({"agency": "h-bon"}, "agency"),
            ({"obligation": "other"}, "obligation"),
            ({"agency": "h-bon", "on_behalf_of": "h-mot"}, "agency"),
        ],
    )
    def test_a_fact_about_no_duty_is_refused(self, data: dict[str, str], field: str) -> None:
        """By name of the field."""
        with pytest.raises(UnknownDuty) as refusal:
            a_book().resolve_names(received(a_submission(data=data), "2024-12-01 08:00"))
        assert refusal.value.field == field


class TestExpected:
    """Silent agencies matter most: every duty that opens is listed, reports or not."""

    def test_every_duty_that_opens_before_the_horizon_is_listed_once(self) -> None:
        """Year by year and quarter by quarter from the plan's issue on, one-off and continuous ones too."""
        keys = [str(key) for key in a_wide_book().duties_opening_before(instant("2017-01-01 00:00"))]
        assert sorted(keys) == sorted(
            {
                "P-1|h-mot|results|2016",
                "P-1|h-mot|quarterly|2016-Q2",
                "P-1|h-mot|quarterly|2016-Q3",
                "P-1|h-mot|quarterly|2016-Q4",
                "P-1|h-mot|programme|",
                "P-1|h-mot|publicity|",
                "P-1|h-mot|changed|2016",
                "P-1|h-mot|changed|",
            }
        )

    def test_the_horizon_is_exclusive(self) -> None:
        """A year that opens at the horizon is not listed, one that opens a moment before is."""
        book = a_book(registry=a_registry(an_agency("h-mot")))
        horizon = instant("2017-01-01 00:00")
        listed = [
            [key.period for key in book.duties_opening_before(until)] for until in (horizon, horizon.replace(second=1))
        ]
        assert listed == [["2016"], ["2016", "2017"]]

    def test_a_group_nobody_belongs_to_expects_nothing(self) -> None:
        """No member, no duty."""
        book = a_book(registry=a_registry(an_agency("h-mot", groups=[])))
        assert list(book.duties_opening_before(datetime(2030, 1, 1, tzinfo=UTC))) == []


class TestWithin:
    """The calendar of a year."""

    def test_a_year_lists_the_periods_inside_it_and_the_one_off_duties_that_fall_into_it(self) -> None:
        """A one-off belongs to the year it falls due in, or opens in where it has no date."""
        book = a_wide_book()
        found = {str(one.key) for one in book.duties_within(periods.parse("2020"))}
        assert found == {
            "P-1|h-mot|results|2020",
            "P-1|h-mot|quarterly|2020-Q1",
            "P-1|h-mot|quarterly|2020-Q2",
            "P-1|h-mot|quarterly|2020-Q3",
            "P-1|h-mot|quarterly|2020-Q4",
            "P-1|h-mot|changed|",
        }
        opened = {one.key.obligation for one in book.duties_within(periods.parse("2016"))}
        assert {"programme", "publicity"} <= opened

    def test_a_quarter_lists_only_itself(self) -> None:
        """The yearly duty does not lie within it."""
        found = [str(one.key) for one in a_wide_book().duties_within(periods.parse("2019-Q3"))]
        assert found == ["P-1|h-mot|quarterly|2019-Q3"]
