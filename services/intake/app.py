"""Wire intake: settings in, an ASGI application out. Its lifespan opens what is needed and closes it in reverse.

`build_app` wires the main process, which writes the log; `build_worker_app` a worker, which serves the same routes and
writes through the main process.
"""

import gc
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import reduce
from operator import or_

from faststream.kafka import KafkaBroker

from schemas.events.envelope import Envelope
from schemas.events.facts import MODEL_OF
from schemas.events.topics import FACTS
from services.intake import process_parts, readiness
from services.intake.asgi import BodyTimeout, Request, Response
from services.intake.cloudevents.pipeline import EventLog, Pipeline
from services.intake.cloudevents.validator import EventValidator
from services.intake.core.fact_record import Partitioner
from services.intake.dedup.deduplicator import Deduplicator
from services.intake.dedup.log_reader import LogReader
from services.intake.dedup.recent_events import RecentEvents
from services.intake.form.routes import FormDependencies, build_routes
from services.intake.form.submit_report import SubmitReport
from services.intake.http import openapi
from services.intake.http.dry_run import DryRunClient
from services.intake.http.figure_review import FigureReview
from services.intake.http.limits import InflightLimit, RateLimits, TokenBuckets
from services.intake.http.post_events import PostEvents
from services.intake.http.router import Route, Router
from services.intake.log.durable_writer import DurableWriter
from services.intake.log.kafka_connection import KafkaConnection, KafkaConnector
from services.intake.metrics import Surface
from services.intake.process_parts import BackgroundTask, ProcessParts
from services.intake.published_plans import PublishedPlans, SnapshotPlans
from services.intake.settings import IntakeSettings
from services.intake.spool.replay import SpoolReplay
from services.intake.spool.spool import Spool
from services.intake.spool.spool_folder import SpoolUnusableError
from services.intake.workers.log_client import LogClient
from services.intake.workers.log_server import MainServices
from services.intake.workers.metrics_merge import MergedMetrics, read_samples
from services.intake.workers.supervisor import WorkerSupervisor
from services.runtime import background, bootstrap
from services.runtime.http import probes, server
from services.runtime.http.admin import AdminApp, asyncapi_route
from services.runtime.http.application import ServiceApp
from services.runtime.http.asgi import AsgiHandler, Receive, Scope, Send
from services.runtime.http.probes import EncodedMetrics, MetricsEncoder, ReadinessCheck
from services.runtime.http.request_metrics import OPERATIONS, MeasuredApp
from services.runtime.http.server import Halt
from services.runtime.kafka.batch_consumer import faststream_security
from services.runtime.kafka.published_documents import PublishedDocuments
from services.runtime.observability.certificate_expiry import export_expiry

Lifespan = Callable[[], AbstractAsyncContextManager[None]]


log = logging.getLogger(__name__)


