"""A plan that supersedes another: what becomes of the old duties, and which old reports count for the new ones."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given

from schemas.events.assessments import Status
from schemas.plan.plan import Plan
from services.rules.core.assess import assess
from services.rules.core.duty import Duty
from services.rules.core.duty_catalogue import DutyCatalogue
from services.rules.core.facts import Fact
from services.rules.duty_catalogues import CatalogueLinker
from tests.support.assertions.spec import a_fact, instant, status_history, wall, with_decision_date
from tests.support.builders import strategies as some
from tests.support.builders.plans import (
    Json,
    a_plan,
    a_registry,
    a_submission,
    a_version,
    a_withdrawal,
    an_exemption,
    an_extension,
    an_obligation,
)

FROM = "2024-09-25"
AT_FROM = instant("2024-09-25 00:00")
CARRIES = {"results": "annual"}


def a_new_plan(*, version: Json | None = None, **supersedes: object) -> Plan:
    """Build the plan that takes the place of the usual one on 25 September 2024 and asks for a section more."""
    new = version or a_version(**{"from": FROM}, requires={"sections": ["results", "proposals"]})
    return a_plan(
        an_obligation(new, id="annual"),
        plan="P-2",
        issued_on="2024-09-20",
        supersedes={"plan": "P-1", "from": FROM, "carries": CARRIES} | supersedes,
    )


def link(old: Plan | None = None, new: Plan | None = None) -> tuple[DutyCatalogue, DutyCatalogue]:
    """Return the catalogues of both plans, which know each other."""
    documents = {"P-1": (old or a_plan(), a_registry()), "P-2": (new or a_new_plan(), a_registry())}
    linked = CatalogueLinker().link(documents)
    return linked["P-1"], linked["P-2"]


def old_duty(*versions: Json, period: str | None = "2024") -> Duty:
    """Return the first agency's duty under the old plan."""
    old, _ = link(a_plan(an_obligation(*versions)))
    return old.duty(agency="h-mot", obligation="results", period=period)


def new_duty(new: Plan | None = None) -> Duty:
    """Return the first agency's duty of 2024 under the new plan."""
    return link(new=new)[1].duty(agency="h-mot", obligation="annual", period="2024")


def a_report(event: str, on: str, *, sections: Json | None = None, **data: object) -> Fact:
    """Build a report under the old plan with both sections."""
    texts = {"results": "Đã làm", "proposals": "Không"} if sections is None else sections
    content = {"nil_return": False, "figures_as_of": None, "sections": texts, "indicators": {}}
    return a_fact(a_submission(event, data={"content": content, **data}), on)


class TestOldDuty:
    """What opened before and is due on or after the day is superseded; what would open later never is a duty."""

    def test_it_is_superseded_from_the_day_and_before_it_answers_as_ever(self) -> None:
        """A duty due in December is pending until 25 September, then superseded."""
        assert status_history(old_duty()) == [("2024-01-01 00:00", "pending"), ("2024-09-25 00:00", "superseded")]

    def test_it_is_superseded_whatever_was_filed(self) -> None:
        """A report of August had made it complete; from the day on it is superseded, without a word of heirs."""
        found = assess(old_duty(), [a_report("s-1", "2024-08-01 08:00")])
        assert [one.status for one in found.timeline] == [Status.PENDING, Status.ON_TIME, Status.SUPERSEDED]
        assert found.timeline[-1].flags == ()

    def test_an_exempt_duty_is_superseded_too(self) -> None:
        """Every duty of the old plan passes, whatever was decided about it."""
        exemption = with_decision_date(
            an_exemption("e-1", "2024-12-01T00:00:00+07:00", "2025-01-01T00:00:00+07:00"), "2024-06-01"
        )
        found = assess(old_duty(), [a_fact(exemption, "2024-06-01 08:00")])
        assert [one.status for one in found.timeline][-2:] == [Status.EXEMPT, Status.SUPERSEDED]

    @pytest.mark.parametrize(
        "due, last", [({"month": 9, "day": 24}, "overdue"), ({"month": 9, "day": 25}, "superseded")]
    )
    def test_what_was_due_before_the_day_stays(self, due: Json, last: str) -> None:
        """Due at midnight of 24 September it stays overdue; due at the very instant it is superseded."""
        assert status_history(old_duty(a_version(due=due)))[-1][1] == last

    def test_an_extension_beyond_the_day_brings_it_under_the_succession(self) -> None:
        """Due on 10 September and extended to December before that, it is due after the day."""
        extension = with_decision_date(an_extension("x-1", "2024-12-20T00:00:00+07:00"), "2024-09-01")
        duty = old_duty(a_version(due={"month": 9, "day": 10}))
        assert status_history(duty, a_fact(extension, "2024-09-01 08:00"))[-1] == ("2024-09-25 00:00", "superseded")

    def test_an_undated_duty_is_superseded(self) -> None:
        """A duty without a due date is superseded from the day on."""
        duty = old_duty(a_version(recurrence="none", due=None, reminders={}), period=None)
        assert status_history(duty)[-1] == ("2024-09-25 00:00", "superseded")

    def test_what_would_open_later_does_not_apply_and_is_not_expected(self) -> None:
        """The duty of 2025 never binds, at no instant, and the horizon makes none."""
        old, _ = link()
        assert status_history(old_duty(period="2025")) == []
        assert {key.period for key in old.duties_opening_before(instant("2026-01-01 00:00"))} == {
            str(year) for year in range(2016, 2025)
        }


