"""Wires reporting: settings in, an ASGI application out. Its lifespan opens what is needed and closes it in reverse."""

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
from services.reporting.consumer import Intake, Kept
from services.reporting.dashboard.pages import Dashboard
from services.reporting.dashboard.templating import environment
from services.reporting.http import descriptions, problems
from services.reporting.http.api import Api
from services.reporting.metrics import Metrics
from services.reporting.queries import Inquiries
from services.reporting.settings import ReportingSettings
from services.reporting.store import UNAVAILABLE, Store
from services.runtime import mongo
from services.runtime.batch_consumer import ConsumingBroker, Subscription, commit_after, subscribe
from services.runtime.clock import Clock, clock_from
from services.runtime.dead_letters import DeadLetters
from services.runtime.http.probes import AsgiHandler, probe_routes
from services.runtime.http.server import Halt
from services.runtime.metrics import new_registry
from services.runtime.published_documents import PublishedDocuments
from services.runtime.topics import ensure_topics


class Probe:
    """Lets a route hold a plain ASGI handler: Starlette takes a bare function for one that wants a request."""

    def __init__(self, handler: AsgiHandler) -> None:
        self._handler = handler

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._handler(scope, receive, send)


class Connection:
    """Whether the broker answers, asked through the producer that the lifespan opened."""

    producer: AIOKafkaProducer | None = None

    async def is_answering(self) -> bool:
        return self.producer is not None and bool(await self.producer.client.force_metadata_update())


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What reporting is made of, each made once."""

    settings: ReportingSettings
    clock: Clock
    registry: CollectorRegistry
    metrics: Metrics
    references: PublishedDocuments
    store: Store
    connection: Connection
    halt: Halt


class Reporting(Starlette):
    """The application; `halt` stops its process when a batch cannot be kept."""

    halt: Halt


def build_app(settings: ReportingSettings) -> Reporting:
    """Wire reporting; nothing is opened before the lifespan begins."""
    registry = new_registry()
    parts = Parts(
        settings=settings,
        clock=clock_from(settings.clock),
        registry=registry,
        metrics=Metrics(registry),
        references=PublishedDocuments(settings.kafka),
        store=Store(mongo.connect(settings.mongo_url), settings.mongo_database),
        connection=Connection(),
        halt=Halt(),
    )
    inquiries, templates = Inquiries(parts.store, parts.references), environment()
    dashboard = Dashboard(inquiries, parts.clock, templates)
    app = Reporting(
        routes=[*_routes(parts, inquiries), *descriptions.routes(templates), *dashboard.routes()],
        lifespan=_lifespan(parts),
        exception_handlers=problems.handlers(dashboard.problem),
    )
    app.halt = parts.halt
    return app


def _lifespan(parts: Parts) -> Callable[[Starlette], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        settings = parts.settings
        async with AsyncExitStack() as opened:
            opened.callback(parts.store.close)
            await parts.store.prepare()
            await ensure_topics(settings.kafka, settings.partitions, settings.kafka_replication)
            opened.push_async_callback(parts.references.stop)
            await parts.references.start()
            producer = AIOKafkaProducer(**settings.kafka.client(), enable_idempotence=True)
            opened.push_async_callback(producer.stop)
            await producer.start()
            parts.connection.producer = producer
            broker = _subscribed(parts, DeadLetters(producer, parts.clock))
            opened.push_async_callback(broker.stop)
            await broker.start()
            yield

    return lifespan


def _subscribed(parts: Parts, dead_letters: DeadLetters) -> KafkaBroker:
    broker = ConsumingBroker(parts.settings.kafka, halt=parts.halt)
    _follow(broker, VERDICTS, consumer.verdicts(parts.store), parts=parts, dead_letters=dead_letters)
    _follow(broker, DELIVERIES, consumer.deliveries(parts.store), parts=parts, dead_letters=dead_letters)
    _follow(broker, FACTS, consumer.facts(parts.store), parts=parts, dead_letters=dead_letters)
    return broker


def _follow(
    broker: KafkaBroker, topic: Topic, intake: Intake[Kept], *, parts: Parts, dead_letters: DeadLetters
) -> None:
    subscription = Subscription(
        topic=topic.name,
        group=parts.settings.group,
        max_records=parts.settings.batch_records,
        session_timeout_ms=parts.settings.session_timeout_ms,
    )
    handler = consumer.on_batch(intake, dead_letters, parts.metrics)
    subscribe(broker, subscription, commit_after(handler, UNAVAILABLE), halt=parts.halt)


def _routes(parts: Parts, inquiries: Inquiries) -> list[BaseRoute]:
    api = Api(inquiries, parts.store, clock=parts.clock, letterhead=parts.settings.letterhead, metrics=parts.metrics)
    checks = {
        "kafka": parts.connection.is_answering,
        "mongo": parts.store.is_answering,
        "references": parts.references.is_ready,
    }
    probes = [Route(path, Probe(handler)) for path, handler in probe_routes(checks, parts.registry)]
    return [*probes, *api.routes()]
