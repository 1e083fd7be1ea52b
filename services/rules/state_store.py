"""The state of one partition: its dockets in memory, and their records on `dondoc.duties.v1`, the changelog topic.

A state record holds the facts of one docket that are filed under one period; facts that are not about one period
(exemptions and their revocations) are in the record of the empty period. A docket is the union of its records.

Restored records stay encoded until their docket is asked for. A restore is then as fast as the log is read, and a duty
to which nothing happens costs only the memory of its bytes.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition

from schemas.events.facts import PlanAdopted
from schemas.events.ids import DutyKey
from schemas.events.topics import DUTIES
from services.rules.core.docket import Docket, record_period
from services.rules.core.facts import (
    Exemption,
    Extension,
    Fact,
    Reassignment,
    Revocation,
    Submission,
    Withdrawal,
    identity,
)
from services.runtime import decoding
from services.runtime.decoding import RecordDecoder, UnreadableRecordError
from services.runtime.kafka import clients
from services.runtime.settings import KafkaConfig

# What a docket is found by: plan, agency, obligation.
DocketKey = tuple[str, str, str]

POLL_MS = 200
YIELD_EVERY_RECORDS = 2_000  # after so many records the event loop may run: heartbeats go on during a long restore
FETCH_BYTES = 8 * 1024 * 1024  # a restore reads in bulk


class DocketState:
    """One docket, and the size of each of its records, as their facts came over the wire."""

    __slots__ = ("_bytes_by_period", "docket")

    def __init__(self) -> None:
        self.docket = Docket()
        self._bytes_by_period: dict[str | None, int] = {}

    def add(self, fact: Fact, *, period: str | None, size: int) -> frozenset[str | None]:
        """Add *fact*, of *size* bytes, to the record of *period*; return what `Docket.add` returns."""
        touched = self.docket.add(fact)
        if touched:
            self._bytes_by_period[period] = self._bytes_by_period.get(period, 0) + size
        return touched

    def record_bytes(self, period: str | None) -> int:
        """Return the size of the facts in the record of *period*."""
        return self._bytes_by_period.get(period, 0)

    def without(self, fact: Fact, *, period: str | None, size: int) -> "DocketState":
        """Return the state as it was before `add` was called with the same arguments."""
        before = DocketState()
        before.docket = Docket(one for one in self.docket if identity(one) != identity(fact))
        before._bytes_by_period = {**self._bytes_by_period, period: self.record_bytes(period) - size}
        return before


class StateStore:
    """Finds the dockets of one partition by key."""

    def __init__(self) -> None:
        self._dockets: dict[DocketKey, DocketState] = {}
        self._encoded: dict[DocketKey, list[bytes]] = {}

    def restore(self, key: DutyKey, value: bytes) -> None:
        """Keep one record as `encode_record` wrote it; it is decoded when its docket is asked for."""
        self._encoded.setdefault(docket_key_of(key), []).append(value)

    def docket_state(self, key: DocketKey) -> DocketState:
        """Return the state of that docket; a new one is kept if there was none."""
        state = self._dockets.get(key)
        if state is None:
            # The bytes are dropped once they are decoded, so that no docket is held twice.
            state = self._dockets[key] = _decode_docket(self._encoded.pop(key, ()))
        return state

    def facts_bearing_on(self, key: DocketKey, period: str | None) -> Sequence[Fact]:
        """Return the facts that can bear on one duty; unlike `docket_state` this keeps no new docket."""
        state = self._dockets.get(key)
        if state is None and key in self._encoded:
            state = self.docket_state(key)
        return () if state is None else state.docket.facts_bearing_on(period)

    def periods_of(self, key: DocketKey) -> frozenset[str | None]:
        """Return the periods that facts of that docket are about."""
        return self.docket_state(key).docket.periods

    def replace(self, key: DocketKey, state: DocketState) -> None:
        """Keep *state* instead of what was kept for that docket."""
        self._dockets[key] = state

    def encode_record(self, key: DocketKey, period: str | None) -> bytes:
        """Encode the record of *period* of that docket."""
        return encode_facts(self.docket_state(key).docket.facts_of_record(period))

    def docket_keys(self, plan: str) -> Iterator[DocketKey]:
        """Yield the keys of the dockets of *plan* that hold facts."""
        # The keys are copied: who iterates may ask for a docket, which moves it from one dictionary to the other.
        return (key for key in [*self._dockets, *self._encoded] if key[0] == plan)


class _StateRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The facts of one state record, by kind."""

    submissions: tuple[Submission, ...] = ()
    withdrawals: tuple[Withdrawal, ...] = ()
    reassignments: tuple[Reassignment, ...] = ()
    extensions: tuple[Extension, ...] = ()
    exemptions: tuple[Exemption, ...] = ()
    revocations: tuple[Revocation, ...] = ()


