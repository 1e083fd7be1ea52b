"""Reads what is new in the log into the index: facts, what rules set aside of them, and attempts at alerts.

A log that has lost records is told apart from one that has only grown: an audit of what is left would find fault with
projections that are right.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from schemas.events.facts import PlanAdopted
from schemas.events.topics import DELIVERIES, FACTS
from services.console.audit import log_index
from services.console.audit.log_index import IndexedAttempt, IndexedFact, LogIndex, LogRecord, floor_milliseconds
from services.console.support.inputs import UnusableInputError
from services.reporting import event_decoder
from services.rules import fact_decoder
from services.rules.core.facts import Fact, Reassignment, Submission, Withdrawal, identity, record_period
from services.runtime import decoding
from services.runtime.decoding import UnreadableRecordError
from services.runtime.kafka import clients, dead_letters, log_coverage
from services.runtime.settings import KafkaConfig

POLL_MS = 200
BATCH_RECORDS = 2_000  # decoded and written in some 50 ms, after which the event loop may run
FETCH_BYTES = 4 * 1024 * 1024

# The one reason for which rules sets a fact aside that depends on when it was read: its plan was not published yet.
# Any other reason is found again when the fact is processed again.
TIMELY_REASON = b"unknown:"
TOPICS = (FACTS.name, FACTS.dead_letter, DELIVERIES.name)

# Called with the number of records read, as often as there are some.
Advance = Callable[[int], None]


class LogLostError(UnusableInputError):
    """The log has lost records that were in it. The message says where; see "Kafka is lost" in deploy/runbook.md."""


class LogIndexer:
    """Reads the log into an index, each time from where the index ends."""

    def __init__(self, config: KafkaConfig, index: LogIndex, groups: Mapping[str, str]) -> None:
        """Take *groups*, by topic, whose committed offsets tell how far the topic has reached before."""
        self._config = config
        self._index = index
        self._groups = groups

    async def read(self, advance: Advance = lambda _count: None) -> int:
        """Read to the present end of the log; return the number of partitions of the facts.

        Raise `LogLostError` if records are gone; the index is then empty, so that the next reading begins anew.
        """
        consumer: AIOKafkaConsumer[Any, Any] = AIOKafkaConsumer(
            *TOPICS,
            **self._config.client(),
            isolation_level="read_committed",
            enable_auto_commit=False,  # no group: reading leaves no trace on the broker
            auto_offset_reset="earliest",
            max_partition_fetch_bytes=FETCH_BYTES,
        )
        await consumer.start()
        try:
            places = sorted(consumer.assignment())
            await self._seek(consumer, places)
            await self._read_to_end(consumer, places, advance)
        finally:
            await clients.stop_consumer(consumer)
        return sum(place.topic == FACTS.name for place in places)

    async def _seek(self, consumer: "AIOKafkaConsumer[Any, Any]", places: Sequence[TopicPartition]) -> None:
        for topic in TOPICS:
            known = self._index.coverage(topic)
            coverages = {place: known.get(place.partition) for place in places if place.topic == topic}
            if not coverages:
                continue
            states = await log_coverage.inspect_log(self._config, self._groups[topic], coverages)
            for place, coverage in coverages.items():
                found = log_coverage.judge(coverage, states[place])
                if found.agreement.is_of_log:
                    self._index.start_anew()
                    raise _describe_loss(place, states[place], coverage)
                consumer.seek(place, found.next_offset)

    async def _read_to_end(
        self, consumer: "AIOKafkaConsumer[Any, Any]", places: Sequence[TopicPartition], advance: Advance
    ) -> None:
        ends = await consumer.end_offsets(places) if places else {}
        # The end is reached by position, not by the last record: markers of transactions take offsets too.
        left = {place for place in places if await consumer.position(place) < ends[place]}
        while left:
            fetched = await consumer.getmany(*left, timeout_ms=POLL_MS, max_records=BATCH_RECORDS)
            with self._index.transaction():
                for place, records in fetched.items():
                    self.add_records(place, records)
                    self._index.set_coverage(place, log_coverage.cover_up_to(records[-1]))
            advance(sum(map(len, fetched.values())))
            left = {place for place in left if await consumer.position(place) < ends[place]}

    def add_records(self, place: TopicPartition, records: Sequence["ConsumerRecord[Any, Any]"]) -> None:
        """Add records of one partition to the index; one that cannot be decoded is counted there."""
        if place.topic == FACTS.name:
            self._add_facts(place, records)
        elif place.topic == DELIVERIES.name:
            self._add_attempts(place, records)
        else:
            self._add_set_aside(records)

    def _add_facts(self, place: TopicPartition, records: Iterable["ConsumerRecord[Any, Any]"]) -> None:
        facts = []
        for record in records:
            try:
                found, _ = fact_decoder.decode_event(record.value, recorded_at=decoding.read_timestamp(record))
            except UnreadableRecordError:
                self._index.add_unreadable(place, record.offset)
                continue
            if isinstance(found, PlanAdopted):
                value = LogRecord(offset=record.offset, recorded_at=record.timestamp, value=record.value)
                self._index.add_adoption(found, place.partition, value)
            else:
                facts.append(_index_fact(found, record))
        self._index.add_facts(facts)

    def _add_attempts(self, place: TopicPartition, records: Iterable["ConsumerRecord[Any, Any]"]) -> None:
        for record in records:
            try:
                delivery = event_decoder.find_attempt(record.value)
            except UnreadableRecordError:
                self._index.add_unreadable(place, record.offset)
                continue
            if delivery is None:
                continue
            attempt = IndexedAttempt(
                event=delivery.event,
                attempted_at=floor_milliseconds(delivery.attempted_at),
                partition=place.partition,
                offset=record.offset,
                duties=[str(one.key) for one in delivery.attempts],
                value=delivery.record,
            )
            self._index.add_attempt(attempt)

    def _add_set_aside(self, records: Iterable["ConsumerRecord[Any, Any]"]) -> None:
        for record in records:
            headers = dict(record.headers)
            origin = (headers.get(dead_letters.ORIGIN_PARTITION, b""), headers.get(dead_letters.ORIGIN_OFFSET, b""))
            if headers.get(dead_letters.REASON, b"").startswith(TIMELY_REASON) and all(map(bytes.isdigit, origin)):
                self._index.add_set_aside(int(origin[0]), int(origin[1]))


def _index_fact(fact: Fact, record: "ConsumerRecord[Any, Any]") -> IndexedFact:
    return IndexedFact(
        partition=record.partition,
        offset=record.offset,
        recorded_at=record.timestamp,
        plan=fact.plan,
        agency=fact.agency,
        obligation=fact.obligation,
        period=record_period(fact),
        is_submission=isinstance(fact, Submission),
        moves_submissions=isinstance(fact, Withdrawal | Reassignment),
        identity=log_index.number_identity(*identity(fact)),
        value=record.value,
    )


def _describe_loss(
    place: TopicPartition, state: log_coverage.LogState, coverage: log_coverage.Coverage | None
) -> LogLostError:
    read_before = max(state.committed or 0, 0 if coverage is None else coverage.next_offset)
    what = f"{place.topic}/{place.partition}"
    if read_before > state.end:
        return LogLostError(
            f"{what} ends at offset {state.end}, and was read up to {read_before} before: records are lost"
        )
    return LogLostError(f"{what} has other records than those that were read before: the log was replaced")
