"""Wires rules together. Nothing is opened before the application starts; everything is closed in reverse order."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial

from prometheus_client import CollectorRegistry

from schemas.events.topics import FACTS
from services.rules.dry_run import dry_run
from services.rules.duty_catalogues import DutyCatalogues
from services.rules.metrics import RulesMetrics
from services.rules.partitions import AssignedPartitions
from services.rules.plan_adopter import PlanAdopter
from services.rules.restore import PartitionDependencies
from services.rules.settings import RulesSettings
from services.runtime import background, bootstrap, startup
from services.runtime.clock import clock_from
from services.runtime.http import admin, server
from services.runtime.http.admin import AdminApp
from services.runtime.http.application import ServiceApp
from services.runtime.http.private_routes import guard_route
from services.runtime.http.probes import probe_routes
from services.runtime.http.request_metrics import OPERATIONS, RequestMetrics
from services.runtime.http.server import Halt
from services.runtime.kafka import batch_consumer
from services.runtime.kafka.batch_consumer import ConsumingBroker
from services.runtime.kafka.consumer_lag import LagMonitor
from services.runtime.kafka.published_documents import PublishedDocuments
from services.runtime.kafka.topics import ensure_topics
from services.runtime.metrics import new_registry
from services.runtime.observability import spans
from services.runtime.observability.certificate_expiry import export_expiry
from services.runtime.startup import Startup

DRY_RUN_PATH = "/v1/dry-run"
DRY_RUN = "dry_run"


def main() -> None:
    """Serve until the process is asked to stop."""
    bootstrap.relax_garbage_collection()
    settings = bootstrap.initialise("rules", RulesSettings)
    halt = Halt()
    app = build_app(settings, halt=halt)
    server.run(app, server.listen(settings.host, settings.port, share_port=False), halt=halt, admin=app.admin)


@dataclass(frozen=True, slots=True, kw_only=True)
class RulesComponents:
    """The components of rules; there is one of each in a process."""

    settings: RulesSettings
    dependencies: PartitionDependencies
    partitions: AssignedPartitions
    broker: ConsumingBroker
    startup: Startup
    halt: Callable[[], None]


def build_app(settings: RulesSettings | None = None, *, halt: Callable[[], None] | None = None) -> ServiceApp:
    """Return the application: the consumer of the facts, and its HTTP side."""
    settings = settings or RulesSettings()
    registry = new_registry()
    components = _build_components(settings, registry, halt or Halt())
    components.dependencies.references.export_metrics(registry)
    export_expiry(registry, settings.certificates)

    exporter = spans.open_exporter("rules", components.settings.otlp_endpoint)
    components.dependencies.metrics.received_to_verdict.export_spans(exporter, "rules: assess")

    @asynccontextmanager
    async def lifespan() -> AsyncIterator[None]:
        try:
            async with startup.open_in_background(partial(_open_all, components), halt=components.halt):
                yield
        finally:
            await spans.close_exporter(exporter)

    readiness = {
        "broker": components.startup.check("broker", components.dependencies.references.is_broker_reachable),
        "references": components.dependencies.references.is_ready,
        "consumer": components.broker.is_consuming,
        "partitions": components.partitions.is_settled,
        "state": components.partitions.is_state_complete,
        "log": components.partitions.is_log_whole,
    }
    dependencies = components.dependencies
    assess_event = dry_run(dependencies.catalogues, components.partitions, clock=dependencies.clock)
    about = "What the facts say of each duty."
    asyncapi = admin.asyncapi_route(components.broker, title="Đôn Đốc rules", description=about)
    requests = RequestMetrics(registry, (DRY_RUN, OPERATIONS))
    operations = [*probe_routes(readiness, registry), asyncapi]
    return ServiceApp(
        components.broker,
        lifespan=lifespan,
        routes=[(DRY_RUN_PATH, guard_route(assess_event, settings.key_of_intake))],
        admin=AdminApp(settings.admin_port, operations, requests, service_port=settings.port),
        surface_of=lambda path: DRY_RUN if path == DRY_RUN_PATH else OPERATIONS,
    )


def _build_components(
    settings: RulesSettings, registry: CollectorRegistry, halt: Callable[[], None]
) -> RulesComponents:
    metrics = RulesMetrics(registry, settings.partitions)
    broker = ConsumingBroker(settings.kafka, halt=halt, registry=registry)
    references = PublishedDocuments(settings.kafka)
    dependencies = _build_dependencies(settings, references, metrics)
    # A session that has passed without a word from the broker has ended: only then may a fenced owner open again.
    fenced_retry_seconds = 2 * settings.session_timeout_ms / 1000
    partitions = AssignedPartitions(dependencies, halt=halt, fenced_retry_seconds=fenced_retry_seconds)
    _subscribe(broker, settings, partitions, halt=halt)
    return RulesComponents(
        settings=settings,
        dependencies=dependencies,
        partitions=partitions,
        broker=broker,
        startup=Startup({"broker": startup.BROKER}),
        halt=halt,
    )


async def _open_all(components: RulesComponents, stack: AsyncExitStack) -> None:
    settings, dependencies, wait_for = components.settings, components.dependencies, components.startup.wait_for
    references = dependencies.references
    await wait_for("broker", dependencies.ensure_topics)
    lag = LagMonitor(
        settings.kafka,
        settings.group,
        {FACTS.name: settings.partitions},
        clock=components.dependencies.clock,
        show=components.dependencies.metrics.show_lag,
    )
    measuring = background.start(lag.run(), halt=components.halt, failure="measuring the lag has failed")
    stack.push_async_callback(background.cancel, measuring)
    stack.push_async_callback(references.stop)
    await wait_for("broker", references.start)
    # A fact whose plan is not there would be set aside as unknown.
    await references.wait_until_complete()
    stack.push_async_callback(components.partitions.close)
    adopter = PlanAdopter(dependencies.catalogues, components.partitions, clock=dependencies.clock)
    stack.push_async_callback(adopter.stop)
    adopter.start(references, halt=components.halt)
    stack.push_async_callback(components.broker.stop)
    await components.broker.start()


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
    consumer = batch_consumer.subscribe(broker, subscription, partitions.on_batch, halt=halt, listener=partitions)
    partitions.use_consumer(lambda: consumer.consumer)


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
