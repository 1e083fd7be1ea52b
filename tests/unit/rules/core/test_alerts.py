"""The alerts a duty calls for: reminders, urging, escalation, and what a report lacks."""

import pytest

from schemas.events.assessments import StepKind
from services.rules.core.alerts import DueAlert, plan_alerts
from services.rules.core.assess import assess
from services.rules.core.facts import Fact
from tests.support.assertions.spec import a_book, a_duty, alerts, decided, received, rfc3339, undated, wall
from tests.support.builders.plans import (
    Json,
    a_plan,
    a_submission,
    a_version,
    a_withdrawal,
    an_extension,
    an_obligation,
)

EMPTY: Json = {"nil_return": False, "figures_as_of": None, "sections": {}, "indicators": {}}
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


def called_for(*facts: Fact, reminders: Json = FULL) -> list[tuple[str | None, str, str, str]]:
    """The steps of the usual duty under *reminders*."""
    return alerts(assess(a_duty(a_version(reminders=reminders)), facts))


def repeating(*facts: Fact) -> list[DueAlert]:
    """The urgings that repeat."""
    return [one for one in plan_alerts(assess(a_duty(a_version(reminders=FULL)), facts)) if one.every]


def report(on: str, event: str = "s-1", **data: object) -> Fact:
    """A report received at a wall time."""
    return received(a_submission(event, data=dict(data)), on)


def test_a_silent_agency_is_reminded_urged_and_escalated() -> None:
    """Each step stands at its distance from due, in order of time."""
    assert called_for() == [*BEFORE, *AFTER]


def test_the_last_urging_repeats_until_the_next_period_falls_due() -> None:
    """From the next interval after the last one named; nobody is urged weekly about years gone by."""
    (last,) = repeating()
    assert (wall(last.at), last.step, last.every) == ("2024-12-20 00:00", "P10D", "P7D")
    assert last.until is not None
    assert wall(last.until) == "2025-12-10 00:00"


def test_without_named_urgings_the_first_repetition_counts_from_due() -> None:
    """A week after due, then weekly."""
    assert called_for(reminders={"then_every": "P7D"}) == [("2024-12-17 00:00", "urging", "P7D", "self")]


def test_nothing_is_said_to_who_has_reported() -> None:
    """From the report on the duty is settled."""
    assert called_for(report("2024-12-01 08:00")) == BEFORE[:1]


def test_a_late_report_ends_the_urging() -> None:
    """The repetition runs until then, and what would come later does not."""
    late = report("2025-01-05 08:00")
    assert called_for(late) == [*BEFORE, *AFTER]
    assert [wall(one.until) for one in repeating(late)] == ["2025-01-05 08:00"]
    assert called_for(report("2024-12-15 08:00")) == [*BEFORE, *AFTER[:2]]


def test_a_report_before_the_first_repetition_leaves_none() -> None:
    """The stretch ends before it would begin."""
    assert repeating(report("2024-12-19 08:00")) == []


def test_a_withdrawal_starts_the_urging_again_at_the_next_interval() -> None:
    """On the same grid as before, counted from due."""
    facts = report("2024-12-01 08:00"), received(a_withdrawal("w-1", "s-1"), "2025-01-01 08:00")
    assert [(wall(one.at), one.step) for one in repeating(*facts)] == [("2025-01-03 00:00", "P24D")]


def test_an_incomplete_report_is_told_at_once_and_urged_on() -> None:
    """What is missing is said when it comes; due passes and the urging says so again."""
    assert called_for(report("2024-12-01 08:00", content=EMPTY)) == [
        BEFORE[0],
        ("2024-12-01 08:00", "incomplete", "incomplete:s-1", "self"),
        BEFORE[1],
        *AFTER,
    ]


def test_the_same_lack_is_told_once() -> None:
    """A correction that mends nothing brings no second notice; one that lacks something else does."""
    requires = {"sections": ["a", "b"]}
    facts = (
        report("2024-12-01 08:00", "s-1", content=EMPTY),
        report("2024-12-02 08:00", "s-2", content=EMPTY, corrects="s-1"),
        report("2024-12-03 08:00", "s-3", content=EMPTY | {"sections": {"a": "x"}}, corrects="s-2"),
    )
    assessment = assess(a_duty(a_version(requires=requires, reminders={})), facts)
    assert [one.step for one in plan_alerts(assessment)] == ["incomplete:s-1", "incomplete:s-3"]


def test_an_incomplete_copy_beside_a_complete_report_is_not_told() -> None:
    """The duty is discharged."""
    facts = report("2024-11-01 08:00"), report("2024-11-02 08:00", "s-2", content=EMPTY)
    assert called_for(*facts) == []


def test_an_extension_moves_the_steps_with_the_due_instant() -> None:
    """Those of the old instant that lie before the decision stay, those after it are measured anew."""
    granted = received(decided(an_extension("x-1", rfc3339("2024-12-31 00:00")), "2024-12-05"), "2024-12-05 09:00")
    assert called_for(granted, reminders={"before": ["P7D"], "after": ["PT0S"]}) == [
        ("2024-12-03 00:00", "reminder", "P7D", "self"),
        ("2024-12-24 00:00", "reminder", "P7D", "self"),
        ("2024-12-31 00:00", "urging", "PT0S", "self"),
    ]


def test_no_reminder_precedes_the_duty() -> None:
    """A plan that reminds two years ahead starts when the duty opens."""
    assert called_for(reminders={"before": ["P2Y", "P7D"]}) == [BEFORE[1]]


def test_a_reminder_that_is_not_before_due_is_none() -> None:
    """A zero distance reminds of nothing."""
    assert called_for(reminders={"before": ["PT0S"]}) == []


def test_months_are_calendar_months() -> None:
    """A month before 10 December is 10 November."""
    assert called_for(reminders={"before": ["P1M"]}) == [("2024-11-10 00:00", "reminder", "P1M", "self")]


def test_a_day_is_a_day_on_the_wall_whatever_the_clocks_do() -> None:
    """In a zone with summer time a reminder a day ahead still comes at midnight."""
    version = a_version(due={"month": 4, "day": 1}, reminders={"before": ["P2D"], "after": ["PT12H"]})
    book = a_book(a_plan(an_obligation(version), zone="Europe/Berlin"))
    duty = book.duty(agency="h-mot", obligation="results", period="2024")
    assert [wall(one.at, book.calendar.zone) for one in plan_alerts(assess(duty, ()))] == [
        "2024-03-30 00:00",
        "2024-04-01 12:00",
    ]


@pytest.mark.parametrize("period", [None, "2024"])
def test_an_undated_duty_is_never_urged(period: str | None) -> None:
    """There is nothing to measure from."""
    version = undated() if period is None else a_version(due=None, reminders=FULL)
    assert alerts(assess(a_duty(version, period=period), ())) == []


def test_a_duty_that_never_binds_calls_for_nothing() -> None:
    """Not even with a report on file."""
    duty = a_duty(a_version(to="2020-01-01"), period="2021")
    assert plan_alerts(assess(duty, [received(a_submission(data={"period": "2021"}), "2021-12-01 08:00")])) == ()


def test_at_the_end_of_the_calendar_the_steps_stand_still() -> None:
    """An extension to the last instant there is ends in no error."""
    event = decided(an_extension("x-1", "9999-12-31T23:59:59+00:00"), "2024-12-05")
    found = plan_alerts(assess(a_duty(a_version(reminders=FULL)), [received(event, "2024-12-05 09:00")]))
    assert {one.kind for one in found} >= {StepKind.REMINDER}
    assert all(one.at.year in {2024, 9999} for one in found)
