"""What a provider reports about a message that it had accepted, in the notifier's own database.

A receipt may come before its delivery is recorded. It is stored first, and `apply` is called again after the attempt
was recorded, so whichever of the two comes second finds the other. Where the process died in between, the receipt is
found a lease later: by then the attempt is recorded, or never will be.
"""

import re
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import datetime, timedelta

from motor.motor_asyncio import AsyncIOMotorClient
from pymongo import UpdateOne

from schemas.events.deliveries import TAKEN, AttemptOutcome
from services.notifier import ledger_documents
from services.notifier.address_vault import AddressVault
from services.notifier.contacts.store import ContactStore, DeadAddress
from services.notifier.core.dispatch.bounces import MailReport
from services.notifier.core.dispatch.receipts import DeliveryReceipt
from services.notifier.core.scheduling.delivery_events import DeliveryAttempt
from services.notifier.core.scheduling.routing import PUBLIC_DIGITS
from services.notifier.errors import AddressKeyError, LedgerRefusedError, LedgerUnavailableError
from services.notifier.ledger_documents import DELIVERIES, RECEIPTS, Document
from services.runtime import mongo
from services.runtime.clock import Clock

_PUBLIC_ID = re.compile(rf"[0-9a-f]{{{PUBLIC_DIGITS}}}")
_MAY_BE_CORRECTED = sorted(one.value for one in TAKEN)
# When a receipt came, by the clock of the database, until it has been applied a lease later.
_CAME_AT = "came_at"
_APPLIED_TOGETHER = 1_000  # of the receipts that came a lease ago


class ReceiptStore:
    """Every method raises `LedgerUnavailableError` where trying again may help, else `LedgerRefusedError`."""

    def __init__(
        self, client: AsyncIOMotorClient[Document], name: str, *, contacts: ContactStore, vault: AddressVault
    ) -> None:
        self._deliveries = client[name][DELIVERIES]
        self._receipts = client[name][RECEIPTS]
        self._contacts = contacts
        self._vault = vault

    async def create_indexes(self) -> None:
        """Create the index that `apply_waiting` uses."""
        async with _translate_errors():
            await self._receipts.create_index(_CAME_AT, sparse=True)

    async def record(self, receipt: DeliveryReceipt, now: datetime) -> int:
        """Store what became of a part according to its provider; return how many deliveries it corrects at once."""
        if receipt.outcome is None:
            return 0
        fields = {"outcome": receipt.outcome.value, "reason": receipt.reason, "is_hard": receipt.is_hard, "at": now}
        stored = {name: {"$literal": value} for name, value in fields.items()} | {_CAME_AT: "$$NOW"}
        async with _translate_errors():
            writes = [UpdateOne({"_id": name}, [{"$set": stored}], upsert=True) for name in receipt.ids]
            await self._receipts.bulk_write(writes, ordered=False)
        return await self.apply(receipt.ids, now)

    async def record_report(self, report: MailReport, now: datetime) -> bool:
        """Store what a returned mail says; return whether it corrects a delivery at once."""
        receipt = DeliveryReceipt(
            ids=(report.public_id,), outcome=report.outcome, reason=report.reason, is_hard=report.is_hard
        )
        return await self.record(receipt, now) > 0

    async def apply(self, provider_ids: Sequence[str], now: datetime) -> int:
        """Correct the deliveries of *provider_ids* by their receipts; return how many. Once more changes nothing."""
        if not provider_ids:
            return 0
        corrected = 0
        async with _translate_errors():
            # Most have none yet, so that the deliveries need not be looked for.
            named = [
                one["_id"] async for one in self._receipts.find({"_id": {"$in": list(provider_ids)}}, {"_id": True})
            ]
            if named:
                async for found in self._deliveries.find({**_name(named), "state": {"$in": _MAY_BE_CORRECTED}}):
                    corrected += await self._correct(found, now)
        return corrected

    async def apply_waiting(self, clock: Clock, lease: timedelta) -> bool:
        """Apply once more receipts that came at least a *lease* ago; return whether there may be more of them.

        Whoever recorded the attempt may have died before it looked for its receipt.
        """
        applied_at = {"$add": [f"${_CAME_AT}", int(lease.total_seconds() * 1000)]}
        waiting = {_CAME_AT: {"$exists": True}, "$expr": {"$lt": [applied_at, "$$NOW"]}}
        async with _translate_errors():
            found = await self._receipts.find(waiting, {"_id": True}).limit(_APPLIED_TOGETHER).to_list(None)
        if found:
            names = [one["_id"] for one in found]
            await self.apply(names, clock.now())
            async with _translate_errors():
                # A receipt that came again meanwhile waits anew.
                await self._receipts.update_many({"_id": {"$in": names}, **waiting}, {"$unset": {_CAME_AT: ""}})
        return len(found) == _APPLIED_TOGETHER

    async def _correct(self, found: Document, now: datetime) -> bool:
        names = found.get("provider_ids") or [found["_id"][:PUBLIC_DIGITS]]
        stored = {one["_id"]: one async for one in self._receipts.find({"_id": {"$in": names}})}
        outcome = combine_receipts([_read_outcome(stored.get(name)) for name in names])
        if outcome is None or outcome.value == found["state"]:
            return False
        deciding = [one for one in stored.values() if _read_outcome(one) is outcome]
        reason = deciding[0].get("reason", "receipt")
        attempt = ledger_documents.correct_outcome(found, outcome, reason=reason, now=now)
        if any(one.get("is_hard") for one in deciding):
            attempt = replace(attempt, is_hard=True)
            # Before the outcome is written: a process that dies in between is told once more.
            await self._suspend(found, attempt, now)
        return await self._write_correction(found, attempt)

    async def _suspend(self, found: Document, attempt: DeliveryAttempt, now: datetime) -> None:
        delivery = attempt.delivery
        try:
            address = self._vault.decode_address(found["delivery"], delivery.to_agency)
        except AddressKeyError:
            return  # the contacts were imported anew under another key, and nobody knows what this address was
        if address:
            dead = DeadAddress(channel=delivery.channel, address=address, reason=attempt.reason or "")
            await self._contacts.suspend([dead], now)

    async def _write_correction(self, found: Document, attempt: DeliveryAttempt) -> bool:
        pushed = {
            "events": {"$each": ledger_documents.encode_events(attempt)},
            "outcomes": ledger_documents.encode_ended(attempt),
        }
        fields, removed = ledger_documents.encode_outcome(attempt), {"outbox": ""}
        if attempt.next_at is not None:
            fields |= {"next_at": attempt.next_at, "bound_to": attempt.bound_to}
            removed |= {"falls_back_to": "", "provider_ids": ""}
        # The state is part of the condition: another process may apply the same receipt at the same time.
        written = await self._deliveries.update_one(
            {"_id": found["_id"], "state": found["state"]},
            {"$set": fields, "$push": pushed, "$unset": removed},
        )
        return bool(written.modified_count)


