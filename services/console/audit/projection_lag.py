"""Whether rules and reporting have read the log that is there: what they have not read yet is no difference."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from schemas.events.topics import DELIVERIES, FACTS, VERDICTS
from services.console.support.inputs import UnusableInputError
from services.runtime.kafka import clients
from services.runtime.settings import KafkaConfig

CATCH_UP_SECONDS = 60.0
RETRY_SECONDS = 0.5
POLL_MS = 200


class BehindError(UnusableInputError):
    """Somebody has not read the log, so nothing can be said yet. The message says who and what."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsumerGroups:
    """The consumer groups of rules and reporting."""

    rules: str
    reporting: str


async def wait_until_read(config: KafkaConfig, groups: ConsumerGroups, *, partitions: int) -> None:
    """Return when everything that is in the log by now has been assessed and stored; raise `BehindError` if it is not.

    First the facts are awaited, and then what followed from them. All these topics have *partitions* partitions.
    """
    deadline = asyncio.get_running_loop().time() + CATCH_UP_SECONDS
    for group, topics in ((groups.rules, (FACTS.name,)), (groups.reporting, (VERDICTS.name, DELIVERIES.name))):
        for topic in topics:
            places = [TopicPartition(topic, number) for number in range(partitions)]
            await _wait_for_group(config, group, places, deadline=deadline)


async def _wait_for_group(
    config: KafkaConfig, group: str, places: Sequence[TopicPartition], *, deadline: float
) -> None:
    consumer: AIOKafkaConsumer[Any, Any] = AIOKafkaConsumer(
        **config.client(),
        group_id=group,  # only to ask for its committed offsets: partitions are assigned, and nothing is committed
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        isolation_level="read_committed",
    )
    await consumer.start()
    try:
        consumer.assign(places)
        ends = await consumer.end_offsets(places)
        behind = [place for place in places if ends[place] > 0]
        while behind := await _find_behind(consumer, behind, ends):
            if asyncio.get_running_loop().time() > deadline:
                names = ", ".join(f"{place.topic}/{place.partition}" for place in behind)
                raise BehindError(
                    f"the group {group} has not read {names} to the end for {CATCH_UP_SECONDS:.0f} s; "
                    "differences would be its delay, so audit again when it has caught up"
                )
            await asyncio.sleep(RETRY_SECONDS)
    finally:
        await clients.stop_consumer(consumer)


async def _find_behind(
    consumer: "AIOKafkaConsumer[Any, Any]", places: Sequence[TopicPartition], ends: dict[TopicPartition, int]
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
