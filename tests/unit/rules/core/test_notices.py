"""What an agency is told of its duty besides reminders and urgings: each notice once, when it has become so."""

import pytest

from schemas.events.wire import WireNotice, WireStep
from services.rules.core.alerts import plan_alerts
from services.rules.core.assess import assess
from services.rules.core.duty import Duty
from services.rules.core.facts import Fact
from tests.support.assertions.spec import a_catalogue, a_duty, a_fact, instant, wall, with_decision_date
from tests.support.builders.plans import (
    Json,
    a_plan,
    a_registry,
    a_return,
    a_submission,
    a_version,
    a_withdrawal,
    an_agency,
    an_exemption,
    an_extension,
    an_obligation,
)

ALL = ["received", "returned", "extension", "exemption", "succession", "opening"]
EMPTY: Json = {"nil_return": False, "figures_as_of": None, "sections": {}, "indicators": {}}


def a_told_duty(*notices: str, **changes: object) -> Duty:
    """Build the usual duty of 2024 with *notices* (default: all) and no reminders."""
    return a_duty(a_version(reminders={"notices": list(notices or ALL)}, **changes))


def notices_of(duty: Duty, *facts: Fact) -> list[tuple[str | None, str, str]]:
    """Return when, what kind and to whom, for each alert."""
    return [(wall(one.at), one.step, one.to) for one in plan_alerts(assess(duty, facts))]


def report(on: str, event: str = "s-1", **data: object) -> Fact:
    """Build a report received at a wall time."""
    return a_fact(a_submission(event, data=dict(data)), on)


def test_nothing_is_told_by_default() -> None:
    """Without `notices` an agency hears nothing of an opening or a report that is complete."""
    duty = a_duty(a_version(reminders={}))
    assert notices_of(duty, report("2024-12-01 08:00")) == []


def test_an_opening_is_told_when_the_duty_opens() -> None:
    """The period opens on 1 January; a duty that is fulfilled from the first is not opened."""
    assert notices_of(a_told_duty("opening")) == [("2024-01-01 00:00", "opening", "self")]
    assert notices_of(a_told_duty("opening"), report("2023-12-20 08:00")) == []


def test_a_complete_report_is_told_once_when_it_is_here() -> None:
    """A second document and a correction of a complete report are not told again; a new one after a withdrawal is."""
    duty = a_told_duty("received")
    first, other = report("2024-12-01 08:00"), report("2024-12-02 08:00", "s-2")
    corrected = report("2024-12-03 08:00", "s-3", corrects="s-1")
    assert notices_of(duty, first, other, corrected) == [("2024-12-01 08:00", "received:s-1", "self")]
    withdrawn = a_fact(a_withdrawal("w-1", "s-1"), "2024-12-02 08:00")
    again = report("2024-12-05 08:00", "s-4")
    assert [step for _, step, _ in notices_of(duty, first, withdrawn, again)] == ["received:s-1", "received:s-4"]


def test_an_incomplete_report_is_told_as_received_once_it_is_completed() -> None:
    """The missing part is told at once, the receipt when nothing is missing any more."""
    duty = a_told_duty("received")
    partial, completed = report("2024-12-01 08:00", content=EMPTY), report("2024-12-03 08:00", "s-2", corrects="s-1")
    assert notices_of(duty, partial, completed) == [
        ("2024-12-01 08:00", "incomplete:s-1", "self"),
        ("2024-12-03 08:00", "received:s-2", "self"),
    ]


def test_what_was_received_is_told_with_its_number_and_its_time() -> None:
    """The letter can say which document counts and from when."""
    (step,) = plan_alerts(assess(a_told_duty("received"), [report("2024-12-01 08:00")]))
    assert isinstance(step.notice, WireNotice)
    assert (step.notice.document, wall(step.notice.effective_at)) == ("s-1/BC-UBND", "2024-12-01 08:00")


def test_an_extension_is_told_when_it_is_known_and_in_effect() -> None:
    """With the deadline before it; one that moves nothing, or comes after the report, is not told."""
    duty = a_told_duty("extension")
    granted = a_fact(
        with_decision_date(an_extension("e-1", "2024-12-20T00:00:00+07:00"), "2024-12-02"), "2024-12-03 09:00"
    )
    (step,) = plan_alerts(assess(duty, [granted]))
    assert (step.step, wall(step.at), wall(step.due_at)) == ("extension:e-1", "2024-12-03 09:00", "2024-12-20 00:00")
    assert isinstance(step.notice, WireNotice)
    assert (wall(step.notice.former_due_at), str(step.notice.decided_on)) == ("2024-12-10 00:00", "2024-12-02")
    shorter = a_fact(
        with_decision_date(an_extension("e-2", "2024-12-05T00:00:00+07:00"), "2024-12-02"), "2024-12-03 09:00"
    )
    assert notices_of(duty, shorter) == []
    assert notices_of(duty, report("2024-12-01 08:00"), granted) == []


def test_an_exemption_is_told_where_it_releases_the_duty() -> None:
    """One whose span does not hold the due instant releases nothing, and nothing is told."""
    duty = a_told_duty("exemption")
    span = ("2024-12-01T00:00:00+07:00", "2025-01-01T00:00:00+07:00")
    released = a_fact(with_decision_date(an_exemption("x-1", *span), "2024-11-02"), "2024-11-03 09:00")
    assert notices_of(duty, released) == [("2024-11-03 09:00", "exemption:x-1", "self")]
    other = a_fact(
        with_decision_date(an_exemption("x-2", "2024-01-01T00:00:00+07:00", span[0]), "2024-11-02"), "2024-11-03 09:00"
    )
    assert notices_of(duty, other) == []


