"""Run what takes long in a thread, so that other requests are answered meanwhile."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

Result = TypeVar("Result")

_WORK_MAX = 300  # records that are decoded, or duties that are described, without a thread


async def run(function: Callable[[], Result], *, work: int) -> Result:
    """Return what *function* returns, from a thread if it has a lot of *work*.

    Handing over to a thread costs as much as a few duties; ten thousand take tenths of a second.
    """
    return await asyncio.to_thread(function) if work > _WORK_MAX else function()
