"""Writes the results of a batch exactly once: assessments, states, dead letters and offsets in one Kafka transaction.

The transactional id belongs to the partition, not to the process. Opening the writer fences the process
that owned the partition before (KIP-98): its open transaction is aborted, and what it still tries to write is refused.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Sequence
from typing import Any

from aiokafka import AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.errors import IllegalOperation, KafkaError, TopicAuthorizationFailedError
from aiokafka.producer.message_accumulator import BatchBuilder

from schemas.events.event_origin import EventOrigin
from schemas.events.topics import DUTIES, FACTS, VERDICTS
from services.runtime import background
from services.runtime.clock import Clock, milliseconds
from services.runtime.kafka import clients, event_origins
from services.runtime.kafka.clients import AccessDeniedError
from services.runtime.kafka.dead_letters import DeadLetters
from services.runtime.kafka.event_origins import Headers
from services.runtime.settings import KafkaConfig

BATCH_BYTES = 512 * 1024  # records of one request; the broker takes them as one batch
LARGEST_REQUEST_BYTES = 17 * 1024 * 1024  # what the dead letter topic carries in one record
TRANSACTION_TIMEOUT_MS = 30_000  # a killed owner blocks committed readers no longer than this, should none follow it
COMMIT_TIMEOUT_SECONDS = 45.0  # by then the broker has aborted the transaction

# The future of a batch that was sent, and the number of its records.
SentBatch = tuple["asyncio.Future[Any]", int]


class RecordBatches:
    """Records of one topic in the batches in which they are sent, encoded as they come: none is kept beside its batch.

    An awaited send a record would cost a linger each.
    """

    __slots__ = ("_batch", "_create_batch", "_timestamp", "batches", "count", "size")

    def __init__(self, create_batch: Callable[[], BatchBuilder], timestamp: int) -> None:
        self._create_batch = create_batch
        self._timestamp = timestamp
        self._batch = create_batch()
        self.batches = [self._batch]
        self.count = self.size = 0  # of all records, and of their values in bytes

    def append(self, key: str, value: bytes | None, headers: Headers) -> None:
        """Add a record; without a value it deletes its key."""
        encoded = key.encode()
        # aiokafka returns None instead of metadata when the record does not fit into the batch any more. It puts the
        # first record into a batch whatever its size.
        while self._batch.append(key=encoded, value=value, timestamp=self._timestamp, headers=headers) is None:
            self._batch = self._create_batch()
            self.batches.append(self._batch)
        self.count += 1
        self.size += len(value or b"")


class BatchWrites:
    """What follows from one batch: assessments and states, dead letters, and the next offset.

    Without a next offset none is committed. `received` has the origins of the facts that led to assessments and were
    processed for the first time. `rejected` has the records for the dead letters, each with the kind of the reason, a
    metric's label, and the reason, which is written for people.
    """

    __slots__ = ("assessments", "next_offset", "received", "rejected", "states")

    def __init__(self, create_batch: Callable[[], BatchBuilder], timestamp: int) -> None:
        self.assessments = RecordBatches(create_batch, timestamp)
        self.states = RecordBatches(create_batch, timestamp)
        self.received: list[EventOrigin] = []
        self.rejected: list[tuple[ConsumerRecord[Any, Any], str, str]] = []
        self.next_offset: int | None = None

    def add_assessments(self, events: Sequence[tuple[str, bytes]], origin: EventOrigin) -> None:
        """Add assessments, as (key, value), that follow from a fact of *origin*."""
        headers = event_origins.encode_headers(origin)
        for key, value in events:
            self.assessments.append(key, value, headers)

    def add_states(self, states: Iterable[tuple[str, bytes | None]]) -> None:
        """Add state records, as (key, value); one without a value is deleted."""
        for key, value in states:
            self.states.append(key, value, [])

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to write."""
        return not (self.assessments.count or self.states.count or self.rejected) and self.next_offset is None


