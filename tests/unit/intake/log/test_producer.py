"""Batching by partition: what goes into a batch, when the next one is sent, and what callers get in the end."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.errors import KafkaError, MessageSizeTooLargeError

from schemas.events.topics import FACTS
from services.intake.core.fact_record import DedupEntries, PartitionBatch
from services.intake.log import producer as producer_module
from services.intake.log.producer import BATCH_BYTES_TARGET, BatchingProducer, BrokerUnavailableError
from services.runtime.clock import SystemClock

TIMEOUT_SECONDS = 0.2

# Turns of the event loop in which everything that needs no broker has happened.
TURNS = 20


class Builder(list[bytes]):
    """A batch that keeps its values."""

    def append(self, *, key: bytes, value: bytes, timestamp: int, headers: Sequence[Any]) -> object:  # type: ignore[override]  # the interface of a batch builder
        """Take one record."""
        assert (key, timestamp > 0, len(headers)) == (b"h-mot", True, 1)
        super().append(value)
        return object()


@dataclass(kw_only=True)
class ManualClient:
    """The two methods of aiokafka's producer that are used here; a test acknowledges the batches."""

    sent: list[tuple[int, list[bytes], asyncio.Future[Any]]] = field(default_factory=list)
    offsets: dict[int, int] = field(default_factory=dict)

    def create_batch(self) -> Builder:
        """An empty batch."""
        return Builder()

    async def send_batch(self, batch: Builder, topic: str, *, partition: int) -> asyncio.Future[Any]:
        """Take a batch."""
        assert topic == FACTS.name
        future = asyncio.get_running_loop().create_future()
        self.sent.append((partition, list(batch), future))
        return future

    def acknowledge(self) -> None:
        """Acknowledge all that is under way, each partition from offset 0 on."""
        for partition, values, future in self.sent:
            if not future.done():
                base = self.offsets.get(partition, 0)
                self.offsets[partition] = base + len(values)
                future.set_result(SimpleNamespace(offset=base))

    async def stop(self) -> None:
        """Nothing is left to flush."""


# Partition, offset of the first record, number of records.
Acknowledged = tuple[int, int, int]


def a_producer(client: ManualClient, acknowledged: list[Acknowledged] | None = None) -> BatchingProducer:
    """A producer of three partitions."""

    def on_acknowledged(partition: int, base: int, batches: Sequence[PartitionBatch]) -> None:
        if acknowledged is not None:
            acknowledged.append((partition, base, sum(map(len, batches))))

    return BatchingProducer(client, SystemClock(), on_acknowledged, partitions=3, timeout_seconds=TIMEOUT_SECONDS)


def a_batch(partition: int, *values: bytes) -> PartitionBatch:
    """Records with *values*."""
    return PartitionBatch(partition, [b"h-mot"] * len(values), list(values), DedupEntries(list(values), list(values)))


async def turn() -> None:
    """Let everything happen that needs no broker."""
    for _ in range(TURNS):
        await asyncio.sleep(0)


async def test_the_next_batch_of_a_partition_gathers_while_one_is_under_way() -> None:
    """A lone record is sent at once; what comes until its acknowledgement goes together, in order."""
    client, acknowledged = ManualClient(), list[Acknowledged]()
    producer = a_producer(client, acknowledged)
    appends = [asyncio.create_task(producer.append([a_batch(0, b"a")]))]
    await turn()
    appends += [asyncio.create_task(producer.append([a_batch(0, value)])) for value in (b"b", b"c")]
    await turn()
    assert [values for _, values, _ in client.sent] == [[b"a"]]
    client.acknowledge()
    await turn()
    client.acknowledge()
    assert [await append for append in appends] == [{0: 1}, {0: 3}, {0: 3}]
    assert [values for _, values, _ in client.sent] == [[b"a"], [b"b", b"c"]]
    assert acknowledged == [(0, 0, 1), (0, 1, 2)]


