"""One partition's log without a broker: each record is given to a processor as the consumer would give it."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from schemas.plan.plan import Plan
from schemas.plan.registry import Registry
from services.rules import fact_decoder, plan_adopter
from services.rules.assessment_event import LogPosition
from services.rules.duty_catalogues import DutyCatalogues
from services.rules.fact_validation import Rejection
from services.rules.processor import PartitionProcessor
from services.runtime.decoding import UnreadableRecordError
from tests.support.builders import plans

NOON = datetime(2024, 12, 1, 5, tzinfo=UTC)


class InMemoryDocuments:
    """The published documents, without a broker."""

    def __init__(self, *documents: Plan | Registry) -> None:
        self._documents = list(documents)

    def publish(self, document: Plan | Registry) -> None:
        """Add one version of a document."""
        self._documents.append(document)

    def plan(self, plan_id: str) -> Plan | None:
        """Return the latest version of a plan."""
        found = [one for one in self._documents if isinstance(one, Plan) and one.plan == plan_id]
        return max(found, key=lambda one: one.version, default=None)

    def registry(self, registry_id: str) -> Registry | None:
        """Return the latest version of a registry."""
        found = [one for one in self._documents if isinstance(one, Registry) and one.registry == registry_id]
        return max(found, key=lambda one: one.version, default=None)

    def plans(self) -> tuple[Plan, ...]:
        """Return the latest version of every plan."""
        ids = sorted({one.plan for one in self._documents if isinstance(one, Plan)})
        return tuple(plan for plan in map(self.plan, ids) if plan is not None)

    def version(self, kind: str, document_id: str, version: int) -> Plan | Registry | None:
        """Return one version of a document."""
        by_name = {
            ("plan" if isinstance(one, Plan) else "registry", _id_of(one), one.version): one for one in self._documents
        }
        return by_name.get((kind, document_id, version))


class PartitionLog:
    """Gives records to a processor one after the other, and keeps the changelog that it writes."""

    def __init__(self, *documents: Plan | Registry) -> None:
        self.documents = InMemoryDocuments(*(documents or (plans.a_registry(), plans.a_plan())))
        self.catalogues = DutyCatalogues(self.documents, 1)
        self.processor = PartitionProcessor(0, self.catalogues)
        self.offset = -1
        self.changelog: dict[str, bytes] = {}

    def append(self, event: dict[str, Any] | bytes | None) -> list[dict[str, Any]]:
        """Append one record and return the data of the assessments that follow from it."""
        return [json.loads(value)["data"] for value in self.append_raw(event)]

    def append_raw(self, event: dict[str, Any] | bytes | None) -> list[bytes]:
        """Append one record and return the assessments that follow from it, as bytes."""
        self.offset += 1
        value = event if isinstance(event, bytes | None) else json.dumps(event).encode()
        try:
            fact, _ = fact_decoder.decode_event(value, recorded_at=self.position.recorded_at)
        except UnreadableRecordError as cause:
            raise Rejection("unreadable", str(cause)) from cause
        events = list(self.processor.process(fact, position=self.position))
        self.changelog.update(self.processor.drain_changes())
        return [value for _, value in events]

    @property
    def position(self) -> LogPosition:
        """The position of the last record; each is recorded one second after the one before."""
        return LogPosition(offset=self.offset, recorded_at=NOON + timedelta(seconds=self.offset))

    def adopt(self, plan: str = plans.PLAN, *, now: datetime = NOON) -> list[dict[str, Any]]:
        """Append the adoption of the latest version of *plan*, and return the data of what follows from it."""
        return [json.loads(value)["data"] for value in self.adopt_raw(plan, now=now)]

    def adopt_raw(self, plan: str = plans.PLAN, *, now: datetime = NOON) -> list[bytes]:
        """Append the adoption of the latest version of *plan*, and return the assessments that follow, as bytes."""
        catalogue = self.catalogues.latest(plan)
        assert catalogue is not None
        adoption = plan_adopter.plan_adoption(catalogue, partition=0, now=now)
        return self.append_raw(plan_adopter.encode_adoption_event(adoption, now=now))

    def restore_processor(self) -> PartitionProcessor:
        """Return a new processor that was restored from the changelog."""
        fresh = PartitionProcessor(0, self.catalogues)
        for key, value in self.changelog.items():
            fresh.restore(key.encode(), value)
        assert fresh.activate_adoptions() == ()
        return fresh


def a_recorded_report(event: str = "s-1", **data: Any) -> dict[str, Any]:
    """Build a submission as the log holds it."""
    return plans.a_submission(event, data=data, receivedtime="2024-12-01T08:00:00+07:00")


def facts_of_every_kind() -> list[dict[str, Any]]:
    """Build one fact of every kind about the first agency, each received in a minute of its own."""
    report = a_recorded_report()["data"]
    move = {**report, "submission": "s-2", "from_period": "2024", "to_period": "2023", "reason": "Nhầm"}
    facts = [
        a_recorded_report("s-1"),
        a_recorded_report("s-2", content={"nil_return": True, "sections": {}, "indicators": {"x": 1.5}}),
        a_recorded_report("s-3", corrects="s-1", attachments=[_a_file()]),
        plans.a_withdrawal("w-1", "s-1"),
        plans.an_extension("x-1", "2024-12-20T00:00:00+07:00"),
        plans.an_exemption("e-1", "2025-01-01T00:00:00Z", "2026-01-01T00:00:00Z"),
        plans.a_revocation("r-1", "e-1", "2025-12-20T00:00:00+07:00"),
        plans.an_event("vn.dondoc.report.reassigned.v1", "m-1", move),
    ]
    return [fact | {"receivedtime": f"2024-12-01T08:0{minute}:00+07:00"} for minute, fact in enumerate(facts)]


def _id_of(document: Plan | Registry) -> str:
    return document.plan if isinstance(document, Plan) else document.registry


def _a_file() -> dict[str, Any]:
    return {"name": "a.pdf", "media_type": "application/pdf", "size": 1, "sha256": "0" * 64, "url": None}
