"""Who was told what, when, with what outcome, for the operator: deliveries as they stand in the ledger, and resending.

No answer holds an address.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from motor.motor_asyncio import AsyncIOMotorClient
from pymongo import DESCENDING

from schemas.events.deliveries import TAKEN, AttemptOutcome
from services.notifier import ledger_documents
from services.notifier.core.scheduling import delivery_events
from services.notifier.core.scheduling.routing import Delivery
from services.notifier.errors import LedgerRefusedError, LedgerUnavailableError
from services.notifier.ledger_documents import BEGUN, DELIVERIES, RECEIPTS, WITHOUT_ADDRESS, Document
from services.runtime import mongo

# Sent again without a further question: what surely did not arrive.
_LOST = frozenset(
    {
        AttemptOutcome.TEMPORARY_FAILURE,
        AttemptOutcome.TECHNICAL_FAILURE,
        AttemptOutcome.PERMANENT_FAILURE,
        AttemptOutcome.BOUNCED,
        AttemptOutcome.EXPIRED,
    }
)
_OUTCOMES = frozenset(one.value for one in AttemptOutcome)
_IN_DOUBT = TAKEN | {AttemptOutcome.UNKNOWN, AttemptOutcome.COMPLAINED}


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryFilter:
    """Which deliveries are asked for; what is None selects nothing out. `state` is one of `DeliveryRecord`."""

    agency: str | None = None
    plan: str | None = None
    state: str | None = None
    channel: str | None = None
    since: datetime | None = None
    public_id: str | None = None

    def condition(self) -> Mapping[str, Any]:
        """Return the condition on a delivery's document."""
        fields: dict[str, Any] = {
            "delivery.tellings.duty.agency": self.agency,
            "delivery.channel": self.channel,
        }
        condition: dict[str, Any] = {name: value for name, value in fields.items() if value is not None}
        if self.plan is not None:
            is_about = ("delivery.tellings.duty.plan", "delivery.officer_week.plan")
            condition["$and"] = [{"$or": [{name: self.plan} for name in is_about]}]
        if self.since is not None:
            condition["$or"] = [{"at": {"$gte": self.since}}, {"created_at": {"$gte": self.since}}]
        if self.public_id is not None:
            # Ids are hexadecimal, so all that begin with this one lie between it and it with a letter behind.
            condition["_id"] = {"$gte": self.public_id, "$lt": f"{self.public_id}g"}
        if self.state in {"due", "claimed", "begun"}:
            condition |= _CONDITION_OF_STATE[self.state]
        elif self.state is not None:
            condition |= {"state": self.state, "next_at": {"$exists": False}}
        return condition


_CONDITION_OF_STATE: Mapping[str, Mapping[str, Any]] = {
    "due": {"next_at": {"$exists": True}, "claim": {"$exists": False}},
    "claimed": {"next_at": {"$exists": True}, "claim": {"$exists": True}},
    "begun": {"state": ledger_documents.IS_BEGUN},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ResendRequest:
    """Who asks for another attempt, and why; whether also at what may have arrived (accepted, confirmed, unknown)."""

    author: str
    reason: str
    even_if_in_doubt: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryRecord:
    """One delivery as the operator sees it. `state` is due, claimed, begun, or an outcome."""

    delivery: Delivery
    state: str
    outcome: AttemptOutcome | None
    reason: str | None
    at: datetime | None
    due_at: datetime | None


class DeliveryRecordStore:
    """Every method raises `LedgerUnavailableError` where trying again may help, else `LedgerRefusedError`."""

    def __init__(self, client: AsyncIOMotorClient[Document], name: str) -> None:
        self._deliveries = client[name][DELIVERIES]
        self._receipts = client[name][RECEIPTS]

    async def find(self, wanted: DeliveryFilter, *, limit: int) -> Sequence[DeliveryRecord]:
        """Return up to *limit* deliveries, the newest attempt first."""
        async with _translate_errors():
            found = self._deliveries.find(dict(wanted.condition())).sort("at", DESCENDING).limit(limit)
            return [_read_record(one) async for one in found]

    async def resend(self, record: DeliveryRecord, asked: ResendRequest) -> bool:
        """Make a delivery due again, with the attempts that are given up after counted anew; return whether it is.

        The dispatcher drops an alert that is no longer called for. A second call changes nothing while the first is
        still due.
        """
        if record.outcome is None or record.outcome not in (_LOST | _IN_DOUBT if asked.even_if_in_doubt else _LOST):
            return False
        ended = {"_id": record.delivery.id, "state": record.outcome.value, "attempt": record.delivery.attempt}
        resent = {"by": asked.author, "reason": asked.reason, "after": record.outcome.value}
        async with _translate_errors():
            # What came back about a mail names it again under the same id.
            await self._receipts.delete_one({"_id": record.delivery.public_id})
            written = await self._deliveries.update_one(
                {**ended, "claim": {"$exists": False}, "next_at": {"$exists": False}},
                # Due since its last attempt: the service's clock may be steered, and has passed that instant.
                {
                    "$set": {"next_at": record.at or record.delivery.created_at, "spent": 0},
                    "$unset": {"provider_ids": ""},
                    "$push": {"resent": resent},
                },
            )
        return bool(written.modified_count)

    async def erase(self, before: datetime) -> int:
        """Erase the addresses of the deliveries that ended before then, and old receipts; return how many had one."""
        ended = {"at": {"$lt": before}, "next_at": {"$exists": False}, "claim": {"$exists": False}}
        has_address = {"$or": [{name: {"$gt": ""}} for name in ("delivery.address", "delivery.digest")]}
        async with _translate_errors():
            written = await self._deliveries.update_many({**ended, **has_address}, {"$unset": WITHOUT_ADDRESS})
            await self._receipts.delete_many({"at": {"$lt": before}})
        return int(written.modified_count)


def describe_record(record: DeliveryRecord) -> Mapping[str, Any]:
    """Return *record* as a row of a table, without the address."""
    one = record.delivery
    return {
        "delivery": one.public_id,
        "state": record.state,
        "reason": record.reason,
        "channel": one.channel.value,
        "route": one.route,
        "instead_of": one.instead_of,
        "to_agency": one.to_agency,
        "kind": one.kind,
        "step": one.step,
        "duties": len(one.alerts),
        "attempts": one.attempt,
        "at": record.at and record.at.isoformat(timespec="milliseconds"),
        "due_at": record.due_at and record.due_at.isoformat(timespec="milliseconds"),
    }


def describe_duties(record: DeliveryRecord) -> Sequence[Mapping[str, Any]]:
    """Return the duties that *record* is about, as events describe them."""
    return [msgspec.to_builtins(delivery_events.describe_duty(one)) for one in record.delivery.alerts]


def _read_record(document: Document) -> DeliveryRecord:
    stored, due_at = document["state"], document.get("next_at")
    outcome = AttemptOutcome(stored) if stored in _OUTCOMES else None
    state = stored if outcome is not None else BEGUN
    if due_at is not None:
        state = "claimed" if "claim" in document else "due"
    return DeliveryRecord(
        delivery=ledger_documents.decode_delivery(document),
        state=state,
        outcome=outcome,
        reason=document.get("reason"),
        at=document.get("at"),
        due_at=due_at,
    )


def _translate_errors() -> AbstractAsyncContextManager[None]:
    return mongo.translate_errors(unavailable=LedgerUnavailableError, refused=LedgerRefusedError)
