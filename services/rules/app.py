"""Wires rules together. Nothing is opened before the application starts; everything is closed in reverse order."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial

from faststream.asgi import AsgiFastStream, AsyncAPIRoute
from faststream.specification import AsyncAPI

from schemas.events.topics import FACTS
from services.rules.dry_run import dry_run
from services.rules.duty_catalogues import DutyCatalogues
from services.rules.metrics import RulesMetrics
from services.rules.partitions import AssignedPartitions
from services.rules.plan_adopter import PlanAdopter
from services.rules.restore import PartitionDependencies
from services.rules.settings import RulesSettings
from services.runtime.clock import clock_from
from services.runtime.http.probes import ReadinessCheck, probe_routes
from services.runtime.http.server import Halt
from services.runtime.kafka import batch_consumer
from services.runtime.kafka.batch_consumer import ConsumingBroker
from services.runtime.kafka.published_documents import PublishedDocuments
from services.runtime.kafka.topics import ensure_topics
from services.runtime.metrics import new_registry


def build_app(settings: RulesSettings | None = None, *, halt: Callable[[], None] | None = None) -> AsgiFastStream:
    """Return the application: the consumer of the facts, and its HTTP side."""
    settings = settings or RulesSettings()
    halt = halt or Halt()
    registry = new_registry()
    references = PublishedDocuments(settings.kafka)
    dependencies = _build_dependencies(settings, references, RulesMetrics(registry, settings.partitions))
    partitions = _build_partitions(settings, dependencies, halt)
    adopter = PlanAdopter(dependencies.catalogues, partitions, clock=dependencies.clock)
    broker = ConsumingBroker(settings.kafka, halt=halt, registry=registry)
    _subscribe(broker, settings, partitions, halt=halt)

    @asynccontextmanager
    async def lifespan() -> AsyncIterator[None]:
        await dependencies.ensure_topics()
        await references.start()
        adopter.start(references, halt=halt)
        try:
            yield
        finally:
            await adopter.stop()
            await partitions.close()
            await references.stop()

    return AsgiFastStream(
        broker,
        lifespan=lifespan,
        logger=None,
        specification=AsyncAPI(title="Đôn Đốc rules", version="1", description="What the facts say of each duty."),
        # Without "try it out": that page would publish to the bus for anybody who asks.
        asyncapi_path=AsyncAPIRoute("/asyncapi", try_it_out_path=None),
        asgi_routes=[
            *probe_routes(_readiness(references, partitions, broker), registry),
            ("/v1/dry-run", dry_run(dependencies.catalogues, partitions, clock=dependencies.clock)),
        ],
    )


def _readiness(
    references: PublishedDocuments, partitions: AssignedPartitions, broker: ConsumingBroker
) -> dict[str, ReadinessCheck]:
    async def is_log_sound() -> bool:
        return await broker.is_log_readable() and await partitions.is_log_whole()

    return {
        "broker": references.is_broker_reachable,
        "references": references.is_ready,
        "partitions": partitions.is_settled,
        "state": partitions.is_state_complete,
        "log": is_log_sound,
    }


def _build_partitions(
    settings: RulesSettings, dependencies: PartitionDependencies, halt: Callable[[], None]
) -> AssignedPartitions:
    # A session that has passed without a word from the broker has ended: only then may a fenced owner open again.
    fenced_retry_seconds = 2 * settings.session_timeout_ms / 1000
    return AssignedPartitions(dependencies, halt=halt, fenced_retry_seconds=fenced_retry_seconds)


def _subscribe(
    broker: ConsumingBroker, settings: RulesSettings, partitions: AssignedPartitions, *, halt: Callable[[], None]
) -> None:
    """Let the one subscriber of *broker* give the facts to *partitions*."""
    subscription = batch_consumer.Subscription(
        topic=FACTS.name,
        group=settings.group,
        max_records=settings.batch_records,
        session_timeout_ms=settings.session_timeout_ms,
    )
    subscriber = batch_consumer.subscribe(broker, subscription, partitions.on_batch, halt=halt, listener=partitions)
    partitions.use_consumer(lambda: subscriber.consumer)


def _build_dependencies(
    settings: RulesSettings, references: PublishedDocuments, metrics: RulesMetrics
) -> PartitionDependencies:
    return PartitionDependencies(
        kafka=settings.kafka,
        group=settings.group,
        catalogues=DutyCatalogues(references, settings.partitions),
        references=references,
        clock=clock_from(settings.clock),
        metrics=metrics,
        ensure_topics=partial(ensure_topics, settings.kafka, settings.partitions, settings.kafka_replication),
    )
