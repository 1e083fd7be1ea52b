"""A damaged batch stops its partition and no other, and is passed over once it is set aside with its bytes."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from prometheus_client import CollectorRegistry

from deploy.local.servers.kafka import Kafka
from schemas.events.topics import DELIVERIES
from services.runtime.clock import SystemClock
from services.runtime.http.probes import NotReadyError
from services.runtime.kafka import partition_reader, raw_batches
from services.runtime.kafka.batch_consumer import ConsumingBroker, Records, Subscription, subscribe
from services.runtime.kafka.dead_letters import DeadLetters
from tests.support.assertions.eventually import eventually
from tests.support.faults.broker_files import flip_bit
from tests.support.servers.kafka import Bus

GROUP = "test-damage"
TOPIC = DELIVERIES.name
DAMAGED = TopicPartition(TOPIC, 0)
VALUES = [f"value-{number:03d}".encode() for number in range(9)]


class Reading:
    """A consumer of the deliveries, and what it has read by partition."""

    def __init__(self, bus: Bus) -> None:
        self.registry = CollectorRegistry()
        self.broker = ConsumingBroker(bus.access, halt=self._halt, registry=self.registry)
        self.read: dict[int, list[bytes]] = {number: [] for number in range(bus.partitions)}
        subscribe(self.broker, Subscription(topic=TOPIC, group=GROUP), self._take, halt=self._halt)

    @property
    def damaged_offset(self) -> float | None:
        """The offset that the metric names for the damaged partition."""
        labels = {"topic": TOPIC, "partition": "0"}
        return self.registry.get_sample_value("runtime_damaged_batch_offset", labels)

    async def _take(self, records: Records, consumer: "AIOKafkaConsumer[bytes, bytes]") -> None:
        for record in records:
            self.read[record.partition].append(record.value)
        await consumer.commit()

    def _halt(self) -> None:
        raise AssertionError("nothing here may end a service")


@asynccontextmanager
async def reading(bus: Bus) -> AsyncIterator[Reading]:
    """Run a consumer while the block runs."""
    found = Reading(bus)
    await found.broker.start()
    try:
        yield found
    finally:
        await found.broker.stop()


async def test_a_damaged_batch_stops_its_partition_until_it_is_set_aside(bus: Bus, kafka: Kafka) -> None:
    """What lies before it is read, once; metric and readiness name it; behind it reading goes on with permission."""
    await write_and_damage(bus, kafka)
    async with reading(bus) as found:
        await eventually(lambda: found.damaged_offset == 4, "the damage on the metric", timeout=30.0)
        with pytest.raises(NotReadyError, match=f"{TOPIC}/0 at 4"):
            await found.broker.is_consuming()
        assert (found.read[0], found.read[1]) == (VALUES[:4], VALUES)
        await bus.publish(TOPIC, b"later", partition=1)
        await eventually(lambda: found.read[1] == [*VALUES, b"later"], "the other partition", timeout=30.0)
        await set_aside(bus)
        await eventually(lambda: found.read[0] == VALUES[:4] + VALUES[5:], "what lies behind", timeout=30.0)
        assert await found.broker.is_consuming()
        assert found.damaged_offset == -1
    async with reading(bus) as again:
        await bus.publish(TOPIC, b"last", partition=0)
        await eventually(lambda: again.read[0] == [b"last"], "the next record", timeout=30.0)


@pytest.mark.chaos
async def test_a_reader_of_what_it_wrote_itself_passes_over_damage(bus: Bus, kafka: Kafka) -> None:
    """A whole partition is read without the damaged batch, and each other record once."""
    await write_and_damage(bus, kafka)
    found = [record.value async for part in partition_reader.read_partition(bus.access, DAMAGED) for record in part]
    assert found == VALUES[:4] + VALUES[5:]


@pytest.mark.chaos
async def test_the_broker_cuts_a_damaged_end_off_when_it_was_killed(bus: Bus, kafka: Kafka) -> None:
    """After a kill it checks the end of the log itself; what is left ends before the damage, without a word."""
    await _write(bus)
    kafka.kill()
    flip_bit(kafka, TOPIC, 0, batch=4)
    kafka.start()
    assert [one.value for one in await bus.records(TOPIC) if one.partition == 0] == VALUES[:4]


async def write_and_damage(bus: Bus, kafka: Kafka) -> None:
    """Write all values to two partitions, each in a batch of its own, and flip a bit of the fifth in the first."""
    await _write(bus)
    kafka.stop()
    flip_bit(kafka, TOPIC, 0, batch=4)
    kafka.start()


async def set_aside(bus: Bus) -> None:
    """Put the damaged batch into the dead letters, as `dondoc dead-letters skip-damaged` does."""
    async with raw_batches.open_raw_reader(bus.access, TOPIC) as reader:
        damage = await reader.find_damage(DAMAGED, 0)
    assert damage is not None
    async with AIOKafkaProducer(bootstrap_servers=bus.bootstrap) as producer:
        await DeadLetters(producer, SystemClock()).set_aside_damaged(DAMAGED, damage, reason="a test")


async def _write(bus: Bus) -> None:
    async with AIOKafkaProducer(bootstrap_servers=bus.bootstrap, acks="all") as producer:
        for value in VALUES:
            for partition in (0, 1):
                await producer.send_and_wait(TOPIC, value, partition=partition)
