"""Appending to the facts topic through one connected producer, each record acknowledged by all in-sync replicas.

It refuses to wait for a bus that is down: after its patience an append raises.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Iterable, Sequence

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from aiokafka.producer.message_accumulator import BatchBuilder
from faststream.kafka import KafkaBroker

from schemas.ids import partition_of
from schemas.topics import FACTS
from services.intake.lanes import Append, BusDownError, Ends, parts
from services.intake.records import CONTENT_TYPE, Record
from services.intake.waves import Acknowledgement, OnAppended, Waves
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

HEADERS = [("content-type", CONTENT_TYPE.encode())]

log = logging.getLogger(__name__)


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


class _PartitionOf(dict[bytes, int]):
    """The partition of each key. Keys are ids of the registry, so this stays as small as the registry."""

    def __init__(self, partitions: int) -> None:
        super().__init__()
        self._partitions = partitions

    def __missing__(self, key: bytes) -> int:
        partition = self[key] = partition_of(key.decode(), self._partitions)
        return partition


class Appender:
    """Appends to the facts topic through one connected broker, and tells *on_appended* of every batch."""

    def __init__(
        self, broker: KafkaBroker, clock: Clock, on_appended: OnAppended, *, partitions: int, patience_seconds: float
    ) -> None:
        self._broker = broker
        self._producer = _producer_of(broker)
        self._clock = clock
        self._waves = Waves(partitions, self._send, on_appended, patience_seconds=patience_seconds)
        self._is_closed = False
        self._partition_of = _PartitionOf(partitions)

    async def append(self, records: Sequence[Record]) -> Ends:
        """Return where every record ended up, acknowledged; raise `BusDownError` when that takes too long or fails."""
        if self._is_closed:
            raise BusDownError("the producer is closed")
        if not records:
            return {}
        append = Append(asyncio.get_running_loop().create_future())
        self._gather(records, append)
        await append.done
        return append.ends

    async def close(self) -> None:
        """Stop at once; afterwards no record given to `append` can reach the bus any more."""
        self._is_closed = True
        self._waves.give_up("the producer is closed")
        await self._abandon()
        await self._waves.stop()

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
        by_partition: defaultdict[int, list[Record]] = defaultdict(list)
        for record in records:
            by_partition[self._partition_of[record.key]].append(record)
        for partition, for_one in by_partition.items():
            for part in parts(for_one, append):
                append.missing += 1
                self._waves.add(partition, part)

    async def _send(self, partition: int, records: Sequence[Record]) -> Acknowledgement:
        sent: Acknowledgement = await self._producer.send_batch(self._built(records), FACTS.name, partition=partition)
        return sent

    def _built(self, records: Iterable[Record]) -> BatchBuilder:
        builder = self._producer.create_batch()
        timestamp = milliseconds(self._clock.now())
        for record in records:
            if builder.append(key=record.key, value=record.value, timestamp=timestamp, headers=HEADERS) is None:
                raise RuntimeError("a batch outgrew its bound")  # events are bounded far below it
        return builder
