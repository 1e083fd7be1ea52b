"""The lag of a consumer is what the broker has beyond the records that were handed over."""

from collections.abc import AsyncIterator

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from schemas.events.topics import FACTS
from services.runtime.kafka import consumer_lag
from tests.support.servers.kafka import Bus

PARTITION = TopicPartition(FACTS.name, 0)
OTHER = TopicPartition(FACTS.name, 1)


@pytest.fixture
async def consumer(bus: Bus) -> AsyncIterator[AIOKafkaConsumer]:
    """A consumer of two partitions, of which one has five records."""
    for _ in range(5):
        await bus.publish(FACTS.name, {}, partition=0)
    own = AIOKafkaConsumer(bootstrap_servers=bus.bootstrap, auto_offset_reset="earliest")
    await own.start()
    own.assign([PARTITION, OTHER])
    yield own
    await own.stop()


async def test_the_lag_counts_the_records_that_were_not_handed_over(consumer: AIOKafkaConsumer) -> None:
    """After two of five records it is three; after the rest it is zero."""
    await consumer.getone(PARTITION)
    await consumer.getone(PARTITION)
    assert await consumer_lag.measure_partition(consumer, PARTITION) == 3
    assert await consumer_lag.measure(consumer) == 3
    await consumer.getmany(PARTITION, timeout_ms=5_000)
    assert await consumer_lag.measure(consumer) == 0


async def test_the_lag_of_a_partition_of_another_owner_is_unknown(consumer: AIOKafkaConsumer) -> None:
    """A partition that is not assigned is left to its owner, and nothing is waited for or raised."""
    await consumer.getone(PARTITION)
    assert await consumer_lag.measure_partition(consumer, TopicPartition(FACTS.name, 2)) is None
    consumer.unsubscribe()
    assert await consumer_lag.measure_partition(consumer, PARTITION) is None
    assert await consumer_lag.measure(consumer) == 0
