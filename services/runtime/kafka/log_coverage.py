"""Which log a derived state was made from, and up to where; and what that means for the state at the next start.

Every state that is made from the log (rules' state topic, the databases of notifier and reporting, intake's memory of
events) keeps a `Coverage` for each partition that it was made from, written no earlier than what it covers. At the
start `inspect_log` looks at the log, and `judge` says from which offset to read and whether something was lost. The
state decides where reading goes on, not the offset that the consumer group committed: an offset can be moved or lost
without the state, and the other way round.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import CorruptRecordException, KafkaTimeoutError

from services.runtime.kafka import clients
from services.runtime.settings import KafkaConfig

FETCH_TIMEOUT_MS = 5_000  # for the one record that is compared; a broker that answers has it at once


class FingerprintedRecord(Protocol):
    """The parts of a record that tell it from another one at the same offset."""

    @property
    def offset(self) -> int: ...
    @property
    def timestamp(self) -> int: ...
    @property
    def key(self) -> bytes | None: ...
    @property
    def value(self) -> bytes | None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """A state contains every record of a partition below `next_offset`.

    `last_offset` and `fingerprint` are those of the last record among them, by which another log with the same offsets
    is recognised. Both are None while the state contains no record. `next_offset` may be larger than `last_offset` + 1,
    because markers of transactions take offsets too.
    """

    next_offset: int
    last_offset: int | None = None
    fingerprint: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LogState:
    """A partition as the broker has it at the start: its bounds, and what the consumer group has committed.

    `fingerprint` is that of the record at the coverage's `last_offset`; None where the log has no record there.
    """

    beginning: int
    end: int
    committed: int | None
    fingerprint: str | None = None


class Agreement(StrEnum):
    """What the comparison of a state with its log shows. The value is the label of a metric."""

    INTACT = "intact"
    NEW = "new"  # neither a state nor a committed offset: the first start
    STATE_LOST = "state_lost"  # the group has read the log, but the state is gone
    STATE_BEHIND = "state_behind"  # the group has read further than the state: an older state was put back
    LOG_SHORTER = "log_shorter"  # the log ends before the records that the state contains
    LOG_REPLACED = "log_replaced"  # other records have the offsets of those that the state contains

    @property
    def is_of_log(self) -> bool:
        """Whether it is the log that lost records, and not the state."""
        return self in {Agreement.LOG_SHORTER, Agreement.LOG_REPLACED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What was found, and the offset from which the state has to read on."""

    agreement: Agreement
    next_offset: int


def fingerprint_record(record: FingerprintedRecord) -> str:
    """Return the digest of timestamp, key and value of *record*: 32 hexadecimal digits."""
    digest = hashlib.sha256(record.timestamp.to_bytes(8, signed=True))
    for part in (record.key, record.value):
        # The length goes first, so that bytes which move from the key to the value change the digest.
        digest.update((-1 if part is None else len(part)).to_bytes(8, signed=True))
        digest.update(part or b"")
    return digest.hexdigest()[:32]


def cover_up_to(record: FingerprintedRecord, *, next_offset: int | None = None) -> Coverage:
    """Return the coverage of a state whose last record is *record*."""
    return Coverage(
        next_offset=record.offset + 1 if next_offset is None else next_offset,
        last_offset=record.offset,
        fingerprint=fingerprint_record(record),
    )


def judge(coverage: Coverage | None, log: LogState) -> Judgement:
    """Compare what a state contains with the log as it is.

    A state that is lost, or whose log is not the one it was made from, reads from the beginning. One that is older
    than the committed offset goes back to where it stands.
    """
    start = log.beginning
    if max(log.committed or 0, 0 if coverage is None else coverage.next_offset) > log.end:
        return Judgement(agreement=Agreement.LOG_SHORTER, next_offset=start)
    if coverage is None:
        has_read = log.committed is not None and log.committed > start
        return Judgement(agreement=Agreement.STATE_LOST if has_read else Agreement.NEW, next_offset=start)
    if coverage.next_offset < start or _is_replaced(coverage, log):
        return Judgement(agreement=Agreement.LOG_REPLACED, next_offset=start)
    if log.committed is not None and log.committed > coverage.next_offset:
        return Judgement(agreement=Agreement.STATE_BEHIND, next_offset=coverage.next_offset)
    return Judgement(agreement=Agreement.INTACT, next_offset=coverage.next_offset)


def _is_replaced(coverage: Coverage, log: LogState) -> bool:
    """Whether another record, or none, lies where the last record of the state was; unknown if that one is deleted."""
    if coverage.last_offset is None or coverage.last_offset < log.beginning:
        return False
    return coverage.fingerprint != log.fingerprint


async def inspect_log(
    config: KafkaConfig, group: str, coverages: Mapping[TopicPartition, Coverage | None]
) -> Mapping[TopicPartition, LogState]:
    """Return the state of each partition of *coverages*; raise `KafkaError` while the broker cannot tell.

    Records of transactions that are not committed do not count: the end is where a committed reader stops.
    """
    consumer = AIOKafkaConsumer(
        **config.client(),
        group_id=group,  # only to ask for its committed offsets: partitions are assigned, and nothing is committed
        enable_auto_commit=False,
        auto_offset_reset="none",
        isolation_level="read_committed",
    )
    await consumer.start()
    try:
        places = list(coverages)
        consumer.assign(places)
        # Before the ends: what the group commits while the log grows may lie beyond an end that was asked earlier.
        committed = {place: await consumer.committed(place) for place in places}
        beginnings = await consumer.beginning_offsets(places)
        ends = await consumer.end_offsets(places)
        found = {}
        for place, coverage in coverages.items():
            found[place] = LogState(
                beginning=beginnings[place],
                end=ends[place],
                committed=committed[place],
                fingerprint=await _read_fingerprint(consumer, place, coverage, end=ends[place]),
            )
    finally:
        await clients.stop_consumer(consumer)
    return found


async def _read_fingerprint(
    consumer: AIOKafkaConsumer, place: TopicPartition, coverage: Coverage | None, *, end: int
) -> str | None:
    if coverage is None or coverage.last_offset is None or coverage.next_offset > end:
        return None
    consumer.seek(place, coverage.last_offset)
    try:
        fetched: Mapping[TopicPartition, list[Any]] = await consumer.getmany(
            place, timeout_ms=FETCH_TIMEOUT_MS, max_records=1
        )
    except CorruptRecordException:
        return coverage.fingerprint  # a damaged record tells nothing; the one behind it says whether the log is another
    records = fetched.get(place, [])
    if not records and await consumer.position(place) <= coverage.last_offset:
        # No answer is not the answer that nothing is there: the state would be thrown away for a slow broker.
        raise KafkaTimeoutError(f"{place.topic} {place.partition} has not answered in {FETCH_TIMEOUT_MS} ms")
    return fingerprint_record(records[0]) if records and records[0].offset == coverage.last_offset else None
