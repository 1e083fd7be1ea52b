"""One owned partition of the facts: restored when taken over, then batch after batch, each committed as a whole."""

import asyncio
import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aiokafka import ConsumerRecord

from schemas.events.facts import PlanAdopted
from services.rules import adoption, changelog
from services.rules.assessment_event import Applied
from services.rules.duty_catalogues import Books
from services.rules.fact_validation import Refused
from services.rules.metrics import Metrics
from services.rules.processor import Keeper, Told, is_newer
from services.rules.transactional_writer import Letter, Transactions, Writes
from services.runtime.clock import Clock, instant_of
from services.runtime.published_documents import PublishedDocuments
from services.runtime.settings import KafkaConfig

BREATH = 200  # after so many records or verdicts the loop may turn: heartbeats and probes are answered in between
MOST_UNEXPECTED_IN_A_ROW = 20  # beyond this it is the service that is broken, not the records

log = logging.getLogger(__name__)


class BooksMissingError(Exception):
    """An adopted plan or registry version is not on `dondoc.references.v1`; publish it again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """What every partition works with."""

    kafka: KafkaConfig
    group: str
    books: Books
    references: PublishedDocuments
    clock: Clock
    metrics: Metrics


class Partition:
    """Owns one partition from `open` to `close`. After a failure it is closed; a new one starts from the log."""

    def __init__(self, number: int, tools: Tools) -> None:
        self.number = number
        self.keeper = Keeper(number, tools.books)
        self._tools = tools
        self._transactions = Transactions(tools.kafka, tools.group, number, clock=tools.clock)
        self._lock = asyncio.Lock()
        self._next_offset = 0
        self._announced: dict[str, PlanAdopted] = {}
        self._unexpected = 0

    async def open(self) -> None:
        """Fence the earlier owner, then take over its state: in this order nothing of its work is missed."""
        begun = time.perf_counter()
        await self._transactions.open()
        restored = await changelog.restore(self._tools.kafka, self.number, self.keeper.restore)
        if self.keeper.missing_books():
            await self._tools.references.catch_up()
        missing = self.keeper.missing_books()
        if missing:
            raise BooksMissingError(", ".join(f"{one.plan}@{one.plan_version}" for one in missing))
        seconds = time.perf_counter() - begun
        self._tools.metrics.restore_seconds.observe(seconds)
        place = {"partition": self.number, "duties": restored, "seconds": round(seconds, 3)}
        log.info("a partition is restored", extra={"action": "restored", **place})

    def start_at(self, offset: int) -> None:
        """Note the committed offset from which this owner goes on."""
        self._next_offset = offset

    async def close(self) -> None:
        async with self._lock:
            await self._transactions.close()

    async def process(self, records: Sequence[ConsumerRecord[Any, Any]]) -> None:
        """Apply *records* and commit everything that follows from them; raises what the broker refuses."""
        async with self._lock:
            fresh = [record for record in records if record.offset >= self._next_offset]
            if not fresh:
                return
            with self._tools.metrics.batch_seconds.time():
                writes = await self._applied(fresh)
                await self._transactions.commit(writes)
            self._next_offset = writes.next_offset
            self._tell(writes, count=len(fresh))

    async def announce(self, wanted: Mapping[str, PlanAdopted]) -> None:
        """Write the adoptions that this partition lacks into its own log, once each."""
        async with self._lock:
            for plan, one in wanted.items():
                known = self._announced.get(plan) or self.keeper.adoptions.get(plan)
                if known is None or is_newer(one, known):
                    await self._transactions.announce(plan, adoption.event(one, now=self._tools.clock.now()))
                    self._announced[plan] = one
                    place = {"partition": self.number, "plan": plan, "version": one.plan_version}
                    log.info("a plan is adopted", extra={"action": "adopted", **place})

    async def _applied(self, records: Sequence[ConsumerRecord[Any, Any]]) -> Writes:
        writes = Writes(next_offset=records[-1].offset + 1)
        for index, record in enumerate(records, start=1):
            try:
                writes.verdicts += await self._told(record.value, _applied(record))
            except Refused as cause:
                writes.set_aside.append(Letter(record=record, kind=cause.kind, reason=f"{cause.kind}: {cause}"))
            if index % BREATH == 0:
                await asyncio.sleep(0)
        writes.states = self.keeper.changes()
        return writes

    async def _told(self, value: bytes | None, applied: Applied) -> list[Told]:
        try:
            return await self._drained(value, applied)
        except Refused as cause:
            if not cause.may_be_news:
                raise
            await self._tools.references.catch_up()
            return await self._drained(value, applied)

    async def _drained(self, value: bytes | None, applied: Applied) -> list[Told]:
        """Take a record that breaks the assessment for a poison one, unless they all do."""
        told: list[Told] = []
        try:
            for one in self.keeper.apply(value, applied=applied):
                told.append(one)
                if len(told) % BREATH == 0:
                    await asyncio.sleep(0)
        except Refused:
            raise
        except Exception as cause:
            self._unexpected += 1
            if self._unexpected > MOST_UNEXPECTED_IN_A_ROW:
                raise
            log.exception("a record broke its assessment", extra={"action": "unexpected", "offset": applied.offset})
            raise Refused("unexpected", f"{type(cause).__name__}: {cause}") from cause
        self._unexpected = 0
        return told

    def _tell(self, writes: Writes, *, count: int) -> None:
        """Count and log what is now committed."""
        metrics = self._tools.metrics
        metrics.facts.inc(count)
        metrics.assessments.inc(len(writes.verdicts))
        for letter in writes.set_aside:
            metrics.dead_letters.labels(letter.kind).inc()
            place = {"partition": self.number, "offset": letter.record.offset, "kind": letter.kind}
            log.warning("a record is set aside", extra={"action": "dead_letter", **place})


def _applied(record: ConsumerRecord[Any, Any]) -> Applied:
    try:
        return Applied(offset=record.offset, recorded_at=instant_of(record.timestamp))
    except (ValueError, OverflowError, OSError) as cause:
        raise Refused("unreadable", f"the record's timestamp {record.timestamp} lies outside the calendar") from cause
