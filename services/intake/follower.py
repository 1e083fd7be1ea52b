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
from services.intake.memory import Memory
from services.intake.settings import IntakeSettings
from services.runtime.clock import Clock, milliseconds

POLL_MS = 200
GATHER_RECORDS = 20
GATHER_SECONDS = 0.01
"""Under load records are read a hundred times a second, not a few at a time; a lone record is read at once."""

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
        self._advanced = asyncio.Condition()
        self._waiting = 0

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
            isolation_level="read_committed",
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
        self._waiting += 1
        try:
            async with self._advanced:
                await self._advanced.wait_for(lambda: all(self._positions[part] >= end for part, end in ends.items()))
        finally:
            self._waiting -= 1

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
                for batch in batches.values():
                    self._remember(batch)
                if self._waiting:
                    await self._tell_positions(consumer)
                if sum(map(len, batches.values())) >= GATHER_RECORDS:
                    await asyncio.sleep(GATHER_SECONDS)
            except KafkaError:
                log.warning("the log cannot be followed for now", exc_info=True, extra={"action": "follower_waiting"})
                await asyncio.sleep(RETRY_SECONDS)

    async def _tell_positions(self, consumer: AIOKafkaConsumer) -> None:
        """Say how far was read. The end of a log may be a marker of a transaction, which no record tells."""
        async with self._advanced:
            for part in self._positions:
                self._positions[part] = await consumer.position(part)
            self._advanced.notify_all()

    def _remember(self, batch: Sequence[ConsumerRecord[bytes, bytes]]) -> None:
        for record in batch:
            entry = records.entry_of(record.value or b"")
            if entry is not None:  # others write there too: adoptions have no receipt
                self._memory.remember_logged(entry.identity, entry.known)
