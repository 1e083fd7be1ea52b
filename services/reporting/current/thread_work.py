"""Run what takes long in a thread, so that other requests are answered meanwhile."""

import asyncio
import gc
from collections.abc import Callable
from typing import TypeVar

Result = TypeVar("Result")

# Records, of which the objects stay for as long as the service runs, or until others take their place.
_LOADED_MIN = 1_000
_MIDDLE_GENERATION = 1  # of the collector's three: with the youngest a hundred thousand objects, which take 10 ms
_WORK_MAX = 300  # records that are decoded, or duties that are described, without a thread


async def run(function: Callable[[], Result], *, work: int) -> Result:
    """Return what *function* returns, from a thread if it has a lot of *work*.

    Handing over to a thread costs as much as a few duties; ten thousand take tenths of a second.
    """
    return await asyncio.to_thread(function) if work > _WORK_MAX else function()


async def load(function: Callable[[], Result], *, work: int, fresh: int) -> Result:
    """Do what `run` does; if many *fresh* records were read in it, no garbage collection walks what they became.

    A full collection over the duties and figures of ten thousand agencies stops everything for a quarter of a second.
    They hold no cycles. What else is in use at that moment is passed over as well, which may be some cycles of a few
    requests: so only what is read after a start or in a new database is loaded, and not what follows each verdict. What
    is garbage by then is collected first, as far as it is young: passed over, it would stay for ever.
    """
    result = await run(function, work=work)
    if fresh >= _LOADED_MIN:
        gc.collect(_MIDDLE_GENERATION)
        gc.freeze()
    return result
