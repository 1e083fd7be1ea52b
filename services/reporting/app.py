"""Wire reporting: settings in, an ASGI application out. Its lifespan opens what it needs and closes it in reverse."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from prometheus_client import CollectorRegistry
from starlette.applications import Starlette
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from schemas.events.dashboard_links import DashboardKey
from schemas.events.topics import DELIVERIES, FACTS, REPORTS, VERDICTS, Topic
from services.reporting import consumer
from services.reporting.answer_poster import AnswerPoster
from services.reporting.consumer import TopicReader
from services.reporting.content.attachments import AttachmentFiles
from services.reporting.content.report_compiler import ReportCompiler
from services.reporting.content.results_queries import ResultsQueries
from services.reporting.content.review_queries import ReviewQueries
from services.reporting.content.submission_queries import SubmissionQueries
from services.reporting.core.access.decisions import Access
from services.reporting.dashboard import templating
from services.reporting.dashboard.officer.review_page import ReviewMaterials, ReviewPage
from services.reporting.dashboard.page_renderer import PageRenderer
from services.reporting.dashboard.pages import Dashboard
from services.reporting.dashboard.sealed_reports_page import SealedReportsPage
from services.reporting.dashboard.verification import VerificationPage
from services.reporting.dead_letter_producer import DeadLetterProducer
from services.reporting.document_archive import DocumentArchive
from services.reporting.documents import formats
from services.reporting.http import api_description, problems
from services.reporting.http.access import open_link
from services.reporting.http.access.authentication import Authentication
from services.reporting.http.access.guard import AccessRoute, ReaderGuard
from services.reporting.http.access.reader_keys import ReaderKeys
from services.reporting.http.access.refusal_audit import RefusalAudit
from services.reporting.http.api import ReportingApi
from services.reporting.http.content_api import ContentApi
from services.reporting.http.evaluations_api import EvaluationsApi
from services.reporting.http.rendering import RenderingLimit
from services.reporting.http.report_documents import ReportDocuments
from services.reporting.http.sealed_reports import SealedReportsApi
from services.reporting.http.security_headers import SecurityHeaders
from services.reporting.metrics import TOPICS_CONSUMED, ReportingMetrics
from services.reporting.queries import ReportingQueries
from services.reporting.sealing import store as sealed_report_store
from services.reporting.sealing.draft_compiler import DraftCompiler
from services.reporting.sealing.log_position import LogReaders
from services.reporting.sealing.reports_publisher import ReportsPublisher
from services.reporting.sealing.sealer import Sealer, SealingMaterials
from services.reporting.sealing.store import SealedReportStore
from services.reporting.settings import ReportingSettings
from services.reporting.store import DatabaseRefusedError, DatabaseUnavailableError, ReportingStore
from services.runtime import background, bootstrap, mongo, startup
from services.runtime.access.link_revocations import LinkRevocations
from services.runtime.clock import Clock, SystemClock, clock_from
from services.runtime.http import server
from services.runtime.http.admin import PUBLIC_PATHS, AdminApp
from services.runtime.http.probes import AsgiHandler, NotReadyError, probe_routes
from services.runtime.http.server import Halt
from services.runtime.kafka.batch_consumer import ConsumingBroker, Subscription
from services.runtime.kafka.consumer_lag import LagMonitor
from services.runtime.kafka.published_documents import PublishedDocuments
from services.runtime.kafka.topics import ensure_topics
from services.runtime.metrics import new_registry
from services.runtime.startup import Startup
from services.runtime.state.state_consumer import StateConsumer, StateSource
from services.runtime.state.state_consumption import StateConsumption

SERVERS = {"kafka": startup.BROKER, "mongo": startup.DATABASE}


class AsgiEndpoint:
    """A plain ASGI handler as a route's endpoint: Starlette takes a bare function for one that wants a `Request`."""

    def __init__(self, handler: AsgiHandler) -> None:
        self._handler = handler

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._handler(scope, receive, send)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportingComponents:
    """The components of reporting; there is one of each in a process."""

    settings: ReportingSettings
    clock: Clock
    registry: CollectorRegistry
    metrics: ReportingMetrics
    references: PublishedDocuments
    authentication: Authentication
    refusals: RefusalAudit
    store: ReportingStore
    archive: DocumentArchive
    dead_letters: DeadLetterProducer
    publisher: ReportsPublisher
    intake: AnswerPoster
    broker: ConsumingBroker
    consumption: StateConsumption
    startup: Startup
    halt: Halt

    async def has_assessments(self) -> bool:
        """Whether rules has assessed anything yet, if there is a plan to assess; raise `NotReadyError` if not."""
        if self.references.plans() and not await self.store.has_assessments():
            raise NotReadyError("rules, to assess what is published")
        return True


