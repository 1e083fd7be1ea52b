"""The partitions that the consumer group has assigned to this process, through rebalances and failures.

A partition is opened in the background while the consumer is paused for it, and records of one that is not open are
dropped: opening ends by seeking to where its state ends. A partition that fails is closed and opened again after a
delay, while the others go on. Fencing keeps two owners apart; the bookkeeping here does not need to.
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
from services.rules.partition import LogReplacedError, Partition
from services.rules.restore import AdoptedDocumentsMissingError, PartitionDependencies
from services.runtime import background
from services.runtime.http.probes import NotReadyError
from services.runtime.kafka import clients
from services.runtime.kafka.batch_consumer import Records
from services.runtime.kafka.topics import TopicsError

FIRST_RETRY_SECONDS = 0.2
LONGEST_RETRY_SECONDS = 10.0
# An incident is often mended within a second. So long it shows on `/readyz`, that every prober and two scrapes see it.
INCIDENT_SECONDS = 30.0

log = logging.getLogger(__name__)


class AssignedPartitions(ConsumerRebalanceListener):  # type: ignore[misc] # aiokafka has no annotations
    """Opens what is assigned, closes what is revoked, and gives each open partition its records.

    `IllegalStateError` is aiokafka's answer to a call about a partition that is not assigned any more. A rebalance can
    come between any two calls, so it is suppressed where the partition may have been revoked since.
    """

    def __init__(
        self, dependencies: PartitionDependencies, *, halt: Callable[[], None], fenced_retry_seconds: float
    ) -> None:
        self._dependencies = dependencies
        self._halt = halt
        self._fenced_retry_seconds = fenced_retry_seconds
        self._find_consumer: Callable[[], AIOKafkaConsumer | None] = lambda: None
        self._open: dict[int, Partition] = {}
        self._opening: dict[int, asyncio.Task[None]] = {}
        self._is_assigned = False
        self._incident_at: float | None = None
        # Which right the broker has denied, until a partition is opened, or a batch is written, with it.
        self._open_denial: str | None = None
        self._write_denial: str | None = None
        self._positions: dict[int, int] = {}

    def use_consumer(self, find_consumer: Callable[[], AIOKafkaConsumer | None]) -> None:
        """Set how the consumer is found once it runs."""
        self._find_consumer = find_consumer

    async def is_settled(self) -> bool:
        """Whether the group has assigned this process its share, and every partition of it is open.

        Raise `NotReadyError` while the broker denies a right that a partition needs.
        """
        denial = self._open_denial or self._write_denial
        if denial is not None:
            raise NotReadyError(denial)
        return self._is_assigned and not self._opening

    async def is_state_complete(self) -> bool:
        """Whether the state of every open partition holds all that was known; raise `NotReadyError` if not."""
        for number, one in self._open.items():
            if one.reread is not None:
                why = one.reread.finding.value
                raise NotReadyError(f"partition {number}, which is read again up to {one.reread.until}: {why}")
        return True

    async def is_log_whole(self) -> bool:
        """Whether no partition of the log has been found shorter or replaced lately; raise `NotReadyError` if one was.

        An incident is over when the partition has been read again to its end and the incident has shown long enough.
        """
        is_open = any(one.reread is not None and one.reread.is_of_log for one in self._open.values())
        now = asyncio.get_running_loop().time()
        if is_open or (self._incident_at is not None and now - self._incident_at < INCIDENT_SECONDS):
            raise NotReadyError("a person to see that the log has lost records; see deploy/runbook.md#logshorter")
        return True

    def find_open(self, number: int) -> Partition | None:
        """Return the partition if it is open in this process and its state is complete."""
        partition = self._open.get(number)
        return None if partition is None or partition.reread is not None else partition

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        self._is_assigned = False
        # The rebalance waits for this: a batch in progress is still committed by its old owner.
        await self.close([one.partition for one in revoked])

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        for one in assigned:
            self._start_opening(one.partition, delay=0.0)
        self._is_assigned = True

    async def on_batch(self, records: Records, _consumer: AIOKafkaConsumer) -> None:
        """Let every partition process its own records, all at once, so that their commits overlap."""
        by_partition: dict[int, list[Any]] = {}
        for record in records:
            by_partition.setdefault(record.partition, []).append(record)
        await asyncio.gather(*(self._process_batch(number, share) for number, share in by_partition.items()))

    async def adopt_plans(self, adoptions: Callable[[int], Mapping[str, PlanAdopted]]) -> None:
        """Let every open partition append the adoptions that it lacks to its log."""
        for number, partition in list(self._open.items()):
            await self._reopen_on_failure(number, self._follow_position(number, partition))
            await self._reopen_on_failure(number, partition.adopt_plans(adoptions(number)))

    async def close(self, numbers: Iterable[int] | None = None) -> None:
        """Close the partitions *numbers*, or all; a batch being processed is finished first."""
        closing = {*self._open, *self._opening} if numbers is None else set(numbers)
        await asyncio.gather(*(self._close_partition(number) for number in closing))

    async def _process_batch(self, number: int, records: list[Any]) -> None:
        partition = self._open.get(number)
        if partition is not None:
            await self._reopen_on_failure(number, self._process_in(partition, records))

    async def _process_in(self, partition: Partition, records: list[Any]) -> None:
        await partition.process_batch(records)
        self._write_denial = None
        if self._open.get(partition.number) is not partition:
            return
        if partition.next_offset <= records[-1].offset:  # the rest of a long batch, which is read again
            with contextlib.suppress(IllegalStateError):
                self._require_consumer().seek(_topic_partition(partition.number), partition.next_offset)

    async def _follow_position(self, number: int, partition: Partition) -> None:
        """Take note of where the consumer stands in an open partition; raise `LogReplacedError` if it fell back.

        Where it has stood still for two of these calls, nothing that it handed over is left to be processed.
        """
        with contextlib.suppress(IllegalStateError):
            position = await self._require_consumer().position(_topic_partition(number))
            if position < partition.next_offset:
                # aiokafka goes back to the beginning by itself where the log ends before its position.
                raise LogReplacedError(f"the consumer fell back from {partition.next_offset} to {position}")
            if self._positions.get(number) == position:
                await partition.finish_reread(consumed_to=position)
            self._positions[number] = position

    async def _reopen_on_failure(self, number: int, work: Awaitable[None]) -> None:
        details: dict[str, object] = {"partition": number}
        try:
            await work
        except (ProducerFenced, InvalidProducerEpoch):
            # Another owner has taken over and this process has not heard of it yet. If it hears nothing within a
            # session, the broker has given up a transaction of ours, and the partition still belongs to this process.
            log.warning("a partition has another owner", extra={"action": "fenced", **details})
            await self._reopen(number, delay=self._fenced_retry_seconds)
        except (KafkaError, AdoptedDocumentsMissingError) as cause:
            # A batch fails at several places at once, and not each of them says why.
            self._write_denial = clients.explain_denial(cause, on_topic="Write") or self._write_denial
            details["denied"] = self._write_denial
            log.warning(
                "a partition failed and is opened again", exc_info=True, extra={"action": "reopened", **details}
            )
            await self._reopen(number, delay=FIRST_RETRY_SECONDS)

    async def _reopen(self, number: int, *, delay: float) -> None:
        if number in self._open:
            self._dependencies.metrics.reopened.inc()
            await self._close_partition(number)
            with contextlib.suppress(IllegalStateError):  # revoked since; its new owner opens it
                self._start_opening(number, delay=delay)

    def _start_opening(self, number: int, *, delay: float) -> None:
        self._require_consumer().pause(_topic_partition(number))
        earlier = self._opening.pop(number, None)
        if earlier is not None:
            earlier.cancel()
        self._opening[number] = background.start(
            self._open_with_retry(number, delay), halt=self._halt, failure="opening a partition failed"
        )

    async def _open_with_retry(self, number: int, delay: float) -> None:
        while True:
            await asyncio.sleep(delay)
            try:
                if delay > 0:  # a topic may be gone, and it is this that has failed
                    await self._dependencies.ensure_topics()
                partition = await self._open_partition(number)
            except (KafkaError, TopicsError, AdoptedDocumentsMissingError) as cause:
                self._open_denial = clients.explain_denial(cause)
                details = {"action": "waiting", "partition": number, "denied": self._open_denial}
                log.warning("a partition cannot be opened yet and is tried again", exc_info=True, extra=details)
                delay = min(max(delay * 2, FIRST_RETRY_SECONDS), LONGEST_RETRY_SECONDS)
            else:
                self._open_denial = None
                await self._start_consuming(number, partition)
                return

    async def _start_consuming(self, number: int, partition: Partition) -> None:
        """Give the partition its records from now on, unless it was revoked while it was being opened.

        The task was cancelled then, but a client library below may have swallowed the cancellation.
        """
        if self._opening.get(number) is not asyncio.current_task():
            await partition.close()
            return
        del self._opening[number]
        self._open[number] = partition
        # Restored objects live as long as the partition. Without this every full garbage collection would walk them,
        # which costs more than processing the facts.
        gc.freeze()
        self._dependencies.metrics.owned.set(len(self._open))
        with contextlib.suppress(IllegalStateError):
            self._require_consumer().resume(_topic_partition(number))

    async def _open_partition(self, number: int) -> Partition:
        """Open a partition and seek to where its state ends, which cannot change once earlier owners are fenced."""
        async with contextlib.AsyncExitStack() as stack:
            partition = Partition(number, self._dependencies)
            stack.push_async_callback(partition.close)
            await partition.open()
            if partition.has_found_log_incident:
                self._incident_at = asyncio.get_running_loop().time()
            self._require_consumer().seek(_topic_partition(number), partition.next_offset)
            stack.pop_all()
        return partition

    def _require_consumer(self) -> AIOKafkaConsumer:
        consumer = self._find_consumer()
        if consumer is None:
            raise IllegalStateError("the consumer is stopping")
        return consumer

    async def _close_partition(self, number: int) -> None:
        await background.cancel(self._opening.pop(number, None))
        partition = self._open.pop(number, None)
        if partition is not None:
            await partition.close()
        self._dependencies.metrics.owned.set(len(self._open))


def _topic_partition(number: int) -> TopicPartition:
    return TopicPartition(FACTS.name, number)
