"""The components of reporting: built from settings, opened in the background, closed in reverse."""

import asyncio
import gc
import math
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from prometheus_client import CollectorRegistry
from starlette.applications import Starlette

from schemas.events.dashboard_links import DashboardKey
from services.reporting.answer_poster import AnswerPoster
from services.reporting.core.access.decisions import RefusalReason
from services.reporting.dead_letter_producer import DeadLetterProducer
from services.reporting.evidence.freshness import Freshness
from services.reporting.http.access.authentication import Authentication
from services.reporting.http.access.reader_keys import ReaderKeys
from services.reporting.http.live.change_feed import ChangeFeed
from services.reporting.metrics import TOPICS_CONSUMED, ReportingMetrics
from services.reporting.projections import consumption
from services.reporting.projections.consumption import ProjectionMaterials, Projections
from services.reporting.projections.database_follower import DatabaseFollower
from services.reporting.projections.document_archive import DocumentArchive
from services.reporting.sealing import store as sealed_report_store
from services.reporting.sealing.reports_publisher import ReportsPublisher
from services.reporting.settings import ReportingSettings
from services.reporting.store import DatabaseRefusedError, DatabaseUnavailableError, ReportingStore
from services.runtime import background, mongo, startup
from services.runtime.access.link_revocations import LinkRevocations
from services.runtime.access.refusal_log import RefusalLog
from services.runtime.clock import Clock, clock_from
from services.runtime.http.probes import NotReadyError
from services.runtime.http.server import Halt
from services.runtime.kafka.consumer_lag import LagByPartition, LagMonitor
from services.runtime.kafka.published_documents import PublishedDocuments
from services.runtime.kafka.topics import ensure_topics
from services.runtime.metrics import new_registry
from services.runtime.observability import spans
from services.runtime.observability.certificate_expiry import export_expiry
from services.runtime.startup import Startup
from services.runtime.state.active_database import ActiveDatabaseRecord

# Log lines of refusals of one reader, or of one address that shows no key, in a minute. A person who looks around makes
# a dozen.
_REFUSAL_LINES = 60

SERVERS = {"kafka": startup.BROKER, "mongo": startup.DATABASE}


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportingComponents:
    """The components of reporting; there is one of each in a process."""

    settings: ReportingSettings
    clock: Clock
    registry: CollectorRegistry
    metrics: ReportingMetrics
    freshness: Freshness
    references: PublishedDocuments
    authentication: Authentication
    refusals: RefusalLog[RefusalReason]
    store: ReportingStore
    archive: DocumentArchive
    dead_letters: DeadLetterProducer
    publisher: ReportsPublisher
    feed: ChangeFeed
    intake: AnswerPoster
    projections: Projections
    follower: DatabaseFollower
    startup: Startup
    halt: Halt

    async def has_assessments(self) -> bool:
        """Whether rules has assessed anything yet, if there is a plan to assess; raise `NotReadyError` if not."""
        if self.references.plans() and not await self.store.has_assessments():
            raise NotReadyError("rules, to assess what is published")
        return True


def build_components(settings: ReportingSettings, halt: Halt) -> ReportingComponents:
    """Build the components; nothing is opened. *halt* stops a process that cannot go on."""
    metrics = ReportingMetrics(registry := _build_registry(settings))
    clock, references = clock_from(settings.clock), PublishedDocuments(settings.kafka)
    client, database = mongo.connect(settings.mongo_url), settings.mongo_database
    store = ReportingStore(client, database, partitions=settings.partitions)
    dead_letters = DeadLetterProducer(settings.kafka, clock)
    references.export_metrics(registry)
    # A registry of ten thousand agencies has hundreds of thousands of objects that stay to the end, as those of
    # start-up do: the collector need not walk them while requests wait.
    references.on_change.append(gc.freeze)
    materials = ProjectionMaterials(
        settings=settings, clock=clock, registry=registry, metrics=metrics, dead_letters=dead_letters, halt=halt
    )
    projections = consumption.build_projections(materials, store, group=settings.group)
    metrics.standby_active.set_function(lambda: store.database != database)
    archive = DocumentArchive(references, store)
    record = ActiveDatabaseRecord(client, database)
    return ReportingComponents(
        settings=settings,
        clock=clock,
        registry=registry,
        metrics=metrics,
        freshness=Freshness(TOPICS_CONSUMED, clock),
        references=references,
        authentication=_build_authentication(settings, clock, metrics),
        refusals=RefusalLog("read_refused", lines_max=_REFUSAL_LINES, count=metrics.count_refusal),
        store=store,
        archive=archive,
        dead_letters=dead_letters,
        publisher=ReportsPublisher(settings.kafka, clock),
        feed=_build_feed(store, metrics),
        intake=AnswerPoster(str(settings.intake_url), settings.intake_key),
        projections=projections,
        follower=DatabaseFollower(record, store, projections, on_moved=archive.store_again),
        startup=Startup(SERVERS, DatabaseUnavailableError, DatabaseRefusedError),
        halt=halt,
    )