_FIELDS: Mapping[type[Fact], str] = {
    Submission: "submissions",
    Withdrawal: "withdrawals",
    Reassignment: "reassignments",
    Extension: "extensions",
    Exemption: "exemptions",
    Revocation: "revocations",
}
_ENCODER = msgspec.json.Encoder()
_DECODER = RecordDecoder[_StateRecord](_StateRecord)


def docket_key_of(one: DutyKey | Fact) -> DocketKey:
    """Return the key of the docket that a duty or a fact belongs to."""
    return one.plan, one.agency, one.obligation


def encode_facts(facts: Iterable[Fact]) -> bytes:
    """Encode the facts of one state record."""
    kinds: dict[str, Any] = {}
    for fact in facts:
        kinds.setdefault(_FIELDS[type(fact)], []).append(fact)
    return _ENCODER.encode(_StateRecord(**kinds))


def decode_facts(value: bytes) -> tuple[Fact, ...]:
    """Return the facts that `encode_facts` encoded; raise `UnreadableRecordError` for anything else."""
    record = _DECODER.decode(value)
    return (
        *record.submissions,
        *record.withdrawals,
        *record.reassignments,
        *record.extensions,
        *record.exemptions,
        *record.revocations,
    )


def decode_key(key: bytes | None) -> DutyKey:
    """Return the duty whose facts the record under *key* holds; raise `UnreadableRecordError` if it names none."""
    try:
        return DutyKey.parse((key or b"").decode())
    except ValueError as cause:
        raise UnreadableRecordError("", f"the key {key!r} names no duty") from cause


def adoption_key(plan: str) -> DutyKey:
    """Return the key under which a partition keeps its last adoption of *plan*: without agency and obligation."""
    return DutyKey(plan=plan, agency="", obligation="", period=None)


def is_adoption_key(key: DutyKey) -> bool:
    """Whether the record under *key* is an adoption."""
    return not key.agency and not key.obligation


def encode_adoption(adoption: PlanAdopted) -> bytes:
    """Encode the last adoption of a plan."""
    return adoption.model_dump_json().encode()


def decode_adoption(value: bytes) -> PlanAdopted:
    """Return the adoption that `encode_adoption` encoded; raise `UnreadableRecordError` for anything else."""
    return decoding.decode_model(PlanAdopted, value)


async def read_changelog(config: KafkaConfig, partition: int, restore: Callable[[bytes, bytes | None], None]) -> int:
    """Give the latest record of every key of a partition to *restore*; return how many there were.

    The partition is read from its beginning to where it ends now. Only committed records are read, and the caller has
    fenced the earlier owner before, so that nothing can still be added.
    """
    changelog = TopicPartition(DUTIES.name, partition)
    consumer = AIOKafkaConsumer(
        **config.client(),
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        isolation_level="read_committed",
        max_partition_fetch_bytes=FETCH_BYTES,
    )
    await consumer.start()
    try:
        consumer.assign([changelog])
        await consumer.seek_to_beginning(changelog)
        end = (await consumer.end_offsets([changelog]))[changelog]
        latest: dict[bytes, bytes | None] = {}
        # The position is asked rather than the last record: the log may end in markers of transactions.
        while await consumer.position(changelog) < end:
            fetched = await consumer.getmany(changelog, timeout_ms=POLL_MS)
            latest.update((record.key, record.value) for record in fetched.get(changelog, ()))
    finally:
        await clients.stop_consumer(consumer)
    for count, (key, value) in enumerate(latest.items(), start=1):
        restore(key, value)
        if count % YIELD_EVERY_RECORDS == 0:
            await asyncio.sleep(0)
    return len(latest)


def _decode_docket(records: Iterable[bytes]) -> DocketState:
    state = DocketState()
    for value in records:
        facts = decode_facts(value)
        # The sizes of single facts are not recorded; equal shares are near enough for the limit on a duty.
        for fact in facts:
            state.add(fact, period=record_period(fact), size=len(value) // len(facts))
    return state
