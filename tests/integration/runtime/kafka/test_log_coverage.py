"""The coverage of a state is compared with the log of a real broker: its bounds, commits and records."""

from functools import partial
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from schemas.events.topics import FACTS
from services.runtime.kafka import log_coverage
from services.runtime.kafka.log_coverage import Agreement, Coverage, cover_up_to, inspect_log, judge
from tests.support.servers.kafka import Bus

GROUP = "coverage"
PARTITION = TopicPartition(FACTS.name, 0)


class _GrowingLogConsumer(AIOKafkaConsumer):  # type: ignore[misc]  # aiokafka has no annotations
    """Asks a broker that is at work: after each answer the log has a record more, which the group commits."""

    def __init__(self, bus: Bus, **options: Any) -> None:
        super().__init__(**options)
        self._bus = bus

    async def committed(self, partition: TopicPartition) -> int | None:
        found: int | None = await super().committed(partition)
        await self._grow()
        return found

    async def end_offsets(self, partitions: list[TopicPartition]) -> dict[TopicPartition, int]:
        found: dict[TopicPartition, int] = await super().end_offsets(partitions)
        await self._grow()
        return found

    async def _grow(self) -> None:
        written = await self._bus.publish(FACTS.name, b"more", partition=0)
        await self._bus.commit_offsets(GROUP, FACTS.name, {0: written.offset + 1})


async def _read_last(bus: Bus) -> Coverage:
    """Read the partition as a member of the group, commit, and return what a state of all records covers."""
    consumer = AIOKafkaConsumer(
        FACTS.name, **bus.access.client(), group_id=GROUP, enable_auto_commit=False, auto_offset_reset="earliest"
    )
    await consumer.start()
    try:
        records = (await consumer.getmany(timeout_ms=10_000))[PARTITION]
        await consumer.commit({PARTITION: records[-1].offset + 1})
        return cover_up_to(records[-1])
    finally:
        await consumer.stop()


async def test_a_state_agrees_with_the_log_that_it_was_made_from(bus: Bus) -> None:
    """The record at the last offset of the state is the same one, also when the log has grown."""
    for value in (b"1", b"2"):
        await bus.publish(FACTS.name, value, partition=0)
    coverage = await _read_last(bus)
    await bus.publish(FACTS.name, b"3", partition=0)
    log = (await inspect_log(bus.access, GROUP, {PARTITION: coverage}))[PARTITION]
    assert (log.beginning, log.end, log.committed) == (0, 3, 2)
    assert judge(coverage, log).agreement is Agreement.INTACT


async def test_a_log_that_grows_while_it_is_inspected_is_not_shorter(bus: Bus, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the group commits meanwhile lies behind an end that was asked for earlier, and that is no loss."""
    await bus.publish(FACTS.name, b"1", partition=0)
    coverage = await _read_last(bus)
    monkeypatch.setattr(log_coverage, "AIOKafkaConsumer", partial(_GrowingLogConsumer, bus))
    log = (await inspect_log(bus.access, GROUP, {PARTITION: coverage}))[PARTITION]
    assert (log.committed, log.end) == (1, 2)
    assert judge(coverage, log).agreement is Agreement.INTACT


async def test_a_log_that_was_made_anew_is_recognised(bus: Bus) -> None:
    """A topic that was deleted and filled again has the same offsets with other records, or ends too early."""
    for value in (b"1", b"2"):
        await bus.publish(FACTS.name, value, partition=0)
    coverage = await _read_last(bus)
    await bus.recreate_topics(FACTS.name)
    await bus.publish(FACTS.name, b"1", partition=0)
    shorter = (await inspect_log(bus.access, GROUP, {PARTITION: coverage}))[PARTITION]
    assert judge(coverage, shorter).agreement is Agreement.LOG_SHORTER
    await bus.publish(FACTS.name, b"another", partition=0)
    replaced = (await inspect_log(bus.access, GROUP, {PARTITION: coverage}))[PARTITION]
    assert judge(coverage, replaced).agreement is Agreement.LOG_REPLACED


async def test_a_lost_state_is_told_from_a_first_start(bus: Bus) -> None:
    """Only a group that has read before can have lost a state."""
    await bus.publish(FACTS.name, b"1", partition=0)
    first = (await inspect_log(bus.access, GROUP, {PARTITION: None}))[PARTITION]
    assert judge(None, first).agreement is Agreement.NEW
    await _read_last(bus)
    lost = (await inspect_log(bus.access, GROUP, {PARTITION: None}))[PARTITION]
    assert judge(None, lost).agreement is Agreement.STATE_LOST
