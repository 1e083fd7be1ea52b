"""Appending to the facts topic through one connected producer, each record acknowledged by all in-sync replicas.

It refuses to wait for a bus that is down: after its patience an append raises.
"""

import asyncio
import logging
from collections.abc import Sequence

from aiokafka import AIOKafkaProducer

from schemas.events.topics import FACTS
from services.intake.log.batching import OnAppended, Waves
from services.intake.log.partition_queue import Append, BusDownError, Ends, parts
from services.intake.log.producer import REQUEST_TIMEOUT_MS, Producer
from services.intake.log.records import Lot
from services.runtime.clock import Clock
from services.runtime.settings import KafkaConfig

CLOSE_SECONDS = 2.0
"""A frozen broker answers nothing, not even the end of a connection."""

log = logging.getLogger(__name__)


async def connected(kafka: KafkaConfig) -> AIOKafkaProducer:
    """Return a client that has a producer id and knows who leads the facts; raise `KafkaError` without a broker."""
    client = AIOKafkaProducer(**kafka.client(), enable_idempotence=True, request_timeout_ms=REQUEST_TIMEOUT_MS)
    try:
        await client.start()
        await client.partitions_for(FACTS.name)
    except BaseException:
        await client.stop()
        raise
    return client


class Appender:
    """Appends to the facts topic through one connected client, and tells *on_appended* of every batch."""

    def __init__(
        self,
        client: AIOKafkaProducer,
        clock: Clock,
        on_appended: OnAppended,
        *,
        partitions: int,
        patience_seconds: float,
    ) -> None:
        self._client = client
        self._loop = asyncio.get_running_loop()  # once: before Python 3.12 each question is a system call
        producer = Producer(client, clock)
        self._waves = Waves(partitions, producer.produce, on_appended, patience_seconds=patience_seconds)
        self._is_closed = False

    async def append(self, lots: Sequence[Lot]) -> Ends:
        """Return where every record ended up, acknowledged; raise `BusDownError` when that takes too long or fails."""
        if self._is_closed:
            raise BusDownError("the producer is closed")
        if not lots:
            return {}
        append = Append(self._loop.create_future())
        for lot in lots:
            for part in parts(lot, append):
                append.missing += 1
                self._waves.add(part)
        await append.done
        return append.ends

    async def close(self) -> None:
        """Stop at once; afterwards no record given to `append` can reach the bus any more.

        First nothing is sent again, then the connections end.
        """
        self._is_closed = True
        self._waves.give_up("the producer is closed")
        await self._waves.stop()
        stopping = asyncio.create_task(self._client.stop())
        await asyncio.wait([stopping], timeout=CLOSE_SECONDS)
        stopping.cancel()
        await asyncio.gather(stopping, return_exceptions=True)
