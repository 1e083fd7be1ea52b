"""A batch is committed after its handler has finished, or not at all."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from aiokafka import AIOKafkaConsumer
from prometheus_client import CollectorRegistry

from schemas.events.topics import DELIVERIES
from services.runtime.kafka.batch_consumer import (
    ConsumingBroker,
    Handler,
    Records,
    Subscription,
    commit_after,
    subscribe,
)
from tests.support.assertions.eventually import eventually
from tests.support.faults import fault_plan
from tests.support.servers.kafka import Bus
from tests.support.servers.mongo import Database
from tests.support.servers.services import Launch

GROUP = "test-batches"


@asynccontextmanager
async def consuming(bus: Bus, handler: Handler, halt: Callable[[], None]) -> AsyncIterator[None]:
    """Run a consumer of the deliveries while the block runs."""
    broker = ConsumingBroker(bus.access, halt=halt, registry=CollectorRegistry())
    subscribe(broker, Subscription(topic=DELIVERIES.name, group=GROUP), handler, halt=halt)
    await broker.start()
    try:
        yield
    finally:
        await broker.stop()


async def test_a_failed_batch_halts_and_nothing_after_it_is_read(bus: Bus) -> None:
    """No later commit skips the failed record."""
    halted: list[bool] = []
    read: list[bytes] = []

    async def handler(records: Records, _consumer: AIOKafkaConsumer) -> None:
        read.extend(record.value for record in records)
        if any(record.value == b"poison" for record in records):
            raise ValueError("no remedy")

    async with consuming(bus, commit_after(handler, ()), lambda: halted.append(True)):
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

    async with consuming(bus, commit_after(handler, (ConnectionError,)), lambda: halted.append(True)):
        await bus.publish(DELIVERIES.name, b"x", headers=[("odd", b"\xff")])
        await bus.wait_until_consumed(GROUP, DELIVERIES.name)
    assert (attempts, halted) == ([1, 1, 1], [])


@pytest.mark.parametrize("service", ["rules", "notifier"])
async def test_a_consumer_that_cannot_start_ends_its_process(
    bus: Bus, database: Database, launch: Launch, service: str
) -> None:
    """A process that answers and consumes nothing would be worse; the first consumer is that of the documents."""
    assert bus.bootstrap
    failing = [fault_plan.raise_before("aiokafka", "AIOKafkaConsumer.start", call=2)]
    process = launch(service, faults=failing, ready=False, DONDOC_MONGO_URL=database.url)
    await process.wait_until_ended()
    (last,) = (line for line in process.log_lines() if line.get("action") == "halted")
    assert last["message"] == "the consumer could not start"