class ReportingApp(Starlette):
    """The application, with that of its admin port."""

    admin: AdminApp

    def build_middleware_stack(self) -> ASGIApp:
        """Return the application with the headers around everything, the answer to an unexpected error included."""
        return SecurityHeaders(super().build_middleware_stack())


def main() -> None:
    """Serve until the process is asked to stop."""
    settings = bootstrap.initialise("reporting", ReportingSettings)
    halt = Halt()
    app = build_app(settings, halt=halt)
    server.run(app, server.listen(settings.host, settings.port, share_port=False), halt=halt, admin=app.admin)


def build_app(settings: ReportingSettings, *, halt: Halt) -> ReportingApp:
    """Wire reporting; nothing is opened before the lifespan begins. *halt* stops a process that cannot go on."""
    components = _build_components(settings, halt)
    components.references.export_metrics(components.registry)
    queries = _build_queries(components)
    submissions = SubmissionQueries(queries, components.store)
    reports = ReportCompiler(queries, components.store, SealedReportStore(components.store))
    templates = templating.build_environment()
    renderer = PageRenderer(queries, templates)
    admin = _build_admin(components)
    guard = _build_guard(components, queries)
    limit = RenderingLimit()
    sealed_reports = _build_sealing(components, reports, limit)
    evaluations = _build_evaluations(components, queries)
    app = ReportingApp(
        routes=guard.protect(
            [
                *(_build_admin_route(path, handler) for path, handler in admin.routes_on_service_port()),
                open_link.build_route(guard.authentication, templates),
                *ReportingApi(queries, submissions, clock=components.clock).routes(),
                *_build_documents(components, reports, limit).routes(),
                *_build_content_api(components, queries, submissions).routes(),
                *evaluations.routes(),
                *_build_review_page(components, queries, evaluations, renderer, guard).routes(),
                *sealed_reports.routes(),
                *SealedReportsPage(sealed_reports, renderer, guard, clock=components.clock).routes(),
                *VerificationPage(SealedReportStore(components.store), renderer).routes(),
                *api_description.build_routes(templates),
                *Dashboard(queries, components.clock, renderer).routes(),
            ]
        ),
        lifespan=_build_lifespan(components),
        exception_handlers=problems.build_handlers(renderer.render_problem, guard.record_refusal),
    )
    # Whoever shows no key learns of no path whether there is anything.
    app.router.default = guard.answer_unknown_path
    app.router.redirect_slashes = False
    app.admin = admin
    return app


def _build_queries(components: ReportingComponents) -> ReportingQueries:
    return ReportingQueries(
        components.store,
        components.references,
        on_unreadable=lambda _record: components.metrics.stored_unreadable.inc(),
    )


def _build_guard(components: ReportingComponents, queries: ReportingQueries) -> ReaderGuard:
    return ReaderGuard(
        authentication=components.authentication,
        require_agency=queries.require_agency,
        are_figures_public=components.settings.public == "figures",
        audit=components.refusals,
    )


def _build_admin_route(path: str, handler: AsgiHandler) -> BaseRoute:
    """Return a route for operators: the probes are open, the others are there on a development machine alone."""
    access = Access.OPEN if path in PUBLIC_PATHS else Access.THIS_MACHINE
    return AccessRoute(path, AsgiEndpoint(handler), access)


