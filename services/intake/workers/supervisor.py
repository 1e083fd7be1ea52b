"""The clerks of one intake process: started, given papers, replaced when they end or say nothing any more."""

import asyncio
import contextlib
import logging
import socket
import sys
from collections.abc import Callable

from services.intake.cloudevents.pipeline import Handed, Issued
from services.intake.metrics import IntakeMetrics
from services.intake.workers.protocol import Papers
from services.intake.workers.shared_memory import Trays, new_memory
from services.intake.workers.worker_connection import Line

PROGRAM = ("-m", "services.intake.workers.worker")
SILENCE_SECONDS = 2.0
"""A clerk that owes an answer for so long is replaced; the largest batch takes it a tenth of that."""

AGAIN_SECONDS = 1.0

log = logging.getLogger(__name__)


class Staff:
    """As many clerks as wanted, none by default. *papers* gives what they work by: the same object until it changes."""

    def __init__(self, wanted: int, papers: Callable[[], Papers], metrics: IntakeMetrics) -> None:
        self._wanted = wanted
        self._papers = papers
        self._metrics = metrics
        self._lines: list[Line] = []

    async def issued(self, handed: Handed) -> Issued | None:
        """Return what a clerk makes of *handed*; nothing where none is there or none can: it must be done here."""
        if not self._lines:
            return None
        line = min(self._lines, key=_load)
        return await line.ask(handed, self._papers())

    async def supervise(self) -> None:
        """Keep the clerks at work until cancelled."""
        async with asyncio.TaskGroup() as group:
            for _ in range(self._wanted):
                group.create_task(self._keep_one())

    async def _keep_one(self) -> None:
        while True:
            try:
                await self._employ()
                log.warning("a clerk has ended", extra={"action": "clerk_ended"})
            except OSError:  # no more processes or descriptors; intake needs none of its clerks
                log.exception("a clerk cannot be started", extra={"action": "clerk_missing"})
            await asyncio.sleep(AGAIN_SECONDS)

    async def _employ(self) -> None:
        """Start a clerk and return when it has ended."""
        loop = asyncio.get_running_loop()
        ours, theirs = socket.socketpair()
        with ours, theirs, new_memory() as memory:
            numbers = theirs.fileno(), memory.fileno()
            trays = Trays(memory.fileno())
            clerk = await asyncio.create_subprocess_exec(sys.executable, *PROGRAM, *map(str, numbers), pass_fds=numbers)
            try:
                theirs.close()  # else the clerk would never hear the end
                _, line = await loop.create_unix_connection(lambda: Line(loop, trays), sock=ours)
                await self._give_work(line)
            finally:
                with contextlib.suppress(ProcessLookupError):
                    clerk.kill()
                await clerk.wait()

    async def _give_work(self, line: Line) -> None:
        """Have the clerk share in the work, once it has begun, until it ends or is stuck."""
        await asyncio.wait([line.is_open, line.has_ended], return_when=asyncio.FIRST_COMPLETED)
        self._lines.append(line)
        self._metrics.clerks.set(len(self._lines))
        try:
            while not line.has_ended.done() and not line.is_stuck(SILENCE_SECONDS):
                await asyncio.wait([line.has_ended], timeout=SILENCE_SECONDS / 4)
        finally:
            self._lines.remove(line)
            self._metrics.clerks.set(len(self._lines))
            line.hang_up()


def _load(line: Line) -> int:
    return line.waiting_bytes
