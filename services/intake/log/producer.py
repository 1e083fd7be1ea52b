"""Batch records by partition and append them to the facts topic, through aiokafka's public `send_batch`.

One round of batches is under way, at most one batch a partition; meanwhile the next round gathers. So batches grow with
the load, a lone record waits for nothing, and a broker gets one request for all partitions that it leads.

The client is idempotent (KIP-98): it repeats a batch under its sequence number until the broker answers, however long
that takes. A producer is therefore never abandoned while its client lives: when an append times out, its caller keeps
the records elsewhere, and `wait_until_settled` returns when the outcome of every batch is known.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from aiokafka.structs import RecordMetadata

from schemas.events.topics import FACTS
from services.intake.core.fact_record import CONTENT_TYPE, EndOffsets, PartitionBatch
from services.runtime.clock import Clock, milliseconds
from services.runtime.kafka import clients
from services.runtime.settings import KafkaConfig

MEBIBYTE = 1024 * 1024

# Of one batch of one partition. An event of the largest size (1 MiB) still fits with what intake adds to it.
BATCH_BYTES_MAX = 2 * MEBIBYTE

# A gathered batch is sent without more beyond this size: the default limit of a broker is 1 MiB.
BATCH_BYTES_TARGET = 768 * 1024

# Of one attempt of the client. Appends have a shorter timeout of their own.
REQUEST_TIMEOUT_MS = 5_000

# Between attempts of the client, for example while a partition changes its leader.
RETRY_BACKOFF_MS = 200

# A frozen broker answers nothing, not even the end of a connection.
CLOSE_SECONDS = 2.0

# Turns of the event loop before a round of batches is built. Under load many requests arrive in one turn and join the
# round; a lone request waits some microseconds.
GATHERING_TURNS = 1

HEADERS = [("content-type", CONTENT_TYPE.encode())]

# Called with each acknowledged batch: its partition, the offset of its first record (-1 if unknown), its records.
OnAcknowledged = Callable[[int, int, Sequence[PartitionBatch]], None]

log = logging.getLogger(__name__)


class BrokerUnavailableError(Exception):
    """The broker did not acknowledge in time, or refused; whether it has the records is not known yet."""


class _PendingAppend:
    """One caller of `append`, who waits for *missing* chunks in one or more partitions."""

    __slots__ = ("done", "ends", "missing")

    def __init__(self, done: asyncio.Future[None]) -> None:
        self.missing = 0
        self.done = done
        self.ends: EndOffsets = {}

    def acknowledge(self, partition: int, end: int) -> None:
        self.missing -= 1
        self.ends[partition] = end
        # Done already if another partition timed out, or if the task that waited was cancelled.
        if self.missing == 0 and not self.done.done():
            self.done.set_result(None)

    def fail(self, reason: str) -> None:
        if not self.done.done():
            self.done.set_exception(BrokerUnavailableError(reason))


class _Chunk(NamedTuple):
    """The records of one caller for one partition, as many as fit into a batch."""

    batch: PartitionBatch
    size: int
    append: _PendingAppend


class _PartitionQueue:
    """The chunks that wait for one partition, and those of the batch that is under way."""

    __slots__ = ("sent_at", "under_way", "waiting")

    def __init__(self) -> None:
        self.waiting: deque[_Chunk] = deque()
        self.under_way: list[_Chunk] = []
        self.sent_at = 0.0

    def take_batch(self, now: float) -> list[_Chunk]:
        """Move the chunks that fit into one batch from `waiting` to `under_way`; the first one in any case."""
        chunks = self.under_way = [self.waiting.popleft()]
        size = chunks[0].size
        while self.waiting and size + self.waiting[0].size <= BATCH_BYTES_TARGET:
            chunks.append(self.waiting.popleft())
            size += chunks[-1].size
        self.sent_at = now
        return chunks


async def connect(kafka: KafkaConfig) -> AIOKafkaProducer:
    """Return a started idempotent client that knows the facts topic; raise `KafkaError` if there is no broker."""
    client = await clients.start_producer(
        kafka,
        FACTS.name,
        max_batch_size=BATCH_BYTES_MAX,
        max_request_size=4 * BATCH_BYTES_MAX,
        request_timeout_ms=REQUEST_TIMEOUT_MS,
        retry_backoff_ms=RETRY_BACKOFF_MS,
    )
    try:
        # Fetches the metadata of the topic now, so that the first append does not wait for it.
        await client.partitions_for(FACTS.name)
    except BaseException:
        await clients.stop_producer(client)
        raise
    return client


class BatchingProducer:
    """Appends batches through one connected client, each record exactly once."""

    def __init__(
        self,
        client: AIOKafkaProducer,
        clock: Clock,
        on_acknowledged: OnAcknowledged,
        *,
        partitions: int,
        timeout_seconds: float,
    ) -> None:
        self._client = client
        self._clock = clock
        self._on_acknowledged = on_acknowledged
        self._timeout_seconds = timeout_seconds
        # Kept: before Python 3.12 every call of `get_running_loop` asks the system for the process id.
        self._loop = asyncio.get_running_loop()
        self._queues = [_PartitionQueue() for _ in range(partitions)]
        self._dispatching: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._settled = asyncio.Event()
        self._settled.set()
        self._failure: str | None = None
        self.is_usable = True
        """False once the broker has refused the client for good: it is to be replaced."""

    async def append(self, batches: Sequence[PartitionBatch]) -> EndOffsets:
        """Return the end offsets once every record is acknowledged by all in-sync replicas.

        Raise `BrokerUnavailableError` when that takes longer than the timeout or fails, and from then on at once until
        `resume` is called.
        """
        if self._failure is not None:
            raise BrokerUnavailableError(self._failure)
        append = _PendingAppend(self._loop.create_future())
        for batch in batches:
            chunks = _split(batch, append)
            append.missing += len(chunks)
            self._queues[batch.partition].waiting.extend(chunks)
        if append.missing == 0:
            return {}
        self._dispatch()
        await append.done
        return append.ends

    @property
    def is_settled(self) -> bool:
        """Whether no batch is under way."""
        return self._settled.is_set()

    async def wait_until_settled(self) -> None:
        """Return when no batch is under way: each is acknowledged, or refused for good."""
        await self._settled.wait()

    def resume(self) -> None:
        """Take appends again after a timeout. Nothing may be under way, and the client must be usable."""
        self._failure = None

    async def close(self) -> None:
        """Flush what is under way and stop the client, in at most two seconds; then nothing more can be appended."""
        self._fail_all("the producer is closed")
        stopping = asyncio.create_task(self._client.stop())
        await asyncio.wait([stopping], timeout=CLOSE_SECONDS)
        stopping.cancel()
        await asyncio.gather(stopping, return_exceptions=True)

    def _dispatch(self) -> None:
        # A round at a time: partitions that were sent as soon as each is free would fall out of step, and the broker
        # would get twice the requests of half the size.
        if self._dispatching is None and self._settled.is_set():
            self._dispatching = self._loop.create_task(self._send_waiting())

    async def _send_waiting(self) -> None:
        """Send a batch for every partition that has something waiting."""
        for _ in range(GATHERING_TURNS):
            await asyncio.sleep(0)
        self._dispatching = None
        for partition, queue in enumerate(self._queues):
            if queue.waiting and not queue.under_way:
                await self._send(partition, queue.take_batch(self._loop.time()))
        if self._timer is None:
            self._timer = self._loop.call_later(self._timeout_seconds, self._check_timeout)

    async def _send(self, partition: int, chunks: Sequence[_Chunk]) -> None:
        self._settled.clear()
        try:
            # Nothing else is under way for this partition, so `send_batch` queues at once and returns the future.
            sent = await self._client.send_batch(self._build(chunks), FACTS.name, partition=partition)
        except KafkaError as error:
            self._on_failed(partition, error)
            return
        sent.add_done_callback(lambda done: self._on_done(partition, done))

    def _build(self, chunks: Iterable[_Chunk]) -> object:
        builder = self._client.create_batch()
        append = builder.append
        timestamp = milliseconds(self._clock.now())
        for chunk in chunks:
            for key, value in zip(chunk.batch.keys, chunk.batch.values, strict=True):
                if append(key=key, value=value, timestamp=timestamp, headers=HEADERS) is None:
                    raise RuntimeError("a batch outgrew its bound")  # events are bounded far below it
        return builder

    def _on_done(self, partition: int, sent: "asyncio.Future[RecordMetadata]") -> None:
        error = sent.exception()
        if error is not None:
            self._on_failed(partition, error)
            return
        # -1 if the broker had the batch already: it recognised the sequence number of a repetition (KIP-98).
        base = sent.result().offset
        queue = self._queues[partition]
        chunks, queue.under_way = queue.under_way, []
        batches = [chunk.batch for chunk in chunks]
        # Before the callers go on: then the log reader knows these records when `DurableWriter` asks it for them.
        self._on_acknowledged(partition, base, batches)
        end = base + sum(map(len, batches))
        for chunk in chunks:
            chunk.append.acknowledge(partition, end)
        self._on_settled()

    def _on_failed(self, partition: int, error: BaseException) -> None:
        """Give up after a refusal that is for good: the sequence of the partition has a gap from here on.

        The client itself repeats whatever may still succeed.
        """
        log.error(
            "the broker refused a batch", exc_info=error, extra={"action": "append_failed", "partition": partition}
        )
        self.is_usable = False
        queue = self._queues[partition]
        chunks, queue.under_way = queue.under_way, []
        for chunk in chunks:
            chunk.append.fail(repr(error))
        self._fail_all(repr(error))
        self._on_settled()

    def _on_settled(self) -> None:
        """Begin the next round when the last batch of this one has ended."""
        if any(queue.under_way for queue in self._queues):
            return
        self._settled.set()
        if any(queue.waiting for queue in self._queues):
            self._dispatch()

    def _check_timeout(self) -> None:
        """Fail everybody once the oldest batch under way is overdue. One timer serves all batches."""
        self._timer = None
        oldest = min((queue.sent_at for queue in self._queues if queue.under_way), default=None)
        if oldest is None:
            return
        remaining = oldest + self._timeout_seconds - self._loop.time()
        if remaining <= 0:
            self._fail_all("no acknowledgement in time")
            return
        self._timer = self._loop.call_later(remaining, self._check_timeout)

    def _fail_all(self, reason: str) -> None:
        """Fail every caller. Batches under way stay with the client, which knows their sequence numbers."""
        self._failure = reason
        for queue in self._queues:
            for chunk in (*queue.under_way, *queue.waiting):
                chunk.append.fail(reason)
            queue.waiting.clear()


def _split(batch: PartitionBatch, append: _PendingAppend) -> Sequence[_Chunk]:
    """Return *batch* in chunks of at most the target size; a larger record is a chunk by itself."""
    sizes = list(map(len, batch.values))
    total = sum(sizes)
    if total <= BATCH_BYTES_TARGET:
        return (_Chunk(batch, total, append),)
    chunks: list[_Chunk] = []
    start = size = 0
    for place, one in enumerate(sizes):
        if size and size + one > BATCH_BYTES_TARGET:
            chunks.append(_Chunk(batch.slice(start, place), size, append))
            start, size = place, 0
        size += one
    chunks.append(_Chunk(batch.slice(start, len(batch.values)), size, append))
    return chunks