def _build_components(settings: ReportingSettings, halt: Halt) -> ReportingComponents:
    metrics = ReportingMetrics(registry := new_registry())
    clock, references = clock_from(settings.clock), PublishedDocuments(settings.kafka)
    store = ReportingStore(mongo.connect(settings.mongo_url), settings.mongo_database, partitions=settings.partitions)
    dead_letters = DeadLetterProducer(settings.kafka, clock)
    broker = ConsumingBroker(settings.kafka, halt=halt, registry=registry)

    def create_consumer(topic: Topic, reader: TopicReader[Any]) -> StateConsumer:
        subscription = Subscription(
            topic=topic.name,
            group=settings.group,
            max_records=settings.batch_records,
            session_timeout_ms=settings.session_timeout_ms,
        )
        source = StateSource(kafka=settings.kafka, subscription=subscription)
        created = StateConsumer(source, store.checkpoints, SystemClock(), metrics=metrics.state, halt=halt)
        on_batch = consumer.on_batch(reader, dead_letters, metrics)
        created.subscribe(broker, on_batch, recoverable=(DatabaseUnavailableError,))
        return created

    consumers = [create_consumer(topic, reader) for topic, reader in _build_readers(store).items()]
    return ReportingComponents(
        settings=settings,
        clock=clock,
        registry=registry,
        metrics=metrics,
        references=references,
        authentication=_build_authentication(settings, clock, metrics),
        refusals=RefusalAudit(lambda reason: metrics.refusals.labels(reason.value).inc()),
        store=store,
        archive=DocumentArchive(references, store),
        dead_letters=dead_letters,
        publisher=ReportsPublisher(settings.kafka, clock),
        intake=AnswerPoster(str(settings.intake_url), settings.intake_key),
        broker=broker,
        consumption=StateConsumption(consumers, store.checkpoints, answers_without_broker=True),
        startup=Startup(SERVERS, DatabaseUnavailableError, DatabaseRefusedError),
        halt=halt,
    )


def _build_readers(store: ReportingStore) -> dict[Topic, TopicReader[Any]]:
    return {
        VERDICTS: consumer.verdict_reader(store),
        DELIVERIES: consumer.delivery_reader(store),
        FACTS: consumer.fact_reader(store),
        REPORTS: sealed_report_store.report_reader(SealedReportStore(store)),
    }


def _build_authentication(settings: ReportingSettings, clock: Clock, metrics: ReportingMetrics) -> Authentication:
    keys = ReaderKeys(settings.readers, clock)
    metrics.readers.set_function(keys.count_valid)
    secret = settings.dashboard_key
    dashboard_key = None if secret is None else DashboardKey(secret.get_secret_value())
    return Authentication(keys, LinkRevocations(settings.link_revocations), dashboard_key, clock)