async def test_a_request_ends_when_every_partition_has_acknowledged() -> None:
    """Its end offsets name each of them, and all partitions are sent in one round."""
    client = ManualClient()
    append = asyncio.create_task(a_producer(client).append([a_batch(0, b"a"), a_batch(2, b"b", b"c")]))
    await turn()
    assert [partition for partition, _, _ in client.sent] == [0, 2]
    client.sent[0][2].set_result(SimpleNamespace(offset=7))
    await turn()
    assert not append.done()
    client.acknowledge()
    assert await append == {0: 8, 2: 2}


async def test_a_batch_ends_at_its_target_size() -> None:
    """Records beyond it go with the next one; a record that is larger by itself goes alone."""
    client = ManualClient()
    half, huge = b"x" * (BATCH_BYTES_TARGET // 2), b"y" * (BATCH_BYTES_TARGET + 1)
    append = asyncio.create_task(a_producer(client).append([a_batch(0, half, half, half, huge)]))
    for _ in range(3):
        await turn()
        client.acknowledge()
    assert await append == {0: 4}
    assert [[len(value) for value in values] for _, values, _ in client.sent] == [
        [len(half)] * 2,
        [len(half)],
        [len(huge)],
    ]


async def test_a_late_acknowledgement_fails_everybody_and_is_still_taken_note_of() -> None:
    """Callers fail at the timeout, new ones at once; the batch stays with the client until its end is known."""
    client, acknowledged = ManualClient(), list[Acknowledged]()
    producer = a_producer(client, acknowledged)
    under_way = asyncio.create_task(producer.append([a_batch(0, b"a")]))
    await turn()
    waiting = asyncio.create_task(producer.append([a_batch(0, b"b")]))
    for append in (under_way, waiting):
        with pytest.raises(BrokerUnavailableError, match="in time"):
            await append
    with pytest.raises(BrokerUnavailableError):
        await producer.append([a_batch(1, b"c")])
    settled = asyncio.create_task(producer.wait_until_settled())
    await turn()
    assert not settled.done()
    client.acknowledge()
    await settled
    assert acknowledged == [(0, 0, 1)]
    assert producer.is_usable
    producer.resume()
    again = asyncio.create_task(producer.append([a_batch(0, b"b")]))
    await turn()
    client.acknowledge()
    assert await again == {0: 2}
    assert [values for _, values, _ in client.sent] == [[b"a"], [b"b"]]


async def test_a_refusal_for_good_makes_the_producer_unusable() -> None:
    """Every caller fails, of other partitions too: after a gap in its sequence the client can append nothing more."""
    client = ManualClient()
    producer = a_producer(client)
    appends = [asyncio.create_task(producer.append([a_batch(number, b"a")])) for number in (0, 1)]
    await turn()
    client.sent[0][2].set_exception(MessageSizeTooLargeError())
    for append in appends:
        with pytest.raises(BrokerUnavailableError, match="MessageSizeTooLarge"):
            await append
    assert not producer.is_usable
    client.acknowledge()
    async with asyncio.timeout(1):
        await producer.wait_until_settled()


async def test_a_client_that_takes_no_batch_fails_the_append(monkeypatch: pytest.MonkeyPatch) -> None:
    """For example because its background task has ended: nothing hangs, and nothing counts as under way."""
    client = ManualClient()

    async def refuse(*_: object, **__: object) -> None:
        raise KafkaError("closed")

    monkeypatch.setattr(client, "send_batch", refuse)
    producer = a_producer(client)
    with pytest.raises(BrokerUnavailableError, match="closed"):
        await producer.append([a_batch(0, b"a")])
    assert not producer.is_usable
    async with asyncio.timeout(1):
        await producer.wait_until_settled()


async def test_closing_fails_those_who_wait_and_does_not_hang(monkeypatch: pytest.MonkeyPatch) -> None:
    """A client whose broker is away flushes for ever; the process must be able to end all the same."""
    client = ManualClient()

    async def hang() -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(client, "stop", hang)
    monkeypatch.setattr(producer_module, "CLOSE_SECONDS", 0.05)
    producer = a_producer(client)
    append = asyncio.create_task(producer.append([a_batch(0, b"a")]))
    await turn()
    async with asyncio.timeout(1):
        await producer.close()
    with pytest.raises(BrokerUnavailableError, match="closed"):
        await append
