"""Background tasks of a service: start them, halt the process when one fails, and cancel them when the service stops.

A task that fails unseen is worse than a process that ends: the service would go on answering while part of its work
has stopped. So a failure is logged and the process halts; its supervisor starts it again.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

# For what a task closes on its way out: a consumer lets its batch end and leaves its group.
CANCEL_SECONDS = 10.0

log = logging.getLogger(__name__)


class StrayCancellationError(Exception):
    """Something that the task awaited was cancelled, and not the task; the process is started again."""


def start(work: Coroutine[Any, Any, None], *, halt: Callable[[], None], failure: str) -> "asyncio.Task[None]":
    """Run *work* as a task. If it raises, log the constant sentence *failure* and call *halt*; `cancel` does neither.

    A `CancelledError` that nobody asked for is a failure as well. It comes from something that *work* awaits: aiokafka
    cancels futures of its own and lets the error escape. The task would end, and nobody would do its work.

    The caller keeps the task: the event loop itself holds only a weak reference to it.
    """
    task = asyncio.create_task(work)
    halt_on_failure(task, halt=halt, failure=failure)
    return task


def halt_on_failure(task: "asyncio.Task[None]", *, halt: Callable[[], None], failure: str) -> None:
    """Log *failure* and call *halt* when *task* ends with an exception, or as cancelled though nobody cancelled it."""

    def on_done(done: "asyncio.Task[None]") -> None:
        if done.cancelled():
            cause: BaseException | None = None if done.cancelling() else StrayCancellationError()
        else:
            cause = done.exception()
        if cause is not None:
            log.critical(failure, exc_info=cause, extra={"action": "halted"})
            halt()

    task.add_done_callback(on_done)


async def cancel(*tasks: "asyncio.Task[Any] | None", grace_seconds: float = 0.0) -> None:
    """Give *tasks* *grace_seconds* to end by themselves, then cancel them and wait until they have ended.

    It raises nothing of what they raise: a failure was reported when it happened. None stands for a task not started.
    A task that a client library keeps from ending is left behind after a while, so that the service can stop.
    """
    running = [task for task in tasks if task is not None]
    if not running:
        return
    if grace_seconds > 0:
        await asyncio.wait(running, timeout=grace_seconds)
    for task in running:
        task.cancel()
    _, left = await asyncio.wait(running, timeout=CANCEL_SECONDS)
    if left:
        names = [str(task.get_coro()) for task in left]
        log.error("tasks have not ended although they were cancelled", extra={"action": "tasks_left", "tasks": names})


async def wait_at_most(seconds: float, work: Coroutine[Any, Any, None]) -> bool:
    """Return whether *work* ends within *seconds*, and raise what it raises; afterwards it is left to itself.

    A cancelled transaction aborts itself, which may take for ever as well. So nobody waits for that.
    """
    task = asyncio.ensure_future(work)
    try:
        done, _ = await asyncio.wait({task}, timeout=seconds)
    except asyncio.CancelledError:
        task.cancel()
        raise
    if not done:
        task.cancel()
        return False
    task.result()
    return True
