"""What a report is compiled from: the decisions that its statuses rest on, and what officers recorded of agencies."""

import asyncio
import json
from collections.abc import Sequence
from datetime import UTC, datetime

from schemas.events.reports import EvaluationRecorded
from schemas.plan.grading import GradeRule
from schemas.plan.plan import Plan
from services.reporting.content.report_compiler import RecordedOpinion, ReportCompiler
from services.reporting.content.results_queries import ResultsQueries
from services.reporting.core.access.readers import EVERYTHING
from services.reporting.core.report.inputs import ReportInputs
from services.reporting.queries import QueryContext
from services.reporting.sealing.report_decoder import RecordedEvaluation
from tests.support.builders import plans
from tests.support.builders.partition_log import PartitionLog
from tests.support.builders.plans import Json
from tests.support.clients.reporting_archive import InMemoryArchive

AFTER = datetime(2024, 12, 31, tzinfo=UTC)
RECEIVED = "2024-11-25T08:00:00+07:00"


class InMemoryEvaluations:
    """What officers recorded, as the store finds it: of exactly one period, in the order of the log."""

    def __init__(self, *recorded: RecordedEvaluation) -> None:
        self._recorded = recorded

    async def find_evaluations(self, plan: str, period: str, known_at: datetime) -> Sequence[RecordedOpinion]:
        """Return the evaluations for a period."""
        of_period = [one for one in self._recorded if (one.evaluation.plan, one.evaluation.period) == (plan, period)]
        return [one for one in of_period if one.recorded_at <= known_at]


def compile_inputs(*facts: Json, plan: Plan | None = None, opinions: Sequence[RecordedEvaluation] = ()) -> ReportInputs:
    """Compile the inputs of the report on 2024 of a log with these facts."""
    plan, registry = plan or plans.a_plan(), plans.a_registry()
    log, archive = PartitionLog(plan, registry), InMemoryArchive()
    for verdict in log.adopt_raw():
        archive.store_verdict(verdict)
    for fact in facts:
        for verdict in log.append_raw(fact):
            archive.store_verdict(verdict)
        archive.store_fact(json.dumps(fact, ensure_ascii=False).encode(), recorded_at=log.position.recorded_at)
    queries = archive.ask(plan, registry)
    results = ResultsQueries(queries, archive)
    compiler = ReportCompiler(queries, archive, InMemoryEvaluations(*opinions), results=results)
    context = QueryContext(as_of=AFTER, known_at=AFTER, scope=EVERYTHING)
    return asyncio.run(compiler.compile_inputs(plans.PLAN, "2024", context))


def decided(fact: Json, number: str) -> Json:
    """Return *fact* with a decision of that number."""
    return {**fact, "data": {**fact["data"], "decision": plans.a_decision(number=number)}, "receivedtime": RECEIVED}


def test_the_extension_that_moved_the_due_instant_last_is_cited() -> None:
    """Of two extensions the later due instant counts; one that moves nothing is not cited, nor is another agency's."""
    facts = (
        decided(plans.an_extension("x-1", "2024-12-15T00:00:00+07:00"), "1/QĐ-UBND"),
        decided(plans.an_extension("x-2", "2024-12-20T00:00:00+07:00"), "2/QĐ-UBND"),
        decided(plans.an_extension("x-3", "2024-12-12T00:00:00+07:00"), "3/QĐ-UBND"),
    )
    decisions = compile_inputs(*facts).decisions
    assert {key.agency: one.number for key, one in decisions.items()} == {plans.AGENCIES[0]: "2/QĐ-UBND"}


def test_an_exempt_duty_has_the_decision_that_exempts_it() -> None:
    """The exemption names no period, and covers the duty because its due instant lies inside."""
    exemption = plans.an_exemption("e-1", "2024-12-01T00:00:00+07:00", "2025-01-01T00:00:00+07:00")
    extension = decided(plans.an_extension("x-1", "2024-12-15T00:00:00+07:00"), "1/QĐ-UBND")
    (decision,) = compile_inputs(extension, decided(exemption, "4/QĐ-UBND")).decisions.values()
    assert (decision.number, decision.signed_by) == ("4/QĐ-UBND", "Chủ tịch")
    assert decision.issued_on is not None


def an_opinion(period: str, grade: str, day: int, agency: str = plans.AGENCIES[0]) -> RecordedEvaluation:
    """Build what an officer recorded of an agency on a day of December 2024."""
    evaluation = EvaluationRecorded(
        plan=plans.PLAN, period=period, agency=agency, grade=grade, sentence="", evaluated_by="nhcsxh-tinh"
    )
    recorded_at = datetime(2024, 12, day, tzinfo=UTC)
    return RecordedEvaluation(event=f"{period}-{grade}", evaluation=evaluation, recorded_at=recorded_at, record=b"")


def test_an_evaluation_of_the_graded_quarter_stands_in_the_annual_report() -> None:
    """The grade is of the last quarter that was due; of an opinion on it and one on the year the later one counts."""
    quarterly = plans.a_version(recurrence="quarter", due={"day": 10}, requires={})
    rules = (GradeRule.model_validate({"grade": "A", "title": {"vi": "Tốt"}, "when": "true"}),)
    plan = plans.a_plan(plans.an_obligation(quarterly)).model_copy(update={"grading": rules})
    first, second, third = plans.AGENCIES
    opinions = [
        an_opinion("2024-Q4", "of the quarter", 5, first),
        an_opinion("2024", "of the year", 4, first),
        an_opinion("2024-Q4", "of the quarter", 4, second),
        an_opinion("2024", "of the year", 5, second),
        an_opinion("2024-Q3", "of another quarter", 6, third),
    ]
    graded = compile_inputs(plan=plan, opinions=opinions).evaluations
    assert {one.agency: one.officer_grade for one in graded} == {
        first: "of the quarter", second: "of the year", third: None
    }  # fmt: skip
