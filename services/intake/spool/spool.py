"""The spool: accepted records on local disk while the broker is away, bounded, with one fsync for many requests.

One writer takes everything that waits: while it syncs, the next group gathers, so a thousand requests share one fsync,
and only one thread touches the files.
"""

import asyncio
import errno
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

from services.intake.metrics import SpoolMetrics
from services.intake.spool import record_format
from services.intake.spool.damage import SpoolDamage
from services.intake.spool.record_format import SpooledRecord
from services.intake.spool.segment_files import SegmentFiles, SpoolSegment

# A segment is replayed whole, so this bounds what is read again after a crash, and the memory of the replay.
SEGMENT_BYTES = 4 * 1024 * 1024

Result = TypeVar("Result")

log = logging.getLogger(__name__)


class SpoolFullError(Exception):
    """The spool or the disk is full, or fails; nothing was written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _PendingWrite:
    records: Sequence[tuple[bytes, bytes]]
    size: int
    done: asyncio.Future[None]


class Spool:
    """Records on disk, oldest first."""

    def __init__(self, folder: Path, max_bytes: int, metrics: SpoolMetrics) -> None:
        self._damage = SpoolDamage(metrics)
        self._segments = SegmentFiles(folder, self._damage)
        self._max_bytes = max_bytes
        self._metrics = metrics
        metrics.bytes_max.set(max_bytes)
        self._bytes = 0
        self._waiting: list[_PendingWrite] = []
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="spool")
        self._writer: asyncio.Task[None] | None = None

    async def open(self, on_leftover: Callable[[Sequence[SpooledRecord]], None]) -> None:
        """Open the folder, and call *on_leftover* with the records of each segment that an earlier process left.

        Raise `SpoolUnusableError` if the folder cannot be used.
        """
        try:
            await self._run_in_thread(self._segments.open)
            while (segment := await self._run_in_thread(self._segments.read_leftover)) is not None:
                on_leftover(segment.records)
                self._add_bytes(segment.size)
                extra = {"action": "spool_left", "records": len(segment.records)}
                log.info("the spool has records of an earlier process", extra=extra)
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """Finish the write under way and unlock the folder."""
        if self._writer is not None:
            await self._writer
        await self._run_in_thread(self._segments.close)
        self._thread.shutdown()

    async def append(self, records: Sequence[tuple[bytes, bytes]]) -> None:
        """Return when *records*, keys and values, are on disk; raise `SpoolFullError` if there is no room."""
        size = record_format.size_of(records)
        if self._bytes + size > self._max_bytes:
            raise SpoolFullError("the bound is reached")
        # Counted before it is written, so that requests that wait together cannot exceed the bound together.
        self._add_bytes(size)
        pending = _PendingWrite(records=records, size=size, done=asyncio.get_running_loop().create_future())
        self._waiting.append(pending)
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write())
        # Shielded from the cancellation of one client: setting the result of a cancelled future would raise in the
        # writer, which serves the whole group.
        await asyncio.shield(pending.done)
        self._metrics.spooled.inc(len(records))

    @property
    def is_empty(self) -> bool:
        """Whether nothing is on disk and nothing waits to be written."""
        return self._bytes == 0

    @property
    def is_intact(self) -> bool:
        """Whether no acknowledged record is unreadable, or all that are have been dealt with by an operator."""
        return self._damage.is_none

    async def oldest(self) -> SpoolSegment | None:
        """Return the oldest segment, sealed; None while it is still being written."""
        return await self._run_in_thread(self._seal_oldest)

    async def keep_damaged(self, segment: SpoolSegment, *, events: int) -> None:
        """Have *segment* kept when it is removed, because *events* of it cannot go to the log."""
        await self._run_in_thread(partial(self._segments.keep_damaged, segment, events=events))

    async def remove(self, segment: SpoolSegment) -> None:
        """Take a segment whose records are on the broker out of the spool."""
        await self._run_in_thread(partial(self._segments.remove, segment))
        self._add_bytes(-segment.size)
        self._metrics.drained.inc(len(segment.records))

    async def _write(self) -> None:
        while self._waiting:
            group, self._waiting = self._waiting, []
            records = [record for one in group for record in one.records]
            try:
                await self._run_in_thread(partial(self._write_to_disk, records))
            except OSError as cause:
                self._fail(group, cause)
            else:
                for one in group:
                    one.done.set_result(None)

    def _fail(self, group: Sequence[_PendingWrite], cause: OSError) -> None:
        # A disk quota fails with EDQUOT where a full disk fails with ENOSPC; both mean that there is no room.
        is_full = cause.errno in {errno.ENOSPC, errno.EDQUOT}
        log.error("the spool cannot be written", exc_info=cause, extra={"action": "spool_failed", "disk_full": is_full})
        for one in group:
            self._add_bytes(-one.size)
            one.done.set_exception(SpoolFullError(str(cause)))

    def _write_to_disk(self, records: Sequence[tuple[bytes, bytes]]) -> None:
        self._segments.append(records)
        if self._segments.length >= SEGMENT_BYTES:
            self._segments.seal()

    def _seal_oldest(self) -> SpoolSegment | None:
        # The segment that is being written is sealed only when no older one is left: it goes on filling meanwhile, and
        # the replay gets few large segments instead of many small ones.
        segment = self._segments.oldest()
        if segment is not None:
            return segment
        self._segments.seal()
        return self._segments.oldest()

    def _add_bytes(self, size: int) -> None:
        self._bytes += size
        self._metrics.bytes.set(self._bytes)

    async def _run_in_thread(self, call: Callable[[], Result]) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._thread, call)
