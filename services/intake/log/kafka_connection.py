"""The connection to the broker: opened, watched and opened again, with everything that precedes the first append.

A broker that stops acknowledging is taken for down at once; nobody waits for it while it is won back in the background.
"""

import asyncio
import logging
from contextlib import suppress

from aiokafka.errors import KafkaError

from services.intake.dedup.log_reader import LogReader, StaleReaderError
from services.intake.log import producer as producing
from services.intake.log.producer import BatchingProducer, BrokerUnavailableError
from services.intake.metrics import IntakeMetrics
from services.intake.settings import IntakeSettings
from services.intake.spool.replay import SpoolReplay
from services.runtime import startup
from services.runtime.clock import Clock
from services.runtime.kafka.published_documents import PublishedDocuments
from services.runtime.kafka.topics import ensure_topics
from services.runtime.startup import Startup

# How long a batch may be under way before it is asked whether the topic is still there.
SETTLE_SECONDS = 5.0

# How long the first requests wait for the first attempt to connect, before they are spooled.
FIRST_ATTEMPT_SECONDS = 10.0

log = logging.getLogger(__name__)


class KafkaConnector:
    """Opens what intake needs of the broker: topics, the readers of plans and of the log, and a producer."""

    def __init__(
        self, settings: IntakeSettings, references: PublishedDocuments, reader: LogReader, clock: Clock
    ) -> None:
        self._settings = settings
        self._references = references
        self._reader = reader
        self._clock = clock
        self._has_references = False

    async def open(self) -> BatchingProducer:
        """Return a connected producer; raise `KafkaError` or `OSError` while there is no broker."""
        settings = self._settings
        await self.create_topics()
        await self._start_readers()
        return BatchingProducer(
            await producing.connect(settings.kafka),
            self._clock,
            self._reader.on_acknowledged,
            partitions=settings.partitions,
            timeout_seconds=settings.broker_timeout_seconds,
        )

    async def create_topics(self) -> None:
        """Create the topics that are missing; raise `KafkaError` while there is no broker."""
        settings = self._settings
        await ensure_topics(settings.kafka, settings.partitions, settings.kafka_replication)

    async def is_broker_reachable(self) -> bool:
        """Whether the broker answers a request."""
        return await self._references.is_broker_reachable()

    @property
    def is_log_lost(self) -> bool:
        """Whether the log has lost records and is not read again yet: `open` begins to."""
        return self._reader.is_stale

    async def close(self) -> None:
        """Stop the readers."""
        await self._reader.stop()
        await self._references.stop()

    async def _start_readers(self) -> None:
        """Start the readers; afterwards they reconnect by themselves, except to a log that has lost records."""
        if not self._has_references:
            await self._references.start()
            self._has_references = True
        if self._reader.is_stale:
            await self._reader.stop()
        if not self._reader.is_started:
            await self._reader.start()


class KafkaConnection:
    """The producer while the broker is up, None while it is not."""

    def __init__(self, connector: KafkaConnector, replay: SpoolReplay, metrics: IntakeMetrics) -> None:
        self._connector = connector
        self._replay = replay
        self._metrics = metrics
        self._startup = Startup({"kafka": startup.BROKER}, BrokerUnavailableError)
        self._opened: BatchingProducer | None = None
        self._lost = asyncio.Event()
        self._first_attempt_ended = asyncio.Event()
        self.producer: BatchingProducer | None = None
        """The producer, while the broker acknowledges and the spool is empty."""

    @property
    def is_up(self) -> bool:
        return self.producer is not None

    async def is_ready(self) -> bool:
        """Whether the broker acknowledges: a readiness check; raise `NotReadyError` with what is waited for."""
        return await self._startup.check("kafka", self._is_answering)()

    async def _is_answering(self) -> bool:
        # While nothing is appended, only a request shows that the broker has gone.
        return self.is_up and await self._connector.is_broker_reachable()

    async def wait_until_tried(self) -> None:
        """Return when the first attempt to connect has ended, one way or the other, or has taken too long."""
        if not self._first_attempt_ended.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(self._first_attempt_ended.wait(), FIRST_ATTEMPT_SECONDS)

    def report_failure(self, failed: BatchingProducer) -> None:
        """Take the broker for down because *failed* could not append."""
        # Of many appends that time out together the first takes the broker for down. The later ones must not do so to
        # a producer that has been opened in the meantime.
        if self.producer is failed:
            self._set_producer(None)
            self._lost.set()
            log.warning("the broker is taken for down", extra={"action": "bus_down"})

    def reconnect(self) -> None:
        """If the broker is up, take it for down and win it back, with everything that precedes the first append."""
        if self.producer is not None:
            self.report_failure(self.producer)

    async def supervise(self) -> None:
        """Keep the broker connected until cancelled."""
        try:
            while True:
                producer = await self._connect()
                # Nothing awaits between the end of the replay and this line: no request can come between.
                self._lost.clear()
                self._set_producer(producer)
                log.info("the broker is up", extra={"action": "bus_up"})
                await self._lost.wait()
        finally:
            self._set_producer(None)
            await self._discard()

    def _set_producer(self, producer: BatchingProducer | None) -> None:
        self.producer = producer
        self._metrics.broker_is_up.set(producer is not None)

    async def _connect(self) -> BatchingProducer:
        return await self._startup.wait_for("kafka", self._connect_once)

    async def _connect_once(self) -> BatchingProducer:
        try:
            producer = await self._open()
            # Only now: nothing is under way, so no record of an append that timed out can follow one of the replay.
            producer.resume()
            await self._replay.run(producer)
        finally:
            self._first_attempt_ended.set()
        if self._connector.is_log_lost:
            raise StaleReaderError("the log has lost records while the spool was replayed")
        return producer

    async def _open(self) -> BatchingProducer:
        """Return the producer that is open, or a new one if there is none or the broker refused it for good.

        Wait until nothing is under way. A producer with batches under way is kept, because only its client knows their
        sequence numbers: from another client the broker would write them a second time. When the log has lost records,
        the broker may have lost the sequence numbers too and would refuse the next batch of the old one.
        """
        if self._opened is not None:
            await self._wait_until_settled(self._opened)
            if self._opened.is_usable and not self._connector.is_log_lost:
                return self._opened
            await self._discard()
        self._opened = await self._connector.open()
        return self._opened

    async def _wait_until_settled(self, producer: BatchingProducer) -> None:
        """Wait until nothing is under way: a client repeats a batch for a topic that was deleted until it is there."""
        while not producer.is_settled:
            await self._connector.create_topics()
            with suppress(TimeoutError):
                await asyncio.wait_for(producer.wait_until_settled(), SETTLE_SECONDS)

    async def _discard(self) -> None:
        discarded, self._opened = self._opened, None
        if discarded is not None:
            with suppress(KafkaError):
                await discarded.close()
