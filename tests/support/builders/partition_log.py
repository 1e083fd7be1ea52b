"""The log of one partition without Kafka: records are applied to rules' processor one by one, in the log's order."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from schemas.plan.plan import Plan
from schemas.plan.registry import Registry
from services.rules import adoption
from services.rules.assessment_event import Applied
from services.rules.duty_catalogues import Books
from services.rules.processor import Keeper
from tests.support.builders import plans

NOON = datetime(2024, 12, 1, 5, tzinfo=UTC)


class InMemoryDocuments:
    """The published documents, without Kafka."""

    def __init__(self, *documents: Plan | Registry) -> None:
        self.documents = list(documents)

    def plan(self, plan_id: str) -> Plan | None:
        found = [one for one in self.documents if isinstance(one, Plan) and one.plan == plan_id]
        return max(found, key=lambda one: one.version, default=None)

    def registry(self, registry_id: str) -> Registry | None:
        found = [one for one in self.documents if isinstance(one, Registry) and one.registry == registry_id]
        return max(found, key=lambda one: one.version, default=None)

    def plans(self) -> tuple[Plan, ...]:
        ids = sorted({one.plan for one in self.documents if isinstance(one, Plan)})
        return tuple(plan for plan in map(self.plan, ids) if plan is not None)

    def version(self, kind: str, document_id: str, version: int) -> Plan | Registry | None:
        names = {
            ("plan" if isinstance(one, Plan) else "registry", _id_of(one), one.version): one for one in self.documents
        }
        return names.get((kind, document_id, version))


class PartitionLog:
    """Applies records to a processor one after the other, as a consumer of the log would."""

    def __init__(self, *documents: Plan | Registry) -> None:
        self.shelf = InMemoryDocuments(*(documents or (plans.a_registry(), plans.a_plan())))
        self.books = Books(self.shelf, 1)
        self.keeper = Keeper(0, self.books)
        self.offset = -1
        self.changelog: dict[str, bytes] = {}

    def append(self, event: dict[str, Any] | bytes | None) -> list[dict[str, Any]]:
        """Apply one record and return the data of the assessments that follow, decoded."""
        return [json.loads(value)["data"] for value in self.raw(event)]

    def raw(self, event: dict[str, Any] | bytes | None) -> list[bytes]:
        """Apply one record and return the assessments that follow, byte for byte."""
        self.offset += 1
        value = event if isinstance(event, bytes | None) else json.dumps(event).encode()
        said = list(self.keeper.apply(value, applied=self.applied))
        self.changelog.update(self.keeper.changes())
        return [value for _, value in said]

    @property
    def applied(self) -> Applied:
        """The offset and time of the record that is applied: a second after the one before."""
        return Applied(offset=self.offset, recorded_at=NOON + timedelta(seconds=self.offset))

    def adopt(self, *, now: datetime = NOON) -> list[dict[str, Any]]:
        """Append the adoption of the latest documents."""
        (book,) = self.books.all_latest()
        wanted = adoption.wanted(book, partition=0, now=now)
        return self.append(adoption.event(wanted, now=now))

    def restored(self) -> Keeper:
        """Return a processor that was restored from the changelog."""
        fresh = Keeper(0, self.books)
        for key, value in self.changelog.items():
            fresh.restore(key.encode(), value)
        assert fresh.missing_books() == ()
        return fresh


def a_report(event: str = "s-1", **data: Any) -> dict[str, Any]:
    """Build a recorded submission."""
    return plans.a_submission(event, data=data, receivedtime="2024-12-01T08:00:00+07:00")


def facts_of_every_kind() -> list[dict[str, Any]]:
    """Return one fact of every kind about the first agency, each received at its own minute."""
    move = {**a_report()["data"], "submission": "s-2", "from_period": "2024", "to_period": "2023", "reason": "Nhầm"}
    facts = [
        a_report("s-1"),
        a_report("s-2", content={"nil_return": True, "sections": {}, "indicators": {"x": 1.5}}),
        a_report("s-3", corrects="s-1", attachments=[_file()]),
        plans.a_withdrawal("w-1", "s-1"),
        plans.an_extension("x-1", "2024-12-20T00:00:00+07:00"),
        plans.an_exemption("e-1", "2025-01-01T00:00:00Z", "2026-01-01T00:00:00Z"),
        plans.a_revocation("r-1", "e-1", "2025-12-20T00:00:00+07:00"),
        plans.an_event("vn.dondoc.report.reassigned.v1", "m-1", move),
    ]
    return [fact | {"receivedtime": f"2024-12-01T08:0{minute}:00+07:00"} for minute, fact in enumerate(facts)]


def _id_of(document: Plan | Registry) -> str:
    return document.plan if isinstance(document, Plan) else document.registry


def _file() -> dict[str, Any]:
    return {"name": "a.pdf", "media_type": "application/pdf", "size": 1, "sha256": "0" * 64, "url": None}