def _name(ids: Sequence[str]) -> Document:
    """Return the condition on the deliveries that *ids* name: ids of a provider's, or the public ids of deliveries.

    A mail that an earlier version sent is found by its public id alone. Ids are hexadecimal, so all that begin with it
    lie between it and it with a letter behind.
    """
    public = [one for one in ids if _PUBLIC_ID.fullmatch(one)]
    return {"$or": [{"provider_ids": {"$in": ids}}, *({"_id": {"$gte": one, "$lt": f"{one}g"}} for one in public)]}


def combine_receipts(outcomes: Sequence[AttemptOutcome | None]) -> AttemptOutcome | None:
    """Return what became of a message from the receipts of its parts; None while that is not known.

    A message of which a part is lost cannot be read, so one failure decides. It is confirmed once all parts are.
    """
    for decisive in (AttemptOutcome.BOUNCED, AttemptOutcome.EXPIRED, AttemptOutcome.COMPLAINED):
        if decisive in outcomes:
            return decisive
    is_confirmed = bool(outcomes) and all(one is AttemptOutcome.CONFIRMED for one in outcomes)
    return AttemptOutcome.CONFIRMED if is_confirmed else None


def _read_outcome(receipt: Document | None) -> AttemptOutcome | None:
    if receipt is None:
        return None
    if "outcome" in receipt:
        return AttemptOutcome(receipt["outcome"])
    # A receipt of an older ledger says only whether the part has failed.
    return AttemptOutcome.CONFIRMED if receipt["failed"] is None else AttemptOutcome.BOUNCED


def _translate_errors() -> AbstractAsyncContextManager[None]:
    return mongo.translate_errors(unavailable=LedgerUnavailableError, refused=LedgerRefusedError)
