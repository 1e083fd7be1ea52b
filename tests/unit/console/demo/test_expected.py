"""The expected outcome of the demo: counts of alerts, days late, and the comparison with what the system answers."""

from datetime import datetime
from pathlib import Path

import pytest

from schemas.events.assessments import Status
from services.console.demo.plan_6766 import expected, scenario
from services.console.demo.plan_6766.events import RESULTS, ZONE
from services.console.demo.plan_6766.expected import DUE_AT, ExpectedDuty, count_alerts, span_from
from services.console.support import inputs

DIRECTORY = Path(__file__).parents[4] / "deploy" / "plans" / "6766-kh-ubnd"
DUTIES = (
    ExpectedDuty(agency="so-mot", status=Status.ON_TIME, effective_at=datetime(2024, 12, 1, 8, tzinfo=ZONE)),
    ExpectedDuty(agency="so-hai", status=Status.LATE, effective_at=DUE_AT, flags=frozenset({"b", "a"})),
    ExpectedDuty(agency="h-ba", status=Status.OVERDUE, submissions=0, alerts=count_alerts()),
    ExpectedDuty(agency="h-bon", status=Status.INCOMPLETE, missing=("signed",), alerts=count_alerts()),
    ExpectedDuty(agency="h-nam", status=Status.EXEMPT, submissions=0),
)


def a_row(duty: ExpectedDuty) -> dict[str, object]:
    """What reporting answers about an agency whose duty stands as expected."""
    fields = expected.fields_of_expectation(duty)
    times = {name: fields[name] and fields[name].isoformat() for name in ("due_at", "effective_at")}
    urging = {name: fields[name] for name in ("reminders", "urgings", "about_incomplete", "escalations")}
    return {**fields, **times, "agency": duty.agency, "obligation": RESULTS, "urging": urging}


class TestAlertCounts:
    """Alerts are counted by the plan's days until a complete report is on file."""

    def test_a_silent_agency_gets_every_alert(self) -> None:
        """Without a report there are five reminders, six urgings until the scenario ends, and two escalations."""
        alerts = count_alerts()
        assert (alerts.reminders, alerts.urgings, alerts.escalations) == (5, 6, 2)

    def test_an_agency_that_has_reported_gets_no_more_alerts(self) -> None:
        """A report of 27 November comes after two reminders, and nothing is sent after it."""
        alerts = count_alerts(span_from(datetime(2024, 11, 27, 15, tzinfo=ZONE)))
        assert (alerts.reminders, alerts.urgings, alerts.escalations) == (2, 0, 0)


def test_days_are_counted_from_the_last_timely_day() -> None:
    """A report at midnight of the due instant is one day late, because the ninth was the last timely day."""
    assert ExpectedDuty(agency="h-mot", status=Status.LATE, effective_at=DUE_AT).days_late == 1


class TestComparison:
    """What the system answers is compared with the expectations field by field."""

    def test_an_outcome_as_expected_shows_no_difference(self) -> None:
        """Rows that are equal to the expectations give no sentence, for every agency of the scenario."""
        expectations = scenario.build_scenario(inputs.read_plan_folder(DIRECTORY).registry).expectations
        for duties in (expectations, DUTIES):
            assert not list(expected.compare_duties(duties, map(a_row, duties), source="the report"))

    @pytest.mark.parametrize("duty", DUTIES, ids=lambda duty: duty.agency)
    def test_a_difference_names_agency_field_and_both_values(self, duty: ExpectedDuty) -> None:
        """The sentence names the agency, the field, the answer and the expectation."""
        row = {**a_row(duty), "days_late": 99}
        found = list(expected.compare_duties([duty], [row], source="the report"))
        assert found == [f"{duty.agency}: days_late is 99 in the report, {duty.days_late!r} is expected"]

    def test_an_agency_left_out_is_a_difference(self) -> None:
        """An expected agency without a row gives a sentence."""
        found = list(expected.compare_duties(DUTIES[:1], [], source="the report"))
        assert found == ["so-mot: the report says nothing of it"]

    def test_an_agency_too_many_is_a_difference(self) -> None:
        """A row of an agency that nothing is expected of gives a sentence."""
        found = list(expected.compare_duties([], [a_row(DUTIES[0])], source="the report"))
        assert found == ["so-mot: the report names it, no duty of it is expected"]
