"""The catalogue looks duties up, lists them, and names the part of a query that fits nothing."""

from datetime import UTC, datetime

import pytest

from schemas.plan import periods
from services.rules.core.duty_catalogue import DutyCatalogue, UnknownDuty
from tests.support.assertions.spec import a_catalogue, a_fact, an_undated_version, instant
from tests.support.builders.plans import a_plan, a_registry, a_submission, a_version, an_agency, an_obligation

QUARTERLY = an_obligation(a_version(recurrence="quarter", due={"offset": "P14D"}), id="quarterly")
ONCE = an_obligation(a_version(recurrence="once", due=None), id="programme")
CONTINUOUS = an_obligation(an_undated_version(), id="publicity")
CHANGED = an_obligation(
    a_version(to="2020-01-01", due=None),
    a_version(**{"from": "2020-01-01"}, recurrence="once", due={"date": "2020-06-01"}),
    id="changed",
)


def a_wide_catalogue() -> DutyCatalogue:
    """Build a catalogue with every sort of recurrence and one agency."""
    plan = a_plan(an_obligation(), QUARTERLY, ONCE, CONTINUOUS, CHANGED)
    return a_catalogue(plan, a_registry(an_agency("h-mot")))


class TestLookup:
    """A duty is looked up by agency, obligation and period."""

    def test_the_same_question_gets_the_same_duty(self) -> None:
        """A duty is created once for all agencies that are bound alike; the same query returns the same one."""
        catalogue = a_catalogue()
        asked = {"agency": "h-mot", "obligation": "results", "period": "2024"}
        assert catalogue.duty(**asked) == catalogue.duty(**asked)
        assert catalogue.shared_duty(**asked) is catalogue.find_shared_duty(**asked)

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
        """`UnknownDuty` names the field to correct and what to write in it."""
        with pytest.raises(UnknownDuty, match=message) as refusal:
            a_wide_catalogue().duty(agency=agency, obligation=obligation, period=period)
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
        """A fact about no duty of the catalogue raises `UnknownDuty` with the name of the field."""
        with pytest.raises(UnknownDuty) as refusal:
            a_catalogue().resolve_names(a_fact(a_submission(data=data), "2024-12-01 08:00"))
        assert refusal.value.field == field


class TestDutiesOpeningBefore:
    """Every duty that opens before a horizon is listed from the plan alone, whether reported or not."""

    def test_every_duty_that_opens_before_the_horizon_is_listed_once(self) -> None:
        """Yearly, quarterly, one-off and continuous duties from the plan's issue to the horizon are listed once."""
        keys = [str(key) for key in a_wide_catalogue().duties_opening_before(instant("2017-01-01 00:00"))]
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
        """A year that opens at the horizon is not listed; one that opens a moment before it is."""
        catalogue = a_catalogue(registry=a_registry(an_agency("h-mot")))
        horizon = instant("2017-01-01 00:00")
        listed = [
            [key.period for key in catalogue.duties_opening_before(until)]
            for until in (horizon, horizon.replace(second=1))
        ]
        assert listed == [["2016"], ["2016", "2017"]]

    def test_a_group_nobody_belongs_to_expects_nothing(self) -> None:
        """An obligation that addresses a group without members lists no duties."""
        catalogue = a_catalogue(registry=a_registry(an_agency("h-mot", groups=[])))
        assert list(catalogue.duties_opening_before(datetime(2030, 1, 1, tzinfo=UTC))) == []


class TestDutiesWithin:
    """`duties_within` lists the duties of a year."""

    def test_a_year_lists_the_periods_inside_it_and_the_one_off_duties_that_fall_into_it(self) -> None:
        """A one-off duty belongs to the year in which it falls due, or opens where it has no date."""
        catalogue = a_wide_catalogue()
        found = {str(one.key) for one in catalogue.duties_within(periods.parse("2020"))}
        assert found == {
            "P-1|h-mot|results|2020",
            "P-1|h-mot|quarterly|2020-Q1",
            "P-1|h-mot|quarterly|2020-Q2",
            "P-1|h-mot|quarterly|2020-Q3",
            "P-1|h-mot|quarterly|2020-Q4",
            "P-1|h-mot|changed|",
        }
        opened = {one.key.obligation for one in catalogue.duties_within(periods.parse("2016"))}
        assert {"programme", "publicity"} <= opened

    def test_a_quarter_lists_only_itself(self) -> None:
        """A quarter lists its own duty and not that of the year around it."""
        found = [str(one.key) for one in a_wide_catalogue().duties_within(periods.parse("2019-Q3"))]
        assert found == ["P-1|h-mot|quarterly|2019-Q3"]
