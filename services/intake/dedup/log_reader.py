"""Keep the recent events up with the facts topic: the last span of it at start, then what any replica appends.

While this process appends little, the reader tails the whole topic. While it appends a lot, it need not read its own
records back, because the acknowledgements tell their offsets: then it asks for the end offsets ten times a second and
reads only what others wrote in between. A busy lone replica reads next to nothing.

A log that has lost records, or was made anew, is noticed: by its end, by an offset that is given twice, by the last
known event of each partition, which is read again every few seconds. Then nothing that is remembered is trusted, and
the reader is stale until it is started again.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import CorruptRecordException, KafkaError

from schemas.events.topics import FACTS
from services.intake.core.fact_record import DedupEntries, EndOffsets, PartitionBatch
from services.intake.dedup import entry_decoder
from services.intake.dedup.recent_events import KnownRecord, OffsetTracker, RateMeter, RecentEvents
from services.intake.metrics import LogMetrics
from services.intake.settings import IntakeSettings
from services.runtime.clock import Clock, milliseconds
from services.runtime.decoding import UnreadableRecordError
from services.runtime.kafka import raw_batches
from services.runtime.kafka.log_coverage import Agreement
from services.runtime.kafka.log_tail import LogTail
from services.runtime.kafka.raw_batches import RawBatch

# How long one fetch waits for records; and how often the end offsets are asked for while nothing is tailed.
POLL_SECONDS = 0.1

POLL_MS = int(POLL_SECONDS * 1000)

# Of this process's own. From there on reading them back costs more processor time than asking for end offsets.
BUSY_RECORDS_PER_SECOND = 300

# Between asking for the end offsets and reading: acknowledgements of own records may still be on their way.
SETTLE_SECONDS = 0.02

# How long an answer waits until the records that others wrote before its own are known.
CATCH_UP_BEFORE_ANSWER_SECONDS = 0.5

# How often the last known event of each partition is compared. A log that was made anew and has grown beyond what was
# known of the old one shows in nothing else, unless this process appends to it.
VERIFY_SECONDS = 5.0

# Bounds how long one poll holds the event loop, which serves requests in between.
RECORDS_PER_POLL_MAX = 2_000

_NO_ENTRIES = DedupEntries((), ())

log = logging.getLogger(__name__)


class StaleReaderError(KafkaError):  # type: ignore[misc]  # aiokafka has no annotations
    """The log does not have what it had; the reader must be started again."""


class LogReader:
    """Reads the facts topic into the recent events, partition by partition."""

    def __init__(self, settings: IntakeSettings, recent: RecentEvents, clock: Clock, metrics: LogMetrics) -> None:
        self._metrics = metrics
        self._partitions = [TopicPartition(FACTS.name, number) for number in range(settings.partitions)]
        self._kafka = settings.kafka
        # Events are written without transactions; a transaction of rules that is open must not hold them back.
        self._tail = LogTail(
            settings.kafka, self._partitions, fetch_max_wait_ms=POLL_MS, isolation_level="read_uncommitted"
        )
        self._span = timedelta(hours=settings.dedup_hours)
        self._recent = recent
        self._clock = clock
        self._since: datetime | None = None
        self._trackers: dict[int, OffsetTracker] = {}
        self._wanted: dict[int, int] = {}
        self._own_rate = RateMeter(span=POLL_SECONDS)
        self._is_wanted = asyncio.Event()
        self._unverified: set[TopicPartition] = set()
        self._verifying: dict[TopicPartition, KnownRecord] = {}
        self._verified_at = 0.0
        self.is_stale = False
        """True once the log has lost something: nothing is read then until the reader is started again."""
        self.on_lost: list[Callable[[], None]] = []
        """Called when that is noticed."""

    @property
    def is_started(self) -> bool:
        return self._tail.is_started

    def read_from(self, instant: datetime) -> None:
        """Begin at *instant* at the latest: the spool holds records from then on, and the log may have them too."""
        self._since = instant if self._since is None else min(self._since, instant)

    async def start(self) -> None:
        """Begin one span ago and read on in the background; `catch_up` tells when the end is reached.

        After a loss it begins early enough to find every event again that is remembered.
        """
        if self.is_stale:
            self.read_from(self._recent.remembered_since)
        await self._tail.start(self._read, action="log_reader_waiting", seek=self._seek)
        self.is_stale = False

    async def stop(self) -> None:
        """Stop reading and close the consumer."""
        await self._tail.stop()

    def on_acknowledged(self, partition: int, base: int, batches: Sequence[PartitionBatch]) -> None:
        """Take note of own records that the broker acknowledged at offset *base*.

        Where the broker cannot tell the offset (-1, after a batch that it knew already) they are read like any other.
        """
        if base < 0:
            return
        tracker = self._trackers[partition]
        if not tracker.is_possible(base):
            self._report_loss(partition, Agreement.LOG_SHORTER)
            return
        entries = DedupEntries.join([batch.entries for batch in batches])
        self._add(tracker.add_acknowledged(base, entries))
        self._own_rate.counted += len(entries)
        # A gap before the own batch: another replica wrote there, or a transaction of rules has its marker there.
        if tracker.position < base:
            self._want({partition: base})

    async def wait_until_read(self, ends: EndOffsets) -> None:
        """Return when all before *ends* is known, or after half a second: no answer waits for a slow reader."""
        if self._has_read(ends):
            return
        try:
            async with asyncio.timeout(CATCH_UP_BEFORE_ANSWER_SECONDS):
                await self._tail.wait_until(lambda: self.is_stale or self._has_read(ends))
        except TimeoutError:
            log.warning("the log is read too slowly", extra={"action": "log_reader_lags"})

    async def catch_up(self) -> None:
        """Return when everything is known that was in the log when this was called, and it is the log that is known.

        Raise `KafkaError` if the reader is stopped or the log has lost something.
        """
        ends = await self._ask_for_ends()
        self._unverified.update(self._partitions)
        self._want(ends)
        await self._tail.wait_until(
            lambda: self.is_stale or (self._has_read(ends) and not self._unverified and not self._verifying)
        )
        if self.is_stale:
            raise StaleReaderError("the log has lost records")

    async def _ask_for_ends(self) -> EndOffsets:
        """Return the end of each partition now; report a loss where that is before what was known when it was asked."""
        known = {one.partition: self._trackers[one.partition].position for one in self._partitions}
        ends = _by_number(await self._tail.end_offsets())
        for partition, end in ends.items():
            if end < known[partition]:
                self._report_loss(partition, Agreement.LOG_SHORTER)
        return ends

    def _has_read(self, ends: EndOffsets) -> bool:
        return all(self._trackers[partition].position >= end for partition, end in ends.items())

    def _want(self, ends: Mapping[int, int]) -> None:
        for partition, end in ends.items():
            self._wanted[partition] = max(end, self._wanted.get(partition, 0))
        self._is_wanted.set()

    async def _seek(self, consumer: AIOKafkaConsumer) -> None:
        consumer.pause(*self._partitions)
        span_ago = self._clock.now() - self._span
        # One span more than the spool asks for: after the clock was set back, records bear earlier timestamps than the
        # time at which intake received them.
        since = milliseconds(span_ago if self._since is None else min(span_ago, self._since - self._span))
        found = await consumer.offsets_for_times(dict.fromkeys(self._partitions, since))
        ends = _by_number(await consumer.end_offsets(self._partitions))
        self._wanted.clear()  # after a loss the log may end before what was wanted
        for one in self._partitions:
            first = found.get(one)
            # No record is that recent: there is nothing to read but what comes next.
            self._trackers[one.partition] = OffsetTracker(ends[one.partition] if first is None else first.offset)

    async def _read(self, consumer: AIOKafkaConsumer) -> None:
        """Read one batch of everything; or, while this process is busy, what others wrote in between."""
        if self.is_stale:
            await asyncio.sleep(POLL_SECONDS)
            return
        self._begin_verification(consumer)
        if self._own_rate.per_second(asyncio.get_running_loop().time()) > BUSY_RECORDS_PER_SECOND:
            await self._read_gaps(consumer)
        else:
            self._fetch_only(set(self._partitions), consumer)
            await self._poll(consumer)

    async def _read_gaps(self, consumer: AIOKafkaConsumer) -> None:
        """Wait until more of the log is wanted, or ask for its end; read each partition up to there and no further."""
        if not await self._wait_until_wanted():
            self._want(await self._ask_for_ends())
            await asyncio.sleep(SETTLE_SECONDS)
        # Cleared before the partitions are looked at: what is wanted while they are read wakes the next turn.
        self._is_wanted.clear()
        self._fetch_only(self._find_behind(), consumer)
        while self._find_behind():
            await self._poll(consumer)
            self._fetch_only(self._find_behind(), consumer)

    async def _wait_until_wanted(self) -> bool:
        """Wait until somebody wants more of the log, at most until the end offsets are to be asked for."""
        try:
            async with asyncio.timeout(POLL_SECONDS):
                return await self._is_wanted.wait()
        except TimeoutError:
            return False

    def _fetch_only(self, wanted: set[TopicPartition], consumer: AIOKafkaConsumer) -> None:
        """Have just the *wanted* partitions fetched, each from where it was read to."""
        # Own records were skipped while a partition was paused, so it is taken up again at its tracked position and not
        # where the client stands.
        paused = consumer.paused()
        for one in wanted & paused:
            tracker = self._trackers[one.partition]
            tracker.fetched_to = self._verifying[one].offset if one in self._verifying else tracker.position
            consumer.seek(one, tracker.fetched_to)
        consumer.resume(*wanted & paused)
        consumer.pause(*set(self._partitions) - wanted - paused)

    def _begin_verification(self, consumer: AIOKafkaConsumer) -> None:
        """Have the last known event of each partition read again, if that is due or asked for."""
        now = asyncio.get_running_loop().time()
        if now - self._verified_at > VERIFY_SECONDS:
            self._unverified.update(self._partitions)
            self._verified_at = now
        for one in self._unverified:
            last = self._trackers[one.partition].last
            if last is not None:
                self._verifying[one] = last
                consumer.pause(one)  # and so taken up again at the event
        self._unverified.clear()

    def _find_behind(self) -> set[TopicPartition]:
        """Return the partitions that are to be read on; none of a log that has lost records."""
        if self.is_stale:
            return set()
        wanted = self._wanted
        behind = (
            one for one in self._partitions if self._trackers[one.partition].position < wanted.get(one.partition, 0)
        )
        return {*behind, *self._verifying}

    async def _poll(self, consumer: AIOKafkaConsumer) -> None:
        try:
            fetched = await consumer.getmany(timeout_ms=POLL_MS, max_records=RECORDS_PER_POLL_MAX)
        except CorruptRecordException:
            await self._read_past_damage(consumer)
            return
        for one, records in fetched.items():
            self._take(one, records)
        for one in self._find_behind() | set(self._partitions) - consumer.paused():
            await self._take_position(one, consumer)

    async def _read_past_damage(self, consumer: AIOKafkaConsumer) -> None:
        """Read what lies before a damaged batch, and go on behind it: nobody can read the events in it.

        They are not remembered, so an event that is sent again is written again.
        """
        places = set(self._partitions) - consumer.paused()
        for one in places:
            # With the exception aiokafka drops what it had unpacked already, also of other partitions.
            consumer.seek(one, self._trackers[one.partition].fetched_to)
        async with raw_batches.open_raw_reader(self._kafka, FACTS.name) as reader:
            for one in places:
                damage = await reader.find_damage(one, self._trackers[one.partition].fetched_to)
                if damage is not None:
                    await self._pass_over(one, damage, consumer)

    async def _pass_over(self, one: TopicPartition, damage: RawBatch, consumer: AIOKafkaConsumer) -> None:
        tracker = self._trackers[one.partition]
        while await consumer.position(one) < damage.offset:
            try:
                # One at a time, for it is the rest of what is unpacked together that is dropped.
                fetched = await consumer.getmany(one, timeout_ms=POLL_MS, max_records=1)
            except CorruptRecordException:
                break
            for records in fetched.values():
                self._take(one, records)
        self._metrics.damaged_batches.inc()
        offsets = {"offset": damage.offset, "next_offset": damage.next_offset}
        extra = {"action": "damaged_batch", "partition": one.partition, **offsets}
        log.critical("a batch of the log is damaged; its events are written again if they are sent again", extra=extra)
        if tracker.last is not None and tracker.last.offset < damage.next_offset:
            tracker.last = None  # it may be in the damaged batch, and could not be compared again
        self._verifying.pop(one, None)
        consumer.seek(one, damage.next_offset)
        tracker.fetched_to = damage.next_offset
        self._add(tracker.add_read(damage.next_offset, _NO_ENTRIES))

    def _take(self, one: TopicPartition, records: Sequence[ConsumerRecord[bytes, bytes]]) -> None:
        """Add *records* of a partition, unless they show that its log is another one."""
        known = list(self._decode_entries(records))
        tracker = self._trackers[one.partition]
        expected = self._verifying.pop(one, None)
        if expected is not None and expected not in known[:1]:
            self._report_loss(one.partition, Agreement.LOG_REPLACED)
            return
        if records[0].offset < tracker.fetched_to:
            self._report_loss(one.partition, Agreement.LOG_SHORTER)
            return
        entries = DedupEntries.from_entries(record.entry for record in known)
        self._add(tracker.add_read(records[-1].offset + 1, entries, known[-1] if known else None))

    async def _take_position(self, one: TopicPartition, consumer: AIOKafkaConsumer) -> None:
        """Take note of where the consumer stands, which is behind a marker of a transaction: that is no record."""
        position = await consumer.position(one)
        tracker = self._trackers[one.partition]
        if position < tracker.fetched_to:
            # The broker refused the offset, and the client began anew at the beginning of the log.
            self._report_loss(one.partition, Agreement.LOG_SHORTER)
            return
        tracker.fetched_to = position
        self._add(tracker.add_read(position, _NO_ENTRIES))

    def _report_loss(self, partition: int, agreement: Agreement) -> None:
        if self.is_stale:
            return
        self.is_stale = True
        self._metrics.losses.labels(agreement.value).inc()
        position = self._trackers[partition].position
        extra = {"action": "log_lost", "partition": partition, "found": agreement.value, "known_up_to": position}
        log.critical("the log has lost records; events with a receipt may be among them", extra=extra)
        self._recent.distrust_log()
        self._verifying.clear()
        self._unverified.clear()
        self._tail.advance()  # for whoever waits for an offset that this log does not reach
        for notify in self.on_lost:
            notify()

    def _decode_entries(self, records: Iterable[ConsumerRecord[bytes, bytes]]) -> Iterator[KnownRecord]:
        """Yield the events among *records*. What cannot be read is no event of ours, and rules sets it aside."""
        for record in records:
            try:
                entry = entry_decoder.decode_entry(record.value)
            except UnreadableRecordError:
                self._metrics.unreadable.inc()
                entry = None
            if entry is not None:
                yield KnownRecord(record.offset, entry)

    def _add(self, in_order: Iterable[DedupEntries]) -> None:
        for entries in in_order:
            self._recent.add_logged(entries)
        self._tail.advance()


def _by_number(ends: Mapping[TopicPartition, int]) -> EndOffsets:
    return {partition.partition: end for partition, end in ends.items()}
