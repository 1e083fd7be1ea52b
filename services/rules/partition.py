"""One owned partition of the facts: restored when it is taken over, then processed batch by batch.

A batch is committed by the partition's transactional writer as a whole, or in parts if it takes long. The clock decides
only when the event loop may run and when a part is committed, so a rebuild at another speed gives the same bytes.
"""

import asyncio
import logging
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from aiokafka import ConsumerRecord
from aiokafka.errors import KafkaError

from schemas.events.event_origin import NO_ORIGIN, EventOrigin
from schemas.events.facts import PlanAdopted
from services.rules import fact_decoder, plan_adopter, processor, restore
from services.rules.assessment_event import LogPosition
from services.rules.fact_validation import Rejection, UnpublishedAdoption
from services.rules.processor import KeyedEvent, PartitionProcessor
from services.rules.restore import AdoptedDocumentsMissingError, PartitionDependencies, Reread
from services.rules.state import state_store
from services.rules.state.state_store import COVERAGE_KEY, StateCoverage
from services.rules.transactional_writer import BatchWrites, TransactionalWriter
from services.runtime import decoding
from services.runtime.decoding import UnreadableRecordError
from services.runtime.kafka import log_coverage
from services.runtime.kafka.log_coverage import Coverage

YIELD_SECONDS = 0.02  # after so long the event loop may run: a probe needs a handful of its rounds
PART_SECONDS = 1.0  # after so long, what a batch has led to by then is committed
PART_BYTES = 8 * 1024 * 1024  # or when its assessments are so large
BATCH_SECONDS = 10.0  # after so long the consumer is asked for the rest of a batch again, so that it counts as alive
STATES_A_TRANSACTION = 2_000
MOST_UNEXPECTED_IN_A_ROW = 20  # beyond this it is the service that is broken, not the records

log = logging.getLogger(__name__)


class LogReplacedError(KafkaError):  # type: ignore[misc]  # aiokafka has no annotations
    """The log changed while it was read; the partition has to be opened again, which finds out how."""


