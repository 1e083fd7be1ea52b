"""What reporting stores, in memory: filled from records as its consumer reads them, asked as its database is asked."""

import json
import secrets
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from schemas.events.ids import DutyKey
from schemas.plan.plan import Plan
from schemas.plan.registry import Registry
from services.reporting import event_decoder
from services.reporting.core.timeline import AssessmentRevision, EventIdentity
from services.reporting.current import view_documents
from services.reporting.current.view import Version, ViewChanges
from services.reporting.event_decoder import DecodedFact, RecordedAttempt, StoredRecord
from services.reporting.queries import ReportingQueries
from services.reporting.store import PlanDutyFilter
from services.reporting.stored_documents import StoredFact
from tests.support.builders.partition_log import InMemoryDocuments


class PublishedInMemory(InMemoryDocuments):
    """The published documents as reporting asks for them."""

    is_known = True

    def list_versions(self, kind: str, document_id: str) -> tuple[int, ...]:
        """Return the numbers of the versions of a document, in order."""
        numbers = (one.version for one in self._documents if self.version(kind, document_id, one.version) is one)
        return tuple(sorted(numbers))


@dataclass(slots=True)
class InMemoryArchive:
    """Answers as `ReportingStore` does: `tests/integration/reporting/test_content.py` holds both to the same."""

    verdicts: list[tuple[AssessmentRevision, bytes]] = field(default_factory=list)
    facts: dict[str, DecodedFact] = field(default_factory=dict)
    attempts: list[RecordedAttempt] = field(default_factory=list)
    seals: list[bytes] = field(default_factory=list)
    generation: int = 1

    def store_verdict(self, record: bytes) -> None:
        """Store one verdict; each is newer than the one before it."""
        self.verdicts.append((event_decoder.decode_verdict(record).assessment, record))

    def store_fact(self, record: bytes, *, recorded_at: datetime) -> None:
        """Store one fact; the first of a receipt stays."""
        fact = event_decoder.decode_fact(record, recorded_at=recorded_at)
        if fact is not None:
            self.facts.setdefault(fact.receiptid, fact)

    def store_attempt(self, record: bytes) -> None:
        """Store one attempt at an alert."""
        self.attempts.append(event_decoder.decode_delivery(record))

    def ask(self, *documents: Plan | Registry, view: "InMemoryView | None" = None) -> ReportingQueries:
        """Return the queries on what is stored, by way of *view* where there is one."""
        return ReportingQueries(self, PublishedInMemory(*documents), view=view)

    async def find_newest_revisions(self, duties: PlanDutyFilter, known_at: datetime) -> list[StoredRecord]:
        newest: dict[DutyKey, tuple[AssessmentRevision, bytes]] = {}
        for assessment, record in self.verdicts:
            if assessment.recorded_at <= known_at and _matches(assessment.key, duties):
                newest[assessment.key] = assessment, record
        return [StoredRecord(id=str(key), record=record) for key, (_, record) in newest.items()]

    async def find_attempts(self, duties: Iterable[DutyKey], known_at: datetime) -> list[StoredRecord]:
        named = set(duties)
        about = (one for one in self.attempts if named & {attempt.key for attempt in one.attempts})
        return [StoredRecord(id=one.event, record=one.record) for one in about if one.attempted_at <= known_at]

    async def find_attempt(self, event: str, known_at: datetime) -> StoredRecord | None:
        found = (one for one in self.attempts if one.event == event and one.attempted_at <= known_at)
        return next((StoredRecord(id=one.event, record=one.record) for one in found), None)

    async def find_seals(self, plan: str) -> list[StoredRecord]:
        records = (record for record in self.seals if json.loads(record)["data"]["plan"] == plan)
        return [StoredRecord(id=str(number), record=record) for number, record in enumerate(records)]

    async def find_sources(self, limit: int) -> list[str]:
        return sorted({fact.source for fact in self.facts.values()})[:limit]

    async def find_periods(self, plan: str) -> list[str]:
        return sorted({one.key.period for one, _ in self.verdicts if one.key.plan == plan and one.key.period})

    async def find_fact(self, receiptid: str) -> StoredFact | None:
        return next((_stored(fact) for fact in self.facts.values() if fact.receiptid == receiptid), None)

    async def find_docket(self, duty: DutyKey, known_at: datetime) -> list[StoredFact]:
        docket = (duty.plan, duty.agency, duty.obligation)
        return [
            _stored(fact)
            for fact in self.facts.values()
            if (fact.duty.plan, fact.duty.agency, fact.duty.obligation) == docket and fact.recorded_at <= known_at
        ]

    async def find_facts_about(self, duties: Iterable[DutyKey], known_at: datetime) -> list[StoredFact]:
        named = set(duties)
        return [_stored(fact) for fact in self.facts.values() if fact.duty in named and fact.recorded_at <= known_at]

    async def find_events(self, identities: Iterable[EventIdentity], known_at: datetime) -> list[StoredFact]:
        named = set(identities)
        return [
            _stored(fact)
            for fact in self.facts.values()
            if (fact.source, fact.event) in named and fact.recorded_at <= known_at
        ]

    async def find_facts_generation(self) -> Hashable:
        return self.generation


