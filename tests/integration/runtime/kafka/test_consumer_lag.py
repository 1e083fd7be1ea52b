"""The lag of a group is what the broker says it has not committed, whatever the consumer does meanwhile."""

import asyncio
import math
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from deploy.local.servers.kafka import Kafka
from schemas.events.topics import FACTS
from services.runtime.kafka import consumer_lag
from services.runtime.kafka.consumer_lag import LagByPartition, LagMonitor, PartitionLag
from tests.support.assertions.eventually import eventually
from tests.support.servers.kafka import PARTITIONS, Bus

GROUP = "test-lag"
NOW = datetime(2026, 12, 10, tzinfo=UTC)
FIRST = TopicPartition(FACTS.name, 0)


class FixedClock:
    """Stands still."""

    def now(self) -> datetime:
        """Return the same instant."""
        return NOW


class Shown:
    """What a monitor has shown, last."""

    def __init__(self) -> None:
        self.lags: LagByPartition = {}

    def show(self, lags: LagByPartition) -> None:
        """Keep *lags*."""
        self.lags = lags

    def is_known(self) -> bool:
        """Whether the last measurement succeeded."""
        return bool(self.lags) and not math.isnan(consumer_lag.add_up(self.lags.values()).records)


@pytest.fixture
async def monitor(bus: Bus, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Callable[[], Shown]]:
    """Return a function that starts a monitor of the facts, and what it shows."""
    monkeypatch.setattr(consumer_lag, "INTERVAL_SECONDS", 0.1)
    tasks: list[asyncio.Task[None]] = []

    def start() -> Shown:
        shown = Shown()
        running = LagMonitor(bus.access, GROUP, {FACTS.name: PARTITIONS}, clock=FixedClock(), show=shown.show)
        tasks.append(asyncio.create_task(running.run()))
        return shown

    yield start
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


@pytest.fixture
async def member(bus: Bus) -> AsyncIterator[AIOKafkaConsumer]:
    """A consumer in the group, which commits when the test says so."""
    consumer = AIOKafkaConsumer(
        FACTS.name,
        bootstrap_servers=bus.bootstrap,
        group_id=GROUP,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        isolation_level="read_committed",
    )
    await consumer.start()
    yield consumer
    await consumer.stop()


async def publish(bus: Bus, count: int, *, first_age: timedelta) -> None:
    """Publish records to the first partition, a minute after each other."""
    for number in range(count):
        recorded_at = NOW - first_age + timedelta(minutes=number)
        await bus.publish(FACTS.name, {}, partition=0, recorded_at=recorded_at)


async def test_a_consumer_that_holds_a_batch_is_behind_by_it(
    bus: Bus, member: AIOKafkaConsumer, monitor: Callable[[], Shown]
) -> None:
    """Records that were fetched and not committed are unread; the age is that of the oldest."""
    await publish(bus, 5, first_age=timedelta(minutes=10))
    for _ in range(5):
        await member.getone()
    shown = monitor()
    await eventually(shown.is_known, "a measurement")
    assert shown.lags[FIRST] == PartitionLag(records=5, oldest_unread_seconds=600)
    await member.commit({FIRST: 2})
    await eventually(lambda: shown.lags[FIRST].records == 3, "three unread records")
    assert shown.lags[FIRST].oldest_unread_seconds == 480
    await member.commit({FIRST: 5})
    await eventually(lambda: shown.lags[FIRST] == consumer_lag.UP_TO_DATE, "nothing unread")
    assert consumer_lag.add_up(shown.lags.values()) == consumer_lag.UP_TO_DATE


async def test_a_group_without_any_member_is_behind_by_everything(bus: Bus, monitor: Callable[[], Shown]) -> None:
    """Nobody owns a partition, and the lag is there all the same."""
    await publish(bus, 3, first_age=timedelta(hours=2))
    shown = monitor()
    await eventually(shown.is_known, "a measurement")
    assert shown.lags[FIRST] == PartitionLag(records=3, oldest_unread_seconds=7200)


async def test_the_marker_of_a_transaction_is_no_record(
    bus: Bus, member: AIOKafkaConsumer, monitor: Callable[[], Shown]
) -> None:
    """Behind the last committed record lies a marker, which takes an offset that no group ever commits."""
    producer = AIOKafkaProducer(bootstrap_servers=bus.bootstrap, transactional_id="test-lag")
    async with producer, producer.transaction():
        await producer.send_and_wait(FACTS.name, b"{}", partition=0)
    fetched = await member.getmany(timeout_ms=10_000)
    await member.commit({FIRST: fetched[FIRST][-1].offset + 1})
    shown = monitor()
    await eventually(shown.is_known, "a measurement")
    assert shown.lags[FIRST] == consumer_lag.UP_TO_DATE


async def test_a_lag_that_cannot_be_measured_is_unknown_and_not_zero(
    bus: Bus, kafka: Kafka, monitor: Callable[[], Shown], monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the broker hangs every figure is NaN; when it answers again they are measured again."""
    monkeypatch.setattr(consumer_lag, "MEASUREMENT_SECONDS", 1.0)
    await publish(bus, 1, first_age=timedelta(minutes=1))
    shown = monitor()
    await eventually(shown.is_known, "a measurement")
    kafka.pause()
    await eventually(lambda: not shown.is_known(), "an unknown lag")
    assert all(math.isnan(lag.oldest_unread_seconds) for lag in shown.lags.values())
    kafka.resume()
    await eventually(shown.is_known, "another measurement")
    assert shown.lags[FIRST].records == 1
