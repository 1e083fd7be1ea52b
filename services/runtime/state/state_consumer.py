"""Consume a topic into a state that knows what it contains, and read on from there: not from the committed offset.

Whenever partitions are assigned, each one waits until its checkpoint was compared with the log, and is then read from
where the state stands. The same comparison is made again when the database turns out to hold another checkpoint than
this process left there (it was dropped, or an older copy was put back), and when the log begins anew. A batch is
stored, then the checkpoint is advanced, then the offset is committed. A kill in between repeats the batch.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aiokafka import ConsumerRebalanceListener, ConsumerRecord, TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError

from services.runtime import background
from services.runtime.clock import Clock, instant_of, milliseconds
from services.runtime.kafka import batch_consumer, log_coverage
from services.runtime.kafka.batch_consumer import BatchConsumer, ConsumingBroker, Handler, Records, Subscription
from services.runtime.kafka.log_coverage import Agreement
from services.runtime.kafka.observed_consumer import ObservedConsumer
from services.runtime.settings import KafkaConfig
from services.runtime.state import checkpoints
from services.runtime.state.checkpoints import Checkpoint, CheckpointStore, CheckpointsUnavailableError, ReadingPlan
from services.runtime.state.state_metrics import StateMetrics

WATCH_SECONDS = 1.0  # between two looks at the database; each look costs two small queries
RETRY_SECONDS = 1.0  # before the log and the checkpoints are compared again while the broker or the database is away
POSITION_SECONDS = 1.0  # aiokafka knows a position at once, or not before the broker has answered
INCIDENT_SECONDS = 60.0  # a lost log shows on `/readyz` at least so long: Prometheus looks four times meanwhile

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class StateSource:
    """The topic that a state is made from.

    With `must_reach_end` the state has to reach the end of the log after every assignment. Before a state that lacks
    something is read again, `settle_seconds` pass: what other processes had begun on the lost state is in the log then.
    """

    kafka: KafkaConfig
    subscription: Subscription
    must_reach_end: bool = False
    settle_seconds: float = 0.0


class StateConsumer(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka has no annotations
    """Consumes one topic; what is assigned is compared with the log from `start` to `stop`.

    *clock* is the wall clock: checkpoints are ordered by it.
    """

    def __init__(
        self,
        source: StateSource,
        store: CheckpointStore,
        clock: Clock,
        *,
        metrics: StateMetrics,
        halt: Callable[[], None],
    ) -> None:
        self.source = source
        self._store = store
        self._clock = clock
        self._metrics = metrics
        self._halt = halt
        self._subscribed: BatchConsumer | None = None
        self._consumer: ObservedConsumer | None = None
        # A partition is either open (its batches are stored, the checkpoint is the one that the database holds) or not
        # judged yet (paused). `_assignment` changes with every assignment and revocation: whatever awaited something
        # compares it afterwards, because a partition may have been taken away meanwhile.
        self._open: dict[TopicPartition, Checkpoint] = {}
        self._unjudged: set[TopicPartition] = set()
        self._newest: dict[TopicPartition, Checkpoint] = {}
        self._at_end: set[TopicPartition] = set()
        self._is_assigned = False
        self._assignment = 0
        self._incident_ends = 0.0
        self._lock = asyncio.Lock()
        self._wake = asyncio.Event()
        self._running: asyncio.Task[None] | None = None
        self._recoverable: tuple[type[Exception], ...] = (CheckpointsUnavailableError,)

    def subscribe(self, broker: ConsumingBroker, handler: Handler, *, recoverable: tuple[type[Exception], ...]) -> None:
        """Have *broker* consume the topic; *handler* stores a batch, and is called again if it raises *recoverable*.

        What prepares the store for a state that is read anew may raise that too, and is tried again.
        """
        self._recoverable = (*recoverable, CheckpointsUnavailableError)

        async def handle(records: Records, consumer: ObservedConsumer) -> None:
            await batch_consumer.repeat_while_unavailable(
                lambda: self._store_batch(records, consumer, handler), self._recoverable, until=consumer.is_stopping
            )

        self._subscribed = batch_consumer.subscribe(
            broker, self.source.subscription, handle, halt=self._halt, listener=self
        )

    def start(self) -> None:
        """Begin to compare what is assigned, in the background."""
        self._running = background.start(self._run(), halt=self._halt, failure="the state could not be compared")

    async def stop(self) -> None:
        """Stop comparing; call it before the broker is stopped."""
        await background.cancel(self._running)

    def forget(self) -> None:
        """Forget the state, because another database is about to take its place; call it after `stop`."""
        self._take([])
        self._newest.clear()

    @property
    def is_judged(self) -> bool:
        """Whether all that is assigned to this process was compared with the log."""
        return self._is_assigned and not self._unjudged

    @property
    def is_log_intact(self) -> bool:
        """Whether no partition of the log was found shorter or replaced of late."""
        return asyncio.get_running_loop().time() >= self._incident_ends

    def is_complete(self, partition: TopicPartition) -> bool:
        """Whether the state has read *partition* as far as it must; False also for one that is not open."""
        checkpoint = self._open.get(partition)
        return checkpoint is not None and checkpoint.is_complete

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        """Forget all partitions: aiokafka gives back all that it has before it takes new ones."""
        del revoked
        self._take([])

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Hold all *assigned* back until they are judged. Nothing is awaited here: the group waits for it."""
        consumer = None if self._subscribed is None else self._subscribed.consumer
        if consumer is None:
            raise RuntimeError("the topic is not subscribed to")
        self._take(assigned)
        self._is_assigned = True
        # Kept, because the client may be closed and replaced while a comparison is under way.
        self._consumer = consumer
        consumer.pause(*self._unjudged)
        self._wake.set()

    @property
    def _client(self) -> ObservedConsumer:
        if self._consumer is None:
            raise RuntimeError("no partition was assigned yet")
        return self._consumer

    def _take(self, places: Iterable[TopicPartition]) -> None:
        self._assignment += 1
        self._is_assigned = False
        self._open.clear()
        self._unjudged = set(places)

    async def _run(self) -> None:
        while True:
            try:
                if self._unjudged:
                    await self._judge()
                else:
                    await self._wait()
                    async with self._lock:
                        await self._compare_with_database()
            except (KafkaError, *self._recoverable):
                log.warning(
                    "the state cannot be compared with the log for now",
                    exc_info=True,
                    extra={"action": "state_waiting", "topic": self.source.subscription.topic},
                )
                await asyncio.sleep(RETRY_SECONDS)

    async def _wait(self) -> None:
        try:
            await asyncio.wait_for(self._wake.wait(), WATCH_SECONDS)
        except TimeoutError:
            return
        self._wake.clear()

    async def _judge(self) -> None:
        """Compare what is not judged yet, write where it is read anew, and open it."""
        assignment, places = self._assignment, sorted(self._unjudged)
        plans = await self._plan(places)
        if self.source.settle_seconds and any(map(_has_lost_anything, plans.values())):
            await asyncio.sleep(self.source.settle_seconds)
            plans = await self._plan(places)
        begun = {place: plan.checkpoint for place, plan in plans.items() if plan.is_begun_anew}
        if begun and assignment == self._assignment:
            is_lost = any(plan.agreement is Agreement.STATE_LOST for plan in plans.values())
            await self._store.begin(begun, was_known=is_lost and bool(self._newest))
        if assignment == self._assignment:
            for place, plan in plans.items():
                self._open_partition(place, plan)
            await self._commit({place: plan.checkpoint for place, plan in plans.items() if not plan.is_committed})

    async def _plan(self, places: Sequence[TopicPartition]) -> Mapping[TopicPartition, ReadingPlan]:
        subscription = self.source.subscription
        stored = await self._store.load(subscription.topic)
        coverages = {place: stored[place].coverage if place in stored else None for place in places}
        logs = await log_coverage.inspect_log(self.source.kafka, subscription.group, coverages)
        # The database holds milliseconds, and a checkpoint is compared with what was read back.
        now = instant_of(milliseconds(self._clock.now()))
        return {
            place: checkpoints.plan_reading(
                stored.get(place),
                logs[place],
                last=self._newest.get(place),
                now=now,
                must_reach_end=self.source.must_reach_end,
            )
            for place in places
        }

    def _open_partition(self, place: TopicPartition, plan: ReadingPlan) -> None:
        consumer, checkpoint = self._client, plan.checkpoint
        consumer.seek(place, checkpoint.coverage.next_offset)
        consumer.resume(place)
        self._unjudged.discard(place)
        self._remember(place, checkpoint)
        self._metrics.show_comparison(place.topic, plan.agreement, self._clock.now())
        if plan.agreement.is_of_log:
            self._incident_ends = asyncio.get_running_loop().time() + INCIDENT_SECONDS
        log.log(
            logging.INFO if plan.agreement in {Agreement.INTACT, Agreement.NEW} else logging.ERROR,
            "the state of a partition was compared with its log",
            extra={
                "action": "state_compared",
                "topic": place.topic,
                "partition": place.partition,
                "agreement": plan.agreement.value,
                "next_offset": checkpoint.coverage.next_offset,
                "must_reach": checkpoint.must_reach,
            },
        )

    async def _store_batch(self, records: Records, consumer: ObservedConsumer, handler: Handler) -> None:
        async with self._lock:
            assignment, batches = self._assignment, self._select_open(records)
            if not batches:
                return
            opened = {place: self._open[place] for place in batches}
            await handler([record for batch in batches.values() for record in batch], consumer)
            steps = {
                place: (checkpoint, await self._next_checkpoint(checkpoint, place, batches[place][-1]))
                for place, checkpoint in opened.items()
            }
            # Partitions that were given back during the write belong to a process that reads the batch again.
            if assignment == self._assignment and await self._advance(steps):
                await self._commit({place: after for place, (_, after) in steps.items()})

    async def _advance(self, steps: Mapping[TopicPartition, tuple[Checkpoint, Checkpoint]]) -> bool:
        """Write the checkpoints; return False, and have the partitions judged again, if the database had others."""
        assignment = self._assignment
        is_written = await self._store.advance(steps)
        if assignment != self._assignment:
            return False
        if not is_written:
            self._judge_again(steps)
            return False
        for place, (_, after) in steps.items():
            self._remember(place, after)
        return True

    def _select_open(self, records: Records) -> Mapping[TopicPartition, list[ConsumerRecord[Any, Any]]]:
        """Return the records of the open partitions, by partition. Whatever is left out is read again."""
        batches: dict[TopicPartition, list[ConsumerRecord[Any, Any]]] = {}
        for record in records:
            place = TopicPartition(record.topic, record.partition)
            if place in self._open:
                batches.setdefault(place, []).append(record)
        # aiokafka begins a log anew without a word if it has become shorter than the position.
        begun_anew = {
            place for place, batch in batches.items() if batch[0].offset < self._open[place].coverage.next_offset
        }
        self._judge_again(begun_anew)
        return {place: batch for place, batch in batches.items() if place not in begun_anew}

    async def _next_checkpoint(
        self, checkpoint: Checkpoint, place: TopicPartition, last: ConsumerRecord[Any, Any]
    ) -> Checkpoint:
        # The position is past the markers of transactions that follow the last record, if they were fetched with it.
        position = await self._position(place) or 0
        return checkpoint.advance(last, next_offset=max(position, last.offset + 1))

    async def _compare_with_database(self) -> None:
        """Judge again what the database or the log no longer has as this process left it."""
        if not self._open:
            return
        assignment, opened = self._assignment, dict(self._open)
        stored = await self._store.load(self.source.subscription.topic)
        for place, checkpoint in opened.items():
            position = await self._position(place)
            if assignment != self._assignment:
                return
            if stored.get(place) != checkpoint or (position or 0) < checkpoint.coverage.next_offset:
                self._judge_again([place])
            elif position is not None and checkpoint.coverage.next_offset < checkpoint.must_reach <= position:
                await self._skip_markers(place, checkpoint, position)

    async def _skip_markers(self, place: TopicPartition, checkpoint: Checkpoint, position: int) -> None:
        """Complete a state behind whose last record there are only markers of transactions."""
        if place in self._at_end:
            await self._advance({place: (checkpoint, checkpoint.skip_to(position))})
        else:
            # Records may just be on their way from the consumer to the handler. At the next look they have arrived.
            self._at_end.add(place)

    def _judge_again(self, places: Iterable[TopicPartition]) -> None:
        for place in list(places):
            del self._open[place]
            self._client.pause(place)
            self._unjudged.add(place)
            self._wake.set()

    def _remember(self, place: TopicPartition, checkpoint: Checkpoint) -> None:
        self._open[place] = self._newest[place] = checkpoint
        self._at_end.discard(place)
        lacking = (one.must_reach - one.coverage.next_offset for one in self._open.values() if not one.is_complete)
        self._metrics.show_missing(place.topic, sum(lacking))

    async def _position(self, place: TopicPartition) -> int | None:
        """Return the offset after what was handed out; None for a partition that was taken away or is being reset."""
        try:
            return int(await asyncio.wait_for(self._client.position(place), POSITION_SECONDS))
        except (IllegalStateError, TimeoutError):
            return None

    async def _commit(self, reached: Mapping[TopicPartition, Checkpoint]) -> None:
        if not reached:
            return
        try:
            await self._client.commit({place: one.coverage.next_offset for place, one in reached.items()})
        except (CommitFailedError, IllegalStateError):
            log.info(
                "the commit is refused: the partition has another owner, which will process the batch again",
                extra={"action": "commit_refused"},
            )


def _has_lost_anything(plan: ReadingPlan) -> bool:
    """Whether records that were read once are missing; perhaps, where the group's offset is lost as well."""
    if plan.agreement is Agreement.NEW:
        return not plan.checkpoint.is_complete
    return plan.agreement is not Agreement.INTACT
