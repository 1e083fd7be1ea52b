"""Reading topics of the log from the beginning to where they end now: committed records, each partition in order."""

from collections.abc import Awaitable
from typing import Any, TypeVar

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    KafkaError,
    TopicAuthorizationFailedError,
)

from services.console.support.inputs import Unusable
from services.runtime import kafka
from services.runtime.settings import KafkaConfig

Records = dict[int, list[ConsumerRecord[Any, Any]]]
Answer = TypeVar("Answer")
POLL_MS = 200
NOT_ALLOWED = (ClusterAuthorizationFailedError, GroupAuthorizationFailedError, TopicAuthorizationFailedError)


async def from_broker(
    answer: Awaitable[Answer], config: KafkaConfig, *, remedy: str = "set DONDOC_KAFKA_BOOTSTRAP"
) -> Answer:
    """Await *answer*; turn a broker that does not answer, or refuses, into `Unusable`."""
    try:
        return await answer
    except NOT_ALLOWED as cause:
        rights = "give its user the rights that deploy/runbook.md names"
        raise Unusable(f"the broker at {config.bootstrap} does not allow it: {cause}; {rights}") from cause
    except KafkaError as cause:
        said = (
            await kafka.explain_refusal(config) or f"the broker at {config.bootstrap} cannot be used: {cause}; {remedy}"
        )
        raise Unusable(said) from cause


async def read(config: KafkaConfig, topic: str) -> Records:
    """Return every committed record of *topic* by partition; an unknown topic has none."""
    consumer: AIOKafkaConsumer[Any, Any] = AIOKafkaConsumer(
        topic,
        **config.client(),
        isolation_level="read_committed",
        enable_auto_commit=False,
        auto_offset_reset="earliest",
    )
    await consumer.start()
    try:
        return await _to_end(consumer, sorted(consumer.assignment()))
    finally:
        await kafka.stop_consumer(consumer)


async def _to_end(consumer: "AIOKafkaConsumer[Any, Any]", parts: list[TopicPartition]) -> Records:
    found: Records = {part.partition: [] for part in parts}
    ends = await consumer.end_offsets(parts) if parts else {}
    left = {part for part in parts if await consumer.position(part) < ends[part]}
    while left:
        for part, records in (await consumer.getmany(*left, timeout_ms=POLL_MS)).items():
            found[part.partition] += [record for record in records if record.offset < ends[part]]
        left = {part for part in left if await consumer.position(part) < ends[part]}
    return found
