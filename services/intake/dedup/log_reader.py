"""Keeps the memory up with the log: its last span at start, then what any replica appends, in the order of the log.

At rest it listens to all of the log. While this process appends a lot it need not read that back, for the
acknowledgements tell where it lies: then only what others wrote in between is read, so a lone replica reads nothing.
"""

import asyncio
import contextlib
import logging
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from schemas.events.topics import FACTS
from services.intake.core.dedup_entry import Entries
from services.intake.core.token_bucket import Pace
from services.intake.dedup.offset_tracker import Progress
from services.intake.dedup.recent_events import Memory
from services.intake.log import records
from services.intake.log.partition_queue import Ends
from services.intake.log.records import Lot
from services.intake.settings import IntakeSettings
from services.runtime import kafka
from services.runtime.clock import Clock, milliseconds

WATCH_SECONDS = 0.1
"""How long the log is listened to at a time; and how often it is asked, while nobody listens, what others wrote."""

BUSY_RECORDS_A_SECOND = 300
"""Of this process's own: from there on reading them back costs more than it is worth."""

SETTLE_SECONDS = 0.02
"""Between asking and reading: the acknowledgements of this process's own appends may be on their way."""

WATCH_MS = int(WATCH_SECONDS * 1000)
PASS_SECONDS = 0.5
"""How long an answer waits for what others wrote before it."""

RETRY_SECONDS = 1.0
_NO_ENTRIES = Entries((), ())
RECORDS_MAX = 2_000
"""Read at a time: the loop serves requests in between."""

log = logging.getLogger(__name__)


