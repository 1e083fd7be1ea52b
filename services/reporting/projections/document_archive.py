"""Keep the published documents in the database too, so that reporting answers while the broker is away."""

import asyncio
import logging

from services.reporting.store import DatabaseUnavailableError, ReportingStore
from services.runtime.kafka.published_documents import PublishedDocuments

RETRY_SECONDS = 2.0

log = logging.getLogger(__name__)


class DocumentArchive:
    """Restores the documents of an earlier run, and stores those that are published from then on."""

    def __init__(self, references: PublishedDocuments, store: ReportingStore) -> None:
        self._references = references
        self._store = store
        self._has_changed = asyncio.Event()
        references.on_change.append(self._has_changed.set)

    async def restore(self) -> None:
        """Let *references* find what an earlier run stored; raise what the store raises."""
        self._references.restore(await self._store.find_documents())

    def store_again(self) -> None:
        """Store what is published once more: the store points to another database."""
        self._has_changed.set()

    async def run(self) -> None:
        """Store what is published, until cancelled."""
        while True:
            await self._has_changed.wait()
            self._has_changed.clear()
            try:
                await self._store.insert_documents(self._references.encode_documents())
            except DatabaseUnavailableError:
                log.warning("published documents wait for the database", extra={"action": "documents_waiting"})
                self._has_changed.set()
                await asyncio.sleep(RETRY_SECONDS)
