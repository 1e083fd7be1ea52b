"""Whether everything that was said has been heard: every consumer caught up, nothing due unsent, nothing left to tell.

The clock of the demo may move on only then, so that speed alone never makes anybody late.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Self

import httpx
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from schemas.events.topics import DELIVERIES, FACTS, VERDICTS, Topic

FOLLOWED = (FACTS, VERDICTS, DELIVERIES)
PATIENCE_SECONDS = 90.0  # a service that was killed is back and has caught up long before
POLL_SECONDS = 0.01
FETCH_MS = 100

Heard = Callable[[ConsumerRecord[bytes, bytes]], None]


class NeverSettledError(Exception):
    """The system did not come to rest; the message says who is behind. The logs of that service tell why."""


class Log:
    """Follows what is on the bus, and compares it with what each consumer group has committed.

    The end of a transaction takes an offset of its own that no consumer ever commits past, so the ends of partitions
    do not do: what counts is the last record of each.
    """

    def __init__(self, bootstrap: str, partitions: int, heard: Heard) -> None:
        self._places = [TopicPartition(topic.name, number) for topic in FOLLOWED for number in range(partitions)]
        self._after_last: dict[TopicPartition, int] = {}
        self._heard = heard
        self._reader = AIOKafkaConsumer(
            bootstrap_servers=bootstrap,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
        )
        self._ends = AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False)
        self._admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
        self._coordinators: dict[str, int] = {}
        self._following: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        for client in (self._reader, self._ends, self._admin):
            await client.start()
        self._reader.assign(self._places)
        self._following = asyncio.create_task(self._follow())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._following is not None:
            self._following.cancel()
            await asyncio.gather(self._following, return_exceptions=True)
        await self._reader.stop()
        await self._ends.stop()
        await self._admin.close()

    async def is_heard(self, topic: Topic, group: str) -> bool:
        """Whether *group* has committed past every record of *topic*; not while a transaction is open on it."""
        places = [place for place in self._places if place.topic == topic.name]
        ends = await self._ends.end_offsets(places)
        if not all([await self._reader.position(place) >= end for place, end in ends.items()]):
            return False
        committed = await self._committed(group, places)
        return all(committed[place] >= self._after_last[place] for place in places if place in self._after_last)

    async def _committed(self, group: str, places: Sequence[TopicPartition]) -> Mapping[TopicPartition, int]:
        if group not in self._coordinators:
            self._coordinators[group] = await self._admin.find_coordinator(group)
        found = await self._admin.list_consumer_group_offsets(group, self._coordinators[group], list(places))
        return {place: one.offset for place, one in found.items()}

    async def _follow(self) -> None:
        while True:
            for place, records in (await self._reader.getmany(timeout_ms=FETCH_MS)).items():
                for record in records:
                    self._heard(record)
                self._after_last[place] = records[-1].offset + 1


class Rest:
    """Waits until the whole system is at rest at the present instant."""

    def __init__(self, log: Log, outbox: httpx.AsyncClient, groups: Mapping[str, str]) -> None:
        self._log = log
        self._outbox = outbox
        self._groups = groups

    async def settle(self) -> datetime | None:
        """Return when the next alert falls due, once all that came before is heard, sent and told; in that order."""
        rules, notifier, reporting = (self._groups[name] for name in ("rules", "notifier", "reporting"))
        await _until(lambda: self._log.is_heard(FACTS, rules), "rules has read every fact")
        await _until(lambda: self._log.is_heard(VERDICTS, notifier), "the notifier has read every verdict")
        await _until(lambda: self._log.is_heard(VERDICTS, reporting), "reporting has read every verdict")
        await _until(self._is_sent, "the notifier has sent what is due")
        await _until(lambda: self._log.is_heard(DELIVERIES, reporting), "reporting has read every delivery")
        next_send_at = (await self._backlog())["next_send_at"]
        return datetime.fromisoformat(next_send_at) if next_send_at else None

    async def _is_sent(self) -> bool:
        backlog = await self._backlog()
        return not backlog["due_unsent"] and not backlog["unpublished"]

    async def _backlog(self) -> dict[str, Any]:
        answer = await self._outbox.get("/v1/outbox")
        answer.raise_for_status()
        backlog: dict[str, Any] = answer.json()
        return backlog


async def _until(holds: Callable[[], Awaitable[bool]], claim: str) -> None:
    deadline = asyncio.get_running_loop().time() + PATIENCE_SECONDS
    while not await holds():
        if asyncio.get_running_loop().time() > deadline:
            raise NeverSettledError(f"after {PATIENCE_SECONDS:.0f} s it is still not so that {claim}")
        await asyncio.sleep(POLL_SECONDS)
