"""Waves: what waits for the partitions goes together, a batch a partition, and meanwhile the next wave gathers.

So batches grow with the load, and a lone record waits for nothing. The client has one request to a broker under way:
partition by partition they would go one after the other. Knows when to send, and whom to tell; not how it is sent.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from itertools import chain
from typing import NamedTuple

from aiokafka.errors import KafkaError
from aiokafka.structs import RecordMetadata

from services.intake.lanes import Lane, Part, fail
from services.intake.records import Record

Acknowledgement = asyncio.Future[RecordMetadata]

Send = Callable[[int, Sequence[Record]], Awaitable[Acknowledgement]]
"""Hands the records of a partition to the client; may raise `KafkaError`, and so may what it returns."""

OnAppended = Callable[[int, int, Sequence[Record]], None]
"""Told of each acknowledged batch: its partition, the offset of its first record (-1 if unknown), its records."""

log = logging.getLogger(__name__)


class _Sent(NamedTuple):
    """A batch of a partition that is under way."""

    partition: int
    batch: Sequence[Part]
    records: Sequence[Record]
    acknowledgement: Acknowledgement


class _Wave(NamedTuple):
    """What was handed over together, and the clock that runs for all of it."""

    sent: Sequence[_Sent]
    patience: asyncio.TimerHandle


class Waves:
    """Sends what waits in the lanes, a lane a partition, until nothing does."""

    def __init__(self, partitions: int, send: Send, on_appended: OnAppended, *, patience_seconds: float) -> None:
        self._lanes = [Lane() for _ in range(partitions)]
        self._send = send
        self._on_appended = on_appended
        self._patience_seconds = patience_seconds
        self._sending: asyncio.Task[None] | None = None

    def add(self, partition: int, part: Part) -> None:
        """Have *part* sent with the next wave."""
        self._lanes[partition].waiting.append(part)
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
            while (wave := await self._handed_over()) is not None:
                await asyncio.wait([sent.acknowledgement for sent in wave.sent])
                self._tell(wave)
        finally:
            self._sending = None

    async def _handed_over(self) -> _Wave | None:
        """Hand to the client what waits, if anything does."""
        batches = {number: lane.next_batch() for number, lane in enumerate(self._lanes) if lane.waiting}
        if not batches:
            return None
        # One clock for the wave. Who waits behind it waits no longer: with it the bus is given up.
        everybody = tuple(chain.from_iterable(batches.values()))
        patience = asyncio.get_running_loop().call_later(
            self._patience_seconds, fail, everybody, "no acknowledgement yet"
        )
        return _Wave([await self._sent(number, batch) for number, batch in batches.items()], patience)

    async def _sent(self, partition: int, batch: Sequence[Part]) -> _Sent:
        records = [record for part in batch for record in part.records]
        try:
            acknowledgement = await self._send(partition, records)
        except KafkaError as error:
            acknowledgement = asyncio.get_running_loop().create_future()
            acknowledgement.set_exception(error)
        return _Sent(partition, batch, records, acknowledgement)

    def _tell(self, wave: _Wave) -> None:
        """Tell those who wait for *wave* what became of it."""
        for sent in wave.sent:
            error = sent.acknowledgement.exception()
            if error is None:
                base = sent.acknowledgement.result().offset
                self._on_appended(sent.partition, base, sent.records)
                _acknowledge(sent.batch, sent.partition, base + len(sent.records))
            else:
                place = {"action": "append_failed", "partition": sent.partition}
                log.warning("a batch was not acknowledged", exc_info=error, extra=place)
                fail(sent.batch, repr(error))
            self._lanes[sent.partition].under_way = []
        wave.patience.cancel()


def _acknowledge(batch: Iterable[Part], partition: int, end: int) -> None:
    for part in batch:
        part.append.acknowledge(partition, end)
