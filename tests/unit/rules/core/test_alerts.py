"""The alerts a duty calls for: reminders, urging, escalation and notices of missing parts."""

import pytest

from schemas.events.assessments import StepKind
from schemas.events.wire import WireReturnedReport, WireStep
from schemas.plan import values
from services.rules.core.alerts import plan_alerts
from services.rules.core.assess import assess
from services.rules.core.facts import Fact
from tests.support.assertions.spec import (
    a_catalogue,
    a_duty,
    a_fact,
    an_undated_version,
    list_alerts,
    rfc3339,
    wall,
    with_decision_date,
)
from tests.support.builders.plans import (
    AGENCIES,
    Json,
    a_plan,
    a_registry,
    a_return,
    a_submission,
    a_version,
    a_withdrawal,
    an_agency,
    an_extension,
    an_obligation,
)

EMPTY: Json = {"nil_return": False, "figures_as_of": None, "sections": {}, "indicators": {}}
BELOW_A_PROVINCE = a_registry(an_agency(AGENCIES[0], parent="ubnd-tinh"))
FULL: Json = {
    "before": ["P30D", "P7D"],
    "after": ["PT0S", "P3D"],
    "then_every": "P7D",
    "escalate": [{"after": "P7D", "to": "parent"}, {"after": "P14D", "to": "chairman-list"}],
}
BEFORE = [("2024-11-10 00:00", "reminder", "P30D", "self"), ("2024-12-03 00:00", "reminder", "P7D", "self")]
AFTER = [
    ("2024-12-10 00:00", "urging", "PT0S", "self"),
    ("2024-12-13 00:00", "urging", "P3D", "self"),
    ("2024-12-17 00:00", "escalation", "P7D", "parent"),
    ("2024-12-20 00:00", "urging", "P10D", "self"),
    ("2024-12-24 00:00", "escalation", "P14D", "chairman-list"),
]


def alerts_of(*facts: Fact, reminders: Json = FULL) -> list[tuple[str | None, str, str, str]]:
    """Return the alerts of the usual duty under *reminders*."""
    return list_alerts(assess(a_duty(a_version(reminders=reminders), registry=BELOW_A_PROVINCE), facts))


def repeating_urgings(*facts: Fact) -> list[WireStep]:
    """Return the urgings that repeat."""
    return [
        one
        for one in plan_alerts(assess(a_duty(a_version(reminders=FULL), registry=BELOW_A_PROVINCE), facts))
        if one.every
    ]


def report(on: str, event: str = "s-1", **data: object) -> Fact:
    """Build a report received at a wall time."""
    return a_fact(a_submission(event, data=dict(data)), on)


def test_a_silent_agency_is_reminded_urged_and_escalated() -> None:
    """The alerts of a silent agency stand at their distances from due, in order of time."""
    assert alerts_of() == [*BEFORE, *AFTER]


def test_the_last_urging_repeats_until_the_next_period_falls_due() -> None:
    """The repetition starts one interval after the last named urging and ends when the next period falls due."""
    (last,) = repeating_urgings()
    assert (wall(last.at), last.step, last.every) == ("2024-12-20 00:00", "P10D", "P7D")
    assert last.until is not None
    assert wall(last.until) == "2025-12-10 00:00"


def test_without_named_urgings_the_first_repetition_counts_from_due() -> None:
    """Without named urgings the repetition starts one interval after due."""
    assert alerts_of(reminders={"then_every": "P7D"}) == [("2024-12-17 00:00", "urging", "P7D", "self")]


def test_an_agency_that_has_reported_gets_no_alert() -> None:
    """No alert falls after the report that discharges the duty."""
    assert alerts_of(report("2024-12-01 08:00")) == BEFORE[:1]


def test_a_late_report_ends_the_urging() -> None:
    """A late report ends the repetition, and the alerts that would come later are not called for."""
    late = report("2025-01-05 08:00")
    assert alerts_of(late) == [*BEFORE, *AFTER]
    assert [wall(one.until) for one in repeating_urgings(late)] == ["2025-01-05 08:00"]
    assert alerts_of(report("2024-12-15 08:00")) == [*BEFORE, *AFTER[:2]]


def test_a_report_before_the_first_repetition_leaves_none() -> None:
    """A report before the first repetition leaves no repeating urging."""
    assert repeating_urgings(report("2024-12-19 08:00")) == []


def test_a_withdrawal_starts_the_urging_again_at_the_next_interval() -> None:
    """After a withdrawal the repetition resumes at the next interval counted from due."""
    facts = report("2024-12-01 08:00"), a_fact(a_withdrawal("w-1", "s-1"), "2025-01-01 08:00")
    assert [(wall(one.at), one.step) for one in repeating_urgings(*facts)] == [("2025-01-03 00:00", "P24D")]


