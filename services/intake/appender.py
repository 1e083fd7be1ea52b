"""Appending to the facts topic through one connected producer, each record acknowledged by all in-sync replicas.

It refuses to wait for a bus that is down: after its patience an append raises.
"""

import asyncio
import logging
from collections.abc import Sequence

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from faststream.kafka import KafkaBroker

from schemas.topics import FACTS
from services.intake.lanes import Append, BusDownError, Ends, parts
from services.intake.producing import REQUEST_TIMEOUT_MS, Producer
from services.intake.records import Lot
from services.intake.waves import OnAppended, Waves
from services.runtime.clock import Clock
from services.runtime.kafka import Access
from services.runtime.security import security_of

CLOSE_SECONDS = 2.0
"""A frozen broker answers nothing, not even the end of a connection."""

log = logging.getLogger(__name__)


async def connected_broker(kafka: Access) -> KafkaBroker:
    """Return a broker whose client is connected, has a producer id, and knows who leads the facts topic."""
    broker = KafkaBroker(
        kafka.bootstrap,
        security=security_of(kafka),
        acks="all",
        enable_idempotence=True,
        request_timeout_ms=REQUEST_TIMEOUT_MS,
        apply_types=False,
        logger=None,
    )
    try:
        await broker.connect()
        await _producer_of(broker).partitions_for(FACTS.name)  # the client learns who leads them
    except KafkaError:
        await broker.stop()
        raise
    return broker


def _producer_of(broker: KafkaBroker) -> AIOKafkaProducer:
    """Return the client below FastStream, whose `publish_batch` can neither tell where a batch is nor be given up."""
    return broker.config.producer._producer.producer  # type: ignore[attr-defined]  # noqa: SLF001 - it has no door for it


class Appender:
    """Appends to the facts topic through one connected broker, and tells *on_appended* of every batch."""

    def __init__(
        self, broker: KafkaBroker, clock: Clock, on_appended: OnAppended, *, partitions: int, patience_seconds: float
    ) -> None:
        self._broker = broker
        self._client = _producer_of(broker).client
        producer = Producer(_producer_of(broker), clock)
        self._waves = Waves(partitions, producer.produce, on_appended, patience_seconds=patience_seconds)
        self._is_closed = False

    async def append(self, lots: Sequence[Lot]) -> Ends:
        """Return where every record ended up, acknowledged; raise `BusDownError` when that takes too long or fails."""
        if self._is_closed:
            raise BusDownError("the producer is closed")
        if not lots:
            return {}
        append = Append(asyncio.get_running_loop().create_future())
        for lot in lots:
            for part in parts(lot, append):
                append.missing += 1
                self._waves.add(part)
        await append.done
        return append.ends

    async def close(self) -> None:
        """Stop at once; afterwards no record given to `append` can reach the bus any more.

        First nothing is sent again, then the connections end; a frozen broker answers neither.
        """
        self._is_closed = True
        self._waves.give_up("the producer is closed")
        await self._waves.stop()
        await self._client.close()
        stopping = asyncio.create_task(self._broker.stop())
        await asyncio.wait([stopping], timeout=CLOSE_SECONDS)
        stopping.cancel()
        await asyncio.gather(stopping, return_exceptions=True)
