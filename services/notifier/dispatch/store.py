"""The deliveries in the ledger: claimed, begun, recorded, and corrected by what comes back later.

A delivery is *due* while it has `next_at`. A *claim* reserves it for one process and leaves no other trace: if the
process dies, the claim is freed and the delivery is due as before. Only what is about to go on the wire is *begun*: the
attempt is counted, and if the process dies then, its outcome is unknown. Both end with a lease, by the clock of the
database (`$$NOW`), which is one for all processes and does not jump when the clock of a machine is set.
"""

import logging
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from motor.motor_asyncio import AsyncIOMotorClient
from pymongo import ASCENDING, ReplaceOne, UpdateMany, UpdateOne

from schemas.events.deliveries import AttemptOutcome, Channel
from services.notifier import ledger_documents
from services.notifier.address_vault import IN_CLEAR, AddressVault
from services.notifier.core.scheduling.delivery_events import DeliveryAttempt
from services.notifier.core.scheduling.holds import SendingHolds
from services.notifier.core.scheduling.routing import Contact, Delivery, Digest
from services.notifier.errors import AddressKeyError, LedgerRefusedError, LedgerUnavailableError
from services.notifier.ledger_documents import (
    BEGUN,
    CREATED,
    DELIVERIES,
    IS_BEGUN,
    TO_NEXT_CHANNEL,
    WITHOUT_ADDRESS,
    WITHOUT_CLAIM,
    Document,
    UnpublishedEvents,
)
from services.runtime import mongo

_TOKEN_BYTES = 8  # of randomness in the name of a write, which no other one may hit upon
_EXISTS = {"$exists": True}
_IS_ABSENT = {"$exists": False}
_LEASE_HAS_ENDED = {"$expr": {"$lt": ["$leased_until", "$$NOW"]}}

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteScope:
    """Which deliveries a route may claim: those of its channel that are not bound to another route.

    A delivery of unknown outcome is bound to the route that may have sent it: only there is the copy recognised.
    *others* names the other routes of the channel. The first route takes over what is bound to none that exists. What
    this route cannot deliver goes to `next_name`; after a failure that is told later only if `falls_back`.
    """

    channel: Channel
    name: str
    is_first: bool
    others: tuple[str, ...] = ()
    next_name: str | None = None
    falls_back: bool = False

    def condition(self, *, only_bound: bool = False) -> Mapping[str, Any]:
        """Return the condition on a delivery's document; *only_bound* leaves out what any route may send."""
        bound = {"$nin": list(self.others)} if self.is_first else {"$in": [None, self.name]}
        if only_bound:
            bound = {"$in": [self.name]}
        return {"delivery.channel": self.channel.value, "bound_to": bound}


