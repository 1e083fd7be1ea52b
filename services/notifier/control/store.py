"""Stops and silences in the notifier's own database. None is ever deleted: a lifted one says who lifted it and when."""

import time as monotonic
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime

import msgspec
from motor.motor_asyncio import AsyncIOMotorClient
from pymongo import DESCENDING

from services.notifier.core.scheduling import holds
from services.notifier.core.scheduling.holds import HoldScope, SendingHold, SendingHolds
from services.notifier.errors import LedgerRefusedError, LedgerUnavailableError
from services.notifier.ledger_documents import Document
from services.runtime import mongo

COLLECTION = "holds"
_FRESH_SECONDS = 0.5  # a stop is effective within a second: this, and the turn that is in progress


class HoldStore:
    """Every method raises `LedgerUnavailableError` where trying again may help, else `LedgerRefusedError`."""

    def __init__(self, client: AsyncIOMotorClient[Document], name: str) -> None:
        self._holds = client[name][COLLECTION]
        self._loaded: Sequence[SendingHold] = ()
        self._loaded_at: float | None = None

    async def load(self, now: datetime) -> SendingHolds:
        """Return what is held back at *now*, as of at most half a second ago."""
        started = monotonic.monotonic()
        if self._loaded_at is None or started - self._loaded_at >= _FRESH_SECONDS:
            self._loaded = await self.list(in_force_only=True)
            self._loaded_at = started
        return holds.collect_holds(self._loaded, now)

    async def list(self, *, in_force_only: bool = False) -> list[SendingHold]:
        """Return the holds on record, the newest first; with *in_force_only* without those that were lifted."""
        query = {"lifted_at": None} if in_force_only else {}
        async with _translate_errors():
            found = await self._holds.find(query).sort("starts_at", DESCENDING).to_list(None)
        return [msgspec.convert({**one, "id": one["_id"]}, SendingHold) for one in found]

    async def add(self, hold: SendingHold) -> None:
        """Put *hold* on record. A second time changes nothing."""
        document = msgspec.to_builtins(hold, builtin_types=(datetime,))
        identity = document.pop("id")
        async with _translate_errors():
            await self._holds.update_one({"_id": identity}, {"$setOnInsert": document}, upsert=True)

    async def lift(self, scope: HoldScope, target: str, *, author: str, now: datetime) -> int:
        """Lift the stops and silences of *scope* and *target* that are not lifted yet; return how many there were."""
        lifted = {"$set": {"lifted_at": now, "lifted_by": author}}
        async with _translate_errors():
            written = await self._holds.update_many({"scope": scope.value, "target": target, "lifted_at": None}, lifted)
        return int(written.modified_count)


def _translate_errors() -> AbstractAsyncContextManager[None]:
    return mongo.translate_errors(unavailable=LedgerUnavailableError, refused=LedgerRefusedError)