def test_an_incomplete_report_calls_for_a_notice_at_once_and_for_urging() -> None:
    """An incomplete report calls for a notice at its receipt, and the urging after due goes on."""
    assert alerts_of(report("2024-12-01 08:00", content=EMPTY)) == [
        BEFORE[0],
        ("2024-12-01 08:00", "incomplete", "incomplete:s-1", "self"),
        BEFORE[1],
        *AFTER,
    ]


def test_the_same_missing_parts_call_for_one_notice() -> None:
    """A correction with the same missing parts calls for no second notice; one with other missing parts does."""
    requires = {"sections": ["a", "b"]}
    facts = (
        report("2024-12-01 08:00", "s-1", content=EMPTY),
        report("2024-12-02 08:00", "s-2", content=EMPTY, corrects="s-1"),
        report("2024-12-03 08:00", "s-3", content=EMPTY | {"sections": {"a": "x"}}, corrects="s-2"),
    )
    assessment = assess(a_duty(a_version(requires=requires, reminders={})), facts)
    assert [one.step for one in plan_alerts(assessment)] == ["incomplete:s-1", "incomplete:s-3"]


def test_an_incomplete_copy_beside_a_complete_report_calls_for_no_notice() -> None:
    """An incomplete copy beside a complete report calls for no notice, because the duty is discharged."""
    facts = report("2024-11-01 08:00"), report("2024-11-02 08:00", "s-2", content=EMPTY)
    assert alerts_of(*facts) == []


def test_an_extension_moves_the_alerts_with_the_due_instant() -> None:
    """Alerts before an extension keep their distance from the old due instant; later ones are measured from the new."""
    granted = a_fact(
        with_decision_date(an_extension("x-1", rfc3339("2024-12-31 00:00")), "2024-12-05"), "2024-12-05 09:00"
    )
    assert alerts_of(granted, reminders={"before": ["P7D"], "after": ["PT0S"]}) == [
        ("2024-12-03 00:00", "reminder", "P7D", "self"),
        ("2024-12-24 00:00", "reminder", "P7D", "self"),
        ("2024-12-31 00:00", "urging", "PT0S", "self"),
    ]


def test_no_reminder_precedes_the_period_before() -> None:
    """A reminder of a year that would fall two years earlier is not called for."""
    assert alerts_of(reminders={"before": ["P2Y", "P7D"]}) == [BEFORE[1]]


def monthly_reminders(*facts: Fact, **changes: object) -> list[str | None]:
    """Return when the agency is reminded of the report of May 2024, which is due on 5 May."""
    version = a_version(recurrence="month", due={"day": 5}, reminders={"before": ["P5D", "P1D"]}, **changes)
    duty = a_duty(version, period="2024-05")
    return [wall(one.at) for one in plan_alerts(assess(duty, facts)) if one.kind is StepKind.REMINDER]


def test_a_report_due_in_the_first_days_of_its_month_is_reminded_of_in_the_month_before() -> None:
    """Five days before the 5th is the 30th, though the month has not begun."""
    assert monthly_reminders() == ["2024-04-30 00:00", "2024-05-04 00:00"]


def test_a_report_that_came_before_its_month_needs_no_reminder() -> None:
    """What arrived before the reminder is known to stand when the month begins; what arrived after it is not."""
    assert monthly_reminders(report("2024-04-20 08:00", period="2024-05")) == []
    assert monthly_reminders(report("2024-04-30 08:00", period="2024-05")) == ["2024-04-30 00:00"]


def test_an_obligation_that_begins_with_the_month_is_not_reminded_of_before() -> None:
    """Nobody is reminded of what does not bind yet."""
    assert monthly_reminders(**{"from": "2024-05-01"}) == ["2024-05-04 00:00"]


def test_a_reminder_that_is_not_before_due_is_none() -> None:
    """A reminder at the due instant itself is not called for."""
    assert alerts_of(reminders={"before": ["PT0S"]}) == []


def test_months_are_calendar_months() -> None:
    """A distance of a month is a calendar month: one before 10 December is 10 November."""
    assert alerts_of(reminders={"before": ["P1M"]}) == [("2024-11-10 00:00", "reminder", "P1M", "self")]


def test_a_day_is_a_day_on_the_wall_whatever_the_clocks_do() -> None:
    """In a zone with summer time a reminder two days ahead still falls at midnight."""
    version = a_version(due={"month": 4, "day": 1}, reminders={"before": ["P2D"], "after": ["PT12H"]})
    catalogue = a_catalogue(a_plan(an_obligation(version), zone="Europe/Berlin"))
    duty = catalogue.duty(agency="h-mot", obligation="results", period="2024")
    assert [wall(one.at, catalogue.calendar.zone) for one in plan_alerts(assess(duty, ()))] == [
        "2024-03-30 00:00",
        "2024-04-01 12:00",
    ]


