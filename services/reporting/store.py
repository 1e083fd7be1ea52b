"""The database of reporting: every assessment, alert attempt and fact, each under its own key, never deleted.

Documents are only inserted. Repeated records, any order of arrival and a kill at any point therefore leave the same
documents, and nothing is replaced; beside them lies a view that follows from them (`current/view.py`). The revision
that was the newest at an instant is read off an index. A document holds the bytes of the record as in the log, beside
the fields by which it is found. A status is not among them: it is a function of time, which is looked up in the
timeline. Only this module of reporting knows the driver. The names are those of databases in operation.

A query is answered only if the database is complete: its checkpoints say up to where it was filled from the log. An
empty or older database would answer as if nothing had been reported.
"""

from collections.abc import AsyncIterator, Hashable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from motor.motor_asyncio import AsyncIOMotorClient
from pymongo import ASCENDING, IndexModel, InsertOne, UpdateOne
from pymongo.errors import BulkWriteError

from schemas.events import topics
from schemas.events.ids import DutyKey
from services.reporting import stored_documents
from services.reporting.core.timeline import EventIdentity
from services.reporting.event_decoder import DecodedFact, RecordedAssessment, RecordedAttempt, StoredRecord
from services.reporting.stored_documents import StoredFact
from services.runtime import mongo
from services.runtime.state.checkpoints import CheckpointsUnavailableError
from services.runtime.state.mongo_checkpoints import MongoCheckpoints

ASSESSMENTS, ALERTS, FACTS = "assessments", "alerts", "facts"
# The number is that of the layout of its documents: a view of another one is filled from the log anew.
CURRENT = "current_3"
DOCUMENTS = "documents"
SEALED_REPORTS, SEALED_DOCUMENTS, EVALUATIONS = "sealed_reports", "sealed_documents", "evaluations"
VALUES_AT_ONCE = 20_000  # keys of duties and revisions have about 100 bytes each
DOCUMENTS_AT_ONCE = 1_000  # the driver decodes so many in 5 ms, in which no other thread runs
AFTER_ANY = "\x7f"  # sorts after every character of an id
_DUTY_FIELDS = ("plan", "agency", "obligation", "period")
FILLED_FROM = {
    topics.VERDICTS.name: (ASSESSMENTS, CURRENT),
    topics.DELIVERIES.name: (ALERTS, CURRENT),
    topics.FACTS.name: (FACTS,),
    topics.REPORTS.name: (SEALED_REPORTS, SEALED_DOCUMENTS, EVALUATIONS),
}

# What must be the same in two documents with one key; elsewhere it is the record. An event that was sent again after a
# day has a new time of receipt, and is the same event.
_CONTENT_FIELDS = {FACTS: ("identity", "digest"), SEALED_DOCUMENTS: ("content",)}
_INDEXED_FIELDS = ("plan", "period", "agency", "obligation", "revision", "recorded_at")
# The index names stay as they are in databases in operation: MongoDB refuses the same index under another name.
INDEXES = {
    # A covering index: the newest revisions of a period's duties are found in it without reading a document.
    ASSESSMENTS: [IndexModel([(field, ASCENDING) for field in _INDEXED_FIELDS], name="by_place")],
    CURRENT: [IndexModel([(field, ASCENDING) for field in ("plan", "period", "obligation")], name="by_period")],
    ALERTS: [IndexModel([("duties", ASCENDING)], name="by_duty")],
    SEALED_REPORTS: [
        IndexModel([("plan", ASCENDING), ("period", ASCENDING), ("version", ASCENDING)], name="by_report"),
        IndexModel([("check_code", ASCENDING)], name="by_check_code"),
    ],
    EVALUATIONS: [IndexModel([("plan", ASCENDING), ("period", ASCENDING), ("agency", ASCENDING)], name="by_agency")],
    FACTS: [
        IndexModel([("identity", ASCENDING)], name="by_identity"),
        # All facts of a docket are one range of it, and so are all those of an agency in a plan.
        IndexModel([("duty", ASCENDING)], name="by_duty"),
    ],
}


