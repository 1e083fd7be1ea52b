"""Reporting's own database: every assessment revision, the standing one of each duty, every attempt at an alert.

A document is the record as the log has it, beside the fields it is found by. Its status is not among them: that is a
function of time, looked up in its timeline. The only module here that knows the driver.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from motor.motor_asyncio import AsyncIOMotorClient
from pymongo import ASCENDING, DESCENDING, IndexModel, InsertOne, UpdateOne
from pymongo.errors import AutoReconnect, BulkWriteError, NotPrimaryError, WTimeoutError

from schemas.ids import DutyKey
from services.reporting.core.projections import newest
from services.reporting.records import KeptAlert, KeptAssessment
from services.runtime import mongo

DUPLICATE_KEY = 11000
UNAVAILABLE: tuple[type[Exception], ...] = (AutoReconnect, NotPrimaryError, WTimeoutError)
"""What the driver raises while the database is away: the batch is worth trying again."""

ASSESSMENTS, DUTIES, ALERTS = "assessments", "duties", "alerts"
_PLACE = [("plan", ASCENDING), ("period", ASCENDING), ("agency", ASCENDING), ("obligation", ASCENDING)]
INDEXES = {
    ASSESSMENTS: [
        IndexModel([("duty", ASCENDING), ("revision", DESCENDING)], name="revisions_of_a_duty"),
    ],
    DUTIES: [
        IndexModel(_PLACE, name="by_plan"),
        IndexModel([("agency", ASCENDING), ("plan", ASCENDING), ("period", ASCENDING)], name="by_agency"),
    ],
    ALERTS: [IndexModel([("duties", ASCENDING)], name="by_duty")],
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Which duties are meant; an empty condition holds for all. A period of nothing is a one-off duty's."""

    plan: str | None = None
    agency: str | None = None
    obligation: str | None = None
    periods: tuple[str | None, ...] = ()


class Store:
    """Writes that may happen twice and change nothing the second time, and the few reads there are."""

    def __init__(self, client: AsyncIOMotorClient[dict[str, Any]], database: str) -> None:
        self._client = client
        self._database = client[database]

    async def prepare(self) -> None:
        """Create what indexes are missing."""
        for collection, indexes in INDEXES.items():
            await self._database[collection].create_indexes(indexes)

    async def is_answering(self) -> bool:
        return await mongo.is_answering(self._client)

    def close(self) -> None:
        self._client.close()

    async def keep_assessments(self, kept: Sequence[KeptAssessment]) -> None:
        """Keep every revision, and for each duty the newest: of the batch first, then against what is stored."""
        revisions = {one.assessed.event: _revision(one) for one in kept}
        await self._insert(ASSESSMENTS, revisions.values())
        standing = newest(one.assessed for one in kept)
        await self._advance([(str(one.key), revisions[one.event]) for one in standing.values()])

    async def keep_alerts(self, kept: Iterable[KeptAlert]) -> None:
        """Keep every attempt, by the identity of its event."""
        await self._insert(ALERTS, {one.event: _alert(one) for one in kept}.values())

    async def standing(self, place: Place) -> list[bytes]:
        """Return the newest revision of each duty meant."""
        found = self._database[DUTIES].find(_condition(place), {"_id": 0, "record": 1})
        return [document["record"] async for document in found]

    async def known_by(self, duties: Iterable[DutyKey], known_at: datetime) -> list[bytes]:
        """Return the newest revision of each of *duties* that was recorded by *known_at* (a record's time is in ms)."""
        stages: list[Mapping[str, Any]] = [
            {"$match": {"duty": {"$in": [str(duty) for duty in duties]}, "recorded_at": {"$lte": known_at}}},
            {"$sort": {"duty": ASCENDING, "revision": DESCENDING}},
            {"$group": {"_id": "$duty", "record": {"$first": "$record"}}},
        ]
        return [document["record"] async for document in self._database[ASSESSMENTS].aggregate(stages)]

    async def alerts(self, duties: Iterable[DutyKey], known_at: datetime) -> list[bytes]:
        """Return every attempt by *known_at* that speaks of one of *duties*."""
        condition = {"duties": {"$in": [str(duty) for duty in duties]}, "attempted_at": {"$lte": known_at}}
        found = self._database[ALERTS].find(condition, {"_id": 0, "record": 1})
        return [document["record"] async for document in found]

    async def periods(self, plan: str) -> list[str]:
        """Return the periods of *plan* in which anybody owes anything, in order."""
        found = await self._database[DUTIES].distinct("period", {"plan": plan})
        return sorted(period for period in found if period is not None)

    async def _insert(self, collection: str, documents: Iterable[Mapping[str, Any]]) -> None:
        """Insert what is not there yet; keyed by event id: a repeated record is the duplicate that is passed over."""
        await self._write(collection, [InsertOne(document) for document in documents])

    async def _advance(self, standing: Sequence[tuple[str, Mapping[str, Any]]]) -> None:
        """Move each duty on to its revision unless it is there or further: compare-and-set by revision.

        The upsert of an older revision meets the newer document and is refused as a duplicate, as it should be. It is
        refused too when another writer made the document a moment ago, perhaps from an older revision: so the refused
        ones are tried once more, on the document that is there by now.
        """
        refused = await self._write(DUTIES, [_step(duty, revision, is_new=True) for duty, revision in standing])
        await self._write(DUTIES, [_step(*standing[index], is_new=False) for index in refused])

    async def _write(self, collection: str, writes: Sequence[InsertOne[Any] | UpdateOne]) -> list[int]:
        """Write all in any order; return the places of those refused as duplicates, raise for any other refusal."""
        if not writes:
            return []
        try:
            await self._database[collection].bulk_write(writes, ordered=False)
        except BulkWriteError as refusal:
            errors = (refusal.details or {}).get("writeErrors", [])
            if not errors or any(error["code"] != DUPLICATE_KEY for error in errors):
                raise
            return [error["index"] for error in errors]
        return []


def _revision(one: KeptAssessment) -> dict[str, Any]:
    assessed = one.assessed
    return {
        "_id": assessed.event,
        "duty": str(assessed.key),
        "plan": assessed.key.plan,
        "agency": assessed.key.agency,
        "obligation": assessed.key.obligation,
        "period": assessed.key.period,
        "revision": assessed.revision,
        "recorded_at": assessed.recorded_at,
        "record": one.record,
    }


def _alert(one: KeptAlert) -> dict[str, Any]:
    return {
        "_id": one.event,
        "duties": [str(attempt.key) for attempt in one.attempts],
        "attempted_at": one.attempted_at,
        "record": one.record,
    }


def _step(duty: str, revision: Mapping[str, Any], *, is_new: bool) -> UpdateOne:
    fields = {name: value for name, value in revision.items() if name not in {"_id", "duty"}}
    fields["event"] = revision["_id"]
    return UpdateOne({"_id": duty, "revision": {"$lt": revision["revision"]}}, {"$set": fields}, upsert=is_new)


def _condition(place: Place) -> dict[str, Any]:
    named = {"plan": place.plan, "agency": place.agency, "obligation": place.obligation}
    condition: dict[str, Any] = {name: value for name, value in named.items() if value is not None}
    if place.periods:
        condition["period"] = {"$in": list(place.periods)}
    return condition
