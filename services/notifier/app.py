"""The application: the consumer of verdicts, the background loops that send, and the HTTP endpoints.

Nothing is opened before the application starts, and everything is closed in reverse order.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from faststream.asgi import AsgiFastStream, AsyncAPIRoute
from faststream.specification import AsyncAPI

from schemas.events.topics import VERDICTS
from services.notifier.background_loop import RECOVERABLE
from services.notifier.outbox import OUTBOX_PATH, outbox_endpoint
from services.notifier.settings import NotifierSettings
from services.notifier.wiring import NotifierComponents
from services.runtime import mongo
from services.runtime.http.probes import probe_routes
from services.runtime.http.server import Halt
from services.runtime.kafka import batch_consumer
from services.runtime.metrics import new_registry

MAX_BATCH_RECORDS = 2_000  # verdicts followed in one read and one write of the ledger


def build_app(settings: NotifierSettings | None = None, *, halt: Callable[[], None] | None = None) -> AsgiFastStream:
    """Return the application; *halt* ends the process after a failure that cannot be recovered from."""
    settings = settings or NotifierSettings()
    halt = halt or Halt()
    registry = new_registry()
    components = NotifierComponents(settings, registry)

    @asynccontextmanager
    async def lifespan() -> AsyncIterator[None]:
        async with components.run(halt):
            yield

    broker = batch_consumer.ConsumingBroker(settings.kafka, halt=halt, registry=registry)
    subscription = batch_consumer.Subscription(
        topic=VERDICTS.name,
        group=settings.group,
        max_records=MAX_BATCH_RECORDS,
        session_timeout_ms=settings.session_timeout_ms,
    )
    handler = batch_consumer.commit_after(components.on_batch, RECOVERABLE)
    batch_consumer.subscribe(broker, subscription, handler, halt=halt)
    ready = {
        "broker": components.references.is_broker_reachable,
        "references": components.references.is_ready,
        "log": broker.is_log_readable,
        "database": lambda: mongo.is_answering(components.client),
    }
    return AsgiFastStream(
        broker,
        lifespan=lifespan,
        logger=None,
        specification=AsyncAPI(title="Đôn Đốc notifier", version="1", description="Who is told what, and when."),
        # Without "try it out": that page would publish to Kafka for anybody who asks.
        asyncapi_path=AsyncAPIRoute("/asyncapi", try_it_out_path=None),
        asgi_routes=[
            *probe_routes(ready, registry),
            (OUTBOX_PATH, outbox_endpoint(components.ledger, components.clock)),
        ],
    )
