"""What a ledger has learned from the log, in the notifier's own database: the alerts that have ended, by duty."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any

from motor.motor_asyncio import AsyncIOMotorClient
from pymongo import UpdateOne

from services.notifier import ledger_documents
from services.notifier.core.scheduling import ended_alerts
from services.notifier.core.scheduling.ended_alerts import LoggedAttempt
from services.notifier.errors import LedgerRefusedError, LedgerUnavailableError
from services.notifier.ledger_documents import DELIVERIES, ENDED_ALERTS, IS_UNFINISHED, WITHOUT_CLAIM, Document
from services.runtime import mongo


class HistoryStore:
    """Written while the ledger lacks something. The ledger reads it whenever deliveries are created.

    It raises `LedgerUnavailableError` where trying again may help, and `LedgerRefusedError` where it cannot.
    """

    def __init__(self, client: AsyncIOMotorClient[Document], name: str) -> None:
        self._deliveries = client[name][DELIVERIES]
        self._ended = client[name][ENDED_ALERTS]

    async def learn_attempts(self, attempts: Sequence[LoggedAttempt]) -> None:
        """Remember which alerts have ended, and bring the deliveries of an older ledger up to date."""
        ended: dict[str, set[str]] = {}
        for one in attempts:
            for duty, key in ended_alerts.find_ended(one.data):
                ended.setdefault(duty, set()).add(key)
        async with _translate_errors():
            if ended:
                # Adding to a set: the same records may come again, in other batches.
                await self._ended.bulk_write(
                    [
                        UpdateOne({"_id": duty}, {"$addToSet": {"keys": {"$each": sorted(keys)}}}, upsert=True)
                        for duty, keys in ended.items()
                    ],
                    ordered=False,
                )
            corrections = await self._find_corrections(attempts)
            if corrections:
                await self._deliveries.bulk_write(corrections)  # in the order of the log

    async def _find_corrections(self, attempts: Sequence[LoggedAttempt]) -> list[UpdateOne]:
        alerts = {one.data.alert for one in attempts}
        unfinished = await self._deliveries.find({**IS_UNFINISHED, "delivery.alert": {"$in": sorted(alerts)}}).to_list(
            None
        )
        return [
            _correct_from_log(document["_id"], one)
            for document, delivery in ((one, ledger_documents.decode_delivery(one)) for one in unfinished)
            for one in attempts
            if one.data.alert == delivery.alert_id and _is_unknown_to(document, one) and one.is_about(delivery)
        ]


def _is_unknown_to(document: Document, attempt: LoggedAttempt) -> bool:
    """Whether the ledger has not recorded *attempt* itself, nor one after it."""
    return bool(attempt.data.attempt >= document["attempt"] and attempt.data.attempted_at != document.get("at"))


def _correct_from_log(delivery_id: str, attempt: LoggedAttempt) -> UpdateOne:
    data = attempt.data
    fields: dict[str, Any] = {
        "attempt": data.attempt,
        "state": data.outcome.value,
        "reason": data.reason,
        "at": data.attempted_at,
    }
    removed = dict(WITHOUT_CLAIM)
    if attempt.ends_delivery:
        removed["next_at"] = ""
    else:
        fields["next_at"] = data.attempted_at
    return UpdateOne({"_id": delivery_id, "attempt": {"$lte": data.attempt}}, {"$set": fields, "$unset": removed})


def _translate_errors() -> AbstractAsyncContextManager[None]:
    return mongo.translate_errors(unavailable=LedgerUnavailableError, refused=LedgerRefusedError)
