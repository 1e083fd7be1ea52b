"""Wire reporting: settings in, an ASGI application out. Its lifespan opens what it needs and closes it in reverse."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from aiokafka import AIOKafkaProducer
from faststream.kafka import KafkaBroker
from prometheus_client import CollectorRegistry
from starlette.applications import Starlette
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from schemas.events.topics import DELIVERIES, FACTS, VERDICTS, Topic
from services.reporting import consumer
from services.reporting.consumer import Decoded, TopicReader
from services.reporting.dashboard import templating
from services.reporting.dashboard.pages import Dashboard
from services.reporting.http import api_description, problems
from services.reporting.http.api import ReportingApi
from services.reporting.metrics import ReportingMetrics
from services.reporting.queries import ReportingQueries
from services.reporting.settings import ReportingSettings
from services.reporting.store import DatabaseUnavailableError, ReportingStore
from services.runtime import mongo
from services.runtime.clock import Clock, clock_from
from services.runtime.http.probes import AsgiHandler, probe_routes
from services.runtime.http.server import Halt
from services.runtime.kafka.batch_consumer import ConsumingBroker, Subscription, commit_after, subscribe
from services.runtime.kafka.dead_letters import DeadLetters
from services.runtime.kafka.published_documents import PublishedDocuments
from services.runtime.kafka.topics import ensure_topics
from services.runtime.metrics import new_registry


class ProbeEndpoint:
    """A plain ASGI handler as a route's endpoint: Starlette takes a bare function for one that wants a `Request`."""

    def __init__(self, handler: AsgiHandler) -> None:
        self._handler = handler

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._handler(scope, receive, send)


class BrokerProbe:
    """Ask the broker for its metadata, through the producer that the lifespan opens."""

    producer: AIOKafkaProducer | None = None

    async def is_answering(self) -> bool:
        """Whether the broker answered just now; False before the lifespan has opened the producer."""
        return self.producer is not None and bool(await self.producer.client.force_metadata_update())


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportingComponents:
    """The components of reporting; there is one of each in a process."""

    settings: ReportingSettings
    clock: Clock
    registry: CollectorRegistry
    metrics: ReportingMetrics
    references: PublishedDocuments
    store: ReportingStore
    broker_probe: BrokerProbe
    halt: Halt


class ReportingApp(Starlette):
    """The application; `halt` stops its process when a batch cannot be stored."""

    halt: Halt


def build_app(settings: ReportingSettings) -> ReportingApp:
    """Wire reporting; nothing is opened before the lifespan begins."""
    registry = new_registry()
    components = ReportingComponents(
        settings=settings,
        clock=clock_from(settings.clock),
        registry=registry,
        metrics=ReportingMetrics(registry),
        references=PublishedDocuments(settings.kafka),
        store=ReportingStore(mongo.connect(settings.mongo_url), settings.mongo_database),
        broker_probe=BrokerProbe(),
        halt=Halt(),
    )
    queries = ReportingQueries(components.store, components.references)
    templates = templating.build_environment()
    dashboard = Dashboard(queries, components.clock, templates)
    app = ReportingApp(
        routes=[*_build_routes(components, queries), *api_description.build_routes(templates), *dashboard.routes()],
        lifespan=_build_lifespan(components),
        exception_handlers=problems.build_handlers(dashboard.render_problem),
    )
    app.halt = components.halt
    return app


def _build_lifespan(components: ReportingComponents) -> Callable[[Starlette], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        settings = components.settings
        async with AsyncExitStack() as stack:
            stack.callback(components.store.close)
            await components.store.create_indexes()
            await ensure_topics(settings.kafka, settings.partitions, settings.kafka_replication)
            # What is started is registered for its stop first: a start that fails half-way is stopped as well.
            stack.push_async_callback(components.references.stop)
            await components.references.start()
            # Dead letters go through this producer; idempotence keeps a retried send from writing one twice.
            producer = AIOKafkaProducer(**settings.kafka.client(), enable_idempotence=True)
            stack.push_async_callback(producer.stop)
            await producer.start()
            components.broker_probe.producer = producer
            broker = _build_broker(components, DeadLetters(producer, components.clock))
            stack.push_async_callback(broker.stop)
            await broker.start()
            yield

    return lifespan


def _build_broker(components: ReportingComponents, dead_letters: DeadLetters) -> KafkaBroker:
    broker = ConsumingBroker(components.settings.kafka, halt=components.halt, registry=components.registry)
    store = components.store

    def subscribe_to(topic: Topic, reader: TopicReader[Decoded]) -> None:
        subscription = Subscription(
            topic=topic.name,
            group=components.settings.group,
            max_records=components.settings.batch_records,
            session_timeout_ms=components.settings.session_timeout_ms,
        )
        handler = consumer.on_batch(reader, dead_letters, components.metrics)
        subscribe(broker, subscription, commit_after(handler, (DatabaseUnavailableError,)), halt=components.halt)

    subscribe_to(VERDICTS, consumer.verdict_reader(store))
    subscribe_to(DELIVERIES, consumer.delivery_reader(store))
    subscribe_to(FACTS, consumer.fact_reader(store))
    return broker


def _build_routes(components: ReportingComponents, queries: ReportingQueries) -> list[BaseRoute]:
    api = ReportingApi(
        queries,
        components.store,
        clock=components.clock,
        letterhead=components.settings.letterhead,
        metrics=components.metrics,
    )
    checks = {
        "kafka": components.broker_probe.is_answering,
        "mongo": components.store.is_answering,
        "references": components.references.is_ready,
    }
    probes = [Route(path, ProbeEndpoint(handler)) for path, handler in probe_routes(checks, components.registry)]
    return [*probes, *api.routes()]