def _build_registry(settings: ReportingSettings) -> CollectorRegistry:
    registry = new_registry()
    export_expiry(registry, settings.certificates)
    return registry


def _build_feed(store: ReportingStore, metrics: ReportingMetrics) -> ChangeFeed:
    feed = ChangeFeed(store)
    metrics.stream_readers.set_function(lambda: feed.subscribers)
    return feed


def _build_authentication(settings: ReportingSettings, clock: Clock, metrics: ReportingMetrics) -> Authentication:
    keys = ReaderKeys(settings.readers, clock)
    metrics.readers.set_function(keys.count_valid)

    def access_end() -> float:
        end = keys.first_access_end()
        return math.inf if end is None else end.timestamp()

    metrics.access_ends_at.set_function(access_end)
    secret = settings.dashboard_key
    dashboard_key = None if secret is None else DashboardKey(secret.get_secret_value())
    return Authentication(keys, LinkRevocations(settings.link_revocations), dashboard_key, clock)


def build_lifespan(
    components: ReportingComponents, count_season: Callable[[], Coroutine[Any, Any, None]]
) -> Callable[[Starlette], AbstractAsyncContextManager[None]]:
    """Return what opens the components in the background, and closes them in reverse; *count_season* runs meanwhile."""

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        # Read before the port opens: a file that cannot be read ends the process, and lets nobody in.
        components.authentication.load()
        exporter = spans.open_exporter("reporting", components.settings.otlp_endpoint)
        components.metrics.received_to_dashboard.export_spans(exporter, "reporting: store")
        try:
            async with (
                _run_watches(components, count_season),
                startup.open_in_background(partial(_open_all, components), halt=components.halt),
            ):
                yield
        finally:
            await spans.close_exporter(exporter)

    return lifespan


@asynccontextmanager
async def _run_watches(
    components: ReportingComponents, count_season: Callable[[], Coroutine[Any, Any, None]]
) -> AsyncIterator[None]:
    failure = "watching the readers, telling of refusals, or counting the season has failed"
    watches = (*components.authentication.watches(), components.refusals.run, count_season)
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
    stack.push_async_callback(components.projections.broker.stop)
    await components.projections.broker.start()


async def _prepare_database(components: ReportingComponents, stack: AsyncExitStack) -> None:
    wait_for = components.startup.wait_for
    await wait_for("mongo", components.follower.open)
    # Before the broker is asked, because it is all that pages need while that is away.
    await wait_for("mongo", components.archive.restore)
    await wait_for("mongo", components.store.create_indexes)
    note_last_seal = partial(sealed_report_store.note_last_seal, components.store, components.metrics.note_seal)
    await wait_for("mongo", note_last_seal)
    # Does not wait for the broker to be there: what it finds out first is that it is away.
    components.projections.consumption.start(components.halt)
    stack.push_async_callback(components.projections.consumption.stop)
    failure = "storing the published documents, or following the database, has failed"
    for work in (components.archive.run(), components.feed.run(), components.follower.run()):
        task = background.start(work, halt=components.halt, failure=failure)
        stack.push_async_callback(background.cancel, task)


async def _connect_bus(components: ReportingComponents, stack: AsyncExitStack) -> None:
    settings, wait_for = components.settings, components.startup.wait_for
    create_topics = partial(ensure_topics, settings.kafka, settings.partitions, settings.kafka_replication)
    await wait_for("kafka", create_topics)
    lag = LagMonitor(
        settings.kafka,
        settings.group,
        dict.fromkeys((topic.name for topic in TOPICS_CONSUMED), settings.partitions),
        clock=components.clock,
        show=partial(_show_lag, components),
    )
    measuring = background.start(lag.run(), halt=components.halt, failure="measuring the lag has failed")
    stack.push_async_callback(background.cancel, measuring)
    stack.push_async_callback(components.references.stop)
    await wait_for("kafka", components.references.start)
    for producer in (components.dead_letters, components.publisher):
        stack.push_async_callback(producer.close)
        await wait_for("kafka", producer.open)


def _show_lag(components: ReportingComponents, lags: LagByPartition) -> None:
    components.metrics.show_lag(lags)
    components.freshness.note_lag(lags)
