"""Reads whole topics: the committed records from the beginning to the present end, each partition in order."""

from collections.abc import Awaitable
from typing import Any, TypeVar

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from schemas.plan.values import Bilingual
from services.console.support.inputs import UnusableInputError
from services.runtime.kafka import clients
from services.runtime.settings import KafkaConfig

RecordsByPartition = dict[int, list[ConsumerRecord[Any, Any]]]
Result = TypeVar("Result")
POLL_MS = 200
_SET_BOOTSTRAP = Bilingual.of(en="set DONDOC_KAFKA_BOOTSTRAP", vi="hãy đặt DONDOC_KAFKA_BOOTSTRAP")


async def translate_broker_errors(
    work: Awaitable[Result], config: KafkaConfig, *, remedy: Bilingual = _SET_BOOTSTRAP
) -> Result:
    """Await *work* and return its result; raise `UnusableInputError` where the broker does not answer or refuses.

    *remedy* is what the message advises where the broker cannot be reached.
    """
    try:
        return await work
    except KafkaError as cause:
        denial = clients.explain_denial(cause, on_topic="Read or Write")
        if denial is not None:
            raise UnusableInputError(denial) from cause
        refusal = await clients.find_refusal(config)
        absence = Bilingual.of(
            en=f"the broker at {config.bootstrap} cannot be used: {cause}; {remedy.in_language('en')}",
            vi=f"không dùng được máy chủ Kafka tại {config.bootstrap} ({cause}); {remedy.vi}",
        )
        raise UnusableInputError(absence if refusal is None else refusal.message) from cause


async def read_topic(config: KafkaConfig, topic: str) -> RecordsByPartition:
    """Return every committed record of *topic* by partition; a topic that does not exist has none."""
    consumer: AIOKafkaConsumer[Any, Any] = AIOKafkaConsumer(
        topic,
        **config.client(),
        isolation_level="read_committed",
        enable_auto_commit=False,  # no group: reading leaves no trace on the broker
        auto_offset_reset="earliest",
    )
    await consumer.start()
    try:
        return await _read_to_end(consumer, sorted(consumer.assignment()))
    finally:
        await clients.stop_consumer(consumer)  # aiokafka's own `stop` may let a cancellation out


async def _read_to_end(consumer: "AIOKafkaConsumer[Any, Any]", partitions: list[TopicPartition]) -> RecordsByPartition:
    found: RecordsByPartition = {one.partition: [] for one in partitions}
    ends = await consumer.end_offsets(partitions) if partitions else {}
    # The end is reached by position, not by the last record: transaction markers take offsets without being records.
    left = {one for one in partitions if await consumer.position(one) < ends[one]}
    while left:
        for partition, records in (await consumer.getmany(*left, timeout_ms=POLL_MS)).items():
            found[partition.partition] += [record for record in records if record.offset < ends[partition]]
        left = {one for one in left if await consumer.position(one) < ends[one]}
    return found
