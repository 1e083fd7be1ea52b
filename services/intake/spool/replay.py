"""Bringing the spool to the bus when the bus is back, in order and without writing anything twice.

At the end of draining new records wait for a moment, so that the last of the spool is on the bus before them.
"""

import asyncio
import logging
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from services.intake.core.dedup_entry import Entry, receivedtime_of
from services.intake.dedup.log_reader import Follower
from services.intake.dedup.recent_events import Memory
from services.intake.log import records
from services.intake.log.appender import Appender
from services.intake.log.records import Partitioner, Record
from services.intake.spool.record_format import Kept
from services.intake.spool.segment_files import Segment
from services.intake.spool.spool import Spool

CHUNK_RECORDS = 500
LAST_BYTES = 64 * 1024
"""A segment this small is taken for the last one: what follows it is a moment's work."""

CATCH_UP_SECONDS = 60.0

log = logging.getLogger(__name__)


class Drain:
    """Empties a spool."""

    def __init__(self, spool: Spool, memory: Memory, follower: Follower, partitioner: Partitioner) -> None:
        self._spool = spool
        self._memory = memory
        self._follower = follower
        self._partitioner = partitioner
        self._may_pass = asyncio.Event()
        self._may_pass.set()

    async def passed(self) -> None:
        """Return when new records need not wait for the last of the spool."""
        await self._may_pass.wait()

    def take_over(self, left: Sequence[Kept]) -> None:
        """Remember what an earlier process left in the spool, and have the log asked whether it is there already."""
        for record in _recorded(left):
            self._memory.remember({record.identity: record.stamp})
            self._follower.reach_back_to(datetime.fromisoformat(receivedtime_of(record.stamp)))

    async def drain(self, appender: Appender) -> None:
        """Bring the spool to the bus in order; afterwards, and until the caller next awaits, nothing is left in it."""
        async with asyncio.timeout(CATCH_UP_SECONDS):
            await self._follower.catch_up()
        try:
            while not self._spool.is_empty:
                segment = await self._spool.oldest()
                if segment is None:
                    continue
                if sum(len(one.value) for one in segment.records) <= LAST_BYTES:
                    self._may_pass.clear()
                await self._drain_one(segment, appender)
        finally:
            self._may_pass.set()

    async def _drain_one(self, segment: Segment, appender: Appender) -> None:
        held = _recorded(segment.records)
        missing = [one for one in held if not self._memory.is_logged(Entry(one.identity, one.stamp))]
        for start in range(0, len(missing), CHUNK_RECORDS):
            await appender.append(self._partitioner.lots(missing[start : start + CHUNK_RECORDS]))
        await self._spool.remove(segment)
        counts = {"records": len(segment.records), "appended": len(missing)}
        log.info("a part of the spool is on the bus", extra={"action": "drained", **counts})


def _recorded(kept: Iterable[Kept]) -> Iterator[Record]:
    """Yield the records of a spool with what they are known by; whatever is in a spool was given a receipt."""
    for one in kept:
        entry = records.entry_of(one.value)
        if entry is None:
            raise ValueError("a record of the spool has no receipt")
        yield Record(one.key, one.value, entry.identity, entry.stamp)
