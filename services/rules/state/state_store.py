"""The dockets of one partition in memory, and the records in which they lie on `dondoc.duties.v1`.

A state record holds the facts of one docket that are filed under one period; facts that are not about one period
(exemptions and their revocations) are in the record of the empty period. A docket is the union of its records.

With the records lies one that describes them all: the coverage, from which log the state was made, up to where, and a
digest of all records. It is written under a key of its own in the transaction of every batch. So the state, its
coverage and the committed offset are always of the same batch, unless something outside lost or changed them.

Records are kept encoded. A restore is then as fast as the log is read, a duty costs only the memory of its bytes, and a
fact that is rejected leaves no trace, because its record was never put.
"""

import hashlib
import sys
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from functools import cache
from itertools import chain
from typing import Any, get_args

import msgspec

from schemas.events.facts import PlanAdopted
from schemas.events.ids import DutyKey
from services.rules.core.facts import (
    Docket,
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
    record_period,
)
from services.runtime.decoding import RecordDecoder, UnreadableRecordError
from services.runtime.kafka.log_coverage import Coverage

COVERAGE_KEY = b"coverage"
ADOPTION_KEY_END = b"|||"  # the key of the last adoption of a plan names nothing but the plan

# What a docket is found by: plan, agency, obligation.
DocketKey = tuple[str, str, str]


class StateDigest:
    """The number of records and a digest of them all, by which a lost, old or altered record is recognised.

    It is the sum of the checksums of the single records. A sum does not depend on their order, and a record that
    changes costs one subtraction and one addition, however many others there are. It finds faults, not forgers:
    whoever may write the state topic may write a digest that fits.
    """

    __slots__ = ("_sum", "records")

    def __init__(self) -> None:
        self.records = 0
        self._sum = 0

    def replace(self, before: int | None, after: int) -> None:
        """Count a record with the checksum *after* in place of one with the checksum *before*, or as a new one."""
        if before is None:
            self.records += 1
        self._sum += after - (before or 0)

    def hex(self) -> str:
        """Return the sum as hexadecimal digits."""
        return f"{self._sum:016x}"


def checksum_record(key: bytes, value: bytes) -> int:
    """Return the checksum of one state record: CRC-32, which misses one fault in four billion.

    SHA-256 in its place took a tenth of the processor time of an event.
    """
    return zlib.crc32(value, zlib.crc32(key))


