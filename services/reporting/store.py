"""Reporting's own database: every assessment, alert attempt and receipt, each under its own key, for good.

Documents are only ever added, so repeats, order and kills change nothing, and nothing is compared or replaced. Which
revision stands is read off an index. A document is the record as the log has it, beside the fields it is found by; its
status is not among them: that is a function of time, looked up in its timeline. The only module here that knows the
driver.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from motor.motor_asyncio import AsyncIOMotorClient
from pymongo import ASCENDING, IndexModel, InsertOne
from pymongo.errors import AutoReconnect, BulkWriteError, NotPrimaryError, WTimeoutError

from schemas.events.ids import DutyKey
from services.reporting.event_decoder import KeptAlert, KeptAssessment
from services.reporting.receipts import KeptReceipt
from services.runtime import mongo

DUPLICATE_KEY = 11000
UNAVAILABLE: tuple[type[Exception], ...] = (AutoReconnect, NotPrimaryError, WTimeoutError)
"""What the driver raises while the database is away: the batch is worth trying again."""

ASSESSMENTS, ALERTS, RECEIPTS = "assessments", "alerts", "receipts"
REVISION_DIGITS = 19  # of the largest offset that Kafka has, so that keys sort as revisions do
AFTER_ANY = "\x7f"  # sorts after every character of an id
_DUTY = ("plan", "agency", "obligation", "period")
_PLACE = ("plan", "period", "agency", "obligation", "revision", "recorded_at")
INDEXES = {
    # Holds all that a question about a period needs to find the standing revisions, without reading a document.
    ASSESSMENTS: [IndexModel([(field, ASCENDING) for field in _PLACE], name="by_place")],
    ALERTS: [IndexModel([("duties", ASCENDING)], name="by_duty")],
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Which duties of a plan are meant; an empty condition holds for all. A period of nothing is a one-off duty's."""

    plan: str
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
        """Keep every revision, under its duty and revision."""
        await self._insert(ASSESSMENTS, [_revision(one) for one in kept])

    async def keep_alerts(self, kept: Sequence[KeptAlert]) -> None:
        """Keep every attempt, under the identity of its event."""
        await self._insert(ALERTS, [_alert(one) for one in kept])

    async def keep_receipts(self, kept: Sequence[KeptReceipt]) -> None:
        """Keep every receipt, under its own id."""
        await self._insert(RECEIPTS, [_receipt(one) for one in kept])

    async def receipt(self, receiptid: str) -> KeptReceipt | None:
        """Return one receipt, or nothing."""
        found = await self._database[RECEIPTS].find_one({"_id": receiptid})
        if found is None:
            return None
        duty = DutyKey.parse(found.pop("duty"))
        return KeptReceipt(receiptid=found.pop("_id"), duty=duty, **found)

    async def standing(self, place: Place, known_at: datetime) -> list[bytes]:
        """Return the newest revision, of those recorded by *known_at* (to the ms), of each duty meant."""
        stages: list[Mapping[str, Any]] = [
            {"$match": {**_condition(place), "recorded_at": {"$lte": known_at}}},
            {"$group": {"_id": {name: f"${name}" for name in _DUTY}, "revision": {"$max": "$revision"}}},
        ]
        newest = self._database[ASSESSMENTS].aggregate(stages, allowDiskUse=True)
        keys = [_key(DutyKey(**found["_id"]), found["revision"]) async for found in newest]
        return await self._records(ASSESSMENTS, {"_id": {"$in": keys}})

    async def alerts(self, duties: Iterable[DutyKey], known_at: datetime) -> list[bytes]:
        """Return every attempt by *known_at* that speaks of one of *duties*."""
        spoken_of = {"$in": [str(duty) for duty in duties]}
        return await self._records(ALERTS, {"duties": spoken_of, "attempted_at": {"$lte": known_at}})

    async def periods(self, plan: str) -> list[str]:
        """Return the periods of *plan* in which anybody owes anything, in order."""
        found = await self._database[ASSESSMENTS].distinct("period", {"plan": plan})
        return sorted(period for period in found if period is not None)

    async def _records(self, collection: str, condition: Mapping[str, Any]) -> list[bytes]:
        found = self._database[collection].find(condition, {"_id": 0, "record": 1})
        return [document["record"] async for document in found]

    async def _insert(self, collection: str, documents: Sequence[dict[str, Any]]) -> None:
        """Add, in any order, what is not there yet; a repeated record is a duplicate, refused and passed over."""
        if not documents:
            return
        try:
            await self._database[collection].bulk_write([InsertOne(one) for one in documents], ordered=False)
        except BulkWriteError as refusal:
            errors = (refusal.details or {}).get("writeErrors", [])
            if not errors or any(error["code"] != DUPLICATE_KEY for error in errors):
                raise


def _key(duty: DutyKey, revision: int) -> str:
    return f"{duty}|{revision:0{REVISION_DIGITS}d}"


def _revision(one: KeptAssessment) -> dict[str, Any]:
    assessed = one.assessed
    return {
        "_id": _key(assessed.key, assessed.revision),
        "plan": assessed.key.plan,
        "period": assessed.key.period,
        "agency": assessed.key.agency,
        "obligation": assessed.key.obligation,
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


def _receipt(one: KeptReceipt) -> dict[str, Any]:
    return {
        "_id": one.receiptid,
        "receivedtime": one.receivedtime,
        "event": one.event,
        "source": one.source,
        "type": one.type,
        "duty": str(one.duty),
    }


def _condition(place: Place) -> dict[str, Any]:
    """Return the condition for *place*; one agency of one plan is a stretch of the keys."""
    named = {"plan": place.plan, "agency": place.agency, "obligation": place.obligation}
    condition: dict[str, Any] = {name: value for name, value in named.items() if value is not None}
    if place.periods:
        condition["period"] = {"$in": list(place.periods)}
    elif place.agency is not None:
        start = f"{place.plan}|{place.agency}|"
        condition["_id"] = {"$gte": start, "$lt": start + AFTER_ANY}
    return condition
