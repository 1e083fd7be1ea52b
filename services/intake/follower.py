"""Reads the facts log back into the memory: its last span at start, then everything that any replica appends.

So a restart, or another replica, gives a repeated event its first receipt, and intake needs no database for it.
"""

import asyncio
import contextlib
import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from schemas.topics import FACTS
from services.intake import records
from services.intake.appender import Ends
from services.intake.memory import Memory
from services.intake.settings import IntakeSettings
from services.runtime.clock import Clock, milliseconds

POLL_MS = 200
GATHER_RECORDS = 20
GATHER_SECONDS = 0.002
"""Under load records are read a few hundred times a second, not one by one; a lone record is read at once."""

PASS_SECONDS = 0.5
"""How long an answer waits for the log to be read back."""

RETRY_SECONDS = 1.0
RECORDS_MAX = 2_000
"""Read at a time: the loop serves requests in between."""

log = logging.getLogger(__name__)


class Follower:
    """Keeps the memory up with the log."""

    def __init__(self, settings: IntakeSettings, memory: Memory, clock: Clock) -> None:
        self._bootstrap = settings.kafka_bootstrap
        self._partitions = settings.partitions
        self._span = timedelta(hours=settings.memory_hours)
        self._memory = memory
        self._clock = clock
        self._since: datetime | None = None
        self._consumer: AIOKafkaConsumer | None = None
        self._following: asyncio.Task[None] | None = None
        self._positions: dict[TopicPartition, int] = {}
        self._advanced = asyncio.Event()
        self._catching_up = 0

    @property
    def is_started(self) -> bool:
        return self._following is not None

    def reach_back_to(self, instant: datetime) -> None:
        """Begin at *instant* at the latest: the spool holds records from then on, which the log may have too."""
        self._since = instant if self._since is None else min(self._since, instant)

    async def start(self) -> None:
        """Begin one span ago and follow in the background; `catch_up` says when the end is reached."""
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self._bootstrap,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            isolation_level="read_uncommitted",  # receipts are written without transactions, and wait for nobody's
        )
        await consumer.start()
        try:
            await self._seek(consumer)
        except BaseException:
            await consumer.stop()
            raise
        self._consumer = consumer
        self._following = asyncio.create_task(self._follow(consumer))

    async def stop(self) -> None:
        if self._following is not None:
            self._following.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._following
        if self._consumer is not None:
            await self._consumer.stop()

    async def catch_up(self) -> None:
        """Return when the memory holds everything that was in the log when this was called."""
        if self._consumer is None:
            raise KafkaError("the follower is not started")
        ends = await self._consumer.end_offsets(list(self._positions))
        self._catching_up += 1
        try:
            await self._until({part.partition: end for part, end in ends.items()})
        finally:
            self._catching_up -= 1

    async def passed(self, ends: Ends) -> None:
        """Return when the log was read up to *ends*, or after a while without: a reader that lags makes nobody wait."""
        try:
            async with asyncio.timeout(PASS_SECONDS):
                await self._until(ends)
        except TimeoutError:
            log.warning("the log is read too slowly", extra={"action": "follower_lags"})

    async def _until(self, ends: Ends) -> None:
        while any(self._positions[TopicPartition(FACTS.name, number)] < end for number, end in ends.items()):
            await self._advanced.wait()

    async def _seek(self, consumer: AIOKafkaConsumer) -> None:
        parts = [TopicPartition(FACTS.name, number) for number in range(self._partitions)]
        consumer.assign(parts)
        span_ago = self._clock.now() - self._span
        # One span more than asked for: a clock that was set back stamps records earlier than it received them.
        since = milliseconds(span_ago if self._since is None else min(span_ago, self._since - self._span))
        found = await consumer.offsets_for_times(dict.fromkeys(parts, since))
        ends = await consumer.end_offsets(parts)
        for part in parts:
            first = found.get(part)
            self._positions[part] = ends[part] if first is None else first.offset
            consumer.seek(part, self._positions[part])

    async def _follow(self, consumer: AIOKafkaConsumer) -> None:
        while True:
            try:
                batches = await consumer.getmany(timeout_ms=POLL_MS, max_records=RECORDS_MAX)
                for part, batch in batches.items():
                    self._remember(batch)
                    self._positions[part] = batch[-1].offset + 1
                if self._catching_up:
                    await self._ask_positions(consumer)
                if batches or self._catching_up:
                    self._wake()
                if sum(map(len, batches.values())) >= GATHER_RECORDS:
                    await asyncio.sleep(GATHER_SECONDS)
            except KafkaError:
                log.warning("the log cannot be followed for now", exc_info=True, extra={"action": "follower_waiting"})
                await asyncio.sleep(RETRY_SECONDS)

    async def _ask_positions(self, consumer: AIOKafkaConsumer) -> None:
        """Find out how far was read: the end of a log may be a marker of a transaction, which no record tells."""
        for part in self._positions:
            self._positions[part] = await consumer.position(part)

    def _wake(self) -> None:
        advanced, self._advanced = self._advanced, asyncio.Event()
        advanced.set()

    def _remember(self, batch: Sequence[ConsumerRecord[bytes, bytes]]) -> None:
        for record in batch:
            entry = records.entry_of(record.value or b"")
            if entry is not None:  # others write there too: adoptions have no receipt
                self._memory.remember_logged(entry.identity, entry.known)
