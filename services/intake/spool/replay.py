"""Replay the spool to the broker when it is back, in order, and write nothing twice.

Towards the end of a replay new requests wait for a moment, so that the last spooled records are on the broker before
theirs.
"""

import asyncio
import logging
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Protocol

from services.intake.core import fact_record
from services.intake.core.fact_record import DedupEntry, EndOffsets, FactRecord, PartitionBatch, Partitioner
from services.intake.dedup import entry_decoder
from services.intake.dedup.log_reader import LogReader
from services.intake.dedup.recent_events import RecentEvents
from services.intake.spool.record_format import SpooledRecord
from services.intake.spool.segment_files import SpoolSegment
from services.intake.spool.spool import Spool
from services.runtime.decoding import UnreadableRecordError

# Records of one append, which must be acknowledged within the timeout of an append.
CHUNK_RECORDS = 500

# A segment this small is taken for the last one: its replay takes a moment, for which new requests can wait.
LAST_SEGMENT_BYTES = 64 * 1024

# Reading what this and other replicas wrote while the broker was away. If it takes longer, the connection starts over.
CATCH_UP_SECONDS = 60.0

log = logging.getLogger(__name__)


class RecordAppender(Protocol):
    """What the replay writes to (`log.producer`)."""

    async def append(self, batches: Sequence[PartitionBatch]) -> EndOffsets:
        """Return the end offsets once every record is acknowledged."""
        ...


class SpoolReplay:
    """Moves the records of a spool to the broker."""

    def __init__(self, spool: Spool, recent: RecentEvents, reader: LogReader, partitioner: Partitioner) -> None:
        self._spool = spool
        self._recent = recent
        self._reader = reader
        self._partitioner = partitioner
        self._is_open = asyncio.Event()
        self._is_open.set()

    async def wait_until_open(self) -> None:
        """Return when new records need not wait for the end of a replay."""
        await self._is_open.wait()

    def add_spooled(self, batches: Sequence[PartitionBatch]) -> None:
        """Know that the spool has the records of *batches*."""
        self._recent.add_spooled(fact_record.stamps_by_identity(batches))

    def adopt_leftover(self, records: Sequence[SpooledRecord]) -> None:
        """Know the records that an earlier process left, and read the log from the time they were received.

        The log may hold them already: that process may have died between the replay and the removal of the segment.
        """
        for record in _with_entries(records):
            self._recent.add_spooled({record.identity: record.stamp})
            self._reader.read_from(datetime.fromisoformat(fact_record.receivedtime_of(record.stamp)))

    async def run(self, appender: RecordAppender) -> None:
        """Replay everything, oldest first. When this returns, and until the caller next awaits, the spool is empty.

        Raise `TimeoutError` or the appender's error if the broker goes away; the rest stays in the spool.
        """
        # First, because an append that timed out may have reached the log all the same, and its records are here too.
        async with asyncio.timeout(CATCH_UP_SECONDS):
            await self._reader.catch_up()
        try:
            while not self._spool.is_empty:
                segment = await self._spool.oldest()
                if segment is None:
                    continue
                if sum(len(one.value) for one in segment.records) <= LAST_SEGMENT_BYTES:
                    self._is_open.clear()
                await self._replay_segment(segment, appender)
        finally:
            self._is_open.set()

    async def _replay_segment(self, segment: SpoolSegment, appender: RecordAppender) -> None:
        records = list(_with_entries(segment.records))
        unreadable = len(segment.records) - len(records)
        if unreadable:
            await self._spool.keep_damaged(segment, events=unreadable)
        # In a segment that was copied or recovered an event may stand twice. Its receipt id stands for its content.
        distinct: dict[str, FactRecord] = {}
        for one in records:
            distinct.setdefault(fact_record.receiptid_of(one.stamp), one)
        entries = ((one, DedupEntry(one.identity, one.stamp)) for one in distinct.values())
        missing = [one for one, entry in entries if not self._recent.is_logged(entry)]
        for start in range(0, len(missing), CHUNK_RECORDS):
            await appender.append(self._partitioner.group_by_partition(missing[start : start + CHUNK_RECORDS]))
        # Removed last: killed before this line, the next process finds the records in the log and skips them.
        await self._spool.remove(segment)
        counts = {"records": len(segment.records), "appended": len(missing)}
        log.info("a segment of the spool is on the broker", extra={"action": "drained", **counts})


def _with_entries(spooled: Iterable[SpooledRecord]) -> Iterator[FactRecord]:
    """Yield *spooled* with their deduplication entries, without those that are no events with a receipt."""
    for one in spooled:
        with suppress(UnreadableRecordError):
            entry = entry_decoder.decode_entry(one.value)
            if entry is not None:
                yield FactRecord(one.key, one.value, entry.identity, entry.stamp)
