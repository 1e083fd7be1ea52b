"""The dockets of one partition in memory, and the records in which they lie on `dondoc.duties.v1`.

A state record holds the facts of one docket that are filed under one period; facts that are not about one period
(exemptions and their revocations) are in the record of the empty period. A docket is the union of its records.

With the records lies one that describes them all: the coverage, from which log the state was made, up to where, and a
digest of all records. It is written under a key of its own in the transaction of every batch. So the state, its
coverage and the committed offset are always of the same batch, unless something outside lost or changed them.

Restored records stay encoded until their docket is asked for. A restore is then as fast as the log is read, and a duty
to which nothing happens costs only the memory of its bytes.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any

import msgspec

from schemas.events.facts import PlanAdopted
from schemas.events.ids import DutyKey
from services.rules.core.docket import Docket, record_period
from services.rules.core.facts import (
    Exemption,
    Extension,
    Fact,
    Reassignment,
    ReportAcceptance,
    ReportReturn,
    Revocation,
    Submission,
    Withdrawal,
    identity,
)
from services.runtime import decoding
from services.runtime.decoding import RecordDecoder, UnreadableRecordError
from services.runtime.kafka.log_coverage import Coverage

MODULUS = 1 << 128
DIGEST_BYTES = 16
COVERAGE_KEY = b"coverage"

# What a docket is found by: plan, agency, obligation.
DocketKey = tuple[str, str, str]


class StateDigest:
    """The number of records and a digest of them all, by which a lost, old or altered record is recognised.

    It is the sum of the digests of the single records, modulo 2^128. A sum does not depend on their order, and a record
    that changes costs one subtraction and one addition, however many others there are. It finds faults, not forgers:
    whoever may write the state topic may write a digest that fits.
    """

    __slots__ = ("_sum", "records")

    def __init__(self) -> None:
        self.records = 0
        self._sum = 0

    def replace(self, before: int | None, after: int) -> None:
        """Count a record with the digest *after* in place of one with the digest *before*, or as a new one."""
        if before is None:
            self.records += 1
        self._sum = (self._sum + after - (before or 0)) % MODULUS

    def hex(self) -> str:
        """Return the sum as hexadecimal digits."""
        return f"{self._sum:0{2 * DIGEST_BYTES}x}"


def digest_record(key: str, value: bytes) -> int:
    """Return the digest of one state record."""
    # U+0000 separates the two: no key has it, so no byte can move between key and value.
    return int.from_bytes(hashlib.sha256(key.encode() + b"\0" + value).digest()[:DIGEST_BYTES])


class RecordMeasure(msgspec.Struct, frozen=True, gc=False):
    """The size of a state record as its facts came over the wire, and its digest as it was last written, if it was."""

    size: int = 0
    digest: int | None = None


_UNWRITTEN = RecordMeasure()


class DocketState:
    """One docket, and the measure of each of its records."""

    __slots__ = ("_measures", "docket")

    def __init__(self) -> None:
        self.docket = Docket()
        self._measures: dict[str | None, RecordMeasure] = {}

    def add(self, fact: Fact, *, period: str | None, size: int) -> frozenset[str | None]:
        """Add *fact*, of *size* bytes, to the record of *period*; return what `Docket.add` returns."""
        touched = self.docket.add(fact)
        if touched:
            before = self._measures.get(period, _UNWRITTEN)
            self._measures[period] = RecordMeasure(before.size + size, before.digest)
        return touched

    def record_bytes(self, period: str | None) -> int:
        """Return the size of the facts in the record of *period*."""
        return self._measures.get(period, _UNWRITTEN).size

    def swap_digest(self, period: str | None, digest: int) -> int | None:
        """Keep *digest* as that of the written record of *period*; return the one before."""
        before = self._measures[period]
        self._measures[period] = RecordMeasure(before.size, digest)
        return before.digest

    def without(self, fact: Fact, *, period: str | None, size: int) -> "DocketState":
        """Return the state as it was before `add` was called with the same arguments."""
        before = DocketState()
        before.docket = Docket(one for one in self.docket if identity(one) != identity(fact))
        measure = self._measures[period]
        before._measures = {**self._measures, period: RecordMeasure(measure.size - size, measure.digest)}
        return before


class StateStore:
    """Finds the dockets of one partition by key."""

    def __init__(self) -> None:
        self._dockets: dict[DocketKey, DocketState] = {}
        self._encoded: dict[DocketKey, list[bytes]] = {}

    def __iter__(self) -> Iterator[Fact]:
        """Yield every fact whose record can be read; this decodes the records without keeping them so."""
        for state in self._dockets.values():
            yield from state.docket
        for records in self._encoded.values():
            for value in records:
                yield from try_decode_facts(value)

    def restore(self, key: DutyKey, value: bytes) -> None:
        """Keep one record as `encode_facts` wrote it; it is decoded when its docket is asked for."""
        self._encoded.setdefault(docket_key_of(key), []).append(value)

    def docket_state(self, key: DocketKey) -> DocketState:
        """Return the state of that docket; a new one is kept if there was none."""
        state = self._dockets.get(key)
        if state is None:
            # The bytes are dropped once they are decoded, so that no docket is held twice.
            state = self._dockets[key] = _decode_docket(key, self._encoded.pop(key, ()))
        return state

    def facts_bearing_on(self, key: DocketKey, period: str | None, *, carried: Sequence[str] = ()) -> Sequence[Fact]:
        """Return what `Docket.facts_bearing_on` returns; unlike `docket_state` this keeps no new docket."""
        state = self._dockets.get(key)
        if state is None and key in self._encoded:
            state = self.docket_state(key)
        return () if state is None else state.docket.facts_bearing_on(period, carried=carried)

    def periods_of(self, key: DocketKey) -> frozenset[str | None]:
        """Return the periods that facts of that docket are about."""
        return self.docket_state(key).docket.periods

    def replace(self, key: DocketKey, state: DocketState) -> None:
        """Keep *state* instead of what was kept for that docket."""
        self._dockets[key] = state

    def docket_keys(self, plan: str) -> Iterator[DocketKey]:
        """Yield the keys of the dockets of *plan* that hold facts."""
        # The keys are copied: who iterates may ask for a docket, which moves it from one dictionary to the other.
        return (key for key in [*self._dockets, *self._encoded] if key[0] == plan)


class StateRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The facts of one state record, by kind."""

    submissions: tuple[Submission, ...] = ()
    withdrawals: tuple[Withdrawal, ...] = ()
    reassignments: tuple[Reassignment, ...] = ()
    returns: tuple[ReportReturn, ...] = ()
    acceptances: tuple[ReportAcceptance, ...] = ()
    extensions: tuple[Extension, ...] = ()
    exemptions: tuple[Exemption, ...] = ()
    revocations: tuple[Revocation, ...] = ()


