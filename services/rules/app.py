"""Wires rules together. Nothing is opened before the application starts; everything is closed in reverse order."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from faststream.asgi import AsgiFastStream, AsyncAPIRoute
from faststream.kafka import KafkaBroker
from faststream.specification import AsyncAPI

from schemas.events.topics import FACTS
from services.rules.dry_run import dry_run
from services.rules.duty_catalogues import Books
from services.rules.metrics import Metrics
from services.rules.partition import Tools
from services.rules.partitions import Assignment
from services.rules.plan_adopter import Announcer
from services.rules.settings import RulesSettings
from services.runtime import batch_consumer
from services.runtime.clock import clock_from
from services.runtime.http.probes import probe_routes
from services.runtime.http.server import Halt
from services.runtime.metrics import new_registry
from services.runtime.published_documents import PublishedDocuments
from services.runtime.topics import ensure_topics


def build_app(settings: RulesSettings | None = None, *, halt: Callable[[], None] | None = None) -> AsgiFastStream:
    """Return the application: the consumer of the facts, and its HTTP side."""
    settings = settings or RulesSettings()
    halt = halt or Halt()
    registry = new_registry()
    references = PublishedDocuments(settings.kafka)
    tools = _tools(settings, references, Metrics(registry, settings.partitions))
    # A session that has passed without a word from the broker has ended: only then may a fenced owner think again.
    assignment = Assignment(tools, halt=halt, fenced_pause_seconds=2 * settings.session_timeout_ms / 1000)
    announcer = Announcer(tools.books, assignment, clock=tools.clock)

    @asynccontextmanager
    async def lifespan() -> AsyncIterator[None]:
        await ensure_topics(settings.kafka, settings.partitions, settings.kafka_replication)
        await references.start()
        announcer.start(references, halt=halt)
        try:
            yield
        finally:
            await announcer.stop()
            await assignment.release()
            await references.stop()

    ready = {
        "broker": references.is_broker_reachable,
        "references": references.is_ready,
        "partitions": assignment.is_settled,
    }
    return AsgiFastStream(
        _consuming(settings, assignment, halt),
        lifespan=lifespan,
        logger=None,
        specification=AsyncAPI(title="Đôn Đốc rules", version="1", description="What the facts say of each duty."),
        # Without "try it out": that page would publish to the bus for anybody who asks.
        asyncapi_path=AsyncAPIRoute("/asyncapi", try_it_out_path=None),
        asgi_routes=[
            *probe_routes(ready, registry),
            ("/v1/dry-run", dry_run(tools.books, assignment, clock=tools.clock)),
        ],
    )


def _consuming(settings: RulesSettings, assignment: Assignment, halt: Callable[[], None]) -> KafkaBroker:
    """Return a broker whose one subscriber gives the facts to *assignment*."""
    broker = batch_consumer.ConsumingBroker(settings.kafka, halt=halt)
    subscription = batch_consumer.Subscription(
        topic=FACTS.name,
        group=settings.group,
        max_records=settings.batch_records,
        session_timeout_ms=settings.session_timeout_ms,
    )
    subscriber = batch_consumer.subscribe(broker, subscription, assignment.on_batch, halt=halt, listener=assignment)
    assignment.consume_from(lambda: subscriber.consumer)
    return broker


def _tools(settings: RulesSettings, references: PublishedDocuments, metrics: Metrics) -> Tools:
    return Tools(
        kafka=settings.kafka,
        group=settings.group,
        books=Books(references, settings.partitions),
        references=references,
        clock=clock_from(settings.clock),
        metrics=metrics,
    )
