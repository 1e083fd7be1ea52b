"""Work that several ask for at once is done once: who asks while it runs waits for the same answer.

When a verdict has come, every page that is open asks for the same figures anew. A page that was given up meanwhile ends
nothing: the answer is kept for the next.
"""

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from typing import Any, Generic, TypeVar

Answer = TypeVar("Answer")


class SharedWork(Generic[Answer]):
    """What is being worked out, by the question and what its answer rests on."""

    def __init__(self) -> None:
        self._running: dict[Hashable, asyncio.Task[Answer]] = {}

    async def run(self, question: Hashable, make: Callable[[], Coroutine[Any, Any, Answer]]) -> Answer:
        """Return what *make* returns or raises, or what it does for whoever asked *question* first."""
        task = self._running.get(question)
        if task is None:
            task = self._running[question] = asyncio.create_task(make())
            task.add_done_callback(lambda _task: self._running.pop(question))
        return await asyncio.shield(task)