class DatabaseUnavailableError(Exception):
    """The database is away, steps down or restarts: the same batch or query is worth trying again."""


class DatabaseRefusedError(Exception):
    """The database refuses what is asked of it, and would refuse it again: wrong credentials, no rights."""


class StateIncompleteError(Exception):
    """The database lacks records of the log, and is being filled: no answer is better than one that leaves them out."""


class NotAssessedError(Exception):
    """Rules has not assessed any duty of the plan yet: "none" would read as "nobody owes any". Start rules, or wait."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanDutyFilter:
    """Conditions on the duties of one plan; an empty condition matches all. The period None is a one-off duty's."""

    plan: str
    agency: str | None = None
    agencies: tuple[str, ...] = ()
    obligation: str | None = None
    periods: tuple[str | None, ...] = ()


class ReportingStore:
    """Inserts that may happen twice and change nothing the second time, and the queries on them.

    Everything raises `DatabaseUnavailableError` where trying again may help. Queries raise `StateIncompleteError` while
    the database lacks anything.
    """

    def __init__(self, client: AsyncIOMotorClient[dict[str, Any]], database: str, *, partitions: int) -> None:
        self._client = client
        self._database = client[database]
        self.checkpoints = MongoCheckpoints(client, database, FILLED_FROM, partitions=partitions, prepare=self._prepare)

    @property
    def database(self) -> str:
        """The name of the database that is asked and written."""
        return self._database.name

    def point_to(self, database: str) -> None:
        """Ask and write *database* from now on; it answers when it was compared with the log."""
        self._database = self._client[database]
        self.checkpoints.point_to(database)

    async def move_to(self, database: str) -> None:
        """Ask and write *database* from now on, which is complete: no query fails for the move."""
        async with _translate_checkpoints():
            await self.checkpoints.move_to(database)
        self._database = self._client[database]

    async def create_indexes(self) -> None:
        """Create the indexes that are missing; raise `DatabaseRefusedError` if this client may not."""
        async with mongo.translate_errors(unavailable=DatabaseUnavailableError, refused=DatabaseRefusedError):
            for collection, indexes in INDEXES.items():
                await self._database[collection].create_indexes(indexes)

    async def _prepare(self, _has_leftovers: bool) -> None:  # noqa: FBT001 - what `MongoCheckpoints` says
        # Documents that are left over are the same as those that come again.
        await self.create_indexes()

    async def is_answering(self) -> bool:
        """Whether the database answers."""
        async with mongo.translate_errors(unavailable=DatabaseUnavailableError):
            return await mongo.is_answering(self._client)

    async def insert_assessments(self, assessments: Sequence[RecordedAssessment]) -> frozenset[int]:
        """Insert every revision, keyed by its duty and revision number; return the positions of conflicting ones."""
        return await self.insert_missing(ASSESSMENTS, [stored_documents.build_assessment(one) for one in assessments])

    async def insert_attempts(self, attempts: Sequence[RecordedAttempt]) -> frozenset[int]:
        """Insert every attempt, keyed by the id of its event; return the positions of conflicting ones."""
        return await self.insert_missing(ALERTS, [stored_documents.build_attempt(one) for one in attempts])

    async def insert_facts(self, facts: Sequence[DecodedFact]) -> frozenset[int]:
        """Insert every fact, keyed by the id of its receipt; return the positions of conflicting ones."""
        return await self.insert_missing(FACTS, [stored_documents.build_fact(one) for one in facts])

    async def is_complete(self) -> bool:
        """Whether the database has everything that it was ever filled with: a readiness check."""
        async with _translate_checkpoints():
            return not await self.checkpoints.find_incomplete()

    async def has_assessments(self) -> bool:
        """Whether any duty of any plan was assessed."""
        async with mongo.translate_errors(unavailable=DatabaseUnavailableError):
            return await self._database[ASSESSMENTS].find_one({}, {"_id": 1}) is not None

    async def insert_documents(self, documents: Mapping[str, bytes]) -> None:
        """Insert the published documents by key; one that is published stays as it is."""
        await self.insert_missing(DOCUMENTS, [{"_id": key, "record": value} for key, value in documents.items()])

    async def find_documents(self) -> Mapping[str, bytes]:
        """Return the published documents by key."""
        async with mongo.translate_errors(unavailable=DatabaseUnavailableError, refused=DatabaseRefusedError):
            return {one["_id"]: one["record"] async for one in self._database[DOCUMENTS].find()}

    async def find_seals(self, plan: str) -> list[StoredRecord]:
        """Return the records by which the versions of all reports of a plan count as sealed."""
        return await self._find_records(SEALED_REPORTS, {"plan": plan})

    async def find_fact(self, receiptid: str) -> StoredFact | None:
        """Return the fact that a receipt confirms, or None."""
        found = await self._find_facts({"_id": receiptid})
        return next(iter(found), None)

    async def find_docket(self, duty: DutyKey, known_at: datetime) -> list[StoredFact]:
        """Return every fact of the docket of *duty* (same plan, agency and obligation) recorded by *known_at*."""
        start = f"{duty.plan}|{duty.agency}|{duty.obligation}|"
        return await self._find_facts(
            {"duty": {"$gte": start, "$lt": start + AFTER_ANY}, "recorded_at": {"$lte": known_at}}
        )

    async def find_facts_about(self, duties: Iterable[DutyKey], known_at: datetime) -> list[StoredFact]:
        """Return the facts that name exactly one of *duties* and were recorded by *known_at*, in any order."""
        named = {"$in": [str(one) for one in duties]}
        return await self._find_facts({"duty": named, "recorded_at": {"$lte": known_at}})

    async def find_events(self, identities: Iterable[EventIdentity], known_at: datetime) -> list[StoredFact]:
        """Return the facts that have one of *identities* and were recorded by *known_at*, in any order."""
        named = {"$in": [stored_documents.join_identity(one) for one in identities]}
        return await self._find_facts({"identity": named, "recorded_at": {"$lte": known_at}})

    async def find_facts_generation(self) -> Hashable:
        """Return what changes whenever the facts are read from the log anew, in this database or another one."""
        async with _translate_checkpoints():
            if (generation := await self.checkpoints.find_generation()) is not None:
                return generation
        raise StateIncompleteError

    async def find_sources(self, limit: int) -> list[str]:
        """Return the sources that facts on record come from, in order, at most *limit* of them."""
        sources: list[str] = []
        after = ""
        async with self._answering():
            # From one source to the next along the index `by_identity`: one step a source, however many facts it sent.
            while len(sources) < limit:
                condition = {"identity": {"$gt": after}}
                found = await self._database[FACTS].find_one(
                    condition, {"identity": 1, "_id": 0}, sort=[("identity", 1)]
                )
                if found is None:
                    break
                sources.append(found["identity"].partition(stored_documents.IDENTITY_SEPARATOR)[0])
                after = sources[-1] + stored_documents.AFTER_SEPARATOR
        return sources

    async def find_attempt(self, event: str, known_at: datetime) -> StoredRecord | None:
        """Return the record of the alert attempt that an event tells of, if it was made by *known_at*."""
        found = await self._find_records(ALERTS, {"_id": event, "attempted_at": {"$lte": known_at}})
        return next(iter(found), None)

    async def find_newest_revisions(self, duties: PlanDutyFilter, known_at: datetime) -> list[StoredRecord]:
        """Return the record of the newest revision of each of *duties*, of those recorded by *known_at*.

        MongoDB stores milliseconds, so *known_at* counts to the millisecond. Raises `NotAssessedError` if no duty of
        the plan was ever assessed.
        """
        keys: list[str] = []
        async with self._answering():
            for stages in list_newest_stages(duties, known_at):
                # It may use the disk: MongoDB gives a stage 100 MB of memory, which a large plan may exceed.
                found = self._database[ASSESSMENTS].aggregate(stages, allowDiskUse=True, batchSize=DOCUMENTS_AT_ONCE)
                keys += [
                    stored_documents.build_revision_key(DutyKey(**group["_id"]), group["revision"])
                    async for group in await mongo.resolve(found)
                ]
        if not keys:
            await self.require_assessed(duties.plan)
        return await self._find_records_in(ASSESSMENTS, "_id", keys)

    async def require_assessed(self, plan: str) -> None:
        """Raise `NotAssessedError` if no duty of *plan* was ever assessed."""
        async with self._answering():
            is_assessed = await self._database[ASSESSMENTS].find_one({"plan": plan}, {"_id": 1})
        if not is_assessed:
            raise NotAssessedError(f"rules has not assessed any duty of plan {plan!r} yet")

    async def find_attempts(self, duties: Iterable[DutyKey], known_at: datetime) -> list[StoredRecord]:
        """Return the record of every attempt by *known_at* at an alert that names one of *duties*."""
        named = [str(duty) for duty in duties]
        found = await self._find_records_in(ALERTS, "duties", named, {"attempted_at": {"$lte": known_at}})
        # An alert that names several duties may be found in several portions.
        return list({one.id: one for one in found}.values())

    async def find_periods(self, plan: str) -> list[str]:
        """Return the periods of *plan* in which any agency has a duty, in order."""
        async with self._answering():
            found = await self._database[ASSESSMENTS].distinct("period", {"plan": plan})
        return sorted(period for period in found if period is not None)

    @asynccontextmanager
    async def watch_assessments(self, after: str | None) -> AsyncIterator[Any]:
        """Open the change stream of new assessments from the position *after* on, or from now on.

        Its errors are the driver's: `translate_errors` of `runtime.mongo` is for whoever reads it.
        """
        fields = dict.fromkeys((f"fullDocument.{name}" for name in (*_DUTY_FIELDS, "revision")), 1)
        stages: list[Mapping[str, Any]] = [{"$match": {"operationType": "insert"}}, {"$project": fields}]
        resume_after = {"_data": after} if after else None
        collection = self._database[ASSESSMENTS]
        opened: Any = collection.watch(stages, resume_after=resume_after, max_await_time_ms=500)
        async with await mongo.resolve(opened) as stream:
            yield stream

    async def find_matching(
        self, collection: str, condition: Mapping[str, Any], *, order_by: str = "_id"
    ) -> list[dict[str, Any]]:
        """Return the documents that match *condition*, in the order of one of their fields."""
        async with self._answering():
            return [one async for one in self._database[collection].find(condition).sort(order_by, ASCENDING)]

    async def find_in_batches(
        self, collection: str, condition: Mapping[str, Any], fields: Sequence[str] = ()
    ) -> list[dict[str, Any]]:
        """Return the documents that match *condition*, of many at once, in any order; with *fields* only these."""
        async with self._answering():
            found = self._database[collection].find(condition, dict.fromkeys(fields, 1) or None)
            return list(await found.batch_size(DOCUMENTS_AT_ONCE).to_list(None))

    async def update(self, collection: str, updates: Iterable[tuple[str, Any]]) -> None:
        """Make *updates* of the documents with these ids, in any order; a document that is missing is created."""
        writes = [UpdateOne({"_id": name}, update, upsert=True) for name, update in updates]
        async with mongo.translate_errors(unavailable=DatabaseUnavailableError):
            await self._database[collection].bulk_write(writes, ordered=False)

    async def _find_records(self, collection: str, condition: Mapping[str, Any]) -> list[StoredRecord]:
        found = await self.find_in_batches(collection, condition, ("record",))
        return list(map(stored_documents.read_record, found))

    async def _find_records_in(
        self, collection: str, field: str, values: Sequence[str], condition: Mapping[str, Any] = {}
    ) -> list[StoredRecord]:
        """Return the records of which *field* has one of *values*, asked for in portions: a query has 16 MB."""
        found: list[StoredRecord] = []
        for start in range(0, max(1, len(values)), VALUES_AT_ONCE):
            portion = {"$in": values[start : start + VALUES_AT_ONCE]}
            found += await self._find_records(collection, {**condition, field: portion})
        return found

    async def _find_facts(self, condition: Mapping[str, Any]) -> list[StoredFact]:
        found = await self.find_in_batches(FACTS, condition, ("record", "recorded_at"))
        return [stored_documents.read_fact(document) for document in found]

    @asynccontextmanager
    async def _answering(self) -> AsyncIterator[None]:
        """Translate errors of a query; raise `StateIncompleteError` unless the database was complete all the while."""
        async with mongo.translate_errors(unavailable=DatabaseUnavailableError), _translate_checkpoints():
            before = self.checkpoints.last_generation or await self.checkpoints.find_generation()
            yield
            after = await self.checkpoints.find_generation()
        if before is None or after is None or before.is_replaced_by(after):
            raise StateIncompleteError

    async def insert_missing(self, collection: str, documents: Sequence[dict[str, Any]]) -> frozenset[int]:
        """Insert the documents that are not there yet, in any order; raise `BulkWriteError` for other refusals.

        Return the positions of those whose key is taken by a document with other content.
        """
        if not documents:
            return frozenset()
        async with mongo.translate_errors(unavailable=DatabaseUnavailableError):
            try:
                await self._database[collection].bulk_write([InsertOne(one) for one in documents], ordered=False)
            except BulkWriteError as refusal:
                # Unordered, the server tries every insert. A duplicate key is usually a record that was stored before,
                # for example in a batch whose commit a kill prevented. Duplicates beside a failed write concern do not
                # count as stored: the other documents may be rolled back.
                if not mongo.has_only_duplicates(refusal):
                    raise
                repeated = {error["index"]: documents[error["index"]] for error in refusal.details["writeErrors"]}
                return await self._find_conflicts(collection, repeated)
        return frozenset()

    async def _find_conflicts(self, collection: str, repeated: Mapping[int, dict[str, Any]]) -> frozenset[int]:
        fields = _CONTENT_FIELDS.get(collection, ("record",))
        keys = [one["_id"] for one in repeated.values()]
        found = self._database[collection].find({"_id": {"$in": keys}}, dict.fromkeys(fields, 1))
        stored = {document["_id"]: document async for document in found}
        if not stored.keys() >= set(keys):
            raise DatabaseUnavailableError("the majority does not have the document yet whose key was taken")
        # A document of an earlier version may lack a field; what is not there contradicts nothing.
        return frozenset(
            index
            for index, one in repeated.items()
            if any(stored[one["_id"]].get(field, one[field]) != one[field] for field in fields)
        )


