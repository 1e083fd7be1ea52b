"""Compares what rules has published last of each duty with what `dondoc evaluate` answers from the log itself."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from schemas.events.assessments import DutyAssessed
from schemas.events.facts import ADOPTED
from schemas.events.ids import DutyKey
from schemas.plan.plan import Plan
from schemas.plan.registry import Registry
from services.console.commands.plans import evaluate
from services.console.commands.plans.evaluate import StatusQuery
from services.rules import fact_decoder
from services.rules.core.duty_catalogue import DutyCatalogue
from services.rules.core.facts import Fact
from tests.support.servers.kafka import Record
from tests.support.servers.rules import key_of

END_OF_TIME = datetime(9999, 1, 1, tzinfo=UTC)


def newest_verdicts(assessed: Iterable[DutyAssessed]) -> dict[DutyKey, DutyAssessed]:
    """Return the assessment of each duty that has the greatest revision, which is the one that consumers follow."""
    newest: dict[DutyKey, DutyAssessed] = {}
    for one in assessed:
        known = newest.get(key_of(one))
        if known is None or known.revision <= one.revision:
            newest[key_of(one)] = one
    return newest


def find_differences(
    verdicts: Iterable[DutyAssessed], facts: Iterable[Record], plan: Plan, registry: Registry
) -> list[str]:
    """Name every duty and instant at which the newest verdict differs from `dondoc evaluate` on *facts*."""
    catalogue = DutyCatalogue(plan, registry)
    dockets: dict[tuple[str, str], list[Fact]] = {}
    for record in facts:
        if record.json["type"] != ADOPTED:
            fact = fact_decoder.decode_fact(record.value or b"", recorded_at=record.recorded_at)
            dockets.setdefault((fact.agency, fact.obligation), []).append(fact)
    found = []
    for key, verdict in newest_verdicts(verdicts).items():
        duty = catalogue.duty(agency=key.agency, obligation=key.obligation, period=key.period)
        for segment in verdict.timeline:
            query = StatusQuery(fields={"at": ""}, duty=duty, at=segment.from_, known_at=END_OF_TIME)
            answer = evaluate.answer_query(catalogue, query, dockets.get((key.agency, key.obligation), ()))
            told: dict[str, Any] = {
                "status": segment.status.value,
                "submissions": segment.submissions,
                "flags": list(segment.flags),
                "missing": list(segment.missing),
                "evidence": list(segment.evidence),
            }
            expected = {name: answer[name] for name in told}
            if told != expected:
                found.append(f"{key} at {segment.from_}: {told} instead of {expected}")
    return found