def _build_lifespan(components: ReportingComponents) -> Callable[[Starlette], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        # Read before the port opens: a file that cannot be read ends the process, and lets nobody in.
        components.authentication.load()
        async with (
            _watch_files(components),
            startup.open_in_background(partial(_open_all, components), halt=components.halt),
        ):
            yield

    return lifespan


@asynccontextmanager
async def _watch_files(components: ReportingComponents) -> AsyncIterator[None]:
    failure = "watching the readers, or telling of refusals, has failed"
    watches = (*components.authentication.watches(), components.refusals.run)
    tasks = [background.start(watch(), halt=components.halt, failure=failure) for watch in watches]
    try:
        yield
    finally:
        for task in tasks:
            await background.cancel(task)


async def _open_all(components: ReportingComponents, stack: AsyncExitStack) -> None:
    stack.push_async_callback(components.intake.close)
    async with asyncio.TaskGroup() as group:
        group.create_task(_prepare_database(components, stack))
        group.create_task(_connect_bus(components, stack))
    stack.push_async_callback(components.broker.stop)
    await components.broker.start()


async def _prepare_database(components: ReportingComponents, stack: AsyncExitStack) -> None:
    wait_for = components.startup.wait_for
    # First, because it is all that pages need while the broker is away.
    await wait_for("mongo", components.archive.restore)
    await wait_for("mongo", components.store.create_indexes)
    failure = "storing the published documents has failed"
    storing = background.start(components.archive.run(), halt=components.halt, failure=failure)
    stack.push_async_callback(background.cancel, storing)
    # Does not wait for the broker to be there: what it finds out first is that it is away.
    components.consumption.start(components.halt)
    stack.push_async_callback(components.consumption.stop)


async def _connect_bus(components: ReportingComponents, stack: AsyncExitStack) -> None:
    settings, wait_for = components.settings, components.startup.wait_for
    create_topics = partial(ensure_topics, settings.kafka, settings.partitions, settings.kafka_replication)
    await wait_for("kafka", create_topics)
    lag = LagMonitor(
        settings.kafka,
        settings.group,
        dict.fromkeys((topic.name for topic in TOPICS_CONSUMED), settings.partitions),
        clock=components.clock,
        show=components.metrics.show_lag,
    )
    measuring = background.start(lag.run(), halt=components.halt, failure="measuring the lag has failed")
    stack.push_async_callback(background.cancel, measuring)
    stack.push_async_callback(components.references.stop)
    await wait_for("kafka", components.references.start)
    for producer in (components.dead_letters, components.publisher):
        stack.push_async_callback(producer.close)
        await wait_for("kafka", producer.open)


def _build_admin(components: ReportingComponents) -> AdminApp:
    settings = components.settings
    checks = {
        "kafka": components.startup.check("kafka", components.dead_letters.is_answering),
        "mongo": components.startup.check("mongo", components.store.is_answering),
        "references": components.references.is_ready,
        "consumer": components.broker.is_consuming,
        "projections": components.consumption.is_complete,
        "log": components.consumption.is_log_intact,
        "assessments": components.has_assessments,
    }
    routes = [*probe_routes(checks, components.registry), api_description.asyncapi_route()]
    return AdminApp(settings.admin_port, routes, service_port=settings.port)


def _build_documents(
    components: ReportingComponents, reports: ReportCompiler, limit: RenderingLimit
) -> ReportDocuments:
    drafts = DraftCompiler(reports, SealedReportStore(components.store))
    return ReportDocuments(drafts, limit, clock=components.clock, metrics=components.metrics)


def _build_sealing(components: ReportingComponents, reports: ReportCompiler, limit: RenderingLimit) -> SealedReportsApi:
    settings, store = components.settings, SealedReportStore(components.store)
    readers = LogReaders(
        kafka=settings.kafka,
        reporting_group=settings.group,
        rules_group=settings.rules_group,
        partitions=settings.partitions,
    )
    materials = SealingMaterials(
        source=reports,
        render=formats.render_documents,
        public_url=str(settings.dashboard_url).rstrip("/"),
    )
    sealer = Sealer(readers, store, materials, clock=components.clock)
    return SealedReportsApi(reports, store, sealer, limit=limit, clock=components.clock)


def _build_content_api(
    components: ReportingComponents, queries: ReportingQueries, submissions: SubmissionQueries
) -> ContentApi:
    return ContentApi(
        ResultsQueries(queries, components.store),
        submissions,
        files=AttachmentFiles(components.settings.attachments),
        clock=components.clock,
    )


def _build_evaluations(components: ReportingComponents, queries: ReportingQueries) -> EvaluationsApi:
    store = SealedReportStore(components.store)
    return EvaluationsApi(queries, store, components.publisher, clock=components.clock)


def _build_review_page(
    components: ReportingComponents,
    queries: ReportingQueries,
    evaluations: EvaluationsApi,
    renderer: PageRenderer,
    guard: ReaderGuard,
) -> ReviewPage:
    return ReviewPage(
        ReviewMaterials(
            queries=ReviewQueries(queries, components.store),
            evaluations=evaluations,
            intake=components.intake,
            renderer=renderer,
            readers=guard,
            clock=components.clock,
            metrics=components.metrics,
        )
    )