def merged_steps() -> list[WireStep]:
    """Return the alerts of an agency that is merged into another on 1 July 2024."""
    registry = a_registry(
        an_agency("h-mot", valid={"from": "2016-05-05", "to": "2024-07-01"}),
        an_agency("h-hai"),
        successions=[{"type": "merge_into", "from": ["h-mot"], "to": ["h-hai"], "on": "2024-07-01"}],
    )
    plan = a_plan(an_obligation(a_version(reminders={"notices": ["succession"]})))
    duty = a_catalogue(plan, registry).duty(agency="h-mot", obligation="results", period="2024")
    return list(plan_alerts(assess(duty, [])))


def test_a_succession_is_told_to_the_agency_that_ends_and_to_each_heir() -> None:
    """On the day on which the open duty passes; both letters name the heirs."""
    steps = merged_steps()
    assert [(wall(one.at), one.step, one.to) for one in steps] == [
        ("2024-07-01 00:00", "succession", "h-hai"),
        ("2024-07-01 00:00", "succession", "self"),
    ]
    assert [one.notice.heirs for one in steps if isinstance(one.notice, WireNotice)] == [("h-hai",), ("h-hai",)]


@pytest.mark.parametrize(
    ("reminders", "is_told"),
    [({}, False), ({"before": ["P7D"]}, True), ({"notices": ["returned"]}, True), ({"then_every": "P7D"}, True)],
)
def test_a_return_is_told_where_the_duty_has_reminders(reminders: Json, *, is_told: bool) -> None:
    """Always where it has any, and where it is named among the notices."""
    duty = a_duty(a_version(reminders=reminders))
    returned = a_fact(a_return("r-1", "s-1"), "2024-12-03 08:00")
    told = [step for _, step, _ in notices_of(duty, report("2024-12-01 08:00"), returned)]
    assert ("returned:r-1" in told) is is_told


REPEATED: Json = {"after": ["PT0S"], "then_every": "P7D", "at_most": 3}


class TestRepetitions:
    """`at_most` counts the repetitions of `then_every`, wherever a span of them begins."""

    def test_all_of_them_are_left_at_first(self) -> None:
        """Counted from the last step of `after`."""
        repeated = [one for one in plan_alerts(assess(a_duty(a_version(reminders=REPEATED)), [])) if one.every]
        assert [(one.step, one.at_most) for one in repeated] == [("P7D", 3)]

    def test_those_that_have_passed_are_counted_where_a_report_is_withdrawn(self) -> None:
        """A report on file from 15 to 26 December passes two repetitions; one is left on the 31st."""
        facts = [
            report("2024-12-15 08:00"),
            a_fact(a_withdrawal("w-1", "s-1"), "2024-12-26 08:00"),
        ]
        steps = plan_alerts(assess(a_duty(a_version(reminders=REPEATED)), facts))
        assert [(wall(one.at), one.at_most) for one in steps if one.every] == [("2024-12-31 00:00", 1)]

    def test_only_the_first_urging_settles(self) -> None:
        """The earliest step of `after` or, where there is none, the first repetition."""
        settled = {"after": ["P3D", "PT0S"], "then_every": "P7D", "settle": "PT2H"}
        steps = plan_alerts(assess(a_duty(a_version(reminders=settled)), []))
        assert [one.step for one in steps if one.settle == "PT2H"] == ["PT0S"]
        alone = plan_alerts(assess(a_duty(a_version(reminders={"then_every": "P7D", "settle": "PT2H"})), []))
        assert [(one.step, one.settle) for one in alone] == [("P7D", "PT2H")]
        assert instant("2024-12-17 00:00") == alone[0].at


def test_a_copy_that_was_dispatched_earlier_is_no_second_receipt() -> None:
    """The same document by two channels is one report: it is acknowledged once, by the copy that came first."""
    document = {"number": "877/BC-STC", "issued_on": "2024-11-27", "signed_by": "A", "title": "t"}
    first = report("2024-12-01 09:02", document=document)
    sent = {"sent_at": "2024-12-01T08:55:00+07:00", "proof": "exchange-log", "reference": "r-1"}
    copy = report("2024-12-01 09:30", "s-2", document=document, dispatch=sent)
    assert notices_of(a_told_duty("received"), first, copy) == [("2024-12-01 09:02", "received:s-1", "self")]


def test_a_report_that_a_successor_filed_is_acknowledged_to_the_successor() -> None:
    """The agency whose duty it was has ended and reads nothing any more."""
    registry = a_registry(
        an_agency("h-mot", valid={"from": "2016-05-05", "to": "2025-01-01"}),
        an_agency("h-hai"),
        successions=[{"type": "merge_into", "from": ["h-mot"], "to": ["h-hai"], "on": "2025-01-01"}],
    )
    plan = a_plan(an_obligation(a_version(reminders={"notices": ["received"]})))
    duty = a_catalogue(plan, registry).duty(agency="h-mot", obligation="results", period="2024")
    filed = report("2025-01-06 09:00", agency="h-hai", on_behalf_of="h-mot")
    assert [to for _, _, to in notices_of(duty, filed)] == ["h-hai"]
