"""What happens to a batch of verdicts: the latest assessment of each duty is followed, then the offset moves.

An unreadable record is set aside; one of a document that nobody published as well. An older assessment than the one
followed changes nothing, so repeats and rewinds are harmless.
"""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta

from aiokafka import AIOKafkaConsumer

from services.notifier.assessment_decoder import read_assessed
from services.notifier.cited_documents import PublishedLibrary
from services.notifier.core.scheduling import schedule
from services.notifier.core.scheduling.assessment import Assessed
from services.notifier.errors import DocumentsMissingError, NotifierError, UnreadableAssessmentError
from services.notifier.ledger import Ledger
from services.notifier.ledger_documents import Change
from services.notifier.metrics import NotifierMetrics
from services.runtime.batch_consumer import Records
from services.runtime.clock import Clock
from services.runtime.dead_letters import ConsumedRecord, DeadLetters

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdicts:
    """The handler of `dondoc.verdicts.v1`. `followed` is called when there may be something new to send."""

    ledger: Ledger
    library: PublishedLibrary
    dead_letters: DeadLetters
    clock: Clock
    metrics: NotifierMetrics
    lookback: timedelta
    followed: Callable[[], None]

    async def on_batch(self, records: Records, consumer: AIOKafkaConsumer) -> None:
        """Follow what the batch assesses; raise what the ledger or the dead letter topic raise, uncommitted."""
        latest: dict[str, Assessed] = {}
        refused: list[tuple[ConsumedRecord, NotifierError]] = []
        for record in records:
            try:
                assessed = await self._read(record)
            except (UnreadableAssessmentError, DocumentsMissingError) as cause:
                refused.append((record, cause))
                continue
            if assessed is not None and self._is_newer(assessed, latest):
                latest[str(assessed.duty)] = assessed
        while latest and not await self._follow(latest):
            log.info("an agenda changed meanwhile and is followed anew", extra={"action": "agenda_raced"})
        await self._set_aside(refused)
        self.metrics.assessments.inc(len(latest))
        self.metrics.lag.set(await _lag(consumer))
        self.followed()

    async def _set_aside(self, refused: Iterable[tuple[ConsumedRecord, NotifierError]]) -> None:
        """Write the dead letters last: a batch that waits for the database does not write them again and again."""
        for record, cause in refused:
            await self.dead_letters.set_aside(record, reason=f"{type(cause).__name__}: {cause}")
            self.metrics.dead_letters.inc()
            log.warning("a verdict is set aside", extra={"action": "dead_lettered", "offset": record.offset})

    async def _read(self, record: ConsumedRecord) -> Assessed | None:
        assessed = read_assessed(record.value)
        if assessed is not None:
            await self._ensure_known(assessed)
        return assessed

    async def _ensure_known(self, assessed: Assessed) -> None:
        """Wait for the documents that are published already; raise `DocumentsMissingError` for one that is not."""
        try:
            self._documents(assessed)
        except DocumentsMissingError:
            await self.library.catch_up()
            self._documents(assessed)

    def _documents(self, assessed: Assessed) -> None:
        self.library.plan(assessed.duty.plan, assessed.plan_version)
        self.library.registry(assessed.registry, assessed.registry_version)

    def _is_newer(self, assessed: Assessed, latest: dict[str, Assessed]) -> bool:
        known = latest.get(str(assessed.duty))
        return known is None or known.revision <= assessed.revision

    async def _follow(self, latest: dict[str, Assessed]) -> bool:
        """Write the agendas that change; false if the dispatcher or another process changed one first."""
        stored = await self.ledger.agendas(list(latest))
        now = self.clock.now()
        changes = []
        for duty, assessed in latest.items():
            known = stored.get(duty)
            hours = self.library.hours(assessed.duty.plan, assessed.plan_version)
            agenda = schedule.follow(known.agenda if known else None, assessed, hours, now=now, lookback=self.lookback)
            if known is None or agenda != known.agenda:
                changes.append(Change(agenda=agenda, version=known.version if known else 0))
        return not changes or await self.ledger.put(changes)


async def _lag(consumer: AIOKafkaConsumer) -> int:
    """Count the records that wait in the partitions owned, as far as the last fetch knew."""
    return sum(
        [max(0, (consumer.highwater(part) or 0) - await consumer.position(part)) for part in consumer.assignment()]
    )