class WriterFailedError(KafkaError):  # type: ignore[misc]  # aiokafka has no annotations
    """The writer cannot write any more, or what it wrote is gone; the partition has to be opened again."""


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
        self._has_failed = False
        self._under_way: list[asyncio.Future[Any]] = []
        self.verdicts_end = 0
        """An offset at which the verdicts end or behind it: every verdict of this partition lies below their end."""

    async def open(self) -> None:
        """Fence every earlier owner; return when their open transaction is aborted."""
        await self._producer.start()

    async def close(self) -> None:
        await clients.stop_producer(self._producer)

    def begin_writes(self) -> BatchWrites:
        """Return writes without anything, to be filled and committed."""
        return BatchWrites(self._producer.create_batch, milliseconds(self._clock.now()))

    async def commit(self, writes: BatchWrites) -> None:
        """Write all of *writes* or nothing; raise `ProducerFenced` if the partition has another owner by now."""
        await self._run(self._commit(writes))

    async def append_fact(self, key: str, value: bytes) -> None:
        """Append one fact to this partition; raise `ProducerFenced` if the partition has another owner by now."""
        await self._run(self._append_fact(key, value))

    async def _run(self, transaction: Coroutine[Any, Any, None]) -> None:
        """Run *transaction*; raise `KafkaError` if it fails, or one before it did."""
        if self._has_failed:
            transaction.close()
            raise WriterFailedError("an earlier transaction of this writer has failed")
        self._under_way = []
        self._has_failed = True  # until the opposite is known: a cancelled transaction has failed, too
        try:
            is_done = await background.wait_at_most(COMMIT_TIMEOUT_SECONDS, transaction)
        except (AssertionError, IllegalOperation) as cause:
            # aiokafka insists on the order of its calls and answers, which a refused or deleted topic upsets.
            raise WriterFailedError("the client lost track of its transaction") from self._find_refusal() or cause
        if not is_done:
            # It asks again and again for a topic that was deleted.
            raise WriterFailedError(f"the broker has not answered for {COMMIT_TIMEOUT_SECONDS:.0f} s")
        self._has_failed = False

    def _find_refusal(self) -> BaseException | None:
        """Return why the broker refused a batch of this transaction; None if it has refused none."""
        ended = (one for one in self._under_way if one.done() and not one.cancelled())
        return next((one.exception() for one in ended if one.exception() is not None), None)

    async def _commit(self, writes: BatchWrites) -> None:
        async with self._producer.transaction():
            verdicts = await self._send(VERDICTS.name, writes.assessments)
            states = await self._send(DUTIES.name, writes.states)
            dead_letters = (
                self._dead_letters.set_aside(record, reason=f"{kind}: {why}") for record, kind, why in writes.rejected
            )
            await asyncio.gather(*(one for one, _ in (*verdicts, *states)), *dead_letters)
            self._follow_verdicts(verdicts)
            if writes.next_offset is not None:
                # The offset comes last, and in the same transaction: a batch counts as consumed only with its results.
                await self._send_offset(writes.next_offset)

    async def _send_offset(self, next_offset: int) -> None:
        place = TopicPartition(FACTS.name, self._partition)
        try:
            await self._producer.send_offsets_to_transaction({place: next_offset}, self._group)
        except KafkaError as cause:
            if isinstance(cause.__cause__, TopicAuthorizationFailedError):  # which names no topic
                raise AccessDeniedError(f"Read on topic {place.topic}") from cause
            raise

    async def _append_fact(self, key: str, value: bytes) -> None:
        facts = RecordBatches(self._producer.create_batch, milliseconds(self._clock.now()))
        facts.append(key, value, [])
        async with self._producer.transaction():
            await asyncio.gather(*(one for one, _ in await self._send(FACTS.name, facts)))

    def _follow_verdicts(self, batches: Sequence[SentBatch]) -> None:
        """Take note of where the verdicts end; raise `WriterFailedError` if earlier ones are no longer there."""
        for future, count in batches:
            # A batch whose first answer was lost is acknowledged without its offset, as -1.
            offset = future.result().offset if future.result().offset >= 0 else self.verdicts_end
            if offset < self.verdicts_end:
                raise WriterFailedError(f"verdicts up to {self.verdicts_end} are lost: the next one got {offset}")
            self.verdicts_end = offset + count

    async def _send(self, topic: str, records: RecordBatches) -> list[SentBatch]:
        """Send the batches of *records*; return their futures."""
        sent: list[SentBatch] = []
        for batch in records.batches if records.count else ():
            count = batch.record_count()
            sending = await self._producer.send_batch(batch, topic, partition=self._partition)
            self._under_way.append(sending)
            sent.append((sending, count))
        return sent
