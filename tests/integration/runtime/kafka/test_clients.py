"""A consumer is stopped completely, whether the broker is there or not."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from deploy.local.servers.kafka import Kafka
from schemas.events.topics import FACTS
from services.runtime.kafka.clients import stop_consumer
from tests.support.servers.kafka import Bus

TIMEOUT_SECONDS = 20.0


class Signal(logging.Handler):
    """Sets an event at the first log line."""

    def __init__(self, seen: asyncio.Event) -> None:
        super().__init__()
        self._seen = seen

    def emit(self, record: logging.LogRecord) -> None:
        """Set the event."""
        del record
        self._seen.set()


@pytest.fixture
async def consumer(bus: Bus) -> AsyncIterator[AIOKafkaConsumer]:
    """A consumer that has begun to fetch."""
    await bus.publish(FACTS.name, {}, partition=0)
    own = AIOKafkaConsumer(bootstrap_servers=bus.bootstrap, auto_offset_reset="earliest")
    await own.start()
    own.assign([TopicPartition(FACTS.name, 0)])
    await own.getone()
    yield own
    await own._client.close()


async def test_a_consumer_stops_though_the_broker_is_away(consumer: AIOKafkaConsumer, kafka: Kafka) -> None:
    """The cancellation of the consumer's own fetch does not reach the caller."""
    reading = asyncio.create_task(consumer.getone())
    kafka.kill()
    async with a_failed_fetch():
        reading.cancel()
        await stop_consumer(consumer)
    assert consumer._client._sync_task is None
    assert not consumer._client._conns


async def test_who_is_cancelled_while_it_stops_a_consumer_is_cancelled(consumer: AIOKafkaConsumer) -> None:
    """A cancellation of the caller reaches the caller."""
    stopping = asyncio.create_task(stop_consumer(consumer))
    await asyncio.sleep(0)
    stopping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await stopping


@asynccontextmanager
async def a_failed_fetch() -> AsyncIterator[None]:
    """Enter the block at the moment when a fetch has failed and sleeps before its next attempt."""
    failed = asyncio.Event()
    fetcher = logging.getLogger("aiokafka.consumer.fetcher")
    listener = Signal(failed)
    fetcher.addHandler(listener)
    try:
        await asyncio.wait_for(failed.wait(), TIMEOUT_SECONDS)
        yield
    finally:
        fetcher.removeHandler(listener)
