"""Up to which offsets of the log a sealed version counts, so that it can be rebuilt from the log alone.

An instant does not say it: a record may bear an earlier timestamp than one before it, and an attempt at an alert is
published after it was made. So the offsets are taken first, then everything before them is awaited in the database, and
after the report was compiled the records behind them are looked at: had one of them counted, the report is compiled
again with later offsets.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from schemas.events.reports import SealedOffsets
from schemas.events.topics import DELIVERIES, FACTS, REPORTS, VERDICTS, Topic
from services.reporting import event_decoder
from services.reporting.sealing import report_decoder
from services.reporting.sealing.report_decoder import RecordedEvaluation
from services.runtime import decoding
from services.runtime.decoding import UnreadableRecordError
from services.runtime.kafka import clients, group_progress
from services.runtime.settings import KafkaConfig

CATCH_UP_SECONDS = 30.0  # rules and reporting take well below a second when nothing is wrong
RETRY_SECONDS = 0.1
POLL_MS = 200
COUNTED = (FACTS, DELIVERIES, REPORTS)

Ends = Mapping[TopicPartition, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class LogReaders:
    """How to reach the log, the groups that read it for reporting and for rules, and the number of its partitions."""

    kafka: KafkaConfig
    reporting_group: str
    rules_group: str
    partitions: int


async def reach_end(readers: LogReaders) -> Ends:
    """Return where facts, deliveries and reports end now, once the database holds all that follows from them.

    Raise `GroupBehindError` if rules or reporting does not get there in time.
    """
    ends = await group_progress.find_ends(readers.kafka, _places(readers, COUNTED))
    facts = {place: end for place, end in ends.items() if place.topic == FACTS.name}
    await _wait_for(readers, readers.rules_group, facts)
    # What rules concluded of these facts lies before the end that the verdicts have by now.
    verdicts = await group_progress.find_ends(readers.kafka, _places(readers, (VERDICTS,)))
    await _wait_for(readers, readers.reporting_group, {**ends, **verdicts})
    return ends


async def has_late_record(readers: LogReaders, ends: Ends, known_at: datetime) -> bool:
    """Whether a record behind *ends* counts for a question as known at *known_at*."""
    consumer: AIOKafkaConsumer[Any, Any] = AIOKafkaConsumer(
        **readers.kafka.client(), enable_auto_commit=False, isolation_level="read_committed"
    )
    await consumer.start()
    try:
        consumer.assign(list(ends))
        for place, end in ends.items():
            consumer.seek(place, end)
        present = await consumer.end_offsets(list(ends))
        left = {place for place in ends if await consumer.position(place) < present[place]}
        while left:
            for records in (await consumer.getmany(*left, timeout_ms=POLL_MS)).values():
                if any(_counts_at(record, known_at) for record in records):
                    return True
            left = {place for place in left if await consumer.position(place) < present[place]}
    finally:
        await clients.stop_consumer(consumer)
    return False


def list_offsets(ends: Ends) -> SealedOffsets:
    """Return *ends* as a sealed version names them."""
    by_topic = {
        topic: {str(place.partition): end for place, end in sorted(ends.items()) if place.topic == topic.name}
        for topic in COUNTED
    }
    return SealedOffsets(facts=by_topic[FACTS], deliveries=by_topic[DELIVERIES], reports=by_topic[REPORTS])


def _places(readers: LogReaders, topics: Iterable[Topic]) -> list[TopicPartition]:
    return [TopicPartition(topic.name, number) for topic in topics for number in range(readers.partitions)]


async def _wait_for(readers: LogReaders, group: str, ends: Ends) -> None:
    await group_progress.wait_until_read(
        readers.kafka, group, ends, seconds=CATCH_UP_SECONDS, retry_seconds=RETRY_SECONDS
    )


def _counts_at(record: "ConsumerRecord[Any, Any]", known_at: datetime) -> bool:
    try:
        if record.topic == DELIVERIES.name:
            # An attempt counts from when it was made, whenever it was published.
            return event_decoder.decode_delivery(record.value).attempted_at <= known_at
        if record.topic == REPORTS.name:
            # Of the reports only evaluations are figures of another report.
            event = report_decoder.decode_report_event(record)
            return isinstance(event, RecordedEvaluation) and event.recorded_at <= known_at
        return decoding.read_timestamp(record) <= known_at
    except UnreadableRecordError:
        return False
