"""The ledger in MongoDB: which alerts are to be sent, and when. `dispatch.store` holds what became of each message.

Several processes share one ledger, and any of them may be killed at any point. That no alert is sent twice rests on
four rules:

1. Every change is compare-and-set: a schedule by its `version`, a delivery by the claim on it. Whoever comes second
   writes nothing.
2. A batch first claims due alerts in their schedules, then creates deliveries under ids that derive from the batch,
   then closes. If its process dies in between, another process finishes the batch and creates the same ids.
3. Batches and claims are leased, by the clock of the database. Past the lease the process counts as dead: its batch is
   finished by another, what it had only claimed is due again, and what it had begun to send is recorded as `unknown`.
4. An outcome and the event about it are written at once, in one document. The event is published from there.

A ledger that lacks something (it was lost, or is an older copy) yields nothing that is due until it has read the log
again: the verdicts, and its own events, which say what was sent.

There are no multi-document transactions: one whose process was killed would lock its documents for a minute.
"""

import secrets
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from motor.motor_asyncio import AsyncIOMotorClient
from pymongo import ASCENDING, ReplaceOne, UpdateOne
from pymongo.errors import BulkWriteError

from schemas.events import topics
from schemas.events.deliveries import Channel
from services.notifier import ledger_documents
from services.notifier.address_vault import IN_CLEAR, AddressVault
from services.notifier.core.scheduling.ended_alerts import EndedAlerts
from services.notifier.core.scheduling.holds import SendingHolds
from services.notifier.core.scheduling.routing import Delivery
from services.notifier.core.scheduling.schedule import AlertSchedule, DutySteps
from services.notifier.core.scheduling.scheduled_alert import ScheduledAlert
from services.notifier.errors import LedgerRefusedError, LedgerUnavailableError
from services.notifier.ledger_documents import (
    DELIVERIES,
    ENDED_ALERTS,
    IS_UNFINISHED,
    SCHEDULES,
    TO_NEXT_CHANNEL,
    UNREACHED,
    Backlog,
    Document,
    StoredSchedule,
)
from services.runtime import mongo
from services.runtime.state.checkpoints import CheckpointsUnavailableError
from services.runtime.state.mongo_checkpoints import MongoCheckpoints

FILLED_FROM = {
    topics.VERDICTS.name: (SCHEDULES, DELIVERIES),
    topics.DELIVERIES.name: (SCHEDULES, DELIVERIES, ENDED_ALERTS),
}
_NAME_BYTES = 12  # of randomness in the name of a batch, which no other process may hit upon
_EXISTS = {"$exists": True}
_IS_ABSENT = {"$exists": False}
_WITHOUT_BATCH = {"round": "", "round_until": ""}


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchLease:
    """The lease of one batch: a name that no batch had before, and when its process counts as dead."""

    name: str
    ends_at: datetime