class DeliveryStore:
    """The deliveries of the notifier's own database.

    Every method raises `LedgerUnavailableError` where trying again may help, and `LedgerRefusedError` where it cannot.
    """

    def __init__(
        self,
        client: AsyncIOMotorClient[Document],
        name: str,
        *,
        vault: AddressVault = IN_CLEAR,
        is_complete: Callable[[], Awaitable[bool]],
    ) -> None:
        self._vault = vault
        self._deliveries = client[name][DELIVERIES]
        self._is_complete = is_complete

    async def create_indexes(self) -> None:
        """Create the indexes that the queries below use."""
        async with _translate_errors():
            await self._deliveries.create_index(
                [("delivery.channel", ASCENDING), ("next_at", ASCENDING)],
                partialFilterExpression={"next_at": _EXISTS},
                name="due_by_channel",
            )

    async def claim(self, scope: RouteScope, holds: SendingHolds, now: datetime, lease: "ClaimLease") -> list[Delivery]:
        """Claim deliveries of *scope* that are due, up to the lease's limit, and return those that were won."""
        is_due = {
            **scope.condition(only_bound=lease.only_bound),
            "next_at": {"$lte": now},
            "claim": _IS_ABSENT,
            **_exclude_held(holds),
        }
        async with _translate_errors():
            query = self._deliveries.find(is_due, {"_id": True}).sort("next_at", ASCENDING).limit(lease.limit)
            ids = [one["_id"] async for one in query]
            if not ids or not await self._is_complete():
                return []
            # Two processes may have read the same ids. MongoDB changes each document atomically, so the condition
            # holds for one of them only.
            await self._deliveries.update_many(
                {"_id": {"$in": ids}, "claim": _IS_ABSENT, "next_at": _EXISTS},
                [{"$set": {"claim": lease.name, "leased_until": _end_of(lease.duration)}}],
            )
            found = await self._deliveries.find({"claim": lease.name}).sort("next_at", ASCENDING).to_list(None)
        return [ledger_documents.decode_delivery(one, self._vault) for one in found]

    async def begin(self, deliveries: Sequence[Delivery], route: str, duration: timedelta) -> list[Delivery]:
        """Count an attempt at each of *deliveries* before it goes on the wire; return those that are still claimed.

        One write for all of them. From here on an attempt whose process dies is of unknown outcome.
        """
        ids = [one.id for one in deliveries]
        claims = sorted({one.claim for one in deliveries if one.claim is not None})
        begun = {
            "state": BEGUN,
            "route": route,
            "leased_until": _end_of(duration),
            "attempt": {"$add": ["$attempt", 1]},
        }
        claimed = {"_id": {"$in": ids}, "claim": {"$in": claims}}
        async with _translate_errors():
            written = await self._deliveries.update_many(
                {**claimed, "next_at": _EXISTS}, [{"$set": begun}, {"$unset": "next_at"}]
            )
            if written.modified_count == len(deliveries):
                return [_with_next_attempt(one) for one in deliveries]
            found = self._deliveries.find({**claimed, "state": BEGUN}, {"attempt": True})
            attempts = {one["_id"]: one["attempt"] async for one in found}
        return [_with_next_attempt(one) for one in deliveries if attempts.get(one.id) == one.attempt + 1]

    async def record(self, attempts: Sequence[DeliveryAttempt]) -> None:
        """Write and log how attempts ended. A delivery whose claim was lost meanwhile is left alone."""
        if attempts:
            token = secrets.token_hex(_TOKEN_BYTES)
            async with _translate_errors():
                writes = [_record_attempt(one, token) for one in attempts]
                written = await self._deliveries.bulk_write(writes, ordered=False)
                if written.matched_count < len(writes):
                    await self._keep_orphans(attempts)
            _log_attempts(attempts)

    async def _keep_orphans(self, attempts: Sequence[DeliveryAttempt]) -> None:
        """Store the attempts whose deliveries the ledger has lost since, or has as they were before: they were made."""
        ids = [one.delivery.id for one in attempts]
        found = self._deliveries.find({"_id": {"$in": ids}}, {"attempt": True})
        # The begin has counted the attempt, so in this ledger the number is never lower.
        known = {document["_id"]: document["attempt"] async for document in found}
        orphans = [one for one in attempts if known.get(one.delivery.id, -1) < one.delivery.attempt]
        documents = [ledger_documents.encode_orphan(one, self._vault) for one in orphans]
        writes = [ReplaceOne({"_id": one["_id"]}, one, upsert=True) for one in documents]
        if writes:
            await self._deliveries.bulk_write(writes, ordered=False)

    async def release(self, released: Sequence[tuple[Delivery, datetime | None]]) -> None:
        """Give back deliveries that were claimed and not begun: due at an instant, or (None) as before."""
        if released:
            writes = [
                UpdateOne(_holds_claim(one), {**({"$set": {"next_at": at}} if at else {}), "$unset": WITHOUT_CLAIM})
                for one, at in released
            ]
            async with _translate_errors():
                await self._deliveries.bulk_write(writes, ordered=False)

    async def take_back(self, deliveries: Sequence[Delivery], now: datetime) -> None:
        """Give back deliveries that were begun and surely not sent: the attempt does not count."""
        if deliveries:
            undone = {
                "$set": {"state": CREATED, "next_at": now},
                "$unset": WITHOUT_CLAIM,
                "$inc": {"attempt": -1},
            }
            async with _translate_errors():
                await self._deliveries.bulk_write([UpdateOne(_holds_claim(one), undone) for one in deliveries])

    async def free_lost_claims(self) -> int:
        """Free what processes had claimed and not begun when they died; return how many deliveries that were."""
        lost = {"claim": _EXISTS, "state": {"$not": IS_BEGUN}, **_LEASE_HAS_ENDED}
        async with _translate_errors():
            written = await self._deliveries.update_many(lost, {"$unset": WITHOUT_CLAIM})
        return int(written.modified_count)

    async def find_abandoned(self) -> list[Delivery]:
        """Return the deliveries that processes had begun when they died, or were stopped past their lease."""
        async with _translate_errors():
            found = await self._deliveries.find({"claim": _EXISTS, "state": IS_BEGUN, **_LEASE_HAS_ENDED}).to_list(None)
        if not found or not await self._is_complete():
            return []
        return [ledger_documents.decode_delivery(one, self._vault) for one in found]

    async def find_bounced(self, limit: int) -> list[Delivery]:
        """Return up to *limit* deliveries whose alerts are to be told by the next channel."""
        async with _translate_errors():
            found = await self._deliveries.find({TO_NEXT_CHANNEL: True}).limit(limit).to_list(None)
        return [self._decode_bounced(one) for one in found] if found and await self._is_complete() else []

    def _decode_bounced(self, document: Document) -> Delivery:
        try:
            return ledger_documents.decode_delivery(document, self._vault)
        except AddressKeyError:  # the contacts were imported anew under another key: nobody knows what this address was
            return ledger_documents.decode_delivery(document)

    async def find_first_id(self, delivery: Delivery) -> str:
        """Return the lowest id of the deliveries of the same alert on the same channel: the same for each of them."""
        same = {"duties": str(delivery.lead.duty), "delivery.alert": delivery.alert_id}
        async with _translate_errors():
            found = await self._deliveries.find_one(same, {"_id": True}, sort=[("_id", ASCENDING)])
        return str(found["_id"]) if found else delivery.id

    async def find_told(self, digest: Digest, apart_from: Sequence[str]) -> set[str]:
        """Return the deduplication keys of alerts of *digest* that its reader is told of on its channel anyway.

        *apart_from* are the ids of deliveries that do not count.
        """
        of_reader = {"delivery.to_agency": digest.to_agency, "delivery.channel": digest.channel.value}
        duties = sorted({str(one.duty) for one in digest.alerts})
        async with _translate_errors():
            query = {"duties": {"$in": duties}, **of_reader, "_id": {"$nin": list(apart_from)}}
            found = await self._deliveries.find(query, {"text": False, "events": False}).to_list(None)
        return {alert.dedup_key for one in found for alert in ledger_documents.decode_delivery(one).alerts}

    async def readdress(self, delivery: Delivery, contact: Contact, now: datetime) -> Delivery:
        """Return claimed *delivery*, of which surely nothing has arrived, as one to *contact*; its id stays.

        It is returned as it is where another delivery tells the agency the same on this channel.
        """
        told = await self.find_told(delivery.digest, [delivery.id])
        if any(one.dedup_key in told for one in delivery.alerts):
            return delivery
        address = self._vault.encode_address(contact.address, delivery.to_agency)
        fields = {f"delivery.{name}": value for name, value in address.items()}
        change = {
            "$set": {**fields, "delivery.language": contact.language},
            "$unset": {name: "" for name in WITHOUT_ADDRESS if name not in fields},
            "$push": {"readdressed": now},
        }
        async with _translate_errors():
            written = await self._deliveries.update_one(_holds_claim(delivery), change)
        if not written.modified_count:
            return delivery
        log.info("a delivery has a new address", extra={"action": "readdressed", "delivery": delivery.id})
        return replace(delivery, address=contact.address, language=contact.language)

    async def close_bounced(self, delivery: Delivery) -> None:
        """Note that the alerts of *delivery* were told by the next channel, as far as there is one."""
        async with _translate_errors():
            await self._deliveries.update_one({"_id": delivery.id}, {"$unset": {TO_NEXT_CHANNEL: ""}})

    async def find_unpublished_events(self, limit: int) -> list[UnpublishedEvents]:
        """Return the events of up to *limit* deliveries that are not published yet."""
        async with _translate_errors():
            wanted = {"events": True, "outbox": True}
            found = await self._deliveries.find({"unpublished": True}, wanted).limit(limit).to_list(None)
        return [
            UnpublishedEvents(delivery_id=one["_id"], events=tuple(one["events"]), token=one.get("outbox"))
            for one in found
        ]

    async def clear_published_events(self, published: Sequence[UnpublishedEvents]) -> None:
        """Take *published* out of the outbox."""
        if published:
            # If a further attempt has added an event since, nothing is cleared, and all of them are published once
            # more. Consumers know a repeated event by its id. Most were added by a few writes of many deliveries, so
            # the token of the write tells it without sending the events back.
            cleared = {"$set": {"events": []}, "$unset": {"unpublished": "", "outbox": ""}}
            by_write: dict[tuple[str, int], list[str]] = {}
            writes: list[UpdateOne | UpdateMany] = []
            for one in published:
                if one.token is None:
                    writes.append(UpdateOne({"_id": one.delivery_id, "events": list(one.events)}, cleared))
                else:
                    by_write.setdefault((one.token, len(one.events)), []).append(one.delivery_id)
            writes += [
                UpdateMany({"_id": {"$in": ids}, "outbox": token, "events": {"$size": count}}, cleared)
                for (token, count), ids in by_write.items()
            ]
            async with _translate_errors():
                await self._deliveries.bulk_write(writes, ordered=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimLease:
    """A claim to be made: a name that no claim had before, for how long, and for how many deliveries at most.

    `only_bound` claims what must go by this route, and nothing else.
    """

    name: str
    duration: timedelta
    limit: int
    only_bound: bool = False


def _end_of(duration: timedelta) -> Mapping[str, Any]:
    """Return the end of a lease that begins when the database writes it."""
    return {"$add": ["$$NOW", int(duration.total_seconds() * 1000)]}


def _exclude_held(holds: SendingHolds) -> Mapping[str, Any]:
    """Return the condition that leaves out what is about a plan or an agency that is held."""
    conditions: dict[str, Any] = {}
    if holds.plans:
        conditions["delivery.tellings.duty.plan"] = {"$nin": sorted(holds.plans)}
    if holds.agencies:
        conditions["delivery.tellings.duty.agency"] = {"$nin": sorted(holds.agencies)}
        conditions["delivery.to_agency"] = {"$nin": sorted(holds.agencies)}
    return conditions


def _with_next_attempt(delivery: Delivery) -> Delivery:
    return replace(delivery, attempt=delivery.attempt + 1)


def _holds_claim(delivery: Delivery) -> Mapping[str, Any]:
    """Return the condition under which *delivery* is still claimed by this process for this attempt.

    A process may stall past its lease (a suspended machine): another one then has recorded the attempt as unknown, and
    perhaps made the next one. What the stalled process writes afterwards must match nothing.
    """
    return {"_id": delivery.id, "claim": delivery.claim, "attempt": delivery.attempt}


def _record_attempt(attempt: DeliveryAttempt, token: str) -> UpdateOne:
    fields = {**ledger_documents.encode_outcome(attempt), "spent": attempt.spent, "outbox": token}
    removed = dict(WITHOUT_CLAIM)
    if attempt.next_at is None:
        removed["next_at"] = ""
    else:
        fields["next_at"] = attempt.next_at
    if attempt.next_at is not None and attempt.outcome is AttemptOutcome.UNKNOWN and attempt.route is not None:
        fields["bound_to"] = attempt.route
    if attempt.bound_to is not None:
        fields["bound_to"] = attempt.bound_to
    if attempt.falls_back_to is not None:
        fields["falls_back_to"] = attempt.falls_back_to
    if attempt.provider_ids:
        fields["provider_ids"] = list(attempt.provider_ids)
    if attempt.text is not None:
        fields["text"] = ledger_documents.encode_text(attempt.text, attempt.at)
    pushed = {
        "events": {"$each": ledger_documents.encode_events(attempt)},
        "outcomes": ledger_documents.encode_ended(attempt),
    }
    return UpdateOne(_holds_claim(attempt.delivery), {"$set": fields, "$unset": removed, "$push": pushed})


def _log_attempts(attempts: Sequence[DeliveryAttempt]) -> None:
    """Log one line for each attempt that failed, and one for all that a server took: the record names each of them."""
    taken = [one for one in attempts if one.outcome is AttemptOutcome.ACCEPTED]
    if taken:
        details = {"channel": taken[0].delivery.channel.value, "route": taken[0].route, "count": len(taken)}
        log.info("messages were accepted", extra={"action": "accepted", **details})
    for one in attempts:
        if one.outcome is AttemptOutcome.ACCEPTED:
            continue
        log.info(
            "an attempt ended",
            extra={
                "action": "attempted",
                "delivery": one.delivery.id,
                "channel": one.delivery.channel.value,
                "route": one.route,
                "attempt": one.delivery.attempt,
                "outcome": one.outcome.value,
                "reason": one.reason,
            },
        )


def _translate_errors() -> AbstractAsyncContextManager[None]:
    return mongo.translate_errors(unavailable=LedgerUnavailableError, refused=LedgerRefusedError)
