"""Writes the results of a batch exactly once: assessments, states, dead letters and offsets in one Kafka transaction.

The transactional id belongs to the partition, not to the process. Opening the writer fences the process
that owned the partition before (KIP-98): its open transaction is aborted, and what it still tries to write is refused.
"""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from aiokafka import AIOKafkaProducer, ConsumerRecord, TopicPartition

from schemas.events.topics import DUTIES, FACTS, VERDICTS
from services.runtime.clock import Clock, milliseconds
from services.runtime.kafka import clients
from services.runtime.kafka.dead_letters import DeadLetters
from services.runtime.settings import KafkaConfig

BATCH_BYTES = 512 * 1024  # records of one request; the broker takes them as one batch
LARGEST_REQUEST_BYTES = 17 * 1024 * 1024  # what the dead letter topic carries in one record
TRANSACTION_TIMEOUT_MS = 30_000  # a killed owner blocks committed readers no longer than this, should none follow it


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectedRecord:
    """A record for the dead letters: `kind` is the metric's label, `reason` is written for people."""

    record: ConsumerRecord[Any, Any]
    kind: str
    reason: str


@dataclass(slots=True, kw_only=True)
class BatchWrites:
    """What follows from one batch: assessments and states as (key, value), dead letters, and the next offset."""

    assessments: list[tuple[str, bytes]] = field(default_factory=list)
    states: Sequence[tuple[str, bytes]] = ()
    rejected: list[RejectedRecord] = field(default_factory=list)
    next_offset: int = 0


class TransactionalWriter:
    """The transactional producer of one partition. After any failure it is closed and not used again."""

    def __init__(self, kafka: KafkaConfig, group: str, partition: int, *, clock: Clock) -> None:
        self._group = group
        self._partition = partition
        self._clock = clock
        self._producer = AIOKafkaProducer(
            **kafka.client(),
            transactional_id=f"{group}-{FACTS.name}-{partition}",
            transaction_timeout_ms=TRANSACTION_TIMEOUT_MS,
            max_batch_size=BATCH_BYTES,
            max_request_size=LARGEST_REQUEST_BYTES,
            compression_type="zstd",  # assessments resemble each other: a fifteenth of the bytes for 1 µs a record
        )
        self._dead_letters = DeadLetters(self._producer, clock)

    async def open(self) -> None:
        """Fence every earlier owner; return when their open transaction is aborted."""
        await self._producer.start()

    async def close(self) -> None:
        await clients.stop_producer(self._producer)

    async def commit(self, writes: BatchWrites) -> None:
        """Write all of *writes* or nothing; raise `ProducerFenced` if the partition has another owner by now."""
        async with self._producer.transaction():
            sent = [
                *await self._send_in_batches(VERDICTS.name, writes.assessments),
                *await self._send_in_batches(DUTIES.name, writes.states),
            ]
            dead_letters = (self._dead_letters.set_aside(one.record, reason=one.reason) for one in writes.rejected)
            await asyncio.gather(*sent, *dead_letters)
            facts = TopicPartition(FACTS.name, self._partition)
            # The offset comes last, and in the same transaction: a batch counts as consumed only with its results.
            await self._producer.send_offsets_to_transaction({facts: writes.next_offset}, self._group)

    async def append_fact(self, key: str, value: bytes) -> None:
        """Append one fact to this partition; raise `ProducerFenced` if the partition has another owner by now."""
        async with self._producer.transaction():
            await asyncio.gather(*await self._send_in_batches(FACTS.name, [(key, value)]))

    async def _send_in_batches(self, topic: str, records: Iterable[tuple[str, bytes]]) -> list[asyncio.Future[Any]]:
        """Send *records* in whole batches; return their futures. An awaited send a record would cost a linger each."""
        timestamp = milliseconds(self._clock.now())
        futures: list[asyncio.Future[Any]] = []
        batch = self._producer.create_batch()
        for key, value in records:
            # aiokafka returns None instead of metadata when the record does not fit into the batch any more.
            if batch.append(key=key.encode(), value=value, timestamp=timestamp) is None:
                futures.append(await self._producer.send_batch(batch, topic, partition=self._partition))
                batch = self._producer.create_batch()
                batch.append(key=key.encode(), value=value, timestamp=timestamp)
        if batch.record_count():
            futures.append(await self._producer.send_batch(batch, topic, partition=self._partition))
        return futures
