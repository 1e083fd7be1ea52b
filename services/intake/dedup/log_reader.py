"""Keep the recent events up with the facts topic: the last span of it at start, then what any replica appends.

While this process appends little, the reader tails the whole topic. While it appends a lot, it need not read its own
records back, because the acknowledgements tell their offsets: then it asks for the end offsets ten times a second and
reads only what others wrote in between. A busy lone replica reads nothing.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from schemas.events.topics import FACTS
from services.intake.core.fact_record import DedupEntries, DedupEntry, EndOffsets, PartitionBatch
from services.intake.dedup import entry_decoder
from services.intake.dedup.recent_events import RecentEvents
from services.intake.metrics import IntakeMetrics
from services.intake.settings import IntakeSettings
from services.runtime.clock import Clock, milliseconds
from services.runtime.decoding import UnreadableRecordError
from services.runtime.kafka.log_tail import LogTail

# How long one fetch waits for records; and how often the end offsets are asked for while nothing is tailed.
POLL_SECONDS = 0.1

POLL_MS = int(POLL_SECONDS * 1000)

# Of this process's own. From there on reading them back costs more processor time than asking for end offsets.
BUSY_RECORDS_PER_SECOND = 300

# Between asking for the end offsets and reading: acknowledgements of own records may still be on their way.
SETTLE_SECONDS = 0.02

# How long an answer waits until the records that others wrote before its own are known.
CATCH_UP_BEFORE_ANSWER_SECONDS = 0.5

# Bounds how long one poll holds the event loop, which serves requests in between.
RECORDS_PER_POLL_MAX = 2_000

_NO_ENTRIES = DedupEntries((), ())

log = logging.getLogger(__name__)


@dataclass(slots=True, kw_only=True)
class RateMeter:
    """The rate of the records that are added to `counted`, measured anew each *span* seconds."""

    span: float
    since: float = 0.0
    counted: int = 0
    rate: float = 0.0

    def per_second(self, now: float) -> float:
        """Return the events a second of the last whole span before *now*, an instant of a monotonic clock (seconds)."""
        elapsed = now - self.since
        if elapsed >= self.span:
            self.rate = self.counted / elapsed
            self.since, self.counted = now, 0
        return self.rate


class OffsetTracker:
    """Puts own acknowledged batches and records read from one partition into the order of the log.

    All of the log before `position` has been yielded; own batches may be known already and wait behind it. The order
    matters: of two replicas that write the same event, every replica must take the same one for the first.
    """

    def __init__(self, position: int) -> None:
        self.position = position
        self._acknowledged: deque[tuple[int, DedupEntries]] = deque()

    def add_acknowledged(self, base: int, entries: DedupEntries) -> Iterator[DedupEntries]:
        """Take an own batch at offset *base*; yield the entries that are in order now."""
        self._acknowledged.append((base, entries))
        yield from self._yield_reached()

    def add_read(self, end: int, entries: DedupEntries) -> Iterator[DedupEntries]:
        """Take *entries* read from `position` up to *end*; yield the entries that are in order now.

        Own entries among them are yielded a second time, which changes nothing: the first stamp of an identity stays.
        """
        yield entries
        self.position = max(self.position, end)
        yield from self._yield_reached()

    def _yield_reached(self) -> Iterator[DedupEntries]:
        while self._acknowledged and self._acknowledged[0][0] <= self.position:
            base, entries = self._acknowledged.popleft()
            yield entries
            self.position = max(self.position, base + len(entries.identities))


class LogReader:
    """Reads the facts topic into the recent events, partition by partition."""

    def __init__(self, settings: IntakeSettings, recent: RecentEvents, clock: Clock, metrics: IntakeMetrics) -> None:
        self._metrics = metrics
        self._partitions = [TopicPartition(FACTS.name, number) for number in range(settings.partitions)]
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

    @property
    def is_started(self) -> bool:
        return self._tail.is_started

    def read_from(self, instant: datetime) -> None:
        """Begin at *instant* at the latest: the spool holds records from then on, and the log may have them too."""
        self._since = instant if self._since is None else min(self._since, instant)

    async def start(self) -> None:
        """Begin one span ago and read on in the background; `catch_up` tells when the end is reached."""
        await self._tail.start(self._read, action="log_reader_waiting", seek=self._seek)

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
        at = base
        for batch in batches:
            self._add(tracker.add_acknowledged(at, batch.entries))
            at += len(batch)
        self._own_rate.counted += at - base
        # A gap before the own batch: another replica wrote there, or a transaction of rules has its marker there.
        if tracker.position < base:
            self._want({partition: base})

    async def wait_until_read(self, ends: EndOffsets) -> None:
        """Return when all before *ends* is known, or after half a second: no answer waits for a slow reader."""
        if self._has_read(ends):
            return
        try:
            async with asyncio.timeout(CATCH_UP_BEFORE_ANSWER_SECONDS):
                await self._tail.wait_until(lambda: self._has_read(ends))
        except TimeoutError:
            log.warning("the log is read too slowly", extra={"action": "log_reader_lags"})

    async def catch_up(self) -> None:
        """Return when everything is known that was in the log when this was called; raise `KafkaError` if stopped."""
        ends = _by_number(await self._tail.end_offsets())
        self._want(ends)
        await self._tail.wait_until(lambda: self._has_read(ends))

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
        for one in self._partitions:
            first = found.get(one)
            # No record is that recent: there is nothing to read but what comes next.
            self._trackers[one.partition] = OffsetTracker(ends[one.partition] if first is None else first.offset)

    async def _read(self, consumer: AIOKafkaConsumer) -> None:
        """Read one batch of everything; or, while this process is busy, what others wrote in between."""
        if self._own_rate.per_second(asyncio.get_running_loop().time()) > BUSY_RECORDS_PER_SECOND:
            await self._read_gaps(consumer)
        else:
            self._fetch_only(set(self._partitions), consumer)
            await self._poll(consumer)

    async def _read_gaps(self, consumer: AIOKafkaConsumer) -> None:
        """Wait until more of the log is wanted, or ask for its end; read each partition up to there and no further."""
        if not await self._wait_until_wanted():
            self._want(_by_number(await self._tail.end_offsets()))
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
            consumer.seek(one, self._trackers[one.partition].position)
        consumer.resume(*wanted & paused)
        consumer.pause(*set(self._partitions) - wanted - paused)

    def _find_behind(self) -> set[TopicPartition]:
        wanted = self._wanted
        return {
            one for one in self._partitions if self._trackers[one.partition].position < wanted.get(one.partition, 0)
        }

    async def _poll(self, consumer: AIOKafkaConsumer) -> None:
        for one, records in (await consumer.getmany(timeout_ms=POLL_MS, max_records=RECORDS_PER_POLL_MAX)).items():
            found = DedupEntries.from_entries(self._decode_entries(records))
            self._add(self._trackers[one.partition].add_read(records[-1].offset + 1, found))
        for one in self._find_behind():
            # The last offset of a log may be the marker of a transaction, which is no record.
            self._add(self._trackers[one.partition].add_read(await consumer.position(one), _NO_ENTRIES))

    def _decode_entries(self, records: Iterable[ConsumerRecord[bytes, bytes]]) -> Iterator[DedupEntry]:
        """Yield the entries of *records*. What cannot be read is no event of ours, and rules sets it aside."""
        for record in records:
            try:
                entry = entry_decoder.decode_entry(record.value)
            except UnreadableRecordError:
                self._metrics.log_unreadable.inc()
                entry = None
            if entry is not None:
                yield entry

    def _add(self, in_order: Iterable[DedupEntries]) -> None:
        for entries in in_order:
            self._recent.add_logged(entries)
        self._tail.advance()


def _by_number(ends: Mapping[TopicPartition, int]) -> EndOffsets:
    return {partition.partition: end for partition, end in ends.items()}