class IntakeApp(ServiceApp):
    """The application with intake's own router in front, so that a wrong path gets a problem document too."""

    router: AsgiHandler

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self.router(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogAccess:
    """What the routes need of the log and the published plans, in either kind of process."""

    event_log: EventLog
    plans: SnapshotPlans
    rate_limits: RateLimits
    wait_until_tried: Callable[[], Awaitable[None]]
    ready: Mapping[str, ReadinessCheck]
    encode_metrics: MetricsEncoder


def main() -> None:
    """Serve until the process is asked to stop."""
    bootstrap.relax_garbage_collection()
    settings = bootstrap.initialise("intake", IntakeSettings)
    halt = Halt()
    listener = server.listen(settings.host, settings.port, share_port=settings.workers > 0)
    app = build_app(settings, halt, port=listener.getsockname()[1])
    server.run(app, listener, halt=halt, admin=app.admin, tls=settings.tls)


def build_app(settings: IntakeSettings, halt: Callable[[], None], *, port: int | None = None) -> IntakeApp:
    """Wire the main process; nothing is opened before the lifespan begins.

    *halt* is called if a background task fails; *port* is where workers serve, if that is not the port of the settings.
    """
    parts = process_parts.build_parts(settings)
    log_parts = _build_log(settings, parts)
    merged = MergedMetrics(parts.registry)
    buckets = TokenBuckets()
    process_parts.watch_keys(parts)
    services = MainServices(
        event_log=log_parts.event_log,
        metrics=merged,
        encode_plans=log_parts.plans.encode_snapshot,
        run_checks=log_parts.run_checks,
        charge=buckets.charge,
    )
    supervisor = WorkerSupervisor(settings.workers, settings.port if port is None else port, services, parts.metrics)
    log_parts.references.on_change.append(supervisor.send_plans)

    async def encode_metrics(accept: str) -> EncodedMetrics:
        return probes.encode_metrics(merged, accept)

    async def charge(key_id: str, events_per_second: float, events: int) -> float:
        return buckets.charge(key_id, events_per_second, events)

    access = LogAccess(
        event_log=log_parts.event_log,
        plans=log_parts.plans,
        rate_limits=RateLimits(charge),
        wait_until_tried=log_parts.connection.wait_until_tried,
        ready={
            **readiness.build_checks(log_parts.run_checks),
            "kafka": log_parts.connection.is_ready,
            "references": log_parts.references.is_ready,
        },
        encode_metrics=encode_metrics,
    )
    return _build_http_app(parts, access, _main_lifespan(parts, log_parts, supervisor, halt))


def build_worker_app(
    settings: IntakeSettings, halt: Callable[[], None], connect: Callable[[LogClient], Awaitable[None]]
) -> IntakeApp:
    """Wire a worker; its lifespan begins with *connect*, which connects the log client to the main process."""
    parts = process_parts.build_parts(settings)
    plans = SnapshotPlans()
    client = LogClient(on_plans=plans.load)

    async def wait_until_tried() -> None:
        """Return at once: the main process starts its workers afterwards."""

    async def are_plans_ready() -> bool:
        return plans.is_ready

    access = LogAccess(
        event_log=client,
        plans=plans,
        rate_limits=RateLimits(client.charge),
        wait_until_tried=wait_until_tried,
        ready={**readiness.build_checks(lambda: client.checks), "references": are_plans_ready},
        encode_metrics=client.fetch_metrics,
    )
    return _build_http_app(parts, access, _worker_lifespan(parts, client, connect, halt))


@dataclass(frozen=True, slots=True, kw_only=True)
class LogParts:
    """What the main process alone has: the way from deduplication to the broker or the spool."""

    references: PublishedDocuments
    plans: PublishedPlans
    connector: KafkaConnector
    connection: KafkaConnection
    spool: Spool
    replay: SpoolReplay
    recent: RecentEvents
    event_log: Deduplicator

    def run_checks(self) -> dict[str, bool]:
        """Return which of `readiness.MAIN_CHECKS` hold."""
        return {
            "kafka": self.connection.is_up,
            "spool": self.spool.is_intact,
            "log": self.recent.missing == 0,
        }


def _build_log(settings: IntakeSettings, parts: ProcessParts) -> LogParts:
    references = PublishedDocuments(settings.kafka)
    references.export_metrics(parts.registry)
    export_expiry(parts.registry, settings.certificates)
    recent = RecentEvents(span=timedelta(hours=settings.dedup_hours), now=parts.clock.now)
    reader = LogReader(settings, recent, parts.clock, parts.metrics.log)
    connector = KafkaConnector(settings, references, reader, parts.clock)
    spool = Spool(settings.spool, settings.spool_max_bytes, parts.metrics.spool)
    replay = SpoolReplay(spool, recent, reader, Partitioner(settings.partitions))
    connection = KafkaConnection(connector, replay, parts.metrics)
    reader.on_lost.append(connection.reconnect)
    parts.metrics.log.missing.set_function(lambda: recent.missing)
    writer = DurableWriter(connection, spool, replay, reader)
    return LogParts(
        references=references,
        plans=PublishedPlans(references, settings.spool),
        connector=connector,
        connection=connection,
        spool=spool,
        replay=replay,
        recent=recent,
        event_log=Deduplicator(recent, writer, connection.wait_until_tried, parts.metrics),
    )


def _main_lifespan(
    parts: ProcessParts, log_parts: LogParts, supervisor: WorkerSupervisor, halt: Callable[[], None]
) -> Lifespan:
    async def run_workers() -> None:
        # A worker answers as soon as it serves, so it starts when there is something to answer with.
        await log_parts.connection.wait_until_tried()
        await supervisor.run()

    @asynccontextmanager
    async def lifespan() -> AsyncIterator[None]:
        parts.keys.load()
        parts.signing_keys.load()
        parts.revocations.load()
        # Before the broker is tried: with a snapshot intake can validate, and so accept, while there is no broker.
        log_parts.plans.load_file()
        await _open_spool(log_parts)
        gc.freeze()  # the objects of start-up stay to the end, so the collector need not walk them
        tasks = (*parts.background_tasks(), log_parts.connection.supervise)
        try:
            # Workers end first: their last requests are still written by the connection of this process.
            async with _run_in_background(tasks, halt), _run_in_background((run_workers,), halt):
                yield
        finally:
            await log_parts.spool.close()
            await log_parts.connector.close()
            await parts.close()

    return lifespan


async def _open_spool(log_parts: LogParts) -> None:
    try:
        await log_parts.spool.open(log_parts.replay.adopt_leftover)
    except SpoolUnusableError as cause:
        remedy = "look at DONDOC_INTAKE_SPOOL; each replica needs a folder of its own that it can write"
        log.critical("the spool cannot be used", extra={"action": "spool_unusable", "reason": f"{cause}; {remedy}"})
        raise


def _worker_lifespan(
    parts: ProcessParts, client: LogClient, connect: Callable[[LogClient], Awaitable[None]], halt: Callable[[], None]
) -> Lifespan:
    async def send_heartbeats() -> None:
        await client.run(lambda: read_samples(parts.registry))

    @asynccontextmanager
    async def lifespan() -> AsyncIterator[None]:
        parts.keys.load()
        parts.signing_keys.load()
        parts.revocations.load()
        await connect(client)
        gc.freeze()  # as in the main process
        tasks = (*parts.background_tasks(), send_heartbeats)
        try:
            async with _run_in_background(tasks, halt):
                yield
        finally:
            await parts.close()

    return lifespan


def _build_http_app(parts: ProcessParts, access: LogAccess, lifespan: Lifespan) -> IntakeApp:
    # It describes the topics and never connects: `KafkaConnection` opens and closes the clients.
    broker = _describe_topics(parts.settings)
    asyncapi = asyncapi_route(broker, title="Đôn Đốc intake", description="Writes the facts that agencies send.")
    operations = [*probes.probe_routes(access.ready, parts.registry, access.encode_metrics), asyncapi]
    requests = parts.metrics.requests
    admin = AdminApp(parts.settings.admin_port, operations, requests, service_port=parts.settings.port)
    app = IntakeApp(broker, lifespan=lifespan, routes=(), admin=admin)
    mounted = {
        path: MeasuredApp(handler, requests, lambda _path: OPERATIONS)
        for path, handler in admin.routes_on_service_port()
    }
    app.router = _build_router(parts, access, mounted)
    return app


def _build_router(parts: ProcessParts, access: LogAccess, mounted: Mapping[str, AsgiHandler]) -> Router:
    async def get_key_set(_request: Request) -> Response:
        parts.signing_keys.refresh()
        return Response(status=200, body=parts.signing_keys.signer.public_key_set())

    pipeline = Pipeline(access.plans, Partitioner(parts.settings.partitions), parts.signing_keys, access.event_log)
    dry_run = DryRunClient(
        parts.rules,
        str(parts.settings.rules_url),
        key=parts.settings.dry_run_key,
        review=FigureReview(plans=access.plans, clock=parts.clock),
    )
    inflight_limit = InflightLimit(parts.settings.bodies_max_bytes_per_process, parts.metrics)
    endpoint = PostEvents(
        keys=parts.keys,
        rate_limits=access.rate_limits,
        inflight_limit=inflight_limit,
        body_timeout=BodyTimeout(parts.settings.body_timeout_seconds),
        plans=access.plans,
        wait_until_tried=access.wait_until_tried,
        pipeline=pipeline,
        dry_run=dry_run,
        clock=parts.clock,
        metrics=parts.metrics,
        spans=parts.spans,
    )
    submit_report = SubmitReport(
        validator=EventValidator(access.plans), pipeline=pipeline, signing_keys=parts.signing_keys, dry_run=dry_run
    )
    form = _describe_form(parts, access, submit_report, inflight_limit)
    routes = {
        "/v1/events": Route(methods={"POST": endpoint.post}, surface=Surface.EVENTS),
        "/.well-known/jwks.json": Route(methods={"GET": get_key_set}),
        "/openapi.json": Route(methods={"GET": openapi.get_openapi}),
        "/docs": Route(methods={"GET": openapi.get_docs}),
        **openapi.problem_routes(),
        **build_routes(form),
    }
    return Router(routes, mounted, parts.metrics)


def _describe_form(
    parts: ProcessParts, access: LogAccess, submit_report: SubmitReport, inflight_limit: InflightLimit
) -> FormDependencies:
    return FormDependencies(
        settings=parts.settings,
        submit_report=submit_report,
        plans=access.plans.plan_and_registry,
        clock=parts.clock,
        inflight_limit=inflight_limit,
        revocations=parts.revocations,
        registry=parts.registry,
    )


@asynccontextmanager
async def _run_in_background(tasks: Sequence[BackgroundTask], halt: Callable[[], None]) -> AsyncIterator[None]:
    """Run *tasks* in the background; cancel them at the end, and call *halt* if one fails before."""
    running = [background.start(task(), halt=halt, failure="a background task failed") for task in tasks]
    try:
        yield
    finally:
        await background.cancel(*running)


def _describe_topics(settings: IntakeSettings) -> KafkaBroker:
    broker = KafkaBroker(settings.kafka.servers, security=faststream_security(settings.kafka), logger=None)
    envelopes = (Envelope[model] for model in MODEL_OF.values())  # type: ignore[valid-type]  # built from the published types
    broker.publisher(FACTS.name, schema=reduce(or_, envelopes), description=FACTS.description)
    return broker
