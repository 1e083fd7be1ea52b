"""One owned partition of the facts: restored when it is taken over, then processed batch by batch.

Each batch is committed as a whole by the partition's transactional writer.
"""

import asyncio
import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aiokafka import ConsumerRecord

from schemas.events.facts import PlanAdopted
from services.rules import plan_adopter, processor, state_store
from services.rules.assessment_event import LogPosition
from services.rules.duty_catalogues import DutyCatalogues
from services.rules.fact_validation import Rejection
from services.rules.metrics import RulesMetrics
from services.rules.processor import KeyedEvent, PartitionProcessor
from services.rules.transactional_writer import BatchWrites, RejectedRecord, TransactionalWriter
from services.runtime import decoding
from services.runtime.clock import Clock
from services.runtime.decoding import UnreadableRecordError
from services.runtime.kafka.published_documents import PublishedDocuments
from services.runtime.settings import KafkaConfig

YIELD_EVERY = 200  # after so many records or assessments the event loop may run, so that heartbeats and probes go on
MOST_UNEXPECTED_IN_A_ROW = 20  # beyond this it is the service that is broken, not the records

log = logging.getLogger(__name__)


class AdoptedDocumentsMissingError(Exception):
    """An adopted plan or registry version is not on `dondoc.references.v1`; publish it again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PartitionDependencies:
    """What every partition needs from the process."""

    kafka: KafkaConfig
    group: str
    catalogues: DutyCatalogues
    references: PublishedDocuments
    clock: Clock
    metrics: RulesMetrics


class Partition:
    """Owns one partition from `open` to `close`. After a failure it is closed; a new one is restored from the log."""

    def __init__(self, number: int, dependencies: PartitionDependencies) -> None:
        self.number = number
        self.processor = PartitionProcessor(number, dependencies.catalogues)
        self._dependencies = dependencies
        self._writer = TransactionalWriter(dependencies.kafka, dependencies.group, number, clock=dependencies.clock)
        # A batch, an adoption and closing use one transactional producer, which knows one transaction at a time.
        self._lock = asyncio.Lock()
        self._next_offset = 0
        self._written_adoptions: dict[str, PlanAdopted] = {}
        self._unexpected_in_a_row = 0

    async def open(self) -> None:
        """Fence the earlier owner, then restore its state: in this order nothing that it committed is missed."""
        begun = time.perf_counter()
        await self._writer.open()
        restored = await state_store.read_changelog(self._dependencies.kafka, self.number, self.processor.restore)
        # The documents of a restored adoption may lie further in the topic than this process has read it.
        if self.processor.activate_adoptions():
            await self._dependencies.references.catch_up()
        missing = self.processor.activate_adoptions()
        if missing:
            raise AdoptedDocumentsMissingError(", ".join(f"{one.plan}@{one.plan_version}" for one in missing))
        seconds = time.perf_counter() - begun
        self._dependencies.metrics.restore_seconds.observe(seconds)
        details = {"partition": self.number, "duties": restored, "seconds": round(seconds, 3)}
        log.info("a partition is restored", extra={"action": "restored", **details})

    def start_at(self, offset: int) -> None:
        """Set the committed offset from which this owner goes on."""
        self._next_offset = offset

    async def close(self) -> None:
        async with self._lock:
            await self._writer.close()

    async def process_batch(self, records: Sequence[ConsumerRecord[Any, Any]]) -> None:
        """Process *records* and commit everything that follows from them; raise `KafkaError` if the broker refuses."""
        async with self._lock:
            # After a rebalance the consumer may hand over records again that were fetched before the seek.
            fresh = [record for record in records if record.offset >= self._next_offset]
            if not fresh:
                return
            with self._dependencies.metrics.batch_seconds.time():
                writes = await self._process_records(fresh)
                await self._writer.commit(writes)
            self._next_offset = writes.next_offset
            self._report_commit(writes, count=len(fresh))

    async def adopt_plans(self, adoptions: Mapping[str, PlanAdopted]) -> None:
        """Append the adoptions that this partition lacks to its own log, once each."""
        async with self._lock:
            for plan, one in adoptions.items():
                # An adoption written a moment ago is known to the processor only when the consumer has read it back.
                known = self._written_adoptions.get(plan) or self.processor.adoptions.get(plan)
                if known is None or processor.is_newer(one, known):
                    event = plan_adopter.encode_adoption_event(one, now=self._dependencies.clock.now())
                    await self._writer.append_fact(plan, event)
                    self._written_adoptions[plan] = one
                    details = {"partition": self.number, "plan": plan, "version": one.plan_version}
                    log.info("a plan is adopted", extra={"action": "adopted", **details})

    async def _process_records(self, records: Sequence[ConsumerRecord[Any, Any]]) -> BatchWrites:
        writes = BatchWrites(next_offset=records[-1].offset + 1)
        for index, record in enumerate(records, start=1):
            try:
                writes.assessments += await self._process_with_retry(record.value, _position_of(record))
            except Rejection as cause:
                reason = f"{cause.kind}: {cause}"
                writes.rejected.append(RejectedRecord(record=record, kind=cause.kind, reason=reason))
            if index % YIELD_EVERY == 0:
                await asyncio.sleep(0)
        writes.states = self.processor.drain_changes()
        return writes

    async def _process_with_retry(self, value: bytes | None, position: LogPosition) -> list[KeyedEvent]:
        """Process a record; one that newer documents may make acceptable is tried again after reading them."""
        try:
            return await self._process_record(value, position)
        except Rejection as cause:
            if not cause.is_retryable:
                raise
            await self._dependencies.references.catch_up()
            return await self._process_record(value, position)

    async def _process_record(self, value: bytes | None, position: LogPosition) -> list[KeyedEvent]:
        """Process a record. One that breaks its assessment is rejected, unless too many in a row do."""
        events: list[KeyedEvent] = []
        try:
            for event in self.processor.process(value, position=position):
                events.append(event)
                if len(events) % YIELD_EVERY == 0:
                    await asyncio.sleep(0)
        except Rejection:
            raise
        except Exception as cause:
            self._unexpected_in_a_row += 1
            if self._unexpected_in_a_row > MOST_UNEXPECTED_IN_A_ROW:
                raise
            log.exception("a record broke its assessment", extra={"action": "unexpected", "offset": position.offset})
            raise Rejection("unexpected", f"{type(cause).__name__}: {cause}") from cause
        self._unexpected_in_a_row = 0
        return events

    def _report_commit(self, writes: BatchWrites, *, count: int) -> None:
        """Count and log what is now committed."""
        metrics = self._dependencies.metrics
        metrics.facts.inc(count)
        metrics.assessments.inc(len(writes.assessments))
        for one in writes.rejected:
            metrics.dead_letters.labels(one.kind).inc()
            details = {"partition": self.number, "offset": one.record.offset, "kind": one.kind}
            log.warning("a record is set aside", extra={"action": "dead_letter", **details})


def _position_of(record: ConsumerRecord[Any, Any]) -> LogPosition:
    try:
        return LogPosition(offset=record.offset, recorded_at=decoding.read_timestamp(record))
    except UnreadableRecordError as cause:
        raise Rejection("unreadable", str(cause)) from cause
