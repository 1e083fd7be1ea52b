"""Whether the alerts of this project are true or silent, as a real Prometheus finds that scrapes running services."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

from services.runtime import background
from tests.support.assertions.eventually import eventually
from tests.support.processes import prometheus
from tests.support.processes.prometheus import Prometheus

ALERT_SECONDS = 120.0
PAUSE_SECONDS = 0.5


class AlertWatch:
    """Waits until alerts are true or silent. How long an alert has to hold (`for`) is not waited for."""

    def __init__(self, server: Prometheus) -> None:
        self._server = server
        self._expressions = prometheus.load_expressions()

    async def expect(self, *names: str) -> None:
        """Wait until each of these alerts is true."""
        for name in names:
            query = partial(self._server.query, self._expressions[name])
            await eventually(query, f"{name} to be true", timeout=ALERT_SECONDS)

    async def expect_silence(self, *names: str) -> None:
        """Wait until each of these alerts is not true."""
        for name in names:
            await eventually(partial(self._is_silent, name), f"{name} to be silent", timeout=ALERT_SECONDS)

    async def expect_while(self, ask: Callable[[], Awaitable[object]], *names: str) -> None:
        """Wait until each of these alerts is true, while a client asks again and again."""
        asking = asyncio.create_task(_repeat(ask))
        try:
            await self.expect(*names)
        finally:
            await background.cancel(asking)

    def _is_silent(self, name: str) -> bool:
        return self._server.query(self._expressions[name]) == []


StartWatch = Callable[..., AlertWatch]


async def _repeat(ask: Callable[[], Awaitable[object]]) -> None:
    while True:
        await ask()
        await asyncio.sleep(PAUSE_SECONDS)