@pytest.mark.parametrize("period", [None, "2024"])
def test_an_undated_duty_is_never_urged(period: str | None) -> None:
    """An undated duty calls for no alerts, because there is no due instant to measure from."""
    version = an_undated_version() if period is None else a_version(due=None, reminders=FULL)
    assert list_alerts(assess(a_duty(version, period=period), ())) == []


def test_a_duty_that_never_binds_calls_for_nothing() -> None:
    """A duty that never binds calls for no alerts, even with a report on file."""
    duty = a_duty(a_version(to="2020-01-01"), period="2021")
    assert plan_alerts(assess(duty, [a_fact(a_submission(data={"period": "2021"}), "2021-12-01 08:00")])) == ()


def test_alerts_are_not_shifted_out_of_reach() -> None:
    """After an extension to the end of year 9999 the alerts stay at the last instants within reach."""
    event = with_decision_date(an_extension("x-1", "9999-12-31T23:59:59+00:00"), "2024-12-05")
    found = plan_alerts(
        assess(a_duty(a_version(reminders=FULL), registry=BELOW_A_PROVINCE), [a_fact(event, "2024-12-05 09:00")])
    )
    assert {one.kind for one in found} >= {StepKind.REMINDER}
    assert all(one.at.year in {2024, values.LAST_YEAR} for one in found)


class TestReturned:
    """Ruling 14: the agency is told of a return, and nobody is urged before `respond_by`."""

    def alerts(self, *facts: Fact, by: str | None, on: str = "2024-12-05 09:00", reminders: Json = FULL) -> list[str]:
        """Return day, kind and step of the alerts from the return of the first report on."""
        returned = a_fact(a_return("b-1", "s-1", respond_by=rfc3339(by) if by else None), on)
        found = alerts_of(report("2024-12-04 08:00"), returned, *facts, reminders=reminders)
        return [f"{(at or '')[:10]} {kind} {step}" for at, kind, step, _ in found if at and at >= on]

    def test_urging_begins_at_respond_by(self) -> None:
        """What would fall due before is left out, escalations are measured from it, and repetitions follow it."""
        assert self.alerts(by="2024-12-21 00:00") == [
            "2024-12-05 returned returned:b-1",
            "2024-12-21 urging P11D",
            "2024-12-28 escalation P7D",
            "2024-12-28 urging P18D",
            "2025-01-04 escalation P14D",
        ]

    def test_urging_is_as_usual_where_respond_by_comes_before_due(self) -> None:
        """A report returned well before due and not corrected is reminded and urged of from `respond_by` on."""
        found = self.alerts(by="2024-12-08 00:00")
        assert found[1:4] == ["2024-12-10 urging PT0S", "2024-12-13 urging P3D", "2024-12-17 escalation P7D"]

    def test_without_respond_by_nobody_is_urged(self) -> None:
        """A return that sets no limit is told once, and nothing follows."""
        assert self.alerts(by=None) == ["2024-12-05 returned returned:b-1"]

    def test_a_correction_ends_the_urging(self) -> None:
        """After a complete correction nothing more is said, also where it came late."""
        correction = report("2024-12-22 08:00", "s-2", corrects="s-1")
        assert self.alerts(correction, by="2024-12-21 00:00") == [
            "2024-12-05 returned returned:b-1",
            "2024-12-21 urging P11D",
        ]

    def test_a_return_that_touches_nothing_is_not_told(self) -> None:
        """Where the correction was in effect before the return, there is nothing to ask for."""
        correction = report("2024-12-04 09:00", "s-2", corrects="s-1")
        assert self.alerts(correction, by="2024-12-21 00:00") == []

    def test_a_duty_without_reminders_is_not_told(self) -> None:
        """A return is told where the duty has reminders."""
        assert self.alerts(by="2024-12-21 00:00", reminders={}) == []

    def test_the_notice_has_the_words_of_the_recipient(self) -> None:
        """It names the report, the reason and the instant before which the correction is asked for."""
        returned = a_fact(a_return("b-1", "s-1", respond_by=rfc3339("2024-12-21 00:00")), "2024-12-05 09:00")
        facts = report("2024-12-04 08:00"), returned
        steps = plan_alerts(assess(a_duty(a_version(reminders=FULL), registry=BELOW_A_PROVINCE), facts))
        (step,) = [one for one in steps if one.kind is StepKind.RETURNED]
        asked = step.returned
        assert isinstance(asked, WireReturnedReport)
        assert (asked.submission, asked.reason, wall(asked.respond_by)) == (
            "s-1",
            "Số liệu chưa khớp",
            "2024-12-21 00:00",
        )
