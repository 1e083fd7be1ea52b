"""The outbox: what the ledger recorded is told on `dondoc.deliveries.v1`, at least once, known by its event id."""

import asyncio

from aiokafka import AIOKafkaProducer

from schemas.events.topics import DELIVERIES
from services.notifier.ledger import Ledger
from services.runtime.clock import Clock, milliseconds

CHUNK = 500  # deliveries whose events travel together


class Publisher:
    """Publishes first and clears the outbox after: a crash in between repeats events, and never loses one."""

    def __init__(self, ledger: Ledger, producer: AIOKafkaProducer, clock: Clock) -> None:
        self._ledger = ledger
        self._producer = producer
        self._clock = clock

    async def publish(self) -> bool:
        """Publish one chunk; say whether there may be more."""
        waiting = await self._ledger.unpublished(CHUNK)
        if not waiting:
            return False
        stamp = milliseconds(self._clock.now())
        sent = [
            await self._producer.send(
                DELIVERIES.name, event["value"].encode(), key=event["key"].encode(), timestamp_ms=stamp
            )
            for one in waiting
            for event in one.events
        ]
        await asyncio.gather(*sent)
        await self._ledger.published(waiting)
        return True
