"""How long a task may take, with one timer for all of them: what is in time pays next to nothing for the bound.

A late task is cancelled where it waits; it asks here whether that is why.
"""

import asyncio


class Patience:
    """Bounds what tasks do between `begin` and `end`, to *seconds* and at most a tenth more."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._loop: asyncio.AbstractEventLoop | None = None
        self._begun: dict[asyncio.Task[object], float] = {}
        self._late: set[asyncio.Task[object]] = set()
        self._timer: asyncio.TimerHandle | None = None

    def begin(self) -> asyncio.Task[object]:
        """Start the clock for the running task, and return the task. It must be ended."""
        task = asyncio.current_task(self._loop)
        if task is None:
            raise RuntimeError("only a task can be cancelled")
        loop = self._loop = task.get_loop()
        self._begun[task] = loop.time()
        if self._timer is None:
            self._timer = loop.call_later(self.seconds / 10, self._look, loop)
        return task

    def end(self, task: asyncio.Task[object]) -> None:
        """Stop the clock of *task*."""
        del self._begun[task]

    def is_over(self, task: asyncio.Task[object]) -> bool:
        """Whether *task* was cancelled for being late, and not by somebody else besides. It may then go on."""
        if task not in self._late:
            return False
        self._late.discard(task)
        return task.uncancel() == 0

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        self._timer = loop.call_later(self.seconds / 10, self._look, loop) if self._begun else None
        since = loop.time() - self.seconds
        # The oldest stand first.
        for task, begun_at in self._begun.items():
            if begun_at > since:
                return
            if task not in self._late:
                self._late.add(task)
                task.cancel()
