"""A batch is committed after its handler has finished, or not at all; and no consumer stops unseen."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager

import pytest
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import KafkaConnectionError
from prometheus_client import CollectorRegistry

from schemas.events.topics import DELIVERIES
from services.runtime.http.probes import NotReadyError
from services.runtime.kafka import batch_consumer
from services.runtime.kafka.batch_consumer import (
    BatchConsumer,
    ConsumingBroker,
    Handler,
    Records,
    Subscription,
    repeat_while_unavailable,
    subscribe,
)
from services.runtime.kafka.observed_consumer import ObservedConsumer
from tests.support.assertions.eventually import eventually
from tests.support.faults import fault_plan
from tests.support.servers.kafka import PARTITIONS, Bus
from tests.support.servers.mongo import Database
from tests.support.servers.services import Launch

GROUP = "test-batches"
FIRST = TopicPartition(DELIVERIES.name, 0)


def commit_after(handler: Handler, recoverable: tuple[type[Exception], ...]) -> Handler:
    """Return a handler that commits after *handler*, which is repeated when it raises one of *recoverable*."""

    async def handle(records: Records, consumer: ObservedConsumer) -> None:
        if await repeat_while_unavailable(lambda: handler(records, consumer), recoverable, until=consumer.is_stopping):
            await consumer.commit()

    return handle


@asynccontextmanager
async def consuming(
    bus: Bus, handler: Handler, halt: Callable[[], None], listener: ConsumerRebalanceListener | None = None
) -> AsyncIterator[BatchConsumer]:
    """Run a consumer of the deliveries while the block runs."""
    broker = ConsumingBroker(bus.access, halt=halt, registry=CollectorRegistry())
    subscription = Subscription(topic=DELIVERIES.name, group=GROUP)
    consumer = subscribe(broker, subscription, handler, halt=halt, listener=listener)
    await broker.start()
    try:
        yield consumer
    finally:
        await broker.stop()


def is_ready(consumer: BatchConsumer) -> bool:
    """Whether the readiness check of *consumer* holds."""
    try:
        consumer.check()
    except NotReadyError:
        return False
    return True


async def test_a_failed_batch_halts_and_nothing_after_it_is_read(bus: Bus) -> None:
    """No later commit skips the failed record."""
    halted: list[bool] = []
    read: list[bytes] = []

    async def handler(records: Records, _consumer: AIOKafkaConsumer) -> None:
        read.extend(record.value for record in records)
        if any(record.value == b"poison" for record in records):
            raise ValueError("no remedy")

    async with consuming(bus, commit_after(handler, ()), lambda: halted.append(True)) as consumer:
        await eventually(lambda: is_ready(consumer), "a consumer")
        await bus.publish(DELIVERIES.name, b"good", partition=0)
        await bus.wait_until_consumed(GROUP, DELIVERIES.name)
        await bus.publish(DELIVERIES.name, b"poison", partition=0)
        await eventually(lambda: halted, "a halt")
        await bus.publish(DELIVERIES.name, b"later", partition=0)
    assert (read, await bus.lag(GROUP, DELIVERIES.name)) == ([b"good", b"poison"], 2)


async def test_a_recoverable_failure_is_tried_again_until_it_holds(bus: Bus) -> None:
    """The same batch is handled again without a halt, and then committed."""
    attempts: list[int] = []
    halted: list[bool] = []

    async def handler(records: Records, _consumer: AIOKafkaConsumer) -> None:
        attempts.append(len(records))
        if len(attempts) < 3:
            raise ConnectionError("the database is away")

    async with consuming(bus, commit_after(handler, (ConnectionError,)), lambda: halted.append(True)) as consumer:
        await eventually(lambda: is_ready(consumer), "a consumer")
        await bus.publish(DELIVERIES.name, b"x", headers=[("odd", b"\xff")])
        await bus.wait_until_consumed(GROUP, DELIVERIES.name)
    assert (attempts, halted) == ([1, 1, 1], [])


async def test_a_batch_that_waits_is_given_up_when_the_service_stops(bus: Bus) -> None:
    """The stop takes seconds and not the grace of the batch; nothing is committed, so the batch comes again."""
    attempts: list[int] = []

    async def handler(records: Records, _consumer: AIOKafkaConsumer) -> None:
        attempts.append(len(records))
        raise ConnectionError("the database is away")

    await bus.publish(DELIVERIES.name, b"x", partition=0)
    async with consuming(bus, commit_after(handler, (ConnectionError,)), lambda: None):
        await eventually(lambda: len(attempts) > 2, "some attempts")
        begun = asyncio.get_running_loop().time()
    assert asyncio.get_running_loop().time() - begun < batch_consumer.GRACE_SECONDS
    assert await bus.lag(GROUP, DELIVERIES.name) == 1


async def ignore(_records: Records, _consumer: AIOKafkaConsumer) -> None:
    """Do nothing with a batch."""


class SeekingListener(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka has no annotations
    """Seeks the first partition to an offset, after a while; before that it fails with each of *failures* in turn."""

    consumer: BatchConsumer

    def __init__(self, offset: int, *failures: Exception) -> None:
        self._offset = offset
        self._failures = list(failures)
        self.calls = 0

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        """Do nothing."""

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Fail or seek."""
        self.calls += 1
        if self._failures:
            raise self._failures.pop(0)
        await asyncio.sleep(1.0)  # the client fetches meanwhile
        client = self.consumer.consumer
        assert client is not None
        assert FIRST in assigned
        client.seek(FIRST, self._offset)


