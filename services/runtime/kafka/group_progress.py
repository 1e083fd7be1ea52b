"""Whether a consumer group has read a topic up to some offsets; asked of the broker, whoever consumes."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import for_code

from services.runtime.kafka import clients
from services.runtime.settings import KafkaConfig

POLL_MS = 200


class GroupBehindError(Exception):
    """A group has not read up to some offsets in time. The message names the group and the partitions."""


async def find_ends(config: KafkaConfig, places: Sequence[TopicPartition]) -> Mapping[TopicPartition, int]:
    """Return where the committed records of each of *places* end now; raise `KafkaError`."""
    consumer = _create_consumer(config, group=None)
    await consumer.start()
    try:
        ends: Mapping[TopicPartition, int] = await consumer.end_offsets(places)
    finally:
        await clients.stop_consumer(consumer)
    return ends


async def wait_until_read(
    config: KafkaConfig, group: str, ends: Mapping[TopicPartition, int], *, seconds: float, retry_seconds: float
) -> None:
    """Return when *group* has committed every record before *ends*; raise `GroupBehindError` after *seconds*."""
    deadline = asyncio.get_running_loop().time() + seconds
    consumer = _create_consumer(config, group=group)
    await consumer.start()
    try:
        consumer.assign(list(ends))
        behind = [place for place, end in ends.items() if end > 0]
        while behind := await _find_behind(consumer, behind, ends):
            if asyncio.get_running_loop().time() > deadline:
                names = ", ".join(f"{place.topic}/{place.partition}" for place in behind)
                raise GroupBehindError(f"the group {group} has not read {names} to the end for {seconds:.0f} s")
            await asyncio.sleep(retry_seconds)
    finally:
        await clients.stop_consumer(consumer)


async def count_members(config: KafkaConfig, group: str) -> int:
    """Return how many consumers are in *group*, of which one that has died counts until its session is over.

    Raises `KafkaError`.
    """
    admin = AIOKafkaAdminClient(**config.client())
    await admin.start()
    try:
        (answer,) = await admin.describe_consumer_groups([group])
    finally:
        await admin.close()
    error, _group, _state, _protocol_type, _protocol, members, *_ = answer.groups[0]
    if error:
        raise for_code(error)
    return len(members)


def _create_consumer(config: KafkaConfig, *, group: str | None) -> "AIOKafkaConsumer[Any, Any]":
    return AIOKafkaConsumer(
        **config.client(),
        group_id=group,  # only to ask for its committed offsets: partitions are assigned, and nothing is committed
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        isolation_level="read_committed",
    )


async def _find_behind(
    consumer: "AIOKafkaConsumer[Any, Any]", places: Sequence[TopicPartition], ends: Mapping[TopicPartition, int]
) -> list[TopicPartition]:
    """Return those of *places* in which a record lies between the committed offset and the end.

    Offsets alone do not tell: the last ones may be markers of transactions, which nobody commits.
    """
    behind = []
    for place in places:
        committed = await consumer.committed(place) or 0
        if committed < ends[place] and await _holds_record(consumer, place, committed, ends[place]):
            behind.append(place)
    return behind


async def _holds_record(consumer: "AIOKafkaConsumer[Any, Any]", place: TopicPartition, start: int, end: int) -> bool:
    consumer.seek(place, start)
    while await consumer.position(place) < end:
        fetched = await consumer.getmany(place, timeout_ms=POLL_MS, max_records=1)
        if any(record.offset < end for record in fetched.get(place, ())):
            return True
    return False
