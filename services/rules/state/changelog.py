"""Reads what a partition has written so far: its state, its verdicts and its dead letters."""

import asyncio
import hashlib
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any

import msgspec
from aiokafka import ConsumerRecord, TopicPartition

from schemas.events.topics import DUTIES, FACTS
from services.rules.assessment_event import OFFSETS_A_GENERATION, generation_of
from services.rules.state.state_store import COVERAGE_KEY, StateCoverage, decode_coverage
from services.runtime.decoding import RecordDecoder, UnreadableRecordError
from services.runtime.kafka import dead_letters, partition_reader
from services.runtime.kafka.dead_letters import RecordIdentity
from services.runtime.settings import KafkaConfig

DIGEST_BYTES = 16  # of a SHA-256: enough to recognise what was written, at half the memory


@dataclass(frozen=True, slots=True, kw_only=True)
class Changelog:
    """The latest record of every key of a partition of the state topic, and its coverage record apart."""

    records: dict[bytes, bytes]
    coverage: StateCoverage | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlierOutput:
    """What a partition has written besides its state: verdicts, and the facts that it has set aside.

    `generation` is the highest of any verdict.
    """

    event_ids: AbstractSet[bytes] = frozenset()
    newest: Mapping[str, "NewestVerdict"] = field(default_factory=dict)
    generation: int = 0
    set_aside: AbstractSet[RecordIdentity] = frozenset()

    def has_event(self, event: bytes) -> bool:
        """Whether this very verdict was written."""
        return _shorten(_VERDICT_DECODER.decode(event).id) in self.event_ids

    def has_as_newest(self, event: bytes) -> bool:
        """Whether the newest verdict on the duty says what *event* says, whatever facts it names as its own."""
        data = _VERDICT_DECODER.decode(event).data
        newest = self.newest.get(_key_of(data))
        return newest is not None and newest.content == _digest_content(data)


class NewestVerdict(msgspec.Struct, frozen=True, gc=False):
    """The verdict of the greatest revision on a duty, and a digest of what it says."""

    revision: int
    content: bytes


class _VerdictData(msgspec.Struct, frozen=True):
    revision: int
    plan: str
    plan_version: int
    registry_version: int
    agency: str
    obligation: str
    timeline: msgspec.Raw
    steps: msgspec.Raw
    period: str | None = None


class _Verdict(msgspec.Struct, frozen=True):
    id: str
    data: _VerdictData


_VERDICT_DECODER = RecordDecoder[_Verdict](_Verdict)


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


async def has_later_verdicts(
    config: KafkaConfig, place: TopicPartition, coverage: StateCoverage | None, *, end: int
) -> bool:
    """Whether a verdict before the offset *end* follows from a fact that a state of *coverage* does not contain.

    The committed offset shows that too, unless somebody has moved it; a state whose last batch is damaged is older.
    """
    if coverage is None or coverage.verdicts_end >= end:
        return False
    newest = coverage.generation * OFFSETS_A_GENERATION + coverage.next_offset - 1
    is_found = False
    async for records in partition_reader.read_partition(config, place, start=coverage.verdicts_end):
        is_found |= any(one.data.revision > newest for one in filter(None, map(_try_decode, records)))
    return is_found


async def read_earlier_output(config: KafkaConfig, places: Iterable[TopicPartition]) -> EarlierOutput:
    """Return what a partition has written on the verdicts and the dead letters, as far as they are among *places*."""
    event_ids: set[bytes] = set()
    newest: dict[str, NewestVerdict] = {}
    set_aside: set[RecordIdentity] = set()
    for place in places:
        async for records in partition_reader.read_partition(config, place):
            if place.topic == FACTS.dead_letter:
                set_aside.update(filter(None, map(dead_letters.identify_origin, records)))
                continue
            for verdict in filter(None, map(_try_decode, records)):
                event_ids.add(_shorten(verdict.id))
                _keep_newest(newest, verdict.data)
            await asyncio.sleep(0)
    generation = max((generation_of(one.revision) for one in newest.values()), default=0)
    return EarlierOutput(event_ids=event_ids, newest=newest, generation=generation, set_aside=set_aside)


def _keep_newest(newest: dict[str, NewestVerdict], data: _VerdictData) -> None:
    known = newest.get(_key_of(data))
    if known is None or known.revision <= data.revision:
        newest[_key_of(data)] = NewestVerdict(data.revision, _digest_content(data))


def _key_of(data: _VerdictData) -> str:
    return "|".join((data.plan, data.agency, data.obligation, data.period or ""))


def _digest_content(data: _VerdictData) -> bytes:
    versions = f"{data.plan_version} {data.registry_version} ".encode()
    return hashlib.sha256(versions + bytes(data.timeline) + b" " + bytes(data.steps)).digest()[:DIGEST_BYTES]


def _shorten(event_id: str) -> bytes:
    """Return as much of an id as is kept."""
    return event_id[: 2 * DIGEST_BYTES].encode()


def _try_decode(record: ConsumerRecord[Any, Any]) -> _Verdict | None:
    """Return the verdict in a record of the topic; None if rules has not written it."""
    try:
        return _VERDICT_DECODER.decode(record.value)
    except UnreadableRecordError:
        return None
