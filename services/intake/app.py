"""Wires intake: settings in, an ASGI application out. Its lifespan opens what is needed and closes it in reverse."""

import asyncio
import gc
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import reduce
from operator import or_

import httpx
from faststream.asgi import AsgiFastStream, AsyncAPIRoute
from faststream.kafka import KafkaBroker
from faststream.specification import AsyncAPI
from prometheus_client import CollectorRegistry

from schemas.events.envelope import Envelope
from schemas.events.facts import MODEL_OF
from schemas.events.topics import FACTS
from services.intake.asgi import Receive, Request, Response, Scope, Send
from services.intake.cloudevents.pipeline import Issuer
from services.intake.cloudevents.validator import Desk
from services.intake.dedup.deduplicator import Register
from services.intake.dedup.log_reader import Follower
from services.intake.dedup.recent_events import Memory
from services.intake.form.routes import FormParts, form_routes
from services.intake.form.submit_report import Counter
from services.intake.http import openapi_routes
from services.intake.http.auth import KeyRing
from services.intake.http.dry_run import DryRun
from services.intake.http.inflight_limit import Room
from services.intake.http.post_events import Reception
from services.intake.http.rate_limits import Limits
from services.intake.http.router import Asgi, Route, Router
from services.intake.http.timeouts import Patience
from services.intake.log.connector import Connection
from services.intake.log.durable_writer import Keeping
from services.intake.log.kafka_connection import Bus
from services.intake.log.records import Partitioner
from services.intake.metrics import IntakeMetrics
from services.intake.published_plans import ReferenceLibrary
from services.intake.receipts.signing import SigningKeys
from services.intake.settings import IntakeSettings
from services.intake.spool.replay import Drain
from services.intake.spool.spool import Spool
from services.intake.workers.supervisor import Staff
from services.intake.workers.worker_config import Files
from services.runtime.batch_consumer import faststream_security
from services.runtime.clock import Clock, clock_from
from services.runtime.http.probes import probe_routes
from services.runtime.metrics import new_registry
from services.runtime.published_documents import PublishedDocuments

log = logging.getLogger(__name__)

Lifespan = Callable[[], AbstractAsyncContextManager[None]]


