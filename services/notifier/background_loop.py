"""What runs beside the consumer: turns taken again and again, at once while there is work, else after a tick.

Looking at short intervals, instead of sleeping until an instant, lets a steered clock jump and a machine sleep.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable

from aiokafka.errors import KafkaError

from services.notifier.errors import LedgerUnavailableError

RECOVERABLE = (LedgerUnavailableError, KafkaError)
TROUBLE_SECONDS = 1.0
GRACE_SECONDS = 15.0  # for the turn under way when the service stops: its sends are answered and recorded

Turn = Callable[[], Awaitable[bool]]
"""Does some work and says whether there may be more."""

log = logging.getLogger(__name__)


class Loop:
    """Takes turns from `start` to `stop`. What a turn raises, other than that a server is away, halts the process."""

    def __init__(self, turn: Turn, *, tick_seconds: float) -> None:
        self._turn = turn
        self._tick_seconds = tick_seconds
        self._woken = asyncio.Event()
        self._is_stopping = False
        self._task: asyncio.Task[None] | None = None

    def start(self, halt: Callable[[], None]) -> None:
        self._task = asyncio.create_task(self._run())
        self._task.add_done_callback(lambda task: _halt_on_surprise(task, halt))

    def wake(self) -> None:
        """Take the next turn now."""
        self._woken.set()

    async def stop(self) -> None:
        """Let the turn under way end, and take no other."""
        self._is_stopping = True
        self.wake()
        if self._task is not None:
            await asyncio.wait([self._task], timeout=GRACE_SECONDS)
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _run(self) -> None:
        while not self._is_stopping:
            try:
                is_busy = await self._turn()
            except RECOVERABLE:
                log.warning("a turn waits for a server", exc_info=True, extra={"action": "turn_waiting"})
                await asyncio.sleep(TROUBLE_SECONDS)
                continue
            if not is_busy:
                await self._rest()

    async def _rest(self) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._woken.wait(), self._tick_seconds)
        self._woken.clear()


def _halt_on_surprise(task: "asyncio.Task[None]", halt: Callable[[], None]) -> None:
    if not task.cancelled() and task.exception() is not None:
        log.critical("a turn has failed", exc_info=task.exception(), extra={"action": "halted"})
        halt()
