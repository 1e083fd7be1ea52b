"""The spool: accepted records kept on this machine's disk while the bus is away, bounded, with one fsync for many.

Everything waits in one queue for one writer: while it syncs, the next group gathers. So a thousand requests share a
sync, and no two touch the files at once.
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

from services.intake.metrics import IntakeMetrics
from services.intake.spool import record_format
from services.intake.spool.record_format import Kept
from services.intake.spool.segment_files import Segment, Segments

SEGMENT_BYTES = 4 * 1024 * 1024
"""A segment is drained whole, so this bounds what is sent again after a crash, and the memory of draining."""

Answer = TypeVar("Answer")

log = logging.getLogger(__name__)


class SpoolFullError(Exception):
    """The spool has reached its bound, or the disk has; nothing was kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Waiting:
    content: bytes
    done: asyncio.Future[None]


class Spool:
    """Records on disk, oldest first."""

    def __init__(self, folder: Path, max_bytes: int, metrics: IntakeMetrics) -> None:
        self._segments = Segments(folder)
        self._max_bytes = max_bytes
        self._metrics = metrics
        metrics.spool_bytes_max.set(max_bytes)
        self._bytes = 0
        self._waiting: list[_Waiting] = []
        self._is_writing = False
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="spool")
        self._writer: asyncio.Task[None] | None = None

    async def open(self, left: Callable[[Sequence[Kept]], None]) -> None:
        """Take the folder, and hand to *left* what an earlier process did not get to the bus."""
        for segment in await self._in_thread(lambda: list(self._segments.open())):
            left(segment.records)
            self._grow(len(record_format.framed(segment.records)))
            log.info(
                "the spool has records from before", extra={"action": "spool_left", "records": len(segment.records)}
            )

    async def close(self) -> None:
        """Finish what is being written and give the folder free."""
        if self._writer is not None:
            await self._writer
        await self._in_thread(self._segments.close)
        self._thread.shutdown()

    async def append(self, records: Sequence[tuple[bytes, bytes]]) -> None:
        """Return when *records*, keys and values, are on disk; raise `SpoolFullError` when there is no room."""
        content = record_format.framed(records)
        if self._bytes + len(content) > self._max_bytes:
            raise SpoolFullError("the bound is reached")
        # The room is taken at once, so that those who wait together cannot go beyond the bound together.
        self._grow(len(content))
        waiting = _Waiting(content=content, done=asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write())
        await asyncio.shield(waiting.done)
        self._metrics.spooled.inc(len(records))

    @property
    def is_empty(self) -> bool:
        """Whether nothing is on disk and nothing waits to be."""
        return self._bytes == 0

    async def oldest(self) -> Segment | None:
        """Return the oldest records, sealed off from those still to come, or nothing while they are being written."""
        return await self._in_thread(self._sealed_oldest)

    async def remove(self, segment: Segment) -> None:
        """Forget a segment whose records are on the bus."""
        self._grow(-await self._in_thread(partial(self._segments.remove, segment)))
        self._metrics.drained.inc(len(segment.records))

    async def _write(self) -> None:
        while self._waiting:
            group, self._waiting = self._waiting, []
            content = b"".join(one.content for one in group)
            try:
                await self._in_thread(partial(self._to_disk, content))
            except OSError as cause:
                self._fail(group, cause)
            else:
                for one in group:
                    one.done.set_result(None)

    def _fail(self, group: Sequence[_Waiting], cause: OSError) -> None:
        is_full = cause.errno in {errno.ENOSPC, errno.EDQUOT}
        log.error("the spool cannot be written", exc_info=cause, extra={"action": "spool_failed", "disk_full": is_full})
        for one in group:
            self._grow(-len(one.content))
            one.done.set_exception(SpoolFullError(str(cause)))

    def _to_disk(self, content: bytes) -> None:
        self._segments.append(content)
        if self._segments.length >= SEGMENT_BYTES:
            self._segments.seal()

    def _sealed_oldest(self) -> Segment | None:
        segment = self._segments.oldest()
        if segment is not None:
            return segment
        self._segments.seal()
        return self._segments.oldest()

    def _grow(self, size: int) -> None:
        self._bytes += size
        self._metrics.spool_bytes.set(self._bytes)

    async def _in_thread(self, call: Callable[[], Answer]) -> Answer:
        return await asyncio.get_running_loop().run_in_executor(self._thread, call)
