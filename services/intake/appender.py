"""Appending to the facts topic through one connected producer, each record acknowledged by all in-sync replicas.

Records go in waves, a batch a partition: while one is under way the next one gathers, so that batches grow with the
load and a lone record waits for nothing. A wave is one request to each broker; partition by partition they would go one
after the other, for the client has one request to a broker under way. An append refuses to wait for a bus that is down:
after its patience it raises.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from typing import NamedTuple

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.structs import RecordMetadata
from faststream.kafka import KafkaBroker

from schemas.ids import partition_of
from schemas.topics import FACTS
from services.intake.lanes import Append, BusDownError, Ends, Lane, Part, fail, parts
from services.intake.records import CONTENT_TYPE, Record
from services.runtime.clock import Clock, milliseconds
from services.runtime.kafka import Access
from services.runtime.security import security_of

MEBIBYTE = 1024 * 1024
BATCH_MAX_BYTES = 2 * MEBIBYTE
"""Of one batch to one partition; an event of the largest size still fits with what intake adds."""

REQUEST_TIMEOUT_MS = 5_000
"""How long one attempt of the client may take. Appends have their own, shorter patience."""

CLOSE_SECONDS = 2.0
"""A frozen broker answers nothing, not even the end of a connection."""

_LATE = "no acknowledgement yet"

HEADERS = [("content-type", CONTENT_TYPE.encode())]

log = logging.getLogger(__name__)


class _Sent(NamedTuple):
    """A batch of a partition that is under way, and the future of its acknowledgement."""

    partition: int
    batch: Sequence[Part]
    records: Sequence[Record]
    future: asyncio.Future[RecordMetadata]


OnAppended = Callable[[int, int, Sequence[Record]], None]
"""Told of each acknowledged batch: its partition, the offset of its first record (-1 if unknown), its records."""


async def connected_broker(kafka: Access) -> KafkaBroker:
    """Return a broker whose producer is connected, idempotent and waits for all in-sync replicas."""
    broker = KafkaBroker(
        kafka.bootstrap,
        security=security_of(kafka),
        acks="all",
        enable_idempotence=True,
        linger_ms=0,
        max_batch_size=BATCH_MAX_BYTES,
        max_request_size=4 * BATCH_MAX_BYTES,
        request_timeout_ms=REQUEST_TIMEOUT_MS,
        apply_types=False,
        logger=None,
    )
    try:
        await broker.connect()
    except KafkaError:
        await broker.stop()
        raise
    return broker


def _producer_of(broker: KafkaBroker) -> AIOKafkaProducer:
    """Return the client below FastStream: its `publish_batch` costs half as much again, and cannot be given up."""
    return broker.config.producer._producer.producer  # type: ignore[attr-defined]  # noqa: SLF001 - it has no door for it


class Appender:
    """Appends to the facts topic through one connected broker, and tells *on_appended* of every batch."""

    def __init__(
        self, broker: KafkaBroker, clock: Clock, on_appended: OnAppended, *, partitions: int, patience_seconds: float
    ) -> None:
        self._broker = broker
        self._producer = _producer_of(broker)
        self._clock = clock
        self._on_appended = on_appended
        self._patience_seconds = patience_seconds
        self._lanes = [Lane() for _ in range(partitions)]
        self._waves: asyncio.Task[None] | None = None
        self._is_closed = False
        self._partition_of: dict[bytes, int] = {}

    async def append(self, records: Sequence[Record]) -> Ends:
        """Return where every record ended up, acknowledged; raise `BusDownError` when that takes too long or fails."""
        if self._is_closed:
            raise BusDownError("the producer is closed")
        if not records:
            return {}
        append = Append(asyncio.get_running_loop().create_future())
        self._gather(records, append)
        if self._waves is None:
            self._waves = asyncio.create_task(self._send_waves())
        await append.done
        return append.ends

    async def close(self) -> None:
        """Stop at once; afterwards no record given to `append` can reach the bus any more."""
        self._is_closed = True
        for lane in self._lanes:
            lane.give_up("the producer is closed")
        await self._abandon()
        if self._waves is not None:
            self._waves.cancel()
            await asyncio.gather(self._waves, return_exceptions=True)

    async def _abandon(self) -> None:
        """End the producer without flushing: an idempotent one tries a batch for ever, and its `stop` waits for that.

        First the sender is cancelled, so that nothing is sent again; then the connections, so that nothing is left.
        """
        producer = self._producer
        ending = asyncio.create_task(producer._sender.close())  # noqa: SLF001 - there is no public way around the flush
        await asyncio.sleep(0)
        await producer.client.close()
        stopping = asyncio.create_task(self._broker.stop())
        _, unfinished = await asyncio.wait([ending, stopping], timeout=CLOSE_SECONDS)
        for task in unfinished:
            task.cancel()
        await asyncio.gather(*unfinished, return_exceptions=True)

    def _gather(self, records: Iterable[Record], append: Append) -> None:
        by_lane: defaultdict[int, list[Record]] = defaultdict(list)
        lane_of = self._partition_of
        for record in records:
            lane = lane_of.get(record.key)
            by_lane[self._lane_of(record.key) if lane is None else lane].append(record)
        for partition, for_one in by_lane.items():
            for part in parts(for_one, append):
                self._lanes[partition].waiting.append(part)
                append.missing += 1

    def _lane_of(self, key: bytes) -> int:
        # Keys are ids of the registry, so what is remembered of them stays as small as the registry.
        lane = self._partition_of[key] = partition_of(key.decode(), len(self._lanes))
        return lane

    async def _send_waves(self) -> None:
        try:
            while wave := {number: lane.next_batch() for number, lane in enumerate(self._lanes) if lane.waiting}:
                # One clock for the wave. Who waits behind it waits no longer: with it the appender is given up.
                parts_of_all = tuple(chain.from_iterable(wave.values()))
                patience = asyncio.get_running_loop().call_later(self._patience_seconds, fail, parts_of_all, _LATE)
                sent = [await self._send(number, batch) for number, batch in wave.items()]
                for one in sent:
                    await self._acknowledge(one)
                patience.cancel()
        finally:
            self._waves = None

    async def _send(self, partition: int, batch: Sequence[Part]) -> _Sent:
        """Hand *batch* to the client, which sends together what is there when its turn comes."""
        records = [record for part in batch for record in part.records]
        try:
            future = await self._producer.send_batch(self._built(records), FACTS.name, partition=partition)
        except KafkaError as error:
            future = asyncio.get_running_loop().create_future()
            future.set_exception(error)
        return _Sent(partition, batch, records, future)

    async def _acknowledge(self, sent: _Sent) -> None:
        """Tell those who wait for a batch what became of it."""
        try:
            base = (await sent.future).offset
        except KafkaError as error:
            place = {"action": "append_failed", "partition": sent.partition}
            log.warning("a batch was not acknowledged", exc_info=True, extra=place)
            fail(sent.batch, repr(error))
        else:
            self._on_appended(sent.partition, base, sent.records)
            for part in sent.batch:
                part.append.acknowledge(sent.partition, base + len(sent.records))
        finally:
            self._lanes[sent.partition].under_way = []

    def _built(self, records: Iterable[Record]) -> BatchBuilder:
        builder = self._producer.create_batch()
        timestamp = milliseconds(self._clock.now())
        for record in records:
            if builder.append(key=record.key, value=record.value, timestamp=timestamp, headers=HEADERS) is None:
                raise RuntimeError("a batch outgrew its bound")  # events are bounded far below it
        return builder
