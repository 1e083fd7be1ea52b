"""Wires the notifier together. Nothing is opened before the application starts, and all is closed in reverse."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from faststream.asgi import AsgiFastStream, AsyncAPIRoute
from faststream.specification import AsyncAPI

from schemas.events.topics import VERDICTS
from services.notifier.background_loop import RECOVERABLE
from services.notifier.http import OUTBOX, outbox
from services.notifier.settings import NotifierSettings
from services.notifier.wiring import Works
from services.runtime import batch_consumer, mongo
from services.runtime.http.probes import probe_routes
from services.runtime.http.server import Halt
from services.runtime.metrics import new_registry

BATCH = 2_000  # verdicts followed in one read and one write of the ledger


def build_app(settings: NotifierSettings | None = None, *, halt: Callable[[], None] | None = None) -> AsgiFastStream:
    """Return the application: the consumer of the verdicts, what sends beside it, and its HTTP side."""
    settings = settings or NotifierSettings()
    halt = halt or Halt()
    registry = new_registry()
    works = Works(settings, registry)

    @asynccontextmanager
    async def lifespan() -> AsyncIterator[None]:
        async with works.running(halt):
            yield

    broker = batch_consumer.ConsumingBroker(settings.kafka, halt=halt)
    subscription = batch_consumer.Subscription(
        topic=VERDICTS.name, group=settings.group, max_records=BATCH, session_timeout_ms=settings.session_timeout_ms
    )
    handler = batch_consumer.commit_after(works.on_batch, RECOVERABLE)
    batch_consumer.subscribe(broker, subscription, handler, halt=halt)
    ready = {
        "broker": works.references.is_broker_reachable,
        "references": works.references.is_ready,
        "database": lambda: mongo.is_answering(works.client),
    }
    return AsgiFastStream(
        broker,
        lifespan=lifespan,
        logger=None,
        specification=AsyncAPI(title="Đôn Đốc notifier", version="1", description="Who is told what, and when."),
        # Without "try it out": that page would publish to the bus for anybody who asks.
        asyncapi_path=AsyncAPIRoute("/asyncapi", try_it_out_path=None),
        asgi_routes=[*probe_routes(ready, registry), (OUTBOX, outbox(works.ledger, works.clock))],
    )
