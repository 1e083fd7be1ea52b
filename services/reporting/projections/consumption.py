"""The consumers that fill one database from the log: the same for the active database and for one that is rebuilt."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from prometheus_client import CollectorRegistry

from schemas.events.topics import DELIVERIES, FACTS, REPORTS, VERDICTS, Topic
from services.reporting import consumer
from services.reporting.consumer import DeadLetterWriter, TopicReader
from services.reporting.current.view import CurrentView
from services.reporting.metrics import ReportingMetrics
from services.reporting.sealing import store as sealed_report_store
from services.reporting.sealing.store import SealedReportStore
from services.reporting.settings import ReportingSettings
from services.reporting.store import DatabaseUnavailableError, ReportingStore
from services.runtime.clock import Clock, SystemClock
from services.runtime.kafka.batch_consumer import ConsumingBroker, Subscription
from services.runtime.state.state_consumer import StateConsumer, StateSource
from services.runtime.state.state_consumption import StateConsumption


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectionMaterials:
    """What the consumers of a database need besides its store."""

    settings: ReportingSettings
    clock: Clock
    registry: CollectorRegistry
    metrics: ReportingMetrics
    dead_letters: DeadLetterWriter
    halt: Callable[[], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Projections:
    """The consumers of one database, their broker, and whether the database is complete."""

    broker: ConsumingBroker
    consumption: StateConsumption
    halt: Callable[[], None]

    async def hold(self) -> None:
        """Store nothing until `release`. The database is complete as it is meanwhile."""
        # The comparisons first: a client that was closed under them would look like a log that has lost records.
        await self.consumption.hold()
        await self.broker.hold()

    def release(self) -> None:
        """Go on after `hold`, from where the database stands that the store points to."""
        self.consumption.release(self.halt)
        self.broker.release()


def build_projections(
    materials: ProjectionMaterials, store: ReportingStore, *, group: str, must_reach_end: bool = False
) -> Projections:
    """Build the consumers of all topics in *group*; nothing is opened.

    With *must_reach_end* the database is complete when it has reached the end that the log had at the start.
    """
    settings, metrics = materials.settings, materials.metrics
    broker = ConsumingBroker(settings.kafka, halt=materials.halt, registry=materials.registry)

    def create_consumer(topic: Topic, reader: TopicReader[Any]) -> StateConsumer:
        subscription = Subscription(
            topic=topic.name,
            group=group,
            max_records=settings.batch_records,
            session_timeout_ms=settings.session_timeout_ms,
        )
        source = StateSource(kafka=settings.kafka, subscription=subscription, must_reach_end=must_reach_end)
        created = StateConsumer(source, store.checkpoints, SystemClock(), metrics=metrics.state, halt=materials.halt)
        on_batch = consumer.on_batch(
            reader, materials.dead_letters, metrics, clock=materials.clock, is_complete=created.is_complete
        )
        created.subscribe(broker, on_batch, recoverable=(DatabaseUnavailableError,))
        return created

    consumers = [create_consumer(topic, reader) for topic, reader in _build_readers(store, metrics).items()]
    consumption = StateConsumption(consumers, store.checkpoints, answers_without_broker=not must_reach_end)
    return Projections(broker=broker, consumption=consumption, halt=materials.halt)


def _build_readers(store: ReportingStore, metrics: ReportingMetrics) -> dict[Topic, TopicReader[Any]]:
    view = CurrentView(store)
    return {
        VERDICTS: consumer.verdict_reader(view.insert_assessments),
        DELIVERIES: consumer.delivery_reader(view.insert_attempts),
        FACTS: consumer.fact_reader(store.insert_facts),
        REPORTS: sealed_report_store.report_reader(SealedReportStore(store), metrics.note_seal),
    }
