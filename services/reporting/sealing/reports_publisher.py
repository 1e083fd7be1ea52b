"""Publish single events on `dondoc.reports.v1`; whoever seals a version writes it in a transaction instead."""

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaConnectionError

from schemas.events.topics import REPORTS
from services.reporting.sealing.report_events import ReportRecord
from services.runtime.clock import Clock, milliseconds
from services.runtime.kafka import clients
from services.runtime.settings import KafkaConfig


class ReportsPublisher:
    """A producer that is opened with the service."""

    def __init__(self, kafka: KafkaConfig, clock: Clock) -> None:
        self._kafka = kafka
        self._clock = clock
        self._producer: AIOKafkaProducer | None = None

    async def open(self) -> None:
        """Connect; raise `KafkaError` if that fails, and nothing stays open then."""
        # Idempotence keeps a retried send from writing an event twice, and implies acks=all.
        producer = AIOKafkaProducer(**self._kafka.client(), enable_idempotence=True)
        try:
            await producer.start()
        except BaseException:
            await clients.stop_producer(producer)
            raise
        self._producer = producer

    async def close(self) -> None:
        """Close the producer, if it is open."""
        if self._producer is not None:
            await clients.stop_producer(self._producer)

    async def publish(self, record: ReportRecord) -> None:
        """Return when all in-sync replicas have *record*; raise `KafkaError` if the broker does not take it."""
        if self._producer is None:
            raise KafkaConnectionError("the producer is not open yet")
        timestamp = milliseconds(self._clock.now())
        await self._producer.send_and_wait(REPORTS.name, record.value, key=record.key.encode(), timestamp_ms=timestamp)
