"""The delivery ledger in MongoDB: who is to be told what, what was attempted, and how it ended.

Every change is compare-and-set, so two processes, a restart or a repeated record never make two of one alert: an agenda
by its `version`, a delivery by the claim on it. No transaction is held, for one whose process dies keeps others out for
a minute; instead a round takes calls off their agendas, creates deliveries under ids of its own, and closes. Rounds and
claims are leased: past the lease the process is dead, its round is finished by another, and its attempts ended in an
unknown way. What was attempted and the event that tells of it are one write.
"""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

from motor.motor_asyncio import AsyncIOMotorClient
from pymongo import ASCENDING, ReplaceOne, UpdateOne
from pymongo.errors import BulkWriteError, PyMongoError

from schemas.events.deliveries import AttemptOutcome, Channel
from services.notifier import ledger_documents
from services.notifier.core.scheduling.delivery import Delivery
from services.notifier.core.scheduling.scheduled_alert import Agenda
from services.notifier.errors import LedgerUnavailableError
from services.notifier.ledger_documents import (
    CREATED,
    SENDING,
    Backlog,
    Change,
    Claimed,
    Document,
    Ended,
    Stored,
    Unpublished,
)

_DUPLICATE_KEY = 11000


class Ledger:
    """One database of the notifier's own."""

    def __init__(self, client: AsyncIOMotorClient[Document], name: str) -> None:
        self._client = client
        self._agendas = client[name]["agendas"]
        self._deliveries = client[name]["deliveries"]
        self._receipts = client[name]["receipts"]

    async def prepare(self) -> None:
        """Create the indexes that every query here uses."""
        async with _translated():
            await self._agendas.create_index([("next_at", ASCENDING), ("agency", ASCENDING)])
            await self._agendas.create_index("round", sparse=True)
            for field in ("next_at", "claim", "unpublished", "provider_ids"):  # absent where there is nothing to do
                await self._deliveries.create_index(field, sparse=True)

    async def agendas(self, duties: Sequence[str]) -> dict[str, Stored]:
        """Return the agendas of *duties*, those that are there."""
        async with _translated():
            found = await self._agendas.find({"_id": {"$in": duties}}).to_list(None)
        return {one["_id"]: ledger_documents.read_agenda(one) for one in found}

    async def put(self, changes: Sequence[Change]) -> bool:
        """Write *changes*; false if another process was faster with any of them: read again and decide anew."""
        async with _translated():
            try:
                written = await self._agendas.bulk_write([_replacing(one) for one in changes], ordered=False)
            except BulkWriteError as cause:
                if any(one["code"] != _DUPLICATE_KEY for one in cause.details["writeErrors"]):
                    raise
                return False
        return bool(written.matched_count + written.upserted_count == len(changes))

    async def due(self, now: datetime, limit: int) -> list[Stored]:
        """Return up to *limit* agendas with something to be said by *now*, the agencies' own kept together."""
        async with _translated():
            query = self._agendas.find({"next_at": {"$lte": now}, "round": _IS_NOT_THERE}).sort(
                [("next_at", ASCENDING), ("agency", ASCENDING)]
            )
            found = await query.limit(limit).to_list(None)
        return [ledger_documents.read_agenda(one) for one in found]

    async def take(self, changes: Sequence[Change]) -> None:
        """Write agendas whose calls a round has taken; one that changed meanwhile is left to the next round."""
        async with _translated():
            await self._agendas.bulk_write([_replacing(one) for one in changes], ordered=False)

    async def taken(self, round_: str) -> list[Agenda]:
        """Return the agendas whose calls *round_* has taken and not handed over."""
        async with _translated():
            found = await self._agendas.find({"round": round_}).to_list(None)
        return [ledger_documents.read_agenda(one).agenda for one in found]

    async def hand_over(self, round_: str, deliveries: Iterable[Delivery], now: datetime) -> None:
        """Create the deliveries of *round_*, those that are not there yet, and close it. May be repeated."""
        made = [ledger_documents.delivery_document(one, now) for one in deliveries]
        async with _translated():
            if made:
                writes = [UpdateOne({"_id": one.pop("_id")}, {"$setOnInsert": one}, upsert=True) for one in made]
                await self._deliveries.bulk_write(writes, ordered=False)
            closed = {"$set": {"agenda.taken": None}, "$unset": _UNTAKEN, "$inc": {"version": 1}}
            await self._agendas.update_many({"round": round_}, closed)

    async def lost_rounds(self, wall_now: datetime) -> list[str]:
        """Return the rounds that processes died in."""
        async with _translated():
            found: list[str] = await self._agendas.distinct(
                "round", {"round": _IS_THERE, "round_until": {"$lt": wall_now}}
            )
        return found

    async def claim(self, now: datetime, claim: str, *, leased_until: datetime, limit: int) -> list[Claimed]:
        """Take up to *limit* deliveries that are due for an attempt. *claim* is a name never used before."""
        is_due = {"next_at": {"$lte": now}}
        async with _translated():
            query = self._deliveries.find(is_due, {"_id": True}).sort("next_at", ASCENDING).limit(limit)
            ids = [one["_id"] async for one in query]
            if not ids:
                return []
            taken = {"state": SENDING, "claim": claim, "leased_until": leased_until}
            await self._deliveries.update_many(
                {"_id": {"$in": ids}, **is_due}, {"$set": taken, "$unset": {"next_at": ""}, "$inc": {"attempt": 1}}
            )
            found = await self._deliveries.find({"claim": claim}).to_list(None)
        return [ledger_documents.read_claimed(one) for one in found]

    async def record(self, ended: Sequence[Ended]) -> None:
        """Write how claimed deliveries ended, unless the claim was lost meanwhile."""
        if ended:
            async with _translated():
                await self._deliveries.bulk_write([_ending(one) for one in ended], ordered=False)

    async def release(self, claimed: Sequence[tuple[Claimed, datetime]]) -> None:
        """Give back deliveries that were claimed but not attempted, each until the instant beside it."""
        if claimed:
            async with _translated():
                await self._deliveries.bulk_write([_freeing(one, until) for one, until in claimed], ordered=False)

    async def abandoned(self, wall_now: datetime) -> list[Claimed]:
        """Return the claims whose lease has run out: their processes died between the claim and its record."""
        async with _translated():
            found = await self._deliveries.find({"claim": _IS_THERE, "leased_until": {"$lt": wall_now}}).to_list(None)
        return [ledger_documents.read_claimed(one) for one in found]

    async def unpublished(self, limit: int) -> list[Unpublished]:
        """Return deliveries with events that are not on the bus yet."""
        async with _translated():
            found = await self._deliveries.find({"unpublished": True}, {"events": True}).limit(limit).to_list(None)
        return [Unpublished(id=one["_id"], events=tuple(one["events"])) for one in found]

    async def published(self, told: Sequence[Unpublished]) -> None:
        """Take events out of the outbox, unless more of the same delivery have come since."""
        if told:
            cleared = {"$set": {"events": []}, "$unset": {"unpublished": ""}}
            writes = [UpdateOne({"_id": one.id, "events": list(one.events)}, cleared) for one in told]
            async with _translated():
                await self._deliveries.bulk_write(writes, ordered=False)

    async def note_receipt(self, provider_id: str, failed: AttemptOutcome | None, now: datetime) -> None:
        """Keep what the SMS centre says became of a part; *failed* where it never reached the handset.

        A receipt may come before its delivery is recorded: it is kept, and `apply_receipts` finds it.
        """
        async with _translated():
            kept = {"$set": {"failed": failed and failed.value, "at": now}}
            await self._receipts.update_one({"_id": provider_id}, kept, upsert=True)
        await self.apply_receipts([provider_id], now)

    async def apply_receipts(self, provider_ids: Sequence[str], now: datetime) -> None:
        """Correct deliveries that were taken by the centre and failed later; each is corrected, and told, once."""
        async with _translated():
            failing = {"_id": {"$in": list(provider_ids)}, "failed": {"$ne": None}}
            async for receipt in self._receipts.find(failing):
                taken = {"provider_ids": receipt["_id"], "state": AttemptOutcome.DELIVERED.value}
                found = await self._deliveries.find_one(taken)
                if found:
                    attempt = ledger_documents.refused_later(found, AttemptOutcome(receipt["failed"]), now)
                    told = {"$each": ledger_documents.told(ledger_documents.read_delivery(found), attempt)}
                    corrected = {"$set": ledger_documents.ended_fields(attempt), "$push": {"events": told}}
                    await self._deliveries.update_one({"_id": found["_id"], **taken}, corrected)

    async def backlog(self, now: datetime) -> Backlog:
        """Return what is still to be done."""
        is_due = {"next_at": {"$lte": now}}
        async with _translated():
            due = await self._agendas.count_documents(is_due) + await self._deliveries.count_documents(is_due)
            sending = await self._deliveries.count_documents({"claim": _IS_THERE})
            sending += await self._agendas.count_documents({"round": _IS_THERE})
            coming = [await self._next(self._agendas, now), await self._next(self._deliveries, now)]
            unpublished = await self._deliveries.count_documents({"unpublished": True})
            retrying = {channel: await self._retrying(channel) for channel in Channel}
        next_at = min((one for one in coming if one is not None), default=None)
        return Backlog(due_unsent=due + sending, next_send_at=next_at, unpublished=unpublished, retrying=retrying)

    async def _retrying(self, channel: Channel) -> int:
        failed = {"next_at": _IS_THERE, "attempt": {"$gt": 0}, "delivery.channel": channel.value}
        return int(await self._deliveries.count_documents(failed))

    async def _next(self, collection: Any, now: datetime) -> datetime | None:  # noqa: ANN401 - either collection
        found = await collection.find_one({"next_at": {"$gt": now}}, {"next_at": True}, sort=[("next_at", ASCENDING)])
        return found["next_at"] if found else None