class IntakeApp(AsgiFastStream):
    """FastStream's application with intake's own router in front, so that a wrong path gets a problem document too."""

    router: Asgi

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self.router(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


class BrokerOnPaper(KafkaBroker):
    """Describes the bus and never connects: the brokers that do come and go with the bus, the application stays."""

    async def start(self) -> None:
        """Leave the connection to `Bus`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What intake is made of, each made once."""

    settings: IntakeSettings
    clock: Clock
    registry: CollectorRegistry
    metrics: IntakeMetrics
    references: PublishedDocuments
    connection: Connection
    bus: Bus
    follower: Follower
    spool: Spool
    drain: Drain
    memory: Memory
    partitioner: Partitioner
    library: ReferenceLibrary
    keys: KeyRing
    signing_keys: SigningKeys
    staff: Staff
    rules: httpx.AsyncClient


def build_app(settings: IntakeSettings, halt: Callable[[], None]) -> IntakeApp:
    """Wire intake; nothing is opened before the lifespan begins. *halt* is called if a background task fails."""
    parts = _parts(settings)
    app = IntakeApp(
        _described(settings),
        lifespan=_lifespan(parts, halt),
        specification=AsyncAPI(title="Đôn Đốc intake", version="1", description="Writes the facts that agencies send."),
        # Without "try it out": that page would publish to the bus for anybody who asks.
        asyncapi_path=AsyncAPIRoute("/asyncapi", try_it_out_path=None),
        logger=None,
    )
    app.router = _router(parts, dict(app.routes))
    return app


def _parts(settings: IntakeSettings) -> Parts:
    clock = clock_from(settings.clock)
    registry = new_registry()
    metrics = IntakeMetrics(registry)
    references = PublishedDocuments(settings.kafka)
    memory = Memory(span=timedelta(hours=settings.memory_hours), now=clock.now)
    follower = Follower(settings, memory, clock)
    connection = Connection(settings, references, follower, clock)
    spool = Spool(settings.spool, settings.spool_max_bytes, metrics)
    partitioner = Partitioner(settings.partitions)
    drain = Drain(spool, memory, follower, partitioner)
    library = ReferenceLibrary(references, settings.spool)
    signing_keys = SigningKeys(settings.signing_keys, settings.issuer)
    return Parts(
        settings=settings,
        clock=clock,
        registry=registry,
        metrics=metrics,
        references=references,
        connection=connection,
        bus=Bus(connection.open, drain.drain, metrics),
        follower=follower,
        spool=spool,
        drain=drain,
        memory=memory,
        partitioner=partitioner,
        library=library,
        keys=KeyRing(settings.keys, clock),
        signing_keys=signing_keys,
        staff=Staff(settings.clerks, Files(library, signing_keys).papers, metrics),
        rules=httpx.AsyncClient(),
    )


def _reception(parts: Parts) -> Reception:
    return Reception(
        keys=parts.keys,
        room=Room(parts.settings.bodies_max_bytes, parts.metrics),
        bus=parts.bus,
        library=parts.library,
        issuer=Issuer(parts.library, parts.partitioner),
        staff=parts.staff,
        register=_register(parts),
        limits=Limits(),
        signing_keys=parts.signing_keys,
        dry_run=DryRun(parts.rules, str(parts.settings.rules_url)),
        clock=parts.clock,
        metrics=parts.metrics,
        patience=Patience(parts.settings.body_patience_seconds),
    )


def _register(parts: Parts) -> Register:
    keeping = Keeping(parts.bus, parts.spool, parts.drain, parts.follower)
    return Register(parts.memory, keeping, parts.signing_keys, parts.metrics)


def _form(parts: Parts, reception: Reception) -> FormParts:
    counter = Counter(
        desk=Desk(parts.library),
        register=reception.register,
        signing_keys=reception.signing_keys,
        partitioner=parts.partitioner,
        dry_run=reception.dry_run,
    )
    return FormParts(
        settings=parts.settings,
        counter=counter,
        documents=parts.library.documents,
        clock=parts.clock,
        registry=parts.registry,
    )


def _lifespan(parts: Parts, halt: Callable[[], None]) -> Lifespan:
    def on_end(task: asyncio.Task[None]) -> None:
        if not task.cancelled() and task.exception() is not None:
            failure = task.exception()
            log.critical("a background task failed", exc_info=failure, extra={"action": "halted"})
            halt()

    @asynccontextmanager
    async def lifespan() -> AsyncIterator[None]:
        parts.keys.load()
        parts.signing_keys.load()
        parts.library.load_copy()
        await parts.spool.open(parts.drain.take_over)
        gc.freeze()  # what is here now stays to the end: no collection need walk it
        following = (parts.keys.follow, parts.signing_keys.follow, parts.bus.supervise, parts.staff.supervise)
        tasks = [asyncio.create_task(follow()) for follow in following]
        for task in tasks:
            task.add_done_callback(on_end)
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await parts.spool.close()
            await parts.connection.close()
            await parts.rules.aclose()

    return lifespan


def _router(parts: Parts, mounted: dict[str, Asgi]) -> Router:
    async def is_up() -> bool:
        return parts.bus.is_up

    async def key_set(_request: Request) -> Response:
        return Response(status=200, body=parts.signing_keys.signer.published())

    reception = _reception(parts)
    probes = probe_routes({"kafka": is_up, "references": parts.references.is_ready}, parts.registry)
    routes = {
        "/v1/events": Route(methods={"POST": reception.receive}),
        "/.well-known/jwks.json": Route(methods={"GET": key_set}),
        "/openapi.json": Route(methods={"GET": openapi_routes.get_openapi}),
        "/docs": Route(methods={"GET": openapi_routes.get_docs}),
        **openapi_routes.problem_routes(),
        **form_routes(_form(parts, reception)),
    }
    return Router(routes, {**mounted, **dict(probes)}, parts.metrics)


def _described(settings: IntakeSettings) -> KafkaBroker:
    broker = BrokerOnPaper(settings.kafka.servers, security=faststream_security(settings.kafka), logger=None)
    envelopes = (Envelope[model] for model in MODEL_OF.values())  # type: ignore[valid-type]  # built from the published types
    broker.publisher(FACTS.name, schema=reduce(or_, envelopes), description=FACTS.description)
    return broker
