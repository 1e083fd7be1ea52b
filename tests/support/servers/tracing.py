"""A service whose calls are recorded, and what one request or record calls in it."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from tests.support.assertions.eventually import eventually
from tests.support.servers.services import Service

# Long enough for every background loop to turn at least once.
IDLE_SECONDS = 3.0

# The path of a file and the qualified name of a function in it.
Call = tuple[str, str]


@dataclass(frozen=True, kw_only=True)
class Walk:
    """What one thing calls on its way through a service; the calls of idle background loops are left out."""

    calls: tuple[Call, ...]

    @property
    def files(self) -> list[str]:
        """The files in the order in which they are first entered."""
        return list(dict.fromkeys(path for path, _ in self.calls))

    @property
    def functions(self) -> list[Call]:
        """The functions in the order in which they are first called."""
        return list(dict.fromkeys(self.calls))


class TracedService(Service):
    """One service in a process that records its calls."""

    def __init__(self, name: str, folder: Path, *, environment: Mapping[str, str]) -> None:
        super().__init__(name, folder, environment=environment)
        self._recording = folder / "calls.json"
        arguments = ("-m", "tests.support.servers.traced_process", str(self._recording), "--", f"services.{name}")
        self.program = replace(self.program, command=(sys.executable, *arguments))

    async def trace(self, cause: Callable[[], Awaitable[object]]) -> Walk:
        """Return what *cause* calls in the service beyond what it calls when nothing happens."""
        idle = set(await self._record(lambda: asyncio.sleep(IDLE_SECONDS)))
        return Walk(calls=tuple(call for call in await self._record(cause) if call not in idle))

    async def _record(self, cause: Callable[[], Awaitable[object]]) -> list[Call]:
        self._recording.unlink(missing_ok=True)
        os.kill(self.pid, signal.SIGUSR1)
        await cause()
        os.kill(self.pid, signal.SIGUSR2)
        await eventually(self._recording.exists, "the recording written")
        return [(path, name) for path, name in json.loads(self._recording.read_text(encoding="utf-8"))]
