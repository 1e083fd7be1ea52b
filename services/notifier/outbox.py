"""The outbox: publishes recorded attempts on `dondoc.deliveries.v1`, and reports what is still to be done.

Events are published at least once; a consumer recognises a repeated event by its id.
"""

import asyncio
import json

from aiokafka import AIOKafkaProducer

from schemas.events.topics import DELIVERIES
from services.notifier.dispatch.store import DeliveryStore
from services.notifier.errors import LedgerUnavailableError
from services.notifier.ledger import Ledger
from services.notifier.metrics import NotifierMetrics
from services.runtime.clock import Clock, milliseconds
from services.runtime.http.asgi import AsgiHandler, Receive, Scope, Send, send_response

CHUNK_SIZE = 500  # deliveries whose events are published together
OUTBOX_PATH = "/v1/outbox"


class OutboxPublisher:
    """Publishes the events that wait in the ledger."""

    def __init__(self, deliveries: DeliveryStore, producer: AIOKafkaProducer, clock: Clock) -> None:
        self._deliveries = deliveries
        self._producer = producer
        self._clock = clock

    async def publish_events(self) -> bool:
        """Publish the events of one chunk of deliveries; return whether there may be more."""
        waiting = await self._deliveries.find_unpublished_events(CHUNK_SIZE)
        if not waiting:
            return False
        timestamp = milliseconds(self._clock.now())
        sending = [
            await self._producer.send(
                DELIVERIES.name, event["value"].encode(), key=event["key"].encode(), timestamp_ms=timestamp
            )
            for one in waiting
            for event in one.events
        ]
        # Cleared only after the broker has all of them: a crash in between repeats events and never loses one.
        await asyncio.gather(*sending)
        await self._deliveries.clear_published_events(waiting)
        return len(waiting) == CHUNK_SIZE


async def show_backlog(ledger: Ledger, clock: Clock, metrics: NotifierMetrics) -> None:
    """Measure the backlog and set the gauges for it."""
    metrics.show_backlog(await ledger.measure_backlog(clock.now()))


def outbox_endpoint(ledger: Ledger, clock: Clock) -> AsgiHandler:
    """Return the handler of `GET /v1/outbox`: how much is due, unreached or unpublished, and when the next is due.

    It names no alert and no address. Whoever steers the clock moves it on when nothing due is unsent or unpublished.
    """

    async def handle(_scope: Scope, _receive: Receive, send: Send) -> None:
        now = clock.now()
        try:
            backlog = await ledger.measure_backlog(now)
        except LedgerUnavailableError:
            await send_response(send, b'{"status": 503, "title": "The ledger does not answer"}', status=503)
            return
        body = {
            "at": now.isoformat(),
            "due_unsent": backlog.due_unsent,
            "unreached": backlog.unreached,
            "unpublished": backlog.unpublished,
            "next_send_at": backlog.next_send_at and backlog.next_send_at.isoformat(),
        }
        await send_response(send, json.dumps(body).encode())

    return handle
