"""What a provider reports about a message that it had accepted, in the notifier's own database.

A receipt may come before its delivery is recorded. It is stored first, and `apply` is called again after the attempt
was recorded, so whichever of the two comes second finds the other.
"""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime

from motor.motor_asyncio import AsyncIOMotorClient
from pymongo import UpdateOne

from schemas.events.deliveries import TAKEN, AttemptOutcome
from services.notifier import ledger_documents
from services.notifier.core.dispatch.bounces import MailReport
from services.notifier.core.dispatch.receipts import DeliveryReceipt
from services.notifier.core.scheduling.delivery import DeliveryAttempt
from services.notifier.errors import LedgerRefusedError, LedgerUnavailableError
from services.notifier.ledger_documents import DELIVERIES, Document
from services.runtime import mongo

_MAY_BE_CORRECTED = sorted(one.value for one in TAKEN)


class ReceiptStore:
    """Every method raises `LedgerUnavailableError` where trying again may help, else `LedgerRefusedError`."""

    def __init__(self, client: AsyncIOMotorClient[Document], name: str) -> None:
        self._deliveries = client[name][DELIVERIES]
        self._receipts = client[name]["receipts"]

    async def record(self, receipt: DeliveryReceipt, now: datetime) -> None:
        """Store what became of a part according to its provider, and correct the delivery if it is known already."""
        if receipt.outcome is None:
            return
        stored = {"$set": {"outcome": receipt.outcome.value, "reason": receipt.reason, "at": now}}
        async with _translate_errors():
            writes = [UpdateOne({"_id": name}, stored, upsert=True) for name in receipt.ids]
            await self._receipts.bulk_write(writes, ordered=False)
        await self.apply(receipt.ids, now)

    async def record_report(self, report: MailReport, now: datetime) -> bool:
        """Correct the delivery that a returned mail is about; return whether it was there and is corrected now."""
        async with _translate_errors():
            # Ids are hexadecimal, so all that begin with this one lie between it and it with a letter behind.
            named = {"_id": {"$gte": report.public_id, "$lt": f"{report.public_id}g"}}
            found = await self._deliveries.find_one({**named, "state": {"$in": _MAY_BE_CORRECTED}})
            if found is None or report.outcome.value == found["state"]:
                return False
            attempt = ledger_documents.correct_outcome(found, report.outcome, reason=report.reason, now=now)
            return await self._write_correction(found, attempt)

    async def apply(self, provider_ids: Sequence[str], now: datetime) -> None:
        """Correct the deliveries of *provider_ids* by their receipts. A repeated receipt changes nothing."""
        if not provider_ids:
            return
        async with _translate_errors():
            named = {"provider_ids": {"$in": list(provider_ids)}, "state": {"$in": _MAY_BE_CORRECTED}}
            async for found in self._deliveries.find(named):
                await self._correct(found, now)

    async def _correct(self, found: Document, now: datetime) -> None:
        stored = {one["_id"]: one async for one in self._receipts.find({"_id": {"$in": found["provider_ids"]}})}
        outcomes = [_read_outcome(stored.get(name)) for name in found["provider_ids"]]
        outcome = combine_receipts(outcomes)
        if outcome is None or outcome.value == found["state"]:
            return
        reasons = [one.get("reason", "receipt") for one in stored.values() if _read_outcome(one) is outcome]
        attempt = ledger_documents.correct_outcome(found, outcome, reason=reasons[0], now=now)
        await self._write_correction(found, attempt)

    async def _write_correction(self, found: Document, attempt: DeliveryAttempt) -> bool:
        pushed = {
            "events": {"$each": ledger_documents.encode_events(attempt)},
            "outcomes": ledger_documents.encode_ended(attempt),
        }
        # The state is part of the condition: another process may apply the same receipt at the same time.
        written = await self._deliveries.update_one(
            {"_id": found["_id"], "state": found["state"]},
            {"$set": ledger_documents.encode_outcome(attempt), "$push": pushed},
        )
        return bool(written.modified_count)


def combine_receipts(outcomes: Sequence[AttemptOutcome | None]) -> AttemptOutcome | None:
    """Return what became of a message from the receipts of its parts; None while that is not known.

    A message of which a part is lost cannot be read, so one failure decides. It is confirmed once all parts are.
    """
    for failed in (AttemptOutcome.BOUNCED, AttemptOutcome.EXPIRED):
        if failed in outcomes:
            return failed
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