class StateStore:
    """The state records of one partition, encoded as they lie on the state topic, and which of them changed.

    A record is decoded while a fact or an adoption needs it, and never kept so. Of a docket that holds nothing but
    reports, each with an id of its own, the store knows the ids by their hashes: a report of another period cannot bear
    on them, so that most reports are processed without decoding anything. All other dockets are *unindexed*.
    """

    def __init__(self) -> None:
        self.digest = StateDigest()
        self._dockets: dict[DocketKey, dict[str | None, bytes]] = {}
        self._ids: set[int] = set()
        self._unindexed: set[DocketKey] = set()
        # In the order of the first change since the last `drain_changes`, so that a replay writes the same.
        self._changed: dict[str, bytes] = {}

    def __iter__(self) -> Iterator[Fact]:
        """Yield every fact whose record can be read."""
        for records in self._dockets.values():
            for value in records.values():
                with suppress(UnreadableRecordError):
                    yield from decode_facts(value)

    def restore(self, key: bytes, value: bytes) -> None:
        """Keep one record that `drain_changes` returned, and count it in the digest; raise `UnreadableRecordError`."""
        docket_key, period = decode_key(key)
        self._open_records(docket_key)[period] = value
        self._unindexed.add(docket_key)
        self.digest.replace(None, checksum_record(key, value))

    def is_first_report(self, key: DocketKey, report: Submission) -> bool:
        """Whether *report* is surely new, the first fact under its period, and bears on no other period."""
        records = self._dockets.get(key)
        if records is None:
            return True
        return report.period not in records and key not in self._unindexed and hash((key, report.id)) not in self._ids

    def open_docket(self, key: DocketKey, fact: Fact | None = None) -> Docket:
        """Return the docket, or only the part of it that matters for adding *fact* and assessing what it touches."""
        records = self._dockets.get(key, {})
        if key not in self._unindexed and isinstance(fact, Submission):
            own = Docket(decode_facts(records[fact.period]) if fact.period in records else ())
            if hash((key, fact.id)) not in self._ids or own.find(identity(fact)) is not None:
                return own
        return Docket(fact for value in records.values() for fact in decode_facts(value))

    def facts_bearing_on(self, key: DocketKey, period: str | None, *, carried: Sequence[str] = ()) -> Sequence[Fact]:
        """Return what `Docket.facts_bearing_on` returns."""
        records = self._dockets.get(key)
        if records is None:
            return ()
        if key in self._unindexed:
            docket = self.open_docket(key)
            self._index(key, docket)
            return docket.facts_bearing_on(period, carried=carried)
        return decode_facts(records[period]) if period in records else ()

    def periods_of(self, key: DocketKey) -> Iterable[str | None]:
        """Return the periods that facts of that docket are about."""
        return self.open_docket(key).periods if key in self._unindexed else self._dockets.get(key, {}).keys()

    def put_report(self, key: DocketKey, report: Submission, value: bytes) -> None:
        """Keep *value* as the record of a report for which `is_first_report` holds."""
        self._put_record(key, report.period, value)
        self._ids.add(hash((key, report.id)))

    def put(self, fact: Fact, docket: Docket, value: bytes) -> None:
        """Keep *value* as the record of *fact*, which was added to the *docket* that `open_docket` returned for it."""
        self._put_record(docket_key_of(fact), record_period(fact), value)
        self._index(docket_key_of(fact), docket)

    def put_adoption(self, adoption: PlanAdopted) -> None:
        """Keep the record of the last adoption of a plan."""
        self._put_record((adoption.plan, "", ""), None, adoption.model_dump_json().encode())

    def drain_changes(self) -> list[tuple[str, bytes]]:
        """Return the records changed since this was last called, as (key, value)."""
        changes, self._changed = [*self._changed.items()], {}
        return changes

    def docket_keys(self, plan: str) -> Iterator[DocketKey]:
        """Yield the keys of the dockets of *plan* that hold facts."""
        return (key for key in list(self._dockets) if key[0] == plan and key != (plan, "", ""))

    def _put_record(self, key: DocketKey, period: str | None, value: bytes) -> None:
        name = record_key(key, period)
        encoded_name = name.encode()
        records = self._dockets.get(key) or self._open_records(key)
        before = records.get(period)
        earlier = None if before is None else checksum_record(encoded_name, before)
        self.digest.replace(earlier, checksum_record(encoded_name, value))
        records[period if period is None else sys.intern(period)] = value
        self._changed[name] = value

    def _open_records(self, key: DocketKey) -> dict[str | None, bytes]:
        """Return the records of a docket, which may be new; its names are shared by all dockets that have them."""
        records = self._dockets.get(key)
        if records is None:
            plan, agency, obligation = map(sys.intern, key)
            records = self._dockets[plan, agency, obligation] = {}
        return records

    def _index(self, key: DocketKey, docket: Docket) -> None:
        """Take note of the ids in *docket*, or that it is more than a list of reports."""
        if docket.has_only_reports:
            self._unindexed.discard(key)
            self._ids.update([hash((key, one.id)) for one in docket])
        else:
            self._unindexed.add(key)


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


_FIELDS = {get_args(kind)[0]: field for field, kind in StateRecord.__annotations__.items()}
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


def encode_report(report: Submission) -> bytes:
    """Encode what `encode_facts` does of one report."""
    return _ENCODER.encode(StateRecord(submissions=(report,)))


def decode_facts(value: bytes) -> tuple[Fact, ...]:
    """Return the facts that `encode_facts` encoded; raise `UnreadableRecordError` for anything else."""
    return tuple(chain.from_iterable(msgspec.structs.astuple(_DECODER.decode(value))))


def record_key(docket_key: DocketKey, period: str | None) -> str:
    """Return the key of the state record of *period* of a docket, as `str()` of its `DutyKey` gives it."""
    plan, agency, obligation = docket_key
    return f"{plan}|{agency}|{obligation}|{period or ''}"


def decode_key(key: bytes | None) -> tuple[DocketKey, str | None]:
    """Return the docket and the period of the record under *key*; raise `UnreadableRecordError` if it names none."""
    try:
        plan, agency, obligation, period = (key or b"").decode().split("|")
    except ValueError as cause:
        raise UnreadableRecordError("", f"the key {key!r} names no duty") from cause
    return (plan, agency, obligation), sys.intern(period) or None


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
    """Return a digest of the fields of a state record and of its checksum, by which other releases' are told."""
    # A state without a field that facts have by now would take every fact that comes again for another one.
    schema = msgspec.json.encode(msgspec.json.schema(StateRecord), order="deterministic")
    return hashlib.sha256(schema + b"crc32").hexdigest()[:16]