_FIELDS: Mapping[type[Fact], str] = {
    Submission: "submissions",
    Withdrawal: "withdrawals",
    Reassignment: "reassignments",
    ReportReturn: "returns",
    ReportAcceptance: "acceptances",
    Extension: "extensions",
    Exemption: "exemptions",
    Revocation: "revocations",
}
_ENCODER = msgspec.json.Encoder()
_DECODER = RecordDecoder[StateRecord](StateRecord)


def docket_key_of(one: DutyKey | Fact) -> DocketKey:
    """Return the key of the docket that a duty or a fact belongs to."""
    return one.plan, one.agency, one.obligation


def encode_facts(facts: Iterable[Fact]) -> bytes:
    """Encode the facts of one state record."""
    kinds: dict[str, Any] = {}
    for fact in facts:
        kinds.setdefault(_FIELDS[type(fact)], []).append(fact)
    return _ENCODER.encode(StateRecord(**kinds))


def decode_facts(value: bytes) -> tuple[Fact, ...]:
    """Return the facts that `encode_facts` encoded; raise `UnreadableRecordError` for anything else."""
    record = _DECODER.decode(value)
    return (
        *record.submissions,
        *record.withdrawals,
        *record.reassignments,
        *record.returns,
        *record.acceptances,
        *record.extensions,
        *record.exemptions,
        *record.revocations,
    )


def try_decode_facts(value: bytes) -> tuple[Fact, ...]:
    """Return the facts that `encode_facts` encoded; none if *value* is not what it wrote."""
    try:
        return decode_facts(value)
    except UnreadableRecordError:
        return ()


def record_key(docket_key: DocketKey, period: str | None) -> str:
    """Return the key of the state record of *period* of a docket, as `str()` of its `DutyKey` gives it."""
    return "|".join((*docket_key, period or ""))


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


def _decode_docket(key: DocketKey, records: Iterable[bytes]) -> DocketState:
    state = DocketState()
    for value in records:
        facts = decode_facts(value)
        # The sizes of single facts are not recorded; equal shares are near enough for the limit on a duty.
        for fact in facts:
            state.add(fact, period=record_period(fact), size=len(value) // len(facts))
        period = record_period(facts[0])
        state.swap_digest(period, digest_record(record_key(key, period), value))
    return state


class StateCoverage(msgspec.Struct, frozen=True, kw_only=True):
    """What the state of a partition contains.

    `next_offset`, `last_offset` and `fingerprint` are those of `Coverage`. `generation` counts the logs that the state
    was made from. `records` and `digest` describe the state records, `layout` is a digest of their fields. The verdicts
    of this state end at `verdicts_end` or behind it.
    """

    next_offset: int
    last_offset: int | None
    fingerprint: str | None
    generation: int
    records: int
    digest: str
    verdicts_end: int
    layout: str

    @property
    def of_log(self) -> Coverage:
        """The part that is compared with the log."""
        return Coverage(next_offset=self.next_offset, last_offset=self.last_offset, fingerprint=self.fingerprint)


_COVERAGE_DECODER = RecordDecoder[StateCoverage](StateCoverage)


def encode_coverage(coverage: StateCoverage) -> bytes:
    """Encode *coverage* as the value of its record."""
    return _ENCODER.encode(coverage)


def decode_coverage(value: bytes) -> StateCoverage | None:
    """Return the coverage that `encode_coverage` encoded; None if *value* is not one."""
    try:
        return _COVERAGE_DECODER.decode(value)
    except UnreadableRecordError:
        return None


@cache
def current_layout() -> str:
    """Return a digest of the fields of a state record, in which a state of another release differs."""
    # A state without a field that facts have by now would take every fact that comes again for another one.
    schema = msgspec.json.encode(msgspec.json.schema(StateRecord), order="deterministic")
    return hashlib.sha256(schema).hexdigest()[:16]
