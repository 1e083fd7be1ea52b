"""Opening what intake needs of the bus: topics, references, the follower's memory, and the producer."""

import logging

from services.intake.dedup.log_reader import Follower
from services.intake.log.appender import Appender, connected
from services.intake.settings import IntakeSettings
from services.runtime.clock import Clock
from services.runtime.published_documents import PublishedDocuments
from services.runtime.topics import ensure_topics

log = logging.getLogger(__name__)


class Connection:
    """Opens appenders, and what must stand before the first one: readers are opened once and then follow alone."""

    def __init__(
        self, settings: IntakeSettings, references: PublishedDocuments, follower: Follower, clock: Clock
    ) -> None:
        self._settings = settings
        self._references = references
        self._follower = follower
        self._clock = clock
        self._has_references = False

    async def open(self) -> Appender:
        """Return an appender on a connected producer; raise `KafkaError` while the bus is not there."""
        settings = self._settings
        await ensure_topics(settings.kafka, settings.partitions, settings.kafka_replication)
        await self._open_readers()
        return Appender(
            await connected(settings.kafka),
            self._clock,
            self._follower.appended,
            partitions=settings.partitions,
            patience_seconds=settings.bus_patience_seconds,
        )

    async def _open_readers(self) -> None:
        if not self._has_references:
            try:
                await self._references.start()
            except BaseException:
                await self._references.stop()
                raise
            self._has_references = True
        if not self._follower.is_started:
            await self._follower.start()

    async def close(self) -> None:
        """Stop the readers."""
        await self._follower.stop()
        await self._references.stop()
