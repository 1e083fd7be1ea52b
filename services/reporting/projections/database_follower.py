"""Follow which database is active, and move there while questions are answered.

When a rebuild is about to end, every process lets go of its partitions and answers from the active database as it is.
Then nothing is stored in it any more, and the rebuild can fill the other one up to the same end of the log. So whoever
reads sees no record disappear, whichever of the two answers.
"""

import asyncio
import logging
from collections.abc import Callable

from services.reporting.projections.consumption import Projections
from services.reporting.store import DatabaseUnavailableError, ReportingStore
from services.runtime.state.active_database import ActiveDatabase, ActiveDatabaseRecord, ActiveDatabaseUnavailableError

LOOK_SECONDS = 0.5  # each look is one small query

log = logging.getLogger(__name__)


class DatabaseFollower:
    """Points *store* to the active database, and calls *on_moved* after each move."""

    def __init__(
        self,
        record: ActiveDatabaseRecord,
        store: ReportingStore,
        projections: Projections,
        *,
        on_moved: Callable[[], None],
    ) -> None:
        self._record = record
        self._store = store
        self._projections = projections
        self._on_moved = on_moved
        self._is_holding = False

    async def open(self) -> None:
        """Point the store to the active database; raise `DatabaseUnavailableError`.

        A process that starts while the others are held back waits with them: what it stored would get lost.
        """
        while True:
            try:
                active = await self._record.find_active()
            except ActiveDatabaseUnavailableError as cause:
                raise DatabaseUnavailableError(str(cause)) from cause
            if not active.is_held:
                break
            await asyncio.sleep(LOOK_SECONDS)
        self._store.point_to(active.name)

    async def run(self) -> None:
        """Follow until cancelled; while the database is away, nothing moves."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                await self._follow(await self._record.find_active())
            except (ActiveDatabaseUnavailableError, DatabaseUnavailableError) as cause:
                log.warning(
                    "the active database is not known for now",
                    extra={"action": "active_database_waiting", "error": str(cause)},
                )

    async def _follow(self, active: ActiveDatabase) -> None:
        must_move = active.name != self._store.database
        if (must_move or active.is_held) and not self._is_holding:
            await self._projections.hold()
            self._is_holding = True
            log.info("the consumers are held back", extra={"action": "consumers_held"})
        if must_move:
            await self._store.move_to(active.name)
            self._on_moved()
            log.info("another database answers", extra={"action": "database_moved", "database": active.name})
        if self._is_holding and not active.is_held:
            self._projections.release()
            self._is_holding = False
