"""Which of two databases answers, and the lease of whoever fills the other one from the log.

A record in the first of the two names the active database; without a record it is the first one. A rebuild claims the
lease, fills the standby, holds the consumers back for a moment, and makes the standby active by one write. The lease
and the hold end by themselves: a rebuild that was killed leaves the active database as it is, and nobody waits for it.
All times are those of the database server, so that no two clocks have to agree.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from motor.motor_asyncio import AsyncIOMotorClient

from services.runtime import mongo
from services.runtime.state import mongo_checkpoints

COLLECTION = "active_database"
STANDBY_SUFFIX = "-standby"
LEASE_SECONDS = 30
# A rebuild that is killed while it holds the consumers back delays figures by so long.
HOLD_SECONDS = 15
_RECORD = {"_id": "active"}
_NOW = "$$NOW"
_IS_HELD = {"$gt": ["$held_until", _NOW]}

Document = dict[str, Any]


class ActiveDatabaseUnavailableError(Exception):
    """The database that knows which one is active does not answer. Try again when it is back."""


class RebuildUnderWayError(Exception):
    """Another rebuild has the lease, or one that was cut off had it less than half a minute ago."""


class RebuildLeaseLostError(Exception):
    """This rebuild was too slow to renew its lease or its hold. Nothing has become active."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ActiveDatabase:
    """The database that answers. While `is_held` nobody stores in it: the other one is about to become active."""

    name: str
    is_held: bool = False


class ActiveDatabaseRecord:
    """The record, in the database *first*. Every method raises `ActiveDatabaseUnavailableError`."""

    def __init__(self, client: AsyncIOMotorClient[Document], first: str) -> None:
        self._client = client
        self._collection = client[first][COLLECTION]
        self._first = first

    async def find_active(self) -> ActiveDatabase:
        """Return the active database."""
        fields = {"database": 1, "is_held": _IS_HELD}
        async with mongo.translate_errors(unavailable=ActiveDatabaseUnavailableError):
            found = await self._collection.find_one(_RECORD, fields) or {}
        return ActiveDatabase(name=found.get("database", self._first), is_held=bool(found.get("is_held")))

    def name_standby(self, active: str) -> str:
        """Return the name of the database that is not *active*."""
        return f"{self._first}{STANDBY_SUFFIX}" if active == self._first else self._first

    async def clear(self, name: str) -> None:
        """Drop all that was made from the log in the database *name*; raise the driver's error if it refuses.

        The checkpoints go first: what is left after a kill is not believed.
        """
        async with mongo.translate_errors(unavailable=ActiveDatabaseUnavailableError):
            database = self._client[name]
            collections = set(await database.list_collection_names()) - {COLLECTION}
            for one in sorted(collections, key=lambda one: (one != mongo_checkpoints.COLLECTION, one)):
                await database.drop_collection(one)

    async def claim_lease(self, token: str) -> None:
        """Claim the lease under *token*; raise `RebuildUnderWayError` while another rebuild has it."""
        async with mongo.translate_errors(unavailable=ActiveDatabaseUnavailableError):
            await self._collection.update_one(_RECORD, {"$setOnInsert": {"database": self._first}}, upsert=True)
        is_free = {"$expr": {"$not": [{"$gt": ["$leased_until", _NOW]}]}}
        leased = {"lease": token, "leased_until": _seconds_from_now(LEASE_SECONDS)}
        await self._update(is_free, leased, otherwise=RebuildUnderWayError)

    async def renew_lease(self, token: str) -> None:
        """Renew the lease, and the hold if there is one; raise `RebuildLeaseLostError`.

        A hold that has ended stays so: the consumers have stored meanwhile.
        """
        held_until = {"$cond": [_IS_HELD, _seconds_from_now(HOLD_SECONDS), "$$REMOVE"]}
        renewed = {"leased_until": _seconds_from_now(LEASE_SECONDS), "held_until": held_until}
        await self._update(_is_leased_by(token), renewed)

    async def hold(self, token: str) -> None:
        """Keep the consumers back; raise `RebuildLeaseLostError`."""
        await self._update(_is_leased_by(token), {"held_until": _seconds_from_now(HOLD_SECONDS)})

    async def activate(self, token: str, name: str) -> None:
        """Make the database *name* active, and end lease and hold; raise `RebuildLeaseLostError`.

        Only while the consumers are held back: otherwise the other database could have records that *name* lacks.
        """
        is_held = {"lease": token, "$expr": _IS_HELD}
        await self._update(is_held, {"database": name, "leased_until": _NOW, "held_until": _NOW})

    async def release_lease(self, token: str) -> None:
        """End lease and hold, if *token* has them."""
        async with mongo.translate_errors(unavailable=ActiveDatabaseUnavailableError):
            await self._collection.update_one(
                {**_RECORD, "lease": token}, {"$unset": dict.fromkeys(("lease", "leased_until", "held_until"), "")}
            )

    async def _update(
        self,
        condition: Mapping[str, Any],
        fields: Mapping[str, Any],
        *,
        otherwise: type[Exception] = RebuildLeaseLostError,
    ) -> None:
        async with mongo.translate_errors(unavailable=ActiveDatabaseUnavailableError):
            found = await self._collection.update_one({**_RECORD, **condition}, [{"$set": fields}])
        if not found.matched_count:
            raise otherwise


def _is_leased_by(token: str) -> Mapping[str, Any]:
    return {"lease": token, "$expr": {"$gt": ["$leased_until", _NOW]}}


def _seconds_from_now(seconds: int) -> Mapping[str, Any]:
    return {"$add": [_NOW, seconds * 1000]}
