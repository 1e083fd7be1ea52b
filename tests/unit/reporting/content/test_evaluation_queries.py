"""The grades of a period come from the duties as they stand, and from the three periods before."""

import asyncio
from datetime import UTC, datetime

import pytest

from schemas.plan.plan import Plan
from schemas.plan.registry import Registry
from services.reporting.content.evaluation_queries import EvaluationQueries, PlanGrades
from services.reporting.core.access.readers import EVERYTHING
from services.reporting.core.evaluation import Grade, NoGrade
from services.reporting.queries import QueryContext
from tests.support.builders import plans
from tests.support.builders.partition_log import PartitionLog
from tests.support.builders.plans import Json
from tests.support.clients.reporting_archive import InMemoryArchive

AFTER = datetime(2024, 12, 20, tzinfo=UTC)
DONE, LATE, NOT_DONE = "late_before == 0", "late_before == 1 && status == 'on_time'", "status == 'overdue'"


def a_graded_plan() -> Plan:
    """Return a plan that grades by what was late before."""
    conditions = {"A": DONE, "B": LATE, "D": NOT_DONE}
    rules = [{"grade": grade, "title": {"vi": grade}, "when": when} for grade, when in conditions.items()]
    return plans.a_plan(grading=rules)


def grade(*facts: Json, as_of: datetime = AFTER, registry: Registry | None = None) -> PlanGrades:
    """Return the grades of 2024 of a log with these facts."""
    plan, registry = a_graded_plan(), registry or plans.a_registry()
    log, archive = PartitionLog(plan, registry), InMemoryArchive()
    for verdict in (*log.adopt_raw(), *(verdict for fact in facts for verdict in log.append_raw(fact))):
        archive.store_verdict(verdict)
    context = QueryContext(as_of=as_of, known_at=as_of, scope=EVERYTHING)
    return asyncio.run(EvaluationQueries(archive.ask(plan, registry)).grade_period(plans.PLAN, "2024", context))


def a_report(event: str, year: int, agency: str = plans.AGENCIES[0]) -> Json:
    """Return an agency's report of a year, on time."""
    received = f"{year}-12-01T08:00:00+07:00"
    fact = plans.a_submission(event, data={"period": str(year), "agency": agency}, receivedtime=received)
    return {**fact, "subject": agency}


def test_every_duty_is_graded_with_what_came_before() -> None:
    """The first agency missed one of the three years before, the others all of them."""
    reports = [a_report(f"s-{year}", year) for year in (2022, 2023, 2024)]
    first, *others = sorted(grade(*reports).duties, key=lambda one: one.key.agency != plans.AGENCIES[0])
    assert isinstance(first.outcome, Grade)
    assert (first.outcome.grade, first.work.late_before, first.work.submissions) == ("B", 1, 1)
    assert [one.outcome.grade for one in others if isinstance(one.outcome, Grade)] == ["D", "D"]
    assert {one.work.late_before for one in others} == {3}


def test_who_has_time_left_is_not_graded() -> None:
    """Before the due instant nothing is late."""
    duties = grade(as_of=datetime(2024, 12, 5, tzinfo=UTC)).duties
    assert [type(one.outcome) for one in duties] == [NoGrade] * len(plans.AGENCIES)


@pytest.mark.parametrize(("merged_on", "late_before"), [("2024-06-01", 2), ("2024-12-15", 1)])
def test_an_heir_has_the_history_of_those_who_were_merged_into_it(merged_on: str, late_before: int) -> None:
    """Merged by the due day, what the other agency missed counts; a year that both missed counts once."""
    heir, merged = "h-mot", "h-hai"
    registry = plans.a_registry(
        plans.an_agency(heir),
        plans.an_agency(merged, valid={"from": plans.SINCE, "to": merged_on}),
        successions=[{"type": "merge_into", "from": [merged], "to": [heir], "on": merged_on, "act": "NQ"}],
    )
    # Of 2021, 2022 and 2023 the heir missed the last, the other one the last two.
    reports = [a_report(f"{agency}-{year}", year, agency) for agency, year in
               ((heir, 2021), (heir, 2022), (merged, 2021))]  # fmt: skip
    found = {one.key.agency: one for one in grade(*reports, registry=registry).duties}
    assert found[heir].work.late_before == late_before
