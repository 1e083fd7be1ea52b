"""Waves: what waits for the partitions goes together, a batch a partition, and meanwhile the next wave gathers.

So batches grow with the load, and a lone record waits for nothing. Knows when to send, and whom to tell; not how it is
sent.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from itertools import chain

from services.intake.log.partition_queue import Lane, Part, fail
from services.intake.log.producer import Batches, Outcome
from services.intake.log.records import Lot

Produce = Callable[[Batches], Awaitable[Mapping[int, Outcome]]]
"""Sends a batch a partition, and returns what became of each."""

OnAppended = Callable[[int, int, Sequence[Lot]], None]
"""Told of each acknowledged batch: its partition, the offset of its first record (-1 if unknown), its records."""

TURNS = 3
"""Of the loop between two waves: under load much arrives in them and goes along; else they take no time to speak of."""

log = logging.getLogger(__name__)


class Waves:
    """Sends what waits in the lanes, a lane a partition, until nothing does."""

    def __init__(self, partitions: int, produce: Produce, on_appended: OnAppended, *, patience_seconds: float) -> None:
        self._lanes = [Lane() for _ in range(partitions)]
        self._produce = produce
        self._on_appended = on_appended
        self._patience_seconds = patience_seconds
        self._sending: asyncio.Task[None] | None = None

    def add(self, part: Part) -> None:
        """Have *part* sent with the next wave."""
        self._lanes[part.lot.partition].waiting.append(part)
        if self._sending is None:
            self._sending = asyncio.create_task(self._send_all())

    def give_up(self, why: str) -> None:
        """Tell everybody whose records wait or are under way that the bus is down."""
        for lane in self._lanes:
            lane.give_up(why)

    async def stop(self) -> None:
        """Send nothing more."""
        if self._sending is not None:
            self._sending.cancel()
            await asyncio.gather(self._sending, return_exceptions=True)

    async def _send_all(self) -> None:
        try:
            while wave := {number: lane.next_batch() for number, lane in enumerate(self._lanes) if lane.waiting}:
                await self._send(wave)
                for _ in range(TURNS):
                    await asyncio.sleep(0)
        finally:
            self._sending = None

    async def _send(self, wave: Mapping[int, Sequence[Part]]) -> None:
        # One clock for the wave. Who waits behind it waits no longer: with it the bus is given up.
        everybody = tuple(chain.from_iterable(wave.values()))
        patience = asyncio.get_running_loop().call_later(
            self._patience_seconds, fail, everybody, "no acknowledgement yet"
        )
        batches = {partition: [part.lot for part in batch] for partition, batch in wave.items()}
        outcomes = await self._produce(batches)
        for partition, batch in wave.items():
            self._tell(batch, batches[partition], outcomes[partition])
            self._lanes[partition].under_way = []
        patience.cancel()

    def _tell(self, batch: Sequence[Part], lots: Sequence[Lot], outcome: Outcome) -> None:
        """Tell those who wait for *batch* what became of it."""
        partition = lots[0].partition
        if outcome.error is not None:
            place = {"action": "append_failed", "partition": partition}
            log.warning("a batch was refused", exc_info=outcome.error, extra=place)
            fail(batch, repr(outcome.error))
            return
        self._on_appended(partition, outcome.offset, lots)
        end = outcome.offset + sum(map(len, lots))
        for part in batch:
            part.append.acknowledge(partition, end)
