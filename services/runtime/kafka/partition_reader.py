"""Read one partition, from its beginning or an offset, to its present end, past damaged batches.

For topics that a service can do without in part: its own state, which it rebuilds, and what it has written before.
Whoever must not skip a record consumes through `services.runtime.kafka.damaged_batches` instead.
"""

from collections.abc import AsyncIterator, Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import CorruptRecordException

from services.runtime.kafka import clients, raw_batches
from services.runtime.settings import KafkaConfig

POLL_MS = 200
FETCH_BYTES = 8 * 1024 * 1024  # a whole partition is read in bulk


async def read_partition(
    config: KafkaConfig, place: TopicPartition, *, start: int = 0
) -> AsyncIterator[Sequence[ConsumerRecord[Any, Any]]]:
    """Yield the committed records of *place* from *start* on in portions; raise `KafkaError` if the broker fails."""
    consumer = AIOKafkaConsumer(
        **config.client(),
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        isolation_level="read_committed",
        max_partition_fetch_bytes=FETCH_BYTES,
    )
    await consumer.start()
    try:
        consumer.assign([place])
        await consumer.seek_to_beginning(place)
        consumer.seek(place, max(start, await consumer.position(place)))
        end = (await consumer.end_offsets([place]))[place]
        # The position is asked rather than the last record: the log may end in markers of transactions.
        while (position := await consumer.position(place)) < end:
            try:
                fetched = await consumer.getmany(place, timeout_ms=POLL_MS)
            except CorruptRecordException:
                for record in await _read_up_to_damage(config, consumer, place, position):
                    yield [record]
            else:
                if place in fetched:
                    yield fetched[place]
    finally:
        await clients.stop_consumer(consumer)


async def _read_up_to_damage(
    config: KafkaConfig, consumer: AIOKafkaConsumer, place: TopicPartition, position: int
) -> list[ConsumerRecord[Any, Any]]:
    """Return the records from *position* to the next damaged batch, and seek behind that."""
    async with raw_batches.open_raw_reader(config, place.topic) as reader:
        damage = await reader.find_damage(place, position)
    if damage is None:  # it was damaged on the way, and will not be at the next attempt
        return []
    records: list[ConsumerRecord[Any, Any]] = []
    # One at a time: aiokafka drops the sound records that it unpacks in one call with a damaged batch.
    while await consumer.position(place) < damage.offset:
        try:
            fetched = await consumer.getmany(place, timeout_ms=POLL_MS, max_records=1)
        except CorruptRecordException:
            break
        records += fetched.get(place, [])
    consumer.seek(place, damage.next_offset)
    return records