class Partition:
    """Owns one partition from `open` to `close`. After a failure it is closed; a new one is restored from the log."""

    def __init__(self, number: int, dependencies: PartitionDependencies) -> None:
        self.number = number
        self.processor = PartitionProcessor(number, dependencies.catalogues)
        self._dependencies = dependencies
        self._writer = TransactionalWriter(dependencies.kafka, dependencies.group, number, clock=dependencies.clock)
        # A batch, an adoption and closing use one transactional producer, which knows one transaction at a time.
        self._lock = asyncio.Lock()
        self._is_closing = False
        self._coverage = Coverage(next_offset=0)
        self._generation = 0
        self.reread: Reread | None = None
        """What is being read again; None once the partition is where it was before."""
        self._recorded_at = dependencies.clock.now()  # of the last record
        self._timestamp: int | None = None  # of which `_recorded_at` is the instant
        self._written_adoptions: dict[str, PlanAdopted] = {}
        self._unexpected_in_a_row = 0
        self._yielded_at = 0.0
        self.has_found_log_incident = False

    @property
    def next_offset(self) -> int:
        """The offset from which this owner goes on."""
        return self._coverage.next_offset

    async def open(self) -> None:
        """Fence the earlier owner, then restore its state: in this order nothing that it committed is missed."""
        begun = time.perf_counter()
        await self._writer.open()
        found = await restore.restore_partition(self.number, self._dependencies)
        self.processor, self._generation, self._coverage = found.processor, found.generation, found.coverage
        self.reread = found.reread
        self.has_found_log_incident = found.reread is not None and found.reread.is_of_log
        self._writer.verdicts_end = found.verdicts_end
        seconds = time.perf_counter() - begun
        self._dependencies.metrics.restore_seconds.observe(seconds)
        details = {"partition": self.number, "duties": self.processor.digest.records, "seconds": round(seconds, 3)}
        log.info("a partition is restored", extra={"action": "restored", **details})
        if self.reread is not None:
            if self.next_offset >= self.reread.until:
                await self._finish_reread(self.reread)
        elif found.committed != self.next_offset:
            # Somebody has moved the offset. Whoever measures the lag by it should see where this state is.
            writes = self._writer.begin_writes()
            writes.next_offset = self.next_offset
            await self._writer.commit(writes)

    async def close(self) -> None:
        self._is_closing = True
        async with self._lock:
            await self._writer.close()

    async def process_batch(self, records: Sequence[ConsumerRecord[Any, Any]]) -> None:
        """Process *records* and commit what follows from them; raise `KafkaError` if the broker refuses.

        If that takes very long, or the partition is being closed, the last records are left: see `next_offset`.
        """
        async with self._lock:
            left = self._drop_processed(records)
            begun = time.perf_counter()
            while left and not self._is_closing:
                with self._dependencies.metrics.batch_seconds.time():
                    left = left[await self._process_part(left) :]
                if time.perf_counter() - begun > BATCH_SECONDS:
                    return

    async def adopt_plans(self, adoptions: Mapping[str, PlanAdopted]) -> None:
        """Append the adoptions that this partition lacks to its own log, once each."""
        async with self._lock:
            if self.reread is not None or self._is_closing:
                return  # those that it lacks may come yet
            for plan, one in adoptions.items():
                # An adoption written a moment ago is known to the processor only when the consumer has read it back.
                known = self._written_adoptions.get(plan) or self.processor.adoptions.get(plan)
                if known is None or processor.is_newer(one, known):
                    event = plan_adopter.encode_adoption_event(one, now=self._dependencies.clock.now())
                    await self._writer.append_fact(plan, event)
                    self._written_adoptions[plan] = one
                    details = {"partition": self.number, "plan": plan, "version": one.plan_version}
                    log.info("a plan is adopted", extra={"action": "adopted", **details})

    async def finish_reread(self, *, consumed_to: int) -> None:
        """End reading again if nothing is left of it: the log may end in markers, which are never handed over.

        The consumer stands at *consumed_to*, and has handed over everything before that.
        """
        async with self._lock:
            if self.reread is not None and consumed_to >= self.reread.until and not self._is_closing:
                await self._finish_reread(self.reread)

    def _drop_processed(self, records: Sequence[ConsumerRecord[Any, Any]]) -> list[ConsumerRecord[Any, Any]]:
        """Return *records* from `next_offset` on; raise `LogReplacedError` if those below were not processed there.

        After a rebalance the consumer may hand over records again that were fetched before the seek. Where the log was
        replaced by a shorter one, it goes back to the beginning by itself and hands over other records.
        """
        next_offset = self.next_offset
        below = [record for record in records if record.offset < next_offset]
        if not below:
            return [*records]
        if log_coverage.cover_up_to(below[-1]) != self._coverage:
            raise LogReplacedError(f"a record came with offset {below[-1].offset} after {next_offset - 1}")
        return [record for record in records if record.offset >= next_offset]

    async def _process_part(self, records: Sequence[ConsumerRecord[Any, Any]]) -> int:
        """Process the first of *records* and commit what follows from them; return how many they were."""
        reread = self.reread
        if reread is not None and records[0].offset >= reread.until:
            await self._finish_reread(reread)
            reread = None
        writes = self._writer.begin_writes()
        count = await self._process_records(records, writes, reread)
        self._coverage = log_coverage.cover_up_to(records[count - 1])
        if reread is None:
            writes.add_states([*self.processor.drain_changes(), self._encode_coverage(writes.assessments.count)])
            writes.next_offset = self.next_offset
        if not writes.is_empty:
            await self._writer.commit(writes)
        self._report_commit(writes, count=count)
        if reread is not None and self.next_offset >= reread.until:
            await self._finish_reread(reread)
        return count

    async def _process_records(
        self, records: Sequence[ConsumerRecord[Any, Any]], writes: BatchWrites, reread: Reread | None
    ) -> int:
        """Process records until the part is large enough; return how many were processed, at least one."""
        begun = self._yielded_at = time.perf_counter()
        count = 0
        for record in records:
            if reread is not None and record.offset >= reread.until:
                break
            count += 1
            if reread is not None and reread.is_set_aside(record):
                continue  # it was no part of the state, and is none again
            try:
                events, origin = self._process_record(record)
                if not isinstance(events, list):
                    events = await self._take_events(record, events)
                self._unexpected_in_a_row = 0
            except Rejection as rejection:
                events, origin = await self._retry_or_set_aside(record, rejection, writes)
            if reread is not None:
                events = reread.select_unwritten(events)
            elif events and origin.received_at is not None:
                writes.received.append(origin)
            writes.add_assessments(events, origin)
            now = time.perf_counter()
            if writes.assessments.size > PART_BYTES or now - begun > PART_SECONDS:
                break
            if now - self._yielded_at > YIELD_SECONDS:
                await self._yield()
        return count

    def _process_record(
        self, record: ConsumerRecord[Any, Any]
    ) -> tuple[list[KeyedEvent] | Iterator[KeyedEvent], EventOrigin]:
        """Process a record and return the assessments that follow from it, and their origin; raise `Rejection`."""
        try:
            if record.timestamp != self._timestamp:  # records that were written together mostly share one
                self._recorded_at, self._timestamp = decoding.read_timestamp(record), record.timestamp
            fact, origin = fact_decoder.decode_event(record.value, recorded_at=self._recorded_at)
            position = LogPosition(record.offset, self._recorded_at, self._generation, origin.trace)
            return self.processor.process(fact, position=position), origin
        except Rejection:
            raise
        except UnreadableRecordError as cause:
            raise Rejection("unreadable", str(cause)) from cause
        except Exception as cause:
            raise self._reject_unexpected(record, cause) from cause

    async def _take_events(self, record: ConsumerRecord[Any, Any], events: Iterable[KeyedEvent]) -> list[KeyedEvent]:
        """Return the many *events* of one record; the event loop may run meanwhile. Raise `Rejection`."""
        taken: list[KeyedEvent] = []
        try:
            for event in events:
                taken.append(event)
                if time.perf_counter() - self._yielded_at > YIELD_SECONDS:
                    await self._yield()
        except Rejection:
            raise
        except Exception as cause:
            raise self._reject_unexpected(record, cause) from cause
        return taken

    def _reject_unexpected(self, record: ConsumerRecord[Any, Any], cause: Exception) -> Rejection:
        """Return the rejection of a record that breaks its assessment; raise *cause* if too many in a row do."""
        self._unexpected_in_a_row += 1
        if self._unexpected_in_a_row > MOST_UNEXPECTED_IN_A_ROW:
            raise cause
        details = {"action": "unexpected", "offset": record.offset}
        log.error("a record broke its assessment", exc_info=cause, extra=details)
        return Rejection("unexpected", f"{type(cause).__name__}: {cause}")

    async def _retry_or_set_aside(
        self, record: ConsumerRecord[Any, Any], rejection: Rejection, writes: BatchWrites
    ) -> tuple[list[KeyedEvent], EventOrigin]:
        """Process a record again that newer documents may make acceptable; else let it be set aside."""
        if rejection.is_retryable:
            await self._dependencies.references.catch_up()
            try:
                events, origin = self._process_record(record)
                return await self._take_events(record, events), origin
            except Rejection as again:
                rejection = again
        if isinstance(rejection, UnpublishedAdoption) and self.reread is not None:
            # It was in force before, so its documents were published. Without them everything would look unknown.
            raise AdoptedDocumentsMissingError(str(rejection)) from rejection
        writes.rejected.append((record, rejection.kind, str(rejection)))
        return [], NO_ORIGIN

    async def _finish_reread(self, reread: Reread) -> None:
        """Write the state anew, and before it the verdicts that could not be written at their place."""
        if reread.dropped_state is not None:
            self.processor.add_missing(reread.dropped_state)
            await restore.activate_adoptions(self.processor, self._dependencies.references)
        if not reread.tells_history:
            await self._write_last_verdicts(reread)
        await self._write_state(reread)
        self.reread = None
        details = {"partition": self.number, "finding": reread.finding.value, "next_offset": self.next_offset}
        log.info("a partition knows all that its log holds", extra={"action": "reread", **details})

    async def _write_last_verdicts(self, reread: Reread) -> None:
        """Write the verdict on every duty as things stand now, unless the newest one written says the same."""
        # The revision just below that of the next record, so that it is greater than all of earlier generations.
        position = LogPosition(
            offset=self.next_offset - 1,
            generation=self._generation,
            recorded_at=self._recorded_at,
        )
        writes = self._writer.begin_writes()
        for event in self.processor.assess_all(position=position):
            if reread.is_news(event):
                writes.add_assessments([event], NO_ORIGIN)
            if writes.assessments.size > PART_BYTES:
                await self._writer.commit(writes)
                writes = self._writer.begin_writes()
            if time.perf_counter() - self._yielded_at > YIELD_SECONDS:
                await self._yield()
        if writes.assessments.count:
            await self._writer.commit(writes)

    async def _write_state(self, reread: Reread) -> None:
        """Write the changed state records, delete those that are left of a dropped state, and commit the offset.

        The coverage record comes last: killed before that, the next owner finds a state that does not fit and begins
        anew. No record is written that knows less than the one before.
        """
        changes = self.processor.drain_changes()
        for begin in range(0, len(changes), STATES_A_TRANSACTION):
            writes = self._writer.begin_writes()
            writes.add_states(changes[begin : begin + STATES_A_TRANSACTION])
            await self._writer.commit(writes)
        stale = reread.dropped_keys.difference([key for key, _ in changes])
        writes = self._writer.begin_writes()
        writes.add_states([*((key, None) for key in sorted(stale)), self._encode_coverage(0)])
        writes.next_offset = self.next_offset
        await self._writer.commit(writes)

    def _encode_coverage(self, verdicts: int) -> tuple[str, bytes]:
        """Return the coverage record of the state as it is, written together with so many *verdicts*."""
        coverage = StateCoverage(
            next_offset=self._coverage.next_offset,
            last_offset=self._coverage.last_offset,
            fingerprint=self._coverage.fingerprint,
            generation=self._generation,
            records=self.processor.digest.records,
            digest=self.processor.digest.hex(),
            verdicts_end=self._writer.verdicts_end + verdicts,
            layout=state_store.current_layout(),
        )
        return COVERAGE_KEY.decode(), state_store.encode_coverage(coverage)

    async def _yield(self) -> None:
        await asyncio.sleep(0)
        self._yielded_at = time.perf_counter()

    def _report_commit(self, writes: BatchWrites, *, count: int) -> None:
        """Count and log what is now committed."""
        metrics = self._dependencies.metrics
        metrics.facts.inc(count)
        metrics.assessments.inc(writes.assessments.count)
        metrics.received_to_verdict.observe_all(writes.received, self._dependencies.clock.now())
        for record, kind, _ in writes.rejected:
            metrics.dead_letters.labels(kind).inc()
            details = {"partition": self.number, "offset": record.offset, "kind": kind}
            log.warning("a record is set aside", extra={"action": "dead_letter", **details})
