"""Reads what a partition has written so far: its state, its verdicts and its dead letters."""

import asyncio
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

import msgspec
from aiokafka import TopicPartition

from schemas.events.topics import DUTIES, FACTS, VERDICTS
from services.rules.assessment_event import generation_of
from services.rules.state.state_coverage import COVERAGE_KEY, StateCoverage, decode_coverage
from services.runtime.kafka import dead_letters, partition_reader
from services.runtime.kafka.dead_letters import RecordIdentity
from services.runtime.settings import KafkaConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class Changelog:
    """The latest record of every key of a partition of the state topic, and its coverage record apart."""

    records: dict[bytes, bytes]
    coverage: StateCoverage | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenBefore:
    """The ids of the verdicts of a partition, the generation of the last, and the facts that it has set aside."""

    event_ids: AbstractSet[bytes]
    generation: int
    set_aside: AbstractSet[RecordIdentity]


class _VerdictData(msgspec.Struct, frozen=True):
    revision: int


class _Verdict(msgspec.Struct, frozen=True):
    id: str
    data: _VerdictData


class _EventId(msgspec.Struct, frozen=True):
    id: str


_VERDICT_DECODER = msgspec.json.Decoder(_Verdict)
_EVENT_ID_DECODER = msgspec.json.Decoder(_EventId)


async def read_changelog(config: KafkaConfig, partition: int) -> Changelog:
    """Return the state that a partition has on the state topic.

    The caller has fenced the earlier owner before, so that nothing can still be added.
    """
    latest: dict[bytes, bytes] = {}
    async for records in partition_reader.read_partition(config, TopicPartition(DUTIES.name, partition)):
        for record in records:
            if record.value is None:
                latest.pop(record.key, None)
            else:
                latest[record.key] = record.value
        await asyncio.sleep(0)
    coverage = latest.pop(COVERAGE_KEY, None)
    return Changelog(records=latest, coverage=None if coverage is None else decode_coverage(coverage))


async def read_written(config: KafkaConfig, partition: int) -> WrittenBefore:
    """Return what a partition has written besides its state, so that nothing of it is written again."""
    event_ids: set[bytes] = set()
    generation = 0
    async for records in partition_reader.read_partition(config, TopicPartition(VERDICTS.name, partition)):
        for record in records:
            verdict = _decode_verdict(record.value or b"")
            if verdict is not None:
                event_ids.add(_shorten(verdict.id))
                generation = max(generation, generation_of(verdict.data.revision))
        await asyncio.sleep(0)
    set_aside: set[RecordIdentity] = set()
    async for records in partition_reader.read_partition(config, TopicPartition(FACTS.dead_letter, partition)):
        set_aside.update(filter(None, map(dead_letters.identify_origin, records)))
    return WrittenBefore(event_ids=event_ids, generation=generation, set_aside=set_aside)


def event_id_of(event: bytes) -> bytes:
    """Return the id of an assessment event as `WrittenBefore.event_ids` holds it."""
    return _shorten(_EVENT_ID_DECODER.decode(event).id)


def _decode_verdict(value: bytes) -> _Verdict | None:
    """Return the id and the revision of a verdict; None for a record that rules has not written."""
    try:
        return _VERDICT_DECODER.decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _shorten(event_id: str) -> bytes:
    """Return the 128 bits of an id that are enough to recognise it, at half the memory."""
    return event_id[:32].encode()
