"""The checkpoints of a database, in a collection of their own, beside the collections that they speak of.

A checkpoint names the collections by their UUIDs. MongoDB gives a collection a UUID when it is created and keeps it
until the collection is dropped, on all nodes and in a copy of the files. So a checkpoint does not outlive a collection
that was dropped, and it is not believed after `mongorestore`: `mongodump` copies one collection after another, and on a
database in use its checkpoints may be later than the rest of it.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from aiokafka import TopicPartition
from motor.motor_asyncio import AsyncIOMotorClient, AsyncIOMotorDatabase
from pymongo import ReplaceOne, UpdateOne
from pymongo.errors import OperationFailure

from services.runtime import mongo
from services.runtime.kafka.log_coverage import Coverage
from services.runtime.state.checkpoints import Checkpoint, CheckpointsUnavailableError, CompletenessMonitor

COLLECTION = "checkpoints"
_NAMESPACE_EXISTS = 48  # another process has created the collection first

Document = dict[str, Any]
Database = AsyncIOMotorDatabase[Document]


@dataclass(frozen=True, slots=True, kw_only=True)
class Generation:
    """A state that was filled from the log: the database, and when each partition was begun to be read into it."""

    database: str
    begun: frozenset[tuple[TopicPartition, datetime]]

    def is_replaced_by(self, other: "Generation") -> bool:
        """Whether *other* was filled in its place, and not beside it to take over when it was complete."""
        return self.database == other.database and self != other


class MongoCheckpoints:
    """The checkpoints of every partition of some topics; *covered* names the collections that each topic fills.

    *prepare* creates what the collections need, for example their indexes, before they are filled anew. Its argument
    says whether what lies in them is left over from a state that was lost while the service ran.
    """

    def __init__(
        self,
        client: AsyncIOMotorClient[Document],
        database: str,
        covered: Mapping[str, tuple[str, ...]],
        *,
        partitions: int,
        prepare: Callable[[bool], Awaitable[None]],
    ) -> None:
        self._client = client
        self._covered = covered
        self._prepare = prepare
        self._places = [TopicPartition(topic, number) for topic in covered for number in range(partitions)]
        self.point_to(database)

    def point_to(self, database: str) -> None:
        """Speak of *database* from now on; nothing of it is believed before `require` was called."""
        self._database, self._monitor = self._client[database], CompletenessMonitor(self._places)
        self._last_generation: Generation | None = None

    async def move_to(self, database: str) -> None:
        """Speak of *database* from now on, and believe it as it is: whoever has filled it has compared it with the log.

        Nobody who asks meanwhile finds anything incomplete for the move.
        """
        found = await self._load(self._client[database], self._covered)
        self.point_to(database)
        self._monitor.require(found)

    async def load(self, topic: str) -> Mapping[TopicPartition, Checkpoint]:
        """Return the checkpoints of *topic* whose collections are still those that they were written beside."""
        return await self._load_known([topic])

    @property
    def partitions(self) -> tuple[TopicPartition, ...]:
        """The partitions of all topics."""
        return tuple(self._places)

    async def load_all(self) -> Mapping[TopicPartition, Checkpoint]:
        """Return the checkpoints of all topics, as `load` does for one."""
        return await self._load_known(self._covered)

    def require(self, least: Mapping[TopicPartition, Checkpoint]) -> None:
        """Take every state for incomplete that is older than its checkpoint in *least*."""
        self._monitor.require(least)

    async def begin(self, begun: Mapping[TopicPartition, Checkpoint], *, was_known: bool) -> None:
        """Prepare the collections, and write *begun* in place of whatever is there."""
        # Where one checkpoint holds, another process has begun to fill the collections before.
        await self._prepare(was_known and not await self.load_all())
        async with mongo.translate_errors(unavailable=CheckpointsUnavailableError):
            await self._create_collections({name for place in begun for name in self._covered[place.topic]})
            uuids = await self._find_uuids(self._database)
            writes = [
                ReplaceOne(
                    {"_id": self._key(place)},
                    {
                        **_encode(one),
                        "topic": place.topic,
                        "partition": place.partition,
                        "collections": self._select(uuids, place.topic),
                    },
                    upsert=True,
                )
                for place, one in begun.items()
            ]
            await self._database[COLLECTION].bulk_write(writes, ordered=False)

    async def advance(self, steps: Mapping[TopicPartition, tuple[Checkpoint, Checkpoint]]) -> bool:
        """Replace each first checkpoint by the second; return False if the database held another one than the first."""
        # Compare-and-set: a database that was dropped, or set back to an older copy, matches nothing.
        writes = [
            UpdateOne(
                {"_id": self._key(place), "begun_at": before.begun_at, "next_offset": before.coverage.next_offset},
                {"$set": _encode(after)},
            )
            for place, (before, after) in steps.items()
        ]
        async with mongo.translate_errors(unavailable=CheckpointsUnavailableError):
            written = await self._database[COLLECTION].bulk_write(writes, ordered=False)
        if written.matched_count < len(writes):
            return False
        self._monitor.remember({place: after for place, (_, after) in steps.items()})
        return True

    async def find_incomplete(self) -> list[TopicPartition]:
        """Return the partitions of all topics of which the database lacks something at this moment."""
        return (await self._compare())[1]

    async def find_generation(self) -> Generation | None:
        """Return what stands for the state until any of it is filled anew; None while the database lacks anything."""
        return (await self._compare())[0]

    @property
    def last_generation(self) -> Generation | None:
        """What `find_generation` returns, as of the last time that anybody looked."""
        return self._last_generation

    async def _compare(self) -> tuple[Generation | None, list[TopicPartition]]:
        # Of one database to the end, also where `move_to` is called meanwhile.
        database, monitor = self._database, self._monitor
        least = monitor.list_least()
        stored = await self._load(database, self._covered)
        monitor.remember(stored)
        incomplete = monitor.find_incomplete(stored, least)
        begun = frozenset((place, one.begun_at) for place, one in stored.items())
        generation = None if incomplete else Generation(database=database.name, begun=begun)
        if database is self._database:
            self._last_generation = generation
        return generation, incomplete

    async def _load_known(self, topics: Iterable[str]) -> dict[TopicPartition, Checkpoint]:
        monitor = self._monitor
        loaded = await self._load(self._database, topics)
        monitor.remember(loaded)
        return loaded

    async def _load(self, database: Database, topics: Iterable[str]) -> dict[TopicPartition, Checkpoint]:
        async with mongo.translate_errors(unavailable=CheckpointsUnavailableError):
            uuids = await self._find_uuids(database)
            found = await database[COLLECTION].find({"topic": {"$in": list(topics)}}).to_list(None)
        held = [one for one in found if one["collections"] == self._select(uuids, one["topic"])]
        return {_place(one): _decode(one) for one in held}

    async def _find_uuids(self, database: Database) -> Mapping[str, str]:
        names = sorted({name for several in self._covered.values() for name in several})
        answer = await database.command("listCollections", filter={"name": {"$in": names}})
        return {one["name"]: bytes(one["info"]["uuid"]).hex() for one in answer["cursor"]["firstBatch"]}

    async def _create_collections(self, names: Iterable[str]) -> None:
        for name in sorted(names):
            try:
                await self._database.command("create", name)
            except OperationFailure as refusal:
                if refusal.code != _NAMESPACE_EXISTS:
                    raise

    def _key(self, place: TopicPartition) -> str:
        # With the collections in the key two services that share a database do not overwrite each other's checkpoints.
        return f"{place.topic}/{place.partition}/{'+'.join(sorted(self._covered[place.topic]))}"

    def _select(self, uuids: Mapping[str, str], topic: str) -> dict[str, str | None]:
        return {name: uuids.get(name) for name in self._covered[topic]}


def _place(document: Document) -> TopicPartition:
    return TopicPartition(document["topic"], document["partition"])


def _encode(checkpoint: Checkpoint) -> Document:
    coverage = checkpoint.coverage
    return {
        "next_offset": coverage.next_offset,
        "last_offset": coverage.last_offset,
        "fingerprint": coverage.fingerprint,
        "must_reach": checkpoint.must_reach,
        "begun_at": checkpoint.begun_at,
    }


def _decode(document: Document) -> Checkpoint:
    coverage = Coverage(
        next_offset=document["next_offset"], last_offset=document["last_offset"], fingerprint=document["fingerprint"]
    )
    return Checkpoint(coverage=coverage, must_reach=document["must_reach"], begun_at=document["begun_at"])
