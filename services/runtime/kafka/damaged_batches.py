"""Stand before a damaged batch of the log, say so, and go on behind it once an operator has set it aside.

Everything before the damage is handed over, and the other partitions go on. The permission to pass over a batch is its
dead letter, which holds the bytes: so every consumer of the topic passes over the same offsets, and so does a rebuild.
A batch that turns out to be sound after all, because another replica leads now, needs no permission.
"""

import logging
import time
from collections.abc import Mapping
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import CorruptRecordException, KafkaError
from prometheus_client import CollectorRegistry, Gauge

from services.runtime.kafka import dead_letters, partition_reader, raw_batches
from services.runtime.kafka.raw_batches import RawBatch
from services.runtime.settings import KafkaConfig

LOOK_SECONDS = 5.0  # between looks whether a damaged batch was set aside
APPROACH_RECORDS = 500  # of one call, while a damaged batch is approached record by record
NO_DAMAGE = -1  # the gauge's value of a partition that can be read

Fetched = dict[TopicPartition, list[ConsumerRecord[Any, Any]]]

log = logging.getLogger(__name__)


def damage_gauge(registry: CollectorRegistry) -> Gauge:
    """Declare the gauge that names the offset at which a consumer stands before a damaged batch."""
    return Gauge(
        "runtime_damaged_batch_offset",
        "Offset of the damaged batch that a partition cannot be read beyond; -1 once it can",
        ["topic", "partition"],
        registry=registry,
    )


class DamageAwareConsumer(AIOKafkaConsumer):  # type: ignore[misc]  # aiokafka has no annotations
    """A consumer whose `getmany` neither skips a damaged batch nor loses what was fetched beside it."""

    def __init__(self, config: KafkaConfig, gauge: Gauge, **options: Any) -> None:  # noqa: ANN401 - options of aiokafka's consumer
        super().__init__(**{**options, **config.client()})
        self._config = config
        self._gauge = gauge
        self._damage: dict[TopicPartition, RawBatch] = {}
        self._reached: set[TopicPartition] = set()
        self._looked_at = 0.0

    @property
    def damage(self) -> str:
        """The assigned partitions that cannot be read beyond a damaged batch, with its offset; empty if there are none.

        For example `dondoc.facts.v1/3 at 1207`.
        """
        places = sorted(self._reached & self.assignment())
        return ", ".join(f"{one.topic}/{one.partition} at {self._damage[one].offset}" for one in places)

    async def getmany(
        self, *partitions: TopicPartition, timeout_ms: int = 0, max_records: int | None = None
    ) -> Fetched:
        """Return what aiokafka's method returns, and nothing of a partition that stands before a damaged batch."""
        if self._damage:
            await self._look_for_ways_on()
        positions = self._find_positions()
        try:
            found = await self._approach_damage(timeout_ms)
            wanted = [place for place in partitions or self.assignment() if place not in self._damage]
            if wanted or not self._damage:
                found |= await super().getmany(*wanted, timeout_ms=timeout_ms, max_records=max_records)
        except CorruptRecordException:
            # With the exception aiokafka drops what it had unpacked, also of other partitions, whose positions it has
            # moved on by then. Without going back, those records would never be seen.
            for place in positions.keys() & self.assignment():
                self.seek(place, positions[place])
            await self._find_damage(positions)
            return {}
        return found

    def _find_positions(self) -> dict[TopicPartition, int]:
        subscription = self._subscription.subscription
        if subscription is None or subscription.assignment is None:
            return {}
        states = {place: subscription.assignment.state_value(place) for place in subscription.assignment.tps}
        return {place: state.position for place, state in states.items() if state.has_valid_position}

    async def _find_damage(self, positions: Mapping[TopicPartition, int]) -> None:
        """Look at the stored bytes behind each position; a fault of the way leaves nothing to be found."""
        for place, position in positions.items():
            async with raw_batches.open_raw_reader(self._config, place.topic) as reader:
                damage = await reader.find_damage(place, position)
            if damage is not None:
                self._damage[place] = damage
                self._looked_at = 0.0

    async def _approach_damage(self, timeout_ms: int) -> Fetched:
        """Return sound records before a damaged batch, one by one, for aiokafka drops those it unpacks together."""
        found: Fetched = {}
        for place in self._damage.keys() - self._reached:
            records: list[ConsumerRecord[Any, Any]] = []
            try:
                while len(records) < APPROACH_RECORDS:
                    one = await super().getmany(place, timeout_ms=timeout_ms, max_records=1)
                    if not one:
                        break
                    records += one[place]
            except CorruptRecordException:
                self._stand_before(place)
            if records:
                found[place] = records
        return found

    def _stand_before(self, place: TopicPartition) -> None:
        damage = self._damage[place]
        self._reached.add(place)
        self._gauge.labels(place.topic, place.partition).set(damage.offset)
        log.critical("a damaged batch stops a partition", extra={"action": "damaged_batch", **_describe(place, damage)})

    async def _look_for_ways_on(self) -> None:
        """Go on where a batch was set aside or is sound by now; forget what is assigned to others."""
        for place in self._damage.keys() - self.assignment():
            self._forget(place)
        now = time.monotonic()
        if now - self._looked_at < LOOK_SECONDS:
            return
        self._looked_at = now
        try:
            for place in list(self._reached):
                await self._look_for_way_on(place, self._damage[place])
        except KafkaError:
            log.warning("it is not known whether a damaged batch was set aside", exc_info=True)

    async def _look_for_way_on(self, place: TopicPartition, damage: RawBatch) -> None:
        if await find_permission(self._config, place, damage):
            log.warning("a damaged batch is passed over", extra={"action": "damage_passed", **_describe(place, damage)})
            self._forget(place)
            self.seek(place, damage.next_offset)
            return
        async with raw_batches.open_raw_reader(self._config, place.topic) as reader:
            found = await reader.find_damage(place, damage.offset)
        if found is None or found.offset != damage.offset:
            log.info("a damaged batch is sound again", extra={"action": "damage_gone", **_describe(place, damage)})
            self._forget(place)

    def _forget(self, place: TopicPartition) -> None:
        self._damage.pop(place, None)
        self._reached.discard(place)
        self._gauge.labels(place.topic, place.partition).set(NO_DAMAGE)


async def find_permission(config: KafkaConfig, place: TopicPartition, damage: RawBatch) -> bool:
    """Whether this very batch, byte for byte, is in the dead letters of its topic as a damaged one."""
    letters = TopicPartition(f"{place.topic}{dead_letters.SUFFIX}", place.partition)
    wanted = (str(damage.offset).encode(), str(damage.next_offset).encode())
    async for records in partition_reader.read_partition(config, letters):
        for record in records:
            headers = dict(record.headers)
            span = (headers.get(dead_letters.ORIGIN_OFFSET), headers.get(dead_letters.ORIGIN_NEXT_OFFSET))
            if span == wanted and record.value == damage.data:
                return True
    return False


def _describe(place: TopicPartition, damage: RawBatch) -> dict[str, object]:
    offsets = {"offset": damage.offset, "next_offset": damage.next_offset}
    return {"topic": place.topic, "partition": place.partition, **offsets}