class Ledger:
    """The ledger in the notifier's own database: one document for each duty, and one for each delivery.

    *hours* names the sending hours by which this process plans; it is written beside each schedule. *vault* writes the
    addresses. Every method raises `LedgerUnavailableError` where trying again may help, and `LedgerRefusedError` where
    it cannot.
    """

    def __init__(
        self,
        client: AsyncIOMotorClient[Document],
        name: str,
        *,
        partitions: int,
        hours: str,
        vault: AddressVault = IN_CLEAR,
    ) -> None:
        self._client = client
        self._vault = vault
        self._hours = hours
        self._schedules = client[name][SCHEDULES]
        self._deliveries = client[name][DELIVERIES]
        self._ended = client[name][ENDED_ALERTS]
        self.checkpoints = MongoCheckpoints(client, name, FILLED_FROM, partitions=partitions, prepare=self._prepare)

    async def create_indexes(self) -> None:
        """Create the indexes that the queries below use."""
        async with _translate_errors():
            await self._schedules.create_index([("next_at", ASCENDING), ("agency", ASCENDING)])
            for field in ("round", UNREACHED):
                await self._schedules.create_index(field, sparse=True)
            # A document has these fields only while there is something to do about it, so the sparse indexes stay
            # small however long the ledger grows.
            for field in ("next_at", "claim", "unpublished", "provider_ids", TO_NEXT_CHANNEL):
                await self._deliveries.create_index(field, sparse=True)

    async def is_complete(self) -> bool:
        """Whether the ledger knows everything that it must know before anything is sent: a readiness check."""
        try:
            return not await self.checkpoints.find_incomplete()
        except CheckpointsUnavailableError as cause:
            raise LedgerUnavailableError(str(cause)) from cause

    async def has_schedules(self) -> bool:
        """Whether any assessment was followed."""
        async with _translate_errors():
            return await self._schedules.find_one({}, {"_id": True}) is not None

    async def _prepare(self, has_leftovers: bool) -> None:  # noqa: FBT001 - what `MongoCheckpoints` says
        """Create the indexes, and clear away what would be sent twice, before the ledger is filled anew."""
        async with _translate_errors():
            if has_leftovers:
                await self._schedules.drop()
            if await self._schedules.find_one({}, {"_id": True}) is None:
                # The alerts behind them are scheduled again. What is not published yet says that something was sent.
                await self._deliveries.delete_many({**IS_UNFINISHED, "unpublished": _IS_ABSENT})
        await self.create_indexes()

    async def find_unreached_schedules(self) -> list[StoredSchedule]:
        """Return the schedules with alerts that have nobody to go to."""
        async with _translate_errors():
            found = await self._schedules.find({UNREACHED: True}).to_list(None)
        return [ledger_documents.decode_schedule(one) for one in found]

    async def find_schedules_of_other_hours(self, limit: int) -> list[StoredSchedule]:
        """Return up to *limit* schedules with waiting alerts that were planned by other sending hours."""
        async with _translate_errors():
            planned = {"next_at": {"$ne": None}, "hours": {"$ne": self._hours}}
            found = await self._schedules.find(planned).limit(limit).to_list(None)
        return [ledger_documents.decode_schedule(one) for one in found]

    async def find_schedules(self, duties: Sequence[str]) -> dict[str, StoredSchedule]:
        """Return the schedules of *duties*, by duty. A duty that the ledger does not know is left out."""
        async with _translate_errors():
            found = await self._schedules.find({"_id": {"$in": duties}}).to_list(None)
        return {one["_id"]: ledger_documents.decode_schedule(one) for one in found}

    async def find_steps(self, duties: Sequence[str]) -> dict[str, DutySteps]:
        """Return what is called for and was sent of each of *duties*; a duty that is not known is left out."""
        fields = {"agenda.standing": True, "agenda.said": True}
        async with _translate_errors():
            found = await self._schedules.find({"_id": {"$in": duties}}, fields).to_list(None)
        return {one["_id"]: ledger_documents.decode_steps(one) for one in found}

    async def put_schedules(self, changes: Sequence[StoredSchedule]) -> bool:
        """Write *changes*. Return False if another process changed any of the schedules first: read and decide anew."""
        # The other changes are written all the same. Deciding anew about all of them is harmless, because following
        # the same assessment twice gives the same schedule.
        async with _translate_errors():
            try:
                written = await self._schedules.bulk_write([self._replace(one) for one in changes], ordered=False)
            except BulkWriteError as cause:
                # An upsert of version 0 that finds the duty in the ledger fails on `_id`: the other process was first.
                # Beside a failed write concern that proves nothing, since that process may lose its write again.
                if not mongo.has_only_duplicates(cause):
                    raise
                return False
        return bool(written.matched_count + written.upserted_count == len(changes))

    async def find_due_schedules(self, now: datetime, holds: SendingHolds, limit: int) -> list[StoredSchedule]:
        """Return up to *limit* schedules with alerts due by *now* that no batch has claimed and nobody holds back.

        The schedules of one agency that are due at the same instant are adjacent.
        """
        is_due: dict[str, Any] = {"next_at": {"$lte": now}, "round": _IS_ABSENT}
        if holds.plans:
            is_due["agenda.duty.plan"] = {"$nin": sorted(holds.plans)}
        if holds.agencies:
            is_due["agency"] = {"$nin": sorted(holds.agencies)}
        async with _translate_errors():
            query = self._schedules.find(is_due).sort([("next_at", ASCENDING), ("agency", ASCENDING)])
            found = await query.limit(limit).to_list(None)
        if not found or not await self.is_complete():
            return []
        return [ledger_documents.decode_schedule(one) for one in found]

    async def claim_alerts(self, batch: str, changes: Sequence[StoredSchedule]) -> list[AlertSchedule]:
        """Write schedules whose due alerts *batch* has claimed, and return those; one changed meanwhile is left alone.

        Of those in *changes* nothing differs from what was read but the alerts that wait, are claimed or were sent.
        """
        writes = [
            UpdateOne(
                {"_id": str(one.schedule.duty), "version": one.version}, {"$set": ledger_documents.encode_claim(one)}
            )
            for one in changes
        ]
        async with _translate_errors():
            await self._schedules.bulk_write(writes, ordered=False)
            # Two processes may have read the same schedules; the ledger says whose claim was written.
            claimed = {one["_id"] async for one in self._schedules.find({"round": batch}, {"_id": True})}
        return [one.schedule for one in changes if str(one.schedule.duty) in claimed]

    async def find_claimed_schedules(self, batch: str) -> list[AlertSchedule]:
        """Return the schedules whose alerts *batch*, whose process died, has claimed and not turned into deliveries."""
        async with _translate_errors():
            found = await self._schedules.find({"round": batch}).to_list(None)
        return [ledger_documents.decode_schedule(one).schedule for one in found]

    async def find_ended_alerts(self, duties: Iterable[str]) -> EndedAlerts:
        """Return the keys of the alerts of *duties* that the log said have ended, when the ledger was lost."""
        async with _translate_errors():
            found = await self._ended.find({"_id": {"$in": sorted(set(duties))}}).to_list(None)
        return {one["_id"]: frozenset(one["keys"]) for one in found}

    async def complete_batch(
        self,
        batch: str,
        deliveries: Sequence[Delivery],
        unreached: Mapping[str, Sequence[ScheduledAlert]],
        *,
        now: datetime,
    ) -> int:
        """Create the deliveries of *batch* that do not exist yet, and close the batch. It may be repeated.

        *unreached* holds the claimed alerts that have nobody to go to, by duty. Return how many of *deliveries* record
        for the first time that nobody was reached.
        """
        documents = [ledger_documents.encode_new_delivery(one, now, self._vault) for one in deliveries]
        recorded = 0
        async with _translate_errors():
            # Deliveries first: a crash before the batch is closed leaves it to be finished by another process, which
            # finds the same ids. `$setOnInsert` keeps it from touching a delivery that is already being sent.
            if documents:
                writes = [UpdateOne({"_id": one.pop("_id")}, {"$setOnInsert": one}, upsert=True) for one in documents]
                created = (await self._deliveries.bulk_write(writes, ordered=False)).upserted_ids or {}
                recorded = sum(not deliveries[position].address for position in created)
            if unreached:
                returned = [_return_unreached(batch, duty, alerts) for duty, alerts in unreached.items()]
                await self._schedules.bulk_write(returned, ordered=False)
            closed = {"$set": {"agenda.taken": None}, "$unset": _WITHOUT_BATCH, "$inc": {"version": 1}}
            await self._schedules.update_many({"round": batch}, closed)
        return recorded

    async def create_delivery(self, delivery: Delivery, now: datetime) -> None:
        """Create *delivery*, which no batch brings forth, unless it exists."""
        document = ledger_documents.encode_new_delivery(delivery, now, self._vault)
        async with _translate_errors():
            await self._deliveries.update_one({"_id": document.pop("_id")}, {"$setOnInsert": document}, upsert=True)

    async def begin_lease(self, duration: timedelta) -> BatchLease:
        """Return a new lease that starts now, by the clock of the database.

        All processes share that clock. Their own may be set while a batch is under way, and the service's may be
        steered over a whole lease.
        """
        async with _translate_errors():
            now: datetime = (await self._client.admin.command("hello"))["localTime"]
        return BatchLease(name=secrets.token_hex(_NAME_BYTES), ends_at=now + duration)

    async def find_lost_batches(self) -> list[str]:
        """Return the batches whose lease has ended: their processes died before the batch was completed."""
        async with _translate_errors():
            lost = {"round": _EXISTS, "$expr": {"$lt": ["$round_until", "$$NOW"]}}
            found = {one["round"] async for one in self._schedules.find(lost, {"round": True})}
        return sorted(found) if found and await self.is_complete() else []

    async def measure_backlog(self, now: datetime) -> Backlog:
        """Return what is still to be done."""
        is_due = {"next_at": {"$lte": now}}
        async with _translate_errors():
            due = await self._schedules.count_documents(is_due)
            due += await self._deliveries.count_documents({**is_due, "claim": _IS_ABSENT})
            claimed = await self._deliveries.count_documents({"claim": _EXISTS})
            claimed += await self._schedules.count_documents({"round": _EXISTS})
            coming = [await self._find_next(self._schedules, now), await self._find_next(self._deliveries, now)]
            unpublished = await self._deliveries.count_documents({"unpublished": True})
            unreached = await self._schedules.count_documents({UNREACHED: True})
            retrying = {channel: await self._count_retrying(channel) for channel in Channel}
        next_at = min((one for one in coming if one is not None), default=None)
        return Backlog(
            due_unsent=due + claimed,
            unreached=unreached,
            next_send_at=next_at,
            unpublished=unpublished,
            retrying=retrying,
        )

    def _replace(self, stored: StoredSchedule) -> ReplaceOne[Document]:
        document = {**ledger_documents.encode_schedule(stored), "hours": self._hours}
        return ReplaceOne({"_id": document["_id"], "version": stored.version}, document, upsert=stored.version == 0)

    async def _count_retrying(self, channel: Channel) -> int:
        failed = {"next_at": _EXISTS, "attempt": {"$gt": 0}, "delivery.channel": channel.value}
        return int(await self._deliveries.count_documents(failed))

    async def _find_next(self, collection: Any, now: datetime) -> datetime | None:  # noqa: ANN401 - either collection
        found = await collection.find_one({"next_at": {"$gt": now}}, {"next_at": True}, sort=[("next_at", ASCENDING)])
        return found["next_at"] if found else None


def _return_unreached(batch: str, duty: str, alerts: Sequence[ScheduledAlert]) -> UpdateOne:
    """Return the write that makes claimed alerts unsent and unreached, and takes the schedule out of *batch*."""
    # By operators and under the batch: an assessment that is followed meanwhile leaves the batch alone, and its own
    # changes must stay.
    return UpdateOne(
        {"_id": duty, "round": batch},
        {
            "$set": {"agenda.taken": None, UNREACHED: True},
            "$unset": _WITHOUT_BATCH,
            "$inc": {"version": 1},
            "$pull": {"agenda.said": {"$in": [one.dedup_key for one in alerts]}},
            "$push": {"agenda.unreached": {"$each": ledger_documents.encode_scheduled_alerts(alerts)}},
        },
    )


def _translate_errors() -> AbstractAsyncContextManager[None]:
    return mongo.translate_errors(unavailable=LedgerUnavailableError, refused=LedgerRefusedError)