class Follower:
    """Follows the log into the memory, partition by partition."""

    def __init__(self, settings: IntakeSettings, memory: Memory, clock: Clock) -> None:
        self._kafka = settings.kafka
        self._parts = [TopicPartition(FACTS.name, number) for number in range(settings.partitions)]
        self._span = timedelta(hours=settings.memory_hours)
        self._memory = memory
        self._clock = clock
        self._since: datetime | None = None
        self._consumer: AIOKafkaConsumer | None = None
        self._following: asyncio.Task[None] | None = None
        self._progress: dict[int, Progress] = {}
        self._wanted: dict[int, int] = {}
        self._own = Pace(span=WATCH_SECONDS)
        self._called = asyncio.Event()
        self._advanced = asyncio.Event()

    @property
    def is_started(self) -> bool:
        return self._following is not None

    def reach_back_to(self, instant: datetime) -> None:
        """Begin at *instant* at the latest: the spool holds records from then on, which the log may have too."""
        self._since = instant if self._since is None else min(self._since, instant)

    async def start(self) -> None:
        """Begin one span ago and follow in the background; `catch_up` says when the end is reached."""
        consumer = AIOKafkaConsumer(
            **self._kafka.client(),
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            fetch_max_wait_ms=WATCH_MS,
            isolation_level="read_uncommitted",  # receipts are written without transactions, and wait for nobody's
        )
        await consumer.start()
        try:
            await self._seek(consumer)
        except BaseException:
            await kafka.stop_consumer(consumer)
            raise
        self._consumer = consumer
        self._following = asyncio.create_task(self._follow(consumer))

    async def stop(self) -> None:
        if self._following is not None:
            self._following.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._following
        if self._consumer is not None:
            await kafka.stop_consumer(self._consumer)

    def appended(self, partition: int, base: int, batch: Sequence[Lot]) -> None:
        """Take note of an acknowledged batch. Where the broker cannot tell its place it is read like any other."""
        if base < 0:
            return
        progress = self._progress[partition]
        at = base
        for lot in batch:
            self._remember(progress.appended(at, lot.entries))
            at += len(lot)
        self._own.count(at - base)
        if progress.position < base:
            self._want({partition: base})

    async def passed(self, ends: Ends) -> None:
        """Return when all before *ends* is remembered, or after a while without: no answer waits for a slow reader."""
        if self._has_passed(ends):
            return
        try:
            async with asyncio.timeout(PASS_SECONDS):
                await self._until(ends)
        except TimeoutError:
            log.warning("the log is read too slowly", extra={"action": "follower_lags"})

    async def catch_up(self) -> None:
        """Return when the memory holds everything that was in the log when this was called."""
        if self._consumer is None:
            raise KafkaError("the follower is not started")
        ends = await self._ends(self._consumer)
        self._want(ends)
        await self._until(ends)

    def _has_passed(self, ends: Ends) -> bool:
        return all(self._progress[partition].position >= end for partition, end in ends.items())

    async def _until(self, ends: Ends) -> None:
        while not self._has_passed(ends):
            await self._advanced.wait()

    def _want(self, ends: Mapping[int, int]) -> None:
        for partition, end in ends.items():
            self._wanted[partition] = max(end, self._wanted.get(partition, 0))
        self._called.set()

    async def _ends(self, consumer: AIOKafkaConsumer) -> Ends:
        return {part.partition: end for part, end in (await consumer.end_offsets(self._parts)).items()}

    async def _seek(self, consumer: AIOKafkaConsumer) -> None:
        consumer.assign(self._parts)
        consumer.pause(*self._parts)
        span_ago = self._clock.now() - self._span
        # One span more than asked for: a clock that was set back stamps records earlier than it received them.
        since = milliseconds(span_ago if self._since is None else min(span_ago, self._since - self._span))
        found = await consumer.offsets_for_times(dict.fromkeys(self._parts, since))
        ends = await self._ends(consumer)
        for part in self._parts:
            first = found.get(part)
            self._progress[part.partition] = Progress(ends[part.partition] if first is None else first.offset)

    async def _follow(self, consumer: AIOKafkaConsumer) -> None:
        while True:
            try:
                if self._own.measured(asyncio.get_running_loop().time()) > BUSY_RECORDS_A_SECOND:
                    await self._watch(consumer)
                else:
                    self._listen_to(set(self._parts), consumer)
                    await self._read(consumer)
            except KafkaError:
                log.warning("the log cannot be followed for now", exc_info=True, extra={"action": "follower_waiting"})
                await asyncio.sleep(RETRY_SECONDS)

    async def _watch(self, consumer: AIOKafkaConsumer) -> None:
        """Wait until more of the log is wanted, or ask for its end; read every partition so far, and no further."""
        if not await self._is_called():
            self._want(await self._ends(consumer))
            await asyncio.sleep(SETTLE_SECONDS)
        self._called.clear()
        self._listen_to(self._behind(), consumer)
        while self._behind():
            await self._read(consumer)
            self._listen_to(self._behind(), consumer)

    async def _is_called(self) -> bool:
        """Wait until somebody wants more of the log, and whether anybody did before it is time to ask."""
        try:
            async with asyncio.timeout(WATCH_SECONDS):
                return await self._called.wait()
        except TimeoutError:
            return False

    def _listen_to(self, parts: set[TopicPartition], consumer: AIOKafkaConsumer) -> None:
        """Have just *parts* fetched, each from where the memory is."""
        paused = consumer.paused()
        for part in parts & paused:
            consumer.seek(part, self._progress[part.partition].position)
        consumer.resume(*parts & paused)
        consumer.pause(*set(self._parts) - parts - paused)

    def _behind(self) -> set[TopicPartition]:
        wanted = self._wanted
        return {part for part in self._parts if self._progress[part.partition].position < wanted.get(part.partition, 0)}

    async def _read(self, consumer: AIOKafkaConsumer) -> None:
        for part, batch in (await consumer.getmany(timeout_ms=WATCH_MS, max_records=RECORDS_MAX)).items():
            # Others write there too: adoptions have no receipt.
            entries = Entries.of(entry for record in batch if (entry := records.entry_of(record.value or b"")))
            self._remember(self._progress[part.partition].read(batch[-1].offset + 1, entries))
        for part in self._behind():
            # The end of a log may be a marker of a transaction, which no record tells.
            self._remember(self._progress[part.partition].read(await consumer.position(part), _NO_ENTRIES))

    def _remember(self, in_order: Iterable[Entries]) -> None:
        for entries in in_order:
            self._memory.remember_logged(entries)
        advanced, self._advanced = self._advanced, asyncio.Event()
        advanced.set()
