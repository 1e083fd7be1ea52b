"""Fill the standby database from the beginning of the log, and make it the active one without a pause.

Nothing is written to the active database but the record that names it. Killed at any point, a rebuild leaves it as it
is; begun again, it starts from an empty standby, or with *resume* from where the standby stands.
"""

import asyncio
import secrets
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass

from aiokafka import TopicPartition

from services.reporting.dead_letter_producer import DeadLetterProducer
from services.reporting.metrics import ReportingMetrics
from services.reporting.projections import consumption
from services.reporting.projections.consumption import ProjectionMaterials
from services.reporting.settings import ReportingSettings
from services.reporting.store import ReportingStore
from services.runtime import background, mongo
from services.runtime.clock import SystemClock
from services.runtime.kafka import group_progress, log_coverage
from services.runtime.kafka.dead_letters import ConsumedRecord
from services.runtime.kafka.log_coverage import LogState
from services.runtime.metrics import new_registry
from services.runtime.state.active_database import ActiveDatabaseRecord, ActiveDatabaseUnavailableError

LOOK_SECONDS = 0.25
RENEWAL_SECONDS = 3.0
# A process lets go of its partitions when its batch has ended; one that is gone is forgotten after its session.
LET_GO_SECONDS = 60.0


class RebuildFailedError(Exception):
    """The rebuild has ended, and the active database is the one it was. The message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RebuildProgress:
    """How many offsets of the log the standby has read, and how many it has to."""

    read: int
    to_read: int


OnProgress = Callable[[RebuildProgress], None]


class RefusedRecords:
    """The records that the standby lacks, until it is known which of them the service has set aside."""

    def __init__(self) -> None:
        self._refused: dict[tuple[TopicPartition, int], tuple[ConsumedRecord, str]] = {}

    async def set_aside(self, record: ConsumedRecord, *, reason: str) -> None:
        """Remember *record*, once."""
        self._refused[TopicPartition(record.topic, record.partition), record.offset] = record, reason

    def list_unread(self, logs: Mapping[TopicPartition, LogState]) -> list[tuple[ConsumedRecord, str]]:
        """Return the records that the group has not read, with the reasons: it set the others aside when they came."""
        return [one for (place, offset), one in self._refused.items() if offset >= (logs[place].committed or 0)]


class Rebuilder:
    """Rebuilds the projections of the service with the same *settings*."""

    def __init__(self, settings: ReportingSettings, on_progress: OnProgress) -> None:
        self._settings = settings
        self._on_progress = on_progress
        self._client = mongo.connect(settings.mongo_url)
        self._record = ActiveDatabaseRecord(self._client, settings.mongo_database)
        self._token = secrets.token_hex(8)
        self._refused = RefusedRecords()

    async def rebuild(self, *, resume: bool) -> str:
        """Fill the standby database, make it active, and return its name; raise `RebuildFailedError`.

        Raises besides `RebuildUnderWayError`, `RebuildLeaseLostError`, and what the stores raise.
        """
        await self._record.claim_lease(self._token)
        replacing, renewing = asyncio.create_task(self._replace(resume=resume)), asyncio.create_task(self._renew())
        try:
            await asyncio.wait((replacing, renewing), return_when=asyncio.FIRST_COMPLETED)
            return await (replacing if replacing.done() else renewing)
        finally:
            await background.cancel(replacing, renewing)
            with suppress(ActiveDatabaseUnavailableError):
                await self._record.release_lease(self._token)

    async def _renew(self) -> str:
        """Renew the lease until it is lost: a database that is away for a moment is asked again."""
        while True:
            await asyncio.sleep(RENEWAL_SECONDS)
            with suppress(ActiveDatabaseUnavailableError):
                await self._record.renew_lease(self._token)

    async def _replace(self, *, resume: bool) -> str:
        active = (await self._record.find_active()).name
        standby = self._record.name_standby(active)
        target = self._open_store(standby)
        await self._require_whole_log(target)
        # One that was being emptied when its rebuild was killed has lost its checkpoints, and goes on being emptied.
        if not (resume and await target.checkpoints.load_all()):
            await self._record.clear(standby)
        await target.create_indexes()
        await self._fill(target)
        # What came meanwhile, so that the consumers are held back for as short as can be.
        await self._fill(target)
        await self._record.hold(self._token)
        await self._wait_until_let_go()
        await target.insert_documents(await self._open_store(active).find_documents())
        await self._fill(target)
        await self._set_aside(self._refused.list_unread(await self._inspect_log(target)))
        await self._record.activate(self._token, standby)
        return standby

    def _open_store(self, database: str) -> ReportingStore:
        return ReportingStore(self._client, database, partitions=self._settings.partitions)

    async def _inspect_log(self, target: ReportingStore) -> Mapping[TopicPartition, LogState]:
        """Return the state of every partition, with what the group of the service has committed."""
        places = dict.fromkeys(target.checkpoints.partitions)
        return await log_coverage.inspect_log(self._settings.kafka, self._settings.group, places)

    async def _require_whole_log(self, target: ReportingStore) -> None:
        for place, log in (await self._inspect_log(target)).items():
            if log.beginning > 0:
                raise RebuildFailedError(
                    f"the log of {place.topic}, partition {place.partition}, begins at offset {log.beginning}: what lay"
                    " before is in the active database alone, and a rebuild would leave it out"
                )

    async def _fill(self, target: ReportingStore) -> None:
        """Read the log into *target* up to the end that it has now."""
        has_failed = asyncio.Event()
        registry = new_registry()
        materials = ProjectionMaterials(
            settings=self._settings,
            clock=SystemClock(),
            registry=registry,
            metrics=ReportingMetrics(registry),
            dead_letters=self._refused,
            halt=has_failed.set,
        )
        # Its checkpoints are compared with the log anew, so that it counts as complete at the end alone.
        target.point_to(target.database)
        group = f"{self._settings.group}-rebuild-{self._token}"
        projections = consumption.build_projections(materials, target, group=group, must_reach_end=True)
        projections.consumption.start(has_failed.set)
        await projections.broker.start()
        try:
            while not await target.is_complete():
                if has_failed.is_set():
                    raise RebuildFailedError("a consumer has failed; the log of this command says why")
                await self._report(target)
                await asyncio.sleep(LOOK_SECONDS)
        finally:
            await projections.consumption.stop()
            await projections.broker.stop()

    async def _report(self, target: ReportingStore) -> None:
        found = (await target.checkpoints.load_all()).values()
        to_read = sum(max(one.must_reach, one.coverage.next_offset) for one in found)
        self._on_progress(RebuildProgress(read=sum(one.coverage.next_offset for one in found), to_read=to_read))

    async def _wait_until_let_go(self) -> None:
        """Return when no process of the service consumes any more: each sees within a moment that it is held back."""
        kafka, group = self._settings.kafka, self._settings.group
        deadline = asyncio.get_running_loop().time() + LET_GO_SECONDS
        while await group_progress.count_members(kafka, group) > 0:
            if asyncio.get_running_loop().time() > deadline:
                raise RebuildFailedError(
                    f"reporting, group {group}, has not let go of its partitions in {LET_GO_SECONDS:.0f} s"
                )
            await asyncio.sleep(LOOK_SECONDS)

    async def _set_aside(self, refused: list[tuple[ConsumedRecord, str]]) -> None:
        dead_letters = DeadLetterProducer(self._settings.kafka, SystemClock())
        await dead_letters.open()
        try:
            for record, reason in refused:
                await dead_letters.set_aside(record, reason=reason)
        finally:
            await dead_letters.close()
