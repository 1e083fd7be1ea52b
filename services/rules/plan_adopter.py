"""Watches the published documents and the horizon, and lets the owned partitions adopt what is new.

Agencies that report nothing matter most. Their duties exist because a plan was adopted and the horizon moved, not
because somebody sent something. An adoption is therefore a fact of its own, which the owner of a partition appends to
that partition of the log. The clock only moves the horizon here; no status and no alert depends on when this runs.
"""

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Protocol

from schemas.events.facts import ADOPTED, PlanAdopted
from schemas.events.ids import digest
from services.rules.core.duty_catalogue import DutyCatalogue
from services.rules.duty_catalogues import DutyCatalogues
from services.runtime import background
from services.runtime.clock import Clock
from services.runtime.kafka.published_documents import PublishedDocuments

MONTHS_AHEAD = 13  # a year and the month in which the next one is prepared
SOURCE = "dondoc/rules"
CHECK_INTERVAL_SECONDS = 1.0  # between looks at the clock; a newly published document is taken at once


class OwnedPartitions(Protocol):
    """The partitions that this process owns, as `services.rules.partitions` provides them."""

    async def adopt_plans(self, adoptions: Callable[[int], Mapping[str, PlanAdopted]]) -> None: ...


class PlanAdopter:
    """Runs beside the consumer from `start` to `stop`."""

    def __init__(self, catalogues: DutyCatalogues, partitions: OwnedPartitions, *, clock: Clock) -> None:
        self._catalogues = catalogues
        self._partitions = partitions
        self._clock = clock
        self._documents_changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self, references: PublishedDocuments, *, halt: Callable[[], None]) -> None:
        """Begin to watch *references* and the clock; a failure ends in *halt*."""
        references.on_change.append(self._documents_changed.set)
        self._task = background.start(self._run(), halt=halt, failure="adopting plans failed")

    async def stop(self) -> None:
        await background.cancel(self._task)

    async def _run(self) -> None:
        while True:
            now = self._clock.now()
            # Listing the duties of a large plan takes seconds. Done here in small steps, it blocks no consumer later.
            for catalogue in self._catalogues.all_latest():
                await self._catalogues.prepare(horizon(now), catalogue)
            await self._partitions.adopt_plans(partial(self._adoptions_for, now=now))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._documents_changed.wait(), CHECK_INTERVAL_SECONDS)
            self._documents_changed.clear()

    def _adoptions_for(self, partition: int, *, now: datetime) -> Mapping[str, PlanAdopted]:
        catalogues = self._catalogues.all_latest()
        return {one.plan.plan: plan_adoption(one, partition=partition, now=now) for one in catalogues}


def plan_adoption(catalogue: DutyCatalogue, *, partition: int, now: datetime) -> PlanAdopted:
    """Return what the owner of *partition* should have adopted by *now*."""
    return PlanAdopted(
        plan=catalogue.plan.plan,
        plan_version=catalogue.plan.version,
        registry=catalogue.registry.registry,
        registry_version=catalogue.registry.version,
        partition=partition,
        horizon=horizon(now),
    )


def horizon(now: datetime) -> datetime:
    """Return the first of the month that is at least `MONTHS_AHEAD` whole months after *now*.

    It moves a month at a time, so that a partition adopts a plan anew twelve times a year, not every second.
    """
    months = now.astimezone(UTC).year * 12 + now.astimezone(UTC).month + MONTHS_AHEAD
    return datetime(months // 12, months % 12 + 1, 1, tzinfo=UTC)


def encode_adoption_event(adoption: PlanAdopted, *, now: datetime) -> bytes:
    """Encode *adoption* as a CloudEvent; the same adoption has the same id, whichever process writes it and when."""
    stamp = now.isoformat(timespec="milliseconds")
    data = adoption.model_dump_json()
    event_id = digest(data)
    head = f'"specversion":"1.0","id":"{event_id}","source":"{SOURCE}","type":"{ADOPTED}","subject":"{adoption.plan}"'
    times = f'"time":"{stamp}","receivedtime":"{stamp}","datacontenttype":"application/json"'
    return f'{{{head},{times},"data":{data}}}'.encode()