@asynccontextmanager
async def _translate_checkpoints() -> AsyncIterator[None]:
    try:
        yield
    except CheckpointsUnavailableError as cause:
        raise DatabaseUnavailableError(str(cause)) from cause


def list_newest_stages(duties: PlanDutyFilter, known_at: datetime) -> list[list[Mapping[str, Any]]]:
    """Return the aggregations that together find the newest revision of each of *duties*.

    For periods the grouping reads only the index `by_place`. One-off duties are asked for apart: to tell their null
    from a field that is missing, MongoDB reads the document, and would read those of every period with them.
    """
    newest = {"$group": {"_id": {name: f"${name}" for name in _DUTY_FIELDS}, "revision": {"$max": "$revision"}}}
    return [
        [{"$match": {**condition, "recorded_at": {"$lte": known_at}}}, newest]
        for condition in _assessment_conditions(duties)
    ]


def _assessment_conditions(duties: PlanDutyFilter) -> list[dict[str, Any]]:
    named = {"plan": duties.plan, "agency": duties.agency, "obligation": duties.obligation}
    condition: dict[str, Any] = {name: value for name, value in named.items() if value is not None}
    if duties.agencies:
        condition["agency"] = {"$in": list(duties.agencies)}
    if duties.periods:
        texts = [period for period in duties.periods if period is not None]
        periods: list[Any] = [{"$in": texts}] if texts else []
        return [{**condition, "period": one} for one in (*periods, *((None,) if None in duties.periods else ()))]
    if duties.agency is not None:
        # Without a period the index serves only the plan. All duties of one agency in a plan are one range of keys.
        start = f"{duties.plan}|{duties.agency}|"
        condition["_id"] = {"$gte": start, "$lt": start + AFTER_ANY}
    return [condition]
