"""The bus from the side of rules: documents published, facts appended, and what rules has assessed so far."""

from collections import Counter
from datetime import datetime
from typing import Any

from pydantic import BaseModel

from schemas.events.assessments import DutyAssessed, Status
from schemas.events.envelope import Envelope
from schemas.events.ids import DutyKey, reference_key
from schemas.events.topics import FACTS, REFERENCES, VERDICTS
from schemas.plan.plan import Plan
from schemas.plan.registry import Registry
from tests.support.assertions.eventually import eventually
from tests.support.builders import plans
from tests.support.servers.kafka import Bus, Record

GROUP = "dondoc-rules"

# Lets the consumer group notice within 1.5 seconds that a replica was killed.
QUICK_SESSION = {"DONDOC_RULES_SESSION_TIMEOUT_MS": "1500"}


class RulesClient:
    """What a test does to rules and sees of it, over the bus alone."""

    def __init__(self, bus: Bus) -> None:
        self.bus = bus

    async def publish(self, *documents: Plan | Registry) -> None:
        """Put documents on the bus as `dondoc publish` does."""
        for document in documents:
            kind, name = ("plan", document.plan) if isinstance(document, Plan) else ("registry", document.registry)
            key = reference_key(kind, name, document.version)
            await self.bus.publish(REFERENCES.name, _encode(document), key=key, partition=0)

    async def append_fact(self, event: dict[str, Any], *, agency: str | None = None) -> Record:
        """Put an accepted event into the log as intake does; without `receivedtime` it came on 1 December 2024."""
        recorded = {"receivedtime": "2024-12-01T08:00:01.000+07:00"} | event
        at = datetime.fromisoformat(recorded["receivedtime"])
        return await self.bus.publish(FACTS.name, recorded, key=agency or event["data"]["agency"], recorded_at=at)

    async def assessments(self) -> list[DutyAssessed]:
        """Read every assessment that rules has written, in the order of each partition."""
        return [event.data for event in await self.assessment_events()]

    async def assessment_events(self) -> list[Envelope[DutyAssessed]]:
        """Read every assessment that rules has written, with its envelope."""
        records = await self.bus.records(VERDICTS.name)
        return [Envelope[DutyAssessed].model_validate_json(record.value or b"") for record in records]

    async def assessments_of(self, agency: str, period: str = "2024") -> list[DutyAssessed]:
        """Read the assessments of one agency's usual duty, oldest first."""
        return [one for one in await self.assessments() if (one.agency, one.period) == (agency, period)]

    async def wait_for_assessments(self, agency: str, *, times: int, period: str = "2024") -> list[DutyAssessed]:
        """Wait until one duty has been assessed so often, and return its assessments."""

        async def probe() -> list[DutyAssessed]:
            found = await self.assessments_of(agency, period)
            return found if len(found) >= times else []

        return await eventually(probe, f"{times} verdicts on {agency} for {period}", timeout=30.0)

    async def wait_until_consumed(self) -> None:
        """Wait until every fact is consumed."""
        await self.bus.wait_until_consumed(GROUP, FACTS.name)

    async def publish_usual_plan(self) -> None:
        """Publish the usual documents and wait until every usual agency has been assessed."""
        await self.publish(plans.a_registry(), plans.a_plan())
        for agency in plans.AGENCIES:
            await self.wait_for_assessments(agency, times=1)
        await self.wait_until_consumed()

    async def find_repeated(self) -> list[DutyKey]:
        """Return the duties of which the same revision was written more than once."""
        written = Counter((key_of(one), one.revision) for one in await self.assessments())
        return [key for (key, _), times in written.items() if times > 1]


def key_of(assessed: DutyAssessed) -> DutyKey:
    """Return the duty that an assessment is about."""
    return DutyKey(plan=assessed.plan, agency=assessed.agency, obligation=assessed.obligation, period=assessed.period)


def status_at(assessed: DutyAssessed, instant: str) -> Status:
    """Return the status at an instant from the timeline of an assessment."""
    at = datetime.fromisoformat(instant)
    return [segment.status for segment in assessed.timeline if segment.from_ <= at][-1]


def _encode(document: BaseModel) -> bytes:
    return document.model_dump_json(by_alias=True).encode()
