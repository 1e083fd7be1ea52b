"""Use rules from outside: publish documents, accept facts, and read the assessments."""

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
QUICK_SESSION = {"DONDOC_RULES_SESSION_TIMEOUT_MS": "1500"}
"""The group notices a killed replica after this time."""


class Rules:
    """Feeds rules and reads its assessments, over Kafka alone."""

    def __init__(self, bus: Bus) -> None:
        self.bus = bus

    async def publish(self, *documents: Plan | Registry) -> None:
        """Publish documents as `dondoc publish` does."""
        for document in documents:
            kind, name = ("plan", document.plan) if isinstance(document, Plan) else ("registry", document.registry)
            key = reference_key(kind, name, document.version)
            await self.bus.publish(REFERENCES.name, _written(document), key=key, partition=0)

    async def accept(self, event: dict[str, Any], *, agency: str | None = None) -> Record:
        """Append an accepted event to the log as intake does; received at its `receivedtime`, or on 1 December 2024."""
        recorded = {"receivedtime": "2024-12-01T08:00:01.000+07:00"} | event
        at = datetime.fromisoformat(recorded["receivedtime"])
        return await self.bus.publish(FACTS.name, recorded, key=agency or event["data"]["agency"], recorded_at=at)

    async def verdicts(self) -> list[DutyAssessed]:
        """Read every assessment, in the order of each partition."""
        return [event.data for event in await self.events()]

    async def events(self) -> list[Envelope[DutyAssessed]]:
        """Read every assessment with its envelope."""
        records = await self.bus.records(VERDICTS.name)
        return [Envelope[DutyAssessed].model_validate_json(record.value or b"") for record in records]

    async def of(self, agency: str, period: str = "2024") -> list[DutyAssessed]:
        """Read the assessments of one agency's usual duty, oldest first."""
        return [one for one in await self.verdicts() if (one.agency, one.period) == (agency, period)]

    async def told(self, agency: str, *, times: int, period: str = "2024") -> list[DutyAssessed]:
        """Wait for a number of assessments of one duty."""

        async def probe() -> list[DutyAssessed]:
            said = await self.of(agency, period)
            return said if len(said) >= times else []

        return await eventually(probe, f"{times} verdicts on {agency} for {period}", timeout=30.0)

    async def settled(self) -> None:
        """Wait until every fact is consumed."""
        await self.bus.caught_up(GROUP, FACTS.name)

    async def adopted(self) -> None:
        """Publish the usual documents and wait until every usual agency has been assessed."""
        await self.publish(plans.a_registry(), plans.a_plan())
        for agency in plans.AGENCIES:
            await self.told(agency, times=1)
        await self.settled()

    async def repeated(self) -> list[DutyKey]:
        """Return the duties of which one revision was published more than once."""
        said = Counter((key_of(one), one.revision) for one in await self.verdicts())
        return [key for (key, _), times in said.items() if times > 1]


def key_of(said: DutyAssessed) -> DutyKey:
    """Return the key of the duty that an assessment is about."""
    return DutyKey(plan=said.plan, agency=said.agency, obligation=said.obligation, period=said.period)


def status_at(said: DutyAssessed, instant: str) -> Status:
    """Return the status at an instant in the timeline of an assessment."""
    at = datetime.fromisoformat(instant)
    return [segment.status for segment in said.timeline if segment.from_ <= at][-1]


def _written(document: BaseModel) -> bytes:
    return document.model_dump_json(by_alias=True).encode()