@pytest.mark.parametrize("failures", [(), (KafkaConnectionError("the broker went away"),)])
async def test_the_first_record_is_the_one_that_the_listener_has_sought(
    bus: Bus, failures: tuple[Exception, ...]
) -> None:
    """No record from before the seek is handed over. A listener that the broker fails is called anew."""
    for number in range(6):
        await bus.publish(DELIVERIES.name, str(number).encode(), partition=0)
    read: list[bytes] = []
    halted: list[bool] = []

    async def handler(records: Records, _consumer: AIOKafkaConsumer) -> None:
        read.extend(record.value for record in records if record.partition == 0)

    listener = SeekingListener(4, *failures)
    async with consuming(bus, commit_after(handler, ()), lambda: halted.append(True), listener) as consumer:
        listener.consumer = consumer
        await eventually(lambda: len(read) > 1, "records")
        assert is_ready(consumer)
    assert (read, listener.calls, halted) == ([b"4", b"5"], 1 + len(failures), [])


async def test_a_listener_with_a_defect_halts(bus: Bus, caplog: pytest.LogCaptureFixture) -> None:
    """The client would log it and read on, from an offset that the service has not chosen."""
    halted: list[bool] = []
    read: list[int] = []

    async def handler(records: Records, _consumer: AIOKafkaConsumer) -> None:
        read.append(len(records))

    await bus.publish(DELIVERIES.name, b"x", partition=0)
    async with consuming(bus, handler, lambda: halted.append(True), SeekingListener(0, ValueError("defect"))):
        await eventually(lambda: halted, "a halt")
    actions = [vars(record).get("action") for record in caplog.records]
    assert actions.count("listener_failed") == actions.count("halted") == 1
    assert read == []


@pytest.mark.parametrize("end", ["cancelled", "failed"])
async def test_a_consume_loop_that_ends_halts(bus: Bus, caplog: pytest.LogCaptureFixture, end: str) -> None:
    """FastStream would go on without it, or begin it anew for ever, and say so to nobody."""
    halted: list[bool] = []
    async with consuming(bus, ignore, lambda: halted.append(True)) as consumer:
        await eventually(lambda: is_ready(consumer), "a consumer")
        (task,) = consumer._subscriber.tasks
        if end == "cancelled":
            task.cancel()
        else:
            consumer._subscriber.batch_timeout_ms = None  # a TypeError in FastStream's loop
        await eventually(lambda: halted, "a halt")
        assert not is_ready(consumer)
    assert [record for record in caplog.records if vars(record).get("action") == "halted"]


async def test_readiness_knows_whether_partitions_are_assigned_and_polled(
    bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before the group has answered, and while a batch takes too long, the check says which of the two it is."""
    monkeypatch.setattr(batch_consumer, "POLL_INTERVAL_MAX_SECONDS", 0.5)
    may_end = asyncio.Event()

    async def handler(_records: Records, _consumer: AIOKafkaConsumer) -> None:
        await may_end.wait()

    async with consuming(bus, handler, lambda: None) as consumer:
        with pytest.raises(
            NotReadyError, match=r"to assign partitions of dondoc\.deliveries\.v1 in group test-batches"
        ):
            consumer.check()
        await eventually(lambda: is_ready(consumer), "a consumer")
        await bus.publish(DELIVERIES.name, b"x", partition=0)
        await eventually(lambda: not is_ready(consumer), "a batch that takes too long")
        with pytest.raises(NotReadyError, match="the end of the batch in progress"):
            consumer.check()
        may_end.set()
        await eventually(lambda: is_ready(consumer), "a consumer that polls again")


async def test_a_member_without_a_share_is_ready(bus: Bus) -> None:
    """More replicas than partitions: the last one stands by."""
    brokers = [
        ConsumingBroker(bus.access, halt=lambda: None, registry=CollectorRegistry()) for _ in range(PARTITIONS + 1)
    ]
    consumers = [
        subscribe(broker, Subscription(topic=DELIVERIES.name, group=GROUP), ignore, halt=lambda: None)
        for broker in brokers
    ]
    for broker in brokers:
        await broker.start()

    def has_settled() -> bool:
        shares = [one.consumer.assignment() for one in consumers if one.consumer is not None and is_ready(one)]
        return len(shares) == len(consumers) and sorted(map(len, shares)) == [0, 1, 1, 1]

    try:
        await eventually(has_settled, "a share for each but one", timeout=60)
    finally:
        await asyncio.gather(*(broker.stop() for broker in brokers))


@pytest.mark.parametrize("service", ["rules", "notifier", "reporting"])
async def test_a_consumer_that_cannot_start_is_started_again(
    published: Bus, database: Database, launch: Launch, service: str
) -> None:
    """The process goes on, and is ready once the consumer is; the failure is in the log."""
    assert published.bootstrap
    # The first consumers are those of the documents and of the lag.
    failing = [fault_plan.raise_before("aiokafka", "AIOKafkaConsumer.start", call=number) for number in (3, 4)]
    process = launch(service, faults=failing, DONDOC_MONGO_URL=database.url, DONDOC_MONGO_DATABASE=database.name)
    assert any(line.get("action") == "consumer_restarted" for line in process.log_lines())
