"""What a report is compiled from: the decisions that exempt or extend a duty are those that its status rests on."""

import asyncio
import json
from collections.abc import Sequence
from datetime import UTC, datetime

from services.reporting.content.report_compiler import RecordedOpinion, ReportCompiler
from services.reporting.core.access.readers import EVERYTHING
from services.reporting.core.report.inputs import ReportInputs
from services.reporting.queries import QueryContext
from tests.support.builders import plans
from tests.support.builders.partition_log import PartitionLog
from tests.support.builders.plans import Json
from tests.support.clients.reporting_archive import InMemoryArchive

AFTER = datetime(2024, 12, 31, tzinfo=UTC)
RECEIVED = "2024-11-25T08:00:00+07:00"


class NoOpinions:
    """No officer has recorded anything."""

    async def find_evaluations(self, plan: str, period: str, known_at: datetime) -> Sequence[RecordedOpinion]:
        """Return nothing."""
        del plan, period, known_at
        return ()


def compile_inputs(*facts: Json) -> ReportInputs:
    """Compile the inputs of the report on 2024 of a log with these facts."""
    plan, registry = plans.a_plan(), plans.a_registry()
    log, archive = PartitionLog(plan, registry), InMemoryArchive()
    for verdict in log.adopt_raw():
        archive.store_verdict(verdict)
    for fact in facts:
        for verdict in log.append_raw(fact):
            archive.store_verdict(verdict)
        archive.store_fact(json.dumps(fact, ensure_ascii=False).encode(), recorded_at=log.position.recorded_at)
    compiler = ReportCompiler(archive.ask(plan, registry), archive, NoOpinions())
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