class InMemoryView:
    """The current view of reporting: folded by the same updates, each write with an id of its own.

    A mark names the last *named_max* duties that were changed.
    """

    def __init__(self, named_max: int = view_documents.NAMED_MAX) -> None:
        self._documents: dict[str, dict[str, Any]] = {}
        self._marks: dict[str, dict[str, Any]] = {}
        self._named_max = named_max
        self.read: list[str] = []

    def store_verdict(self, record: bytes) -> None:
        """Fold one verdict."""
        write = secrets.token_hex(16)
        updates = view_documents.fold_assessments([event_decoder.decode_verdict(record).assessment])
        for key, update in updates.items():
            document = self._documents.setdefault(str(key), {"_id": str(key), **update["$setOnInsert"]})
            newest = update["$max"][view_documents.NEWEST]
            if document.get(view_documents.NEWEST, {"revision": -1})["revision"] < newest["revision"]:
                document[view_documents.NEWEST] = newest
            document[view_documents.LAST_WRITE] = write
            mark = self._marks.setdefault(document["period"], {view_documents.RECENT: []})
            named = [*mark[view_documents.RECENT], {"write": write, "duty": str(key)}]
            mark |= {view_documents.LAST_WRITE: write, view_documents.RECENT: named[-self._named_max :]}

    async def find_version(self, duties: PlanDutyFilter) -> Version:
        asked = [period or "" for period in duties.periods] or self._marks
        marks = {period: self._marks[period] for period in asked if period in self._marks}
        return tuple((period, mark[view_documents.LAST_WRITE]) for period, mark in marks.items())

    async def find_changes(self, duties: PlanDutyFilter, since: Version) -> ViewChanges | None:
        version = await self.find_version(duties)
        before = dict(since)
        if before.keys() != {period for period, _ in version}:
            return None
        changed = [view_documents.find_changed_since(self._marks[period], before[period]) for period, _ in version]
        known = [one for one in changed if one is not None]
        return ViewChanges(version=version, duties=frozenset().union(*known)) if len(known) == len(changed) else None

    async def find_periods(self, plan: str) -> Sequence[str | None]:
        del plan
        return [period or None for period in self._marks]

    async def find_last_writes(self, duties: PlanDutyFilter) -> Mapping[str, str]:
        documents = self._documents.items()
        return {key: one[view_documents.LAST_WRITE] for key, one in documents if _matches(DutyKey.parse(key), duties)}

    async def find_documents(self, keys: Sequence[str]) -> list[dict[str, Any]]:
        self.read += keys
        return [dict(self._documents[key]) for key in keys]

    async def require_assessed(self, plan: str) -> None:
        del plan


def _stored(fact: DecodedFact) -> StoredFact:
    return StoredFact(receiptid=fact.receiptid, recorded_at=fact.recorded_at, record=fact.record)


def _matches(key: DutyKey, duties: PlanDutyFilter) -> bool:
    return (
        key.plan == duties.plan
        and duties.agency in {None, key.agency}
        and duties.obligation in {None, key.obligation}
        and (not duties.periods or key.period in duties.periods)
    )
