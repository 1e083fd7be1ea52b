"""Background loops: run a turn again and again, at once while there is work, else after a short wait.

A loop looks at the clock at short intervals instead of sleeping until an instant: a steered clock may jump, and a
machine may be suspended.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable

from aiokafka.errors import KafkaError

from services.notifier.errors import LedgerUnavailableError
from services.runtime import background

RECOVERABLE = (LedgerUnavailableError, KafkaError)
RETRY_SECONDS = 1.0
GRACE_SECONDS = 15.0  # for the turn in progress at the stop of the service: its sends are answered and recorded

# Does some work, and returns True if there may be more.
Turn = Callable[[], Awaitable[bool | None]]

log = logging.getLogger(__name__)


class BackgroundLoop:
    """Runs *turn* from `start` to `stop`, every *tick_seconds* and whenever *wake* is set.

    A turn that raises one of `RECOVERABLE` is run again. Any other exception halts the process.
    """

    def __init__(self, turn: Turn, *, tick_seconds: float, wake: asyncio.Event | None = None) -> None:
        self._turn = turn
        self._tick_seconds = tick_seconds
        self._wake = wake or asyncio.Event()
        self._is_stopping = False
        self._task: asyncio.Task[None] | None = None

    def start(self, halt: Callable[[], None]) -> None:
        self._task = background.start(self._run(), halt=halt, failure="a background loop has failed")

    async def stop(self) -> None:
        """Let the turn in progress end, and start no other."""
        self._is_stopping = True
        self._wake.set()
        await background.cancel(self._task, grace_seconds=GRACE_SECONDS)

    async def _run(self) -> None:
        while not self._is_stopping:
            try:
                has_more = await self._turn()
            except RECOVERABLE as cause:
                # The driver's error quotes what was to be written, which may be an address. Its class is enough.
                details = {"action": "turn_waiting", "reason": type(cause.__cause__ or cause).__name__}
                log.warning("a server is away; the turn is repeated", extra=details)
                await asyncio.sleep(RETRY_SECONDS)
                continue
            if not has_more:
                await self._wait()

    async def _wait(self) -> None:
        # The event is cleared after the wait and before the turn: what sets it during the turn starts another one.
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._wake.wait(), self._tick_seconds)
        self._wake.clear()


def run_in_order(*turns: Turn) -> Turn:
    """Return a turn that runs *turns* one after another; there may be more work if any of them says so."""

    async def run_all() -> bool:
        results = [await turn() for turn in turns]
        return any(results)

    return run_all
