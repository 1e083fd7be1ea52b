"""A tail reads a partition from an offset and follows it, through an absence of the broker, until it is stopped."""

from collections.abc import AsyncIterator

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from deploy.local.servers.kafka import Kafka
from schemas.events.topics import FACTS
from services.runtime.kafka import log_tail
from services.runtime.kafka.log_tail import LogTail, NotTailingError
from tests.support.assertions.eventually import eventually
from tests.support.servers.kafka import Bus

PARTITION = TopicPartition(FACTS.name, 0)


class Reader:
    """Collects the values of one partition."""

    def __init__(self, bus: Bus) -> None:
        self.tail = LogTail(bus.access, [PARTITION], isolation_level="read_uncommitted")
        self.values: list[bytes] = []

    async def read(self, consumer: AIOKafkaConsumer) -> None:
        """Read one batch."""
        for records in (await consumer.getmany(timeout_ms=100)).values():
            self.values += [record.value for record in records]
        self.tail.advance()


@pytest.fixture
async def reader(bus: Bus) -> AsyncIterator[Reader]:
    """A reader of an empty partition that is stopped with the test."""
    own = Reader(bus)
    yield own
    await own.tail.stop()


async def test_a_tail_reads_from_the_beginning_and_goes_on(bus: Bus, reader: Reader) -> None:
    """Records from before the start and from after it arrive in order."""
    await bus.publish(FACTS.name, b"1", partition=0)
    await reader.tail.start(reader.read, action="test_waiting")
    await bus.publish(FACTS.name, b"2", partition=0)
    await reader.tail.wait_until(lambda: len(reader.values) == 2)
    assert (reader.values, reader.tail.is_following) == ([b"1", b"2"], True)
    assert await reader.tail.end_offsets() == {PARTITION: 2}


async def test_a_tail_begins_where_seek_says(bus: Bus, reader: Reader) -> None:
    """`seek` runs before the first record is read."""
    for value in (b"1", b"2", b"3"):
        await bus.publish(FACTS.name, value, partition=0)

    async def seek(consumer: AIOKafkaConsumer) -> None:
        consumer.seek(PARTITION, 2)

    await reader.tail.start(reader.read, action="test_waiting", seek=seek)
    await reader.tail.wait_until(lambda: bool(reader.values))
    assert reader.values == [b"3"]


async def test_a_failing_seek_leaves_nothing_open(reader: Reader) -> None:
    """What `seek` raises reaches the caller, and the tail can be started again."""

    async def seek(_consumer: AIOKafkaConsumer) -> None:
        raise KafkaError("no such offset")

    with pytest.raises(KafkaError, match="no such offset"):
        await reader.tail.start(reader.read, action="test_waiting", seek=seek)
    assert not reader.tail.is_started
    await reader.tail.start(reader.read, action="test_waiting")
    assert reader.tail.is_following


async def test_a_failed_read_is_tried_again(
    bus: Bus, reader: Reader, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A `KafkaError` is logged with the caller's action and the tail goes on."""
    monkeypatch.setattr(log_tail, "RETRY_SECONDS", 0.01)
    attempts: list[int] = []

    async def read(consumer: AIOKafkaConsumer) -> None:
        attempts.append(1)
        if len(attempts) == 1:
            raise KafkaError("the broker is away")
        await reader.read(consumer)

    await bus.publish(FACTS.name, b"1", partition=0)
    await reader.tail.start(read, action="test_waiting")
    await reader.tail.wait_until(lambda: bool(reader.values))
    assert [vars(record)["action"] for record in caplog.records if record.name == log_tail.__name__] == ["test_waiting"]


async def test_a_tail_that_is_not_started_has_no_end(reader: Reader) -> None:
    """The error is a `KafkaError`, because the caller may try again when the broker is there."""
    with pytest.raises(NotTailingError):
        await reader.tail.end_offsets()
    await reader.tail.stop()


@pytest.mark.chaos
async def test_a_tail_goes_on_after_a_restart_of_the_broker(bus: Bus, kafka: Kafka, reader: Reader) -> None:
    """Nothing is lost or read twice when the broker was away for a while."""
    await bus.publish(FACTS.name, b"1", partition=0)
    await reader.tail.start(reader.read, action="test_waiting")
    await reader.tail.wait_until(lambda: bool(reader.values))
    kafka.restart()
    await bus.publish(FACTS.name, b"2", partition=0)
    await eventually(lambda: len(reader.values) == 2, "the second record", timeout=30.0)
    assert reader.values == [b"1", b"2"]
