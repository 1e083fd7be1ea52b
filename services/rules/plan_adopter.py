"""Watches the published documents and the horizon, and lets the owned partitions adopt what is new.

The clock only moves the horizon here; no status and no alert depends on when this runs.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial

from schemas.events.facts import PlanAdopted
from services.rules import adoption
from services.rules.duty_catalogues import Books
from services.rules.partitions import Assignment
from services.runtime.clock import Clock
from services.runtime.published_documents import PublishedDocuments

LOOK_SECONDS = 1.0  # between looks at the clock; a published document is looked at once it is here

log = logging.getLogger(__name__)


class Announcer:
    """Runs beside the consumer from `start` to `stop`."""

    def __init__(self, books: Books, assignment: Assignment, *, clock: Clock) -> None:
        self._books = books
        self._assignment = assignment
        self._clock = clock
        self._news = asyncio.Event()
        self._looking: asyncio.Task[None] | None = None

    def start(self, references: PublishedDocuments, *, halt: Callable[[], None]) -> None:
        references.on_change.append(self._news.set)
        self._looking = asyncio.create_task(self._look())
        self._looking.add_done_callback(lambda task: _halt_on_surprise(task, halt))

    async def stop(self) -> None:
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.wait([self._looking])

    async def _look(self) -> None:
        while True:
            now = self._clock.now()
            for book in self._books.all_latest():
                await self._books.prepare(book, adoption.horizon(now))
            await self._assignment.announce(partial(self._wanted, now=now))
            await self._assignment.measure_lag()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), LOOK_SECONDS)
            self._news.clear()

    def _wanted(self, partition: int, *, now: datetime) -> Mapping[str, PlanAdopted]:
        books = self._books.all_latest()
        return {book.plan.plan: adoption.wanted(book, partition=partition, now=now) for book in books}


def _halt_on_surprise(task: asyncio.Task[None], halt: Callable[[], None]) -> None:
    if not task.cancelled() and task.exception() is not None:
        log.critical("adoption has failed", exc_info=task.exception(), extra={"action": "halted"})
        halt()