_IS_THERE = {"$exists": True}
_IS_NOT_THERE = {"$exists": False}
_UNTAKEN = {"round": "", "round_until": ""}
_UNCLAIMED = {"claim": "", "leased_until": ""}


def _replacing(change: Change) -> ReplaceOne[Document]:
    document = ledger_documents.agenda_document(change)
    return ReplaceOne({"_id": document["_id"], "version": change.version}, document, upsert=change.version == 0)


def _held(claimed: Claimed) -> Mapping[str, Any]:
    return {"_id": claimed.delivery.id, "claim": claimed.claim, "attempt": claimed.attempt}


def _freeing(one: Claimed, until: datetime) -> UpdateOne:
    freed = {"state": CREATED, "next_at": until}
    return UpdateOne(_held(one), {"$set": freed, "$unset": _UNCLAIMED, "$inc": {"attempt": -1}})


def _ending(one: Ended) -> UpdateOne:
    fields = ledger_documents.ended_fields(one.attempt)
    if one.next_at is not None:
        fields["next_at"] = one.next_at
    if one.provider_ids:
        fields["provider_ids"] = list(one.provider_ids)
    told = {"$each": ledger_documents.told(one.claimed.delivery, one.attempt)}
    return UpdateOne(_held(one.claimed), {"$set": fields, "$unset": _UNCLAIMED, "$push": {"events": told}})


@asynccontextmanager
async def _translated() -> AsyncIterator[None]:
    """Turn the driver's errors into ours."""
    try:
        yield
    except PyMongoError as cause:
        raise LedgerUnavailableError(type(cause).__name__) from cause
