"""Which partitions this process owns, through rebalances and failures.

A partition is opened in the background while the consumer holds it back, and records of one that is not open are
dropped: opening ends by seeking to the committed offset. A partition that fails is closed and opened anew after a
pause, while the others go on. Fencing, not this bookkeeping, keeps two owners apart.
"""

import asyncio
import contextlib
import gc
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import IllegalStateError, InvalidProducerEpoch, KafkaError, ProducerFenced

from schemas.events.facts import PlanAdopted
from schemas.events.topics import FACTS
from services.rules.partition import BooksMissingError, Partition, Tools
from services.runtime.batch_consumer import Records

FIRST_PAUSE_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 10.0

log = logging.getLogger(__name__)


class Assignment(ConsumerRebalanceListener):  # type: ignore[misc] # aiokafka has no annotations
    """Opens what is assigned, closes what is revoked, and gives each open partition its records."""

    def __init__(self, tools: Tools, *, halt: Callable[[], None], fenced_pause_seconds: float) -> None:
        self._tools = tools
        self._halt = halt
        self._fenced_pause_seconds = fenced_pause_seconds
        self._consumer: Callable[[], AIOKafkaConsumer | None] = lambda: None
        self._open: dict[int, Partition] = {}
        self._opening: dict[int, asyncio.Task[None]] = {}
        self._is_assigned = False

    def consume_from(self, consumer: Callable[[], AIOKafkaConsumer | None]) -> None:
        """Say where the consumer is found once it runs."""
        self._consumer = consumer

    async def is_settled(self) -> bool:
        """Whether the group has given this process its share, and every partition of it is open."""
        return self._is_assigned and not self._opening

    def owned(self, number: int) -> Partition | None:
        """Return the partition if it is open in this process."""
        return self._open.get(number)

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        self._is_assigned = False
        await self.release([one.partition for one in revoked])

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        for one in assigned:
            self._start_opening(one.partition, pause=0.0)
        self._is_assigned = True

    async def on_batch(self, records: Records, _consumer: AIOKafkaConsumer) -> None:
        """Let every partition process its own records, all at once: their commits overlap."""
        shares: dict[int, list[Any]] = {}
        for record in records:
            shares.setdefault(record.partition, []).append(record)
        await asyncio.gather(*(self._process(number, share) for number, share in shares.items()))

    async def announce(self, wanted: Callable[[int], Mapping[str, PlanAdopted]]) -> None:
        """Let every open partition write the adoptions that it lacks."""
        for number, partition in list(self._open.items()):
            await self._attempt(number, partition.announce(wanted(number)))

    async def measure_lag(self) -> None:
        """Tell how far the consumer is behind each open partition's end, markers of transactions included."""
        for number in list(self._open):
            with contextlib.suppress(IllegalStateError):  # taken away since
                end = self._running().highwater(_place(number))
                if end is not None:
                    behind = end - await self._running().position(_place(number))
                    self._tools.metrics.lag.labels(str(number)).set(max(0, behind))

    async def release(self, numbers: Iterable[int] | None = None) -> None:
        """Close the partitions *numbers*, or all; what is being processed is finished first."""
        leaving = {*self._open, *self._opening} if numbers is None else set(numbers)
        await asyncio.gather(*(self._close(number) for number in leaving))

    async def _process(self, number: int, share: list[Any]) -> None:
        partition = self._open.get(number)
        if partition is not None:
            await self._attempt(number, partition.process(share))

    async def _attempt(self, number: int, work: Awaitable[None]) -> None:
        place = {"partition": number}
        try:
            await work
        except (ProducerFenced, InvalidProducerEpoch):
            # Another owner has taken over and this process has not heard of it yet; if it does not within a session,
            # it was the broker that gave up a transaction, and the partition is still ours.
            log.warning("a partition has another owner", extra={"action": "fenced", **place})
            await self._reopen(number, pause=self._fenced_pause_seconds)
        except KafkaError:
            log.warning("a partition is opened anew", exc_info=True, extra={"action": "reopened", **place})
            await self._reopen(number, pause=FIRST_PAUSE_SECONDS)

    async def _reopen(self, number: int, *, pause: float) -> None:
        if number in self._open:
            self._tools.metrics.reopened.inc()
            await self._close(number)
            with contextlib.suppress(IllegalStateError):  # taken away since; whoever has it now opens it
                self._start_opening(number, pause=pause)

    def _start_opening(self, number: int, *, pause: float) -> None:
        self._running().pause(_place(number))
        earlier = self._opening.pop(number, None)
        if earlier is not None:
            earlier.cancel()
        task = asyncio.create_task(self._take_over(number, pause))
        self._opening[number] = task
        task.add_done_callback(self._halt_on_surprise)

    async def _take_over(self, number: int, pause: float) -> None:
        while True:
            await asyncio.sleep(pause)
            try:
                partition = await self._opened(number)
            except (KafkaError, BooksMissingError):
                log.warning("a partition waits", exc_info=True, extra={"action": "waiting", "partition": number})
                pause = min(max(pause * 2, FIRST_PAUSE_SECONDS), LONGEST_PAUSE_SECONDS)
            else:
                await self._settle(number, partition)
                return

    async def _settle(self, number: int, partition: Partition) -> None:
        """Begin to consume, unless the partition was taken away while a client below let no cancellation through."""
        if self._opening.get(number) is not asyncio.current_task():
            await partition.close()
            return
        del self._opening[number]
        self._open[number] = partition
        gc.freeze()  # what is restored lives on: a collection that walked it each time would cost more than the facts
        self._tools.metrics.owned.set(len(self._open))
        with contextlib.suppress(IllegalStateError):  # taken away since
            self._running().resume(_place(number))

    async def _opened(self, number: int) -> Partition:
        """Open a partition and lead the consumer to its committed offset, which stands still once others are fenced."""
        async with contextlib.AsyncExitStack() as stack:
            partition = Partition(number, self._tools)
            stack.push_async_callback(partition.close)
            await partition.open()
            consumer, place = self._running(), _place(number)
            committed = await consumer.committed(place)
            offset = (await consumer.beginning_offsets([place]))[place] if committed is None else committed
            partition.start_at(offset)
            consumer.seek(place, offset)
            stack.pop_all()
        return partition

    def _running(self) -> AIOKafkaConsumer:
        consumer = self._consumer()
        if consumer is None:
            raise IllegalStateError("the consumer is stopping")
        return consumer

    async def _close(self, number: int) -> None:
        opening = self._opening.pop(number, None)
        if opening is not None:
            opening.cancel()
            await asyncio.wait([opening])
        partition = self._open.pop(number, None)
        if partition is not None:
            await partition.close()
            self._tools.metrics.lag.labels(str(number)).set(0)  # its new owner tells it; this process no longer knows
        self._tools.metrics.owned.set(len(self._open))

    def _halt_on_surprise(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and task.exception() is not None:
            log.critical("a partition cannot be opened", exc_info=task.exception(), extra={"action": "halted"})
            self._halt()


def _place(number: int) -> TopicPartition:
    return TopicPartition(FACTS.name, number)
