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

# For the effects of what happened before, for example until the service has read back what it wrote to the log.
SETTLE_SECONDS = 1.0

# Longer than the longest pause of a background loop, one second, and than the half second between two polls.
IDLE_SECONDS = 1.2

MIN_IDLE_WINDOWS = 2
MAX_IDLE_WINDOWS = 6

# The path of a file and the qualified name of a function in it.
Call = tuple[str, str]

Action = Callable[[], Awaitable[object]]


@dataclass(frozen=True, kw_only=True)
class Walk:
    """What one thing calls on its way through a service."""

    recorded: tuple[Call, ...]
    """Every call between the cause and its effect, those of background loops included."""

    idle: frozenset[Call]
    """The functions that the service calls when nothing happens."""

    @property
    def calls(self) -> tuple[Call, ...]:
        """The calls of functions that the service does not call when nothing happens."""
        return tuple(call for call in self.recorded if call not in self.idle)

    @property
    def files(self) -> list[str]:
        """The files in the order in which they are first entered."""
        return list(dict.fromkeys(path for path, _ in self.calls))

    @property
    def functions(self) -> list[Call]:
        """The functions in the order in which they are first called."""
        return list(dict.fromkeys(self.calls))

    def until(self, path: str) -> "Walk":
        """Return the walk up to the last call in the file *path*."""
        last = max(index for index, call in enumerate(self.recorded) if call[0] == path)
        return replace(self, recorded=self.recorded[: last + 1])

    def within(self, *folders: str) -> "Walk":
        """Return the calls in files of *folders*, each with a slash at its end."""
        return replace(self, recorded=tuple(call for call in self.recorded if call[0].startswith(folders)))


class TracedService(Service):
    """One service in a process that records its calls."""

    def __init__(self, name: str, folder: Path, *, environment: Mapping[str, str]) -> None:
        super().__init__(name, folder, environment=environment)
        self._recording = folder / "calls.json"
        arguments = ("-m", "tests.support.servers.traced_process", str(self._recording), "--", f"services.{name}")
        self.program = replace(self.program, command=(sys.executable, *arguments))

    async def trace(self, cause: Action, *, warm_up: Action, without: str = "") -> Walk:
        """Return what the service calls from the start of *cause* until it returns, and what it calls when idle.

        *warm_up* comes before *cause* and is not recorded. It fills caches and opens connections. What the function
        *without* calls, directly or through others, is left out.
        """
        await asyncio.sleep(SETTLE_SECONDS)
        idle = await self._record_idle_calls()
        await warm_up()
        await asyncio.sleep(SETTLE_SECONDS)
        return Walk(recorded=tuple(await self._record(cause, without=without)), idle=idle)

    async def _record_idle_calls(self) -> frozenset[Call]:
        """Record idle windows until one shows nothing new: on a busy machine a loop may miss a window."""
        seen: set[Call] = set()
        for count in range(1, MAX_IDLE_WINDOWS + 1):
            window = set(await self._record(lambda: asyncio.sleep(IDLE_SECONDS)))
            if count >= MIN_IDLE_WINDOWS and window <= seen:
                return frozenset(seen)
            seen |= window
        raise AssertionError(f"{self.program.name} did not become idle in {MAX_IDLE_WINDOWS} windows")

    async def _record(self, cause: Action, *, without: str = "") -> list[Call]:
        self._recording.unlink(missing_ok=True)
        os.kill(self.pid, signal.SIGUSR1)
        await cause()
        os.kill(self.pid, signal.SIGUSR2)
        await eventually(self._recording.exists, "the recording written")
        entries = json.loads(self._recording.read_text(encoding="utf-8"))
        # Jinja compiles a template to a function that bears the template's path; a template is text, not code.
        return [(path, name) for path, name, callers in entries if without not in callers and path.endswith(".py")]
