"""Waits until the running system is quiescent: every consumer has caught up and nothing that is due is unsent.

The clock of the demo may move on only then, so that the speed of the demo makes no agency late.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Self

import httpx
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from schemas.events.topics import DELIVERIES, FACTS, VERDICTS, Topic
from services.runtime import background

TOPICS = (FACTS, VERDICTS, DELIVERIES)
TIMEOUT_SECONDS = 90.0  # a service that was killed is back and has caught up long before
POLL_SECONDS = 0.01
FETCH_MS = 100

OnRecord = Callable[[ConsumerRecord[bytes, bytes]], None]


class NotQuiescentError(Exception):
    """The system did not become quiescent in time; the message says who is behind. Read the log of that service."""


class LogFollower:
    """Reads the topics from the beginning, passes on each record, and compares with the offsets of consumer groups.

    A transaction marker takes an offset of its own, which no consumer ever commits past. So the end offset of a
    partition cannot be compared with a committed offset; the offset after the last record that was read can.
    """

    def __init__(self, bootstrap: str, partitions: int, on_record: OnRecord) -> None:
        self._partitions = [TopicPartition(topic.name, number) for topic in TOPICS for number in range(partitions)]
        self._next_offsets: dict[TopicPartition, int] = {}
        self._on_record = on_record
        self._reader = AIOKafkaConsumer(
            bootstrap_servers=bootstrap,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
        )
        # The default isolation level: its end offsets include the records of transactions that are still open.
        self._ends = AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False)
        self._admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
        self._coordinators: dict[str, int] = {}
        self._following: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        for client in (self._reader, self._ends, self._admin):
            await client.start()
        self._reader.assign(self._partitions)
        self._following = asyncio.create_task(self._follow())
        return self

    async def __aexit__(self, *_: object) -> None:
        await background.cancel(self._following)
        await self._reader.stop()
        await self._ends.stop()
        await self._admin.close()

    async def has_consumed(self, topic: Topic, group: str) -> bool:
        """Whether *group* has committed past every record of *topic*; False while a transaction is open on it."""
        partitions = [one for one in self._partitions if one.topic == topic.name]
        ends = await self._ends.end_offsets(partitions)
        # A reader of committed records stops before an open transaction, so its position then stays below the end.
        if not all([await self._reader.position(one) >= end for one, end in ends.items()]):
            return False
        committed = await self._fetch_offsets(group, partitions)
        # A partition without records is left out: a group that has read nothing there has committed nothing (-1).
        return all(committed[one] >= self._next_offsets[one] for one in partitions if one in self._next_offsets)

    async def _fetch_offsets(self, group: str, partitions: Sequence[TopicPartition]) -> Mapping[TopicPartition, int]:
        # Without it the client looks up the coordinator at every request, which here is up to a hundred times a second.
        if group not in self._coordinators:
            self._coordinators[group] = await self._admin.find_coordinator(group)
        found = await self._admin.list_consumer_group_offsets(group, self._coordinators[group], list(partitions))
        return {partition: one.offset for partition, one in found.items()}

    async def _follow(self) -> None:
        while True:
            for partition, records in (await self._reader.getmany(timeout_ms=FETCH_MS)).items():
                for record in records:
                    self._on_record(record)
                self._next_offsets[partition] = records[-1].offset + 1


class Quiescence:
    """Waits until the whole system is quiescent at the present instant of its clock."""

    def __init__(self, follower: LogFollower, notifier: httpx.AsyncClient, groups: Mapping[str, str]) -> None:
        self._follower = follower
        self._notifier = notifier
        self._groups = groups

    async def wait(self) -> datetime | None:
        """Wait until everything posted so far has been processed; return when the next alert falls due, if any.

        The stages are waited for in the order in which one feeds the next. Raise `NotQuiescentError` after
        `TIMEOUT_SECONDS` of one stage.
        """
        rules, notifier, reporting = (self._groups[name] for name in ("rules", "notifier", "reporting"))
        has_consumed = self._follower.has_consumed
        await _wait_until(lambda: has_consumed(FACTS, rules), "rules has read every fact")
        await _wait_until(lambda: has_consumed(VERDICTS, notifier), "the notifier has read every verdict")
        await _wait_until(lambda: has_consumed(FACTS, reporting), "reporting has read every fact")
        await _wait_until(lambda: has_consumed(VERDICTS, reporting), "reporting has read every verdict")
        await _wait_until(self._is_outbox_empty, "the notifier has sent what is due")
        await _wait_until(lambda: has_consumed(DELIVERIES, reporting), "reporting has read every delivery")
        next_send_at = (await self._fetch_outbox())["next_send_at"]
        return datetime.fromisoformat(next_send_at) if next_send_at else None

    async def _is_outbox_empty(self) -> bool:
        outbox = await self._fetch_outbox()
        return not outbox["due_unsent"] and not outbox["unpublished"]

    async def _fetch_outbox(self) -> dict[str, Any]:
        answer = await self._notifier.get("/v1/outbox")
        answer.raise_for_status()
        outbox: dict[str, Any] = answer.json()
        return outbox


async def _wait_until(holds: Callable[[], Awaitable[bool]], claim: str) -> None:
    deadline = asyncio.get_running_loop().time() + TIMEOUT_SECONDS
    while not await holds():
        if asyncio.get_running_loop().time() > deadline:
            raise NotQuiescentError(f"after {TIMEOUT_SECONDS:.0f} s it is still not so that {claim}")
        await asyncio.sleep(POLL_SECONDS)
