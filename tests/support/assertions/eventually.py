"""Wait until a condition holds, instead of sleeping long enough. The timeout error names the condition."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from typing import TypeVar, overload

Found = TypeVar("Found")
POLL_SECONDS = 0.05


class NeverHappenedError(AssertionError):
    """The condition that a test waited for did not hold in time."""


@overload
async def eventually(probe: Callable[[], Awaitable[Found | None]], what: str, timeout: float = ...) -> Found: ...
@overload
async def eventually(probe: Callable[[], Found | None], what: str, timeout: float = ...) -> Found: ...
async def eventually(probe: Callable[[], object], what: str, timeout: float = 60.0) -> object:
    """Call *probe*, sync or async, until its result is truthy, and return that; *what* describes it for the error."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + timeout
    while True:
        answer = probe()
        found = await answer if inspect.isawaitable(answer) else answer
        if found:
            return found
        if loop.time() > deadline:
            raise NeverHappenedError(f"never saw {what} within {timeout:g} s; the last answer was {found!r}")
        await asyncio.sleep(POLL_SECONDS)