class TestNewDuty:
    """A report under the old obligation counts for the new duty at its own time, by the new requirements."""

    @pytest.mark.parametrize("on", ["2024-08-01 08:00", "2024-10-01 08:00"])
    def test_a_report_before_or_after_the_day_counts_at_its_own_instant(self, on: str) -> None:
        """It discharges the duty from when it was received; before the duty opened, from then on."""
        found = assess(new_duty(), [a_report("s-1", on)]).at(instant("2024-12-11 00:00"))
        assert (found.status, wall(found.effective_at), found.submissions) == (Status.ON_TIME, on, 1)

    def test_the_new_requirements_judge_it(self) -> None:
        """What was complete under the old plan lacks the section that the new one asks for."""
        found = assess(new_duty(), [a_report("s-1", "2024-08-01 08:00", sections={"results": "Đã làm"})])
        assert found.timeline[-1].missing == ("sections.proposals",)

    def test_a_dispatch_before_the_new_plan_was_issued_counts(self) -> None:
        """The instant of dispatch is the one it had under the old plan, whose issue it does not precede."""
        dispatch = {"sent_at": "2024-07-30T08:00:00+07:00", "proof": "postmark", "reference": "RB123"}
        document = {"number": "1/BC", "issued_on": "2024-07-29", "signed_by": "A", "title": ""}
        found = assess(new_duty(), [a_report("s-1", "2024-08-01 08:00", dispatch=dispatch, document=document)])
        assert (wall(found.timeline[-1].effective_at), found.timeline[-1].flags) == ("2024-07-30 08:00", ())

    def test_a_withdrawn_report_counts_up_to_its_withdrawal(self) -> None:
        """What names the report under the old plan follows it."""
        facts = [a_report("s-1", "2024-10-01 08:00"), a_fact(a_withdrawal("w-1", "s-1"), "2024-10-05 08:00")]
        assert [status for _, status in status_history(new_duty(), *facts)][-3:] == ["on_time", "pending", "overdue"]

    def test_a_plan_after_next_counts_what_the_next_one_does(self) -> None:
        """What was carried over once is carried on."""
        third = a_plan(
            an_obligation(a_version(**{"from": "2024-11-01"}), id="yearly"),
            plan="P-3",
            issued_on="2024-11-01",
            supersedes={"plan": "P-2", "from": "2024-11-01", "carries": {"annual": "yearly"}},
        )
        documents = {one.plan: (one, a_registry()) for one in (a_plan(), a_new_plan(), third)}
        linked = CatalogueLinker().link(documents)
        duty = linked["P-3"].duty(agency="h-mot", obligation="yearly", period="2024")
        assert [one.key.plan for one in duty.carried_from] == ["P-2", "P-1"]
        assert linked["P-3"].carries_over == {("P-1", "results"): ("yearly",), ("P-2", "annual"): ("yearly",)}

    def test_a_report_counts_where_the_old_plan_is_not_known(self) -> None:
        """With the new plan alone the old report is judged by what that says."""
        duty = DutyCatalogue(a_new_plan(), a_registry()).duty(agency="h-mot", obligation="annual", period="2024")
        assert assess(duty, [a_report("s-1", "2024-08-01 08:00")]).timeline[-1].status is Status.ON_TIME


def test_plans_that_supersede_each_other_are_linked_all_the_same() -> None:
    """A circle of plans is nonsense, but it must not keep anybody from starting."""
    first = a_plan(supersedes={"plan": "P-2", "from": FROM, "carries": {"annual": "results"}})
    old, new = link(first)
    assert {old.plan.plan, new.plan.plan} == {"P-1", "P-2"}


@given(log=some.logs, at=some.instants)
def test_before_the_day_the_old_duty_answers_as_ever(log: list[Json], at: datetime) -> None:
    """Whatever was filed and decided: before 25 September 2024 nothing differs from a plan without successor."""
    facts = some.decode_facts(log)
    alone = DutyCatalogue(a_plan(), a_registry()).duty(agency="h-mot", obligation="results", period="2024")
    before = min(at, AT_FROM - timedelta(microseconds=1))
    assert assess(old_duty(), facts).at(before) == assess(alone, facts).at(before)


@given(log=some.logs)
def test_from_the_day_on_an_old_duty_that_is_due_later_is_superseded_for_good(log: list[Json]) -> None:
    """No fact on either side of the day brings back a duty whose due instant lies behind it."""
    later = [one for one in assess(old_duty(), some.decode_facts(log)).timeline if one.starts_at >= AT_FROM]
    due_later = [one for one in later if one.due_at is None or one.due_at >= AT_FROM]
    assert {one.status for one in due_later} <= {Status.SUPERSEDED}
