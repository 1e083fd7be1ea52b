"""Store a batch of records: decode each record once, store all of them in one write.

A verdict or a delivery that cannot be decoded, or whose key is taken by other content, is written to the dead-letter
topic with its reason. If that fails, the batch fails without a commit. Such a fact is counted here and set aside by
rules, which reads every fact.
"""

import logging
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Generic, Protocol, TypeVar

from aiokafka import AIOKafkaConsumer, TopicPartition

from schemas.events.event_origin import NO_ORIGIN, EventOrigin
from services.reporting import event_decoder
from services.reporting.current import thread_work
from services.reporting.event_decoder import DecodedFact, RecordedAssessment, RecordedAttempt
from services.reporting.metrics import ReportingMetrics
from services.runtime import decoding
from services.runtime.clock import Clock
from services.runtime.decoding import UnreadableRecordError
from services.runtime.kafka import event_origins
from services.runtime.kafka.batch_consumer import Handler, Records
from services.runtime.kafka.dead_letters import ConsumedRecord

Decoded = TypeVar("Decoded")

# Inserts what was decoded; inserting the same again changes nothing. Returns the positions of those whose key is taken
# by other content, which stays.
Insert = Callable[[Sequence[Decoded]], Awaitable[Collection[int]]]

CONFLICT = "conflict: this id is recorded with other content, which stays"

log = logging.getLogger(__name__)


class DeadLetterWriter(Protocol):
    """Sets a poison record aside, or raises."""

    async def set_aside(self, record: ConsumedRecord, *, reason: str) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicReader(Generic[Decoded]):
    """How the records of one topic are decoded and stored, and whether reporting is the one to set the poison aside.

    `decode` returns None for a record that reporting has no use for, and raises `UnreadableRecordError` for poison.
    `origin_of` returns what a record, and what it decodes to, say of the event behind it.
    """

    label: str
    decode: Callable[[ConsumedRecord], Decoded | None]
    insert: Insert[Decoded]
    sets_aside: bool = True
    origin_of: Callable[[ConsumedRecord, Decoded], EventOrigin] = lambda _record, _decoded: NO_ORIGIN


def verdict_reader(insert: Insert[RecordedAssessment]) -> TopicReader[RecordedAssessment]:
    """Return the reader of the topic of verdicts: each record is an assessment."""
    return TopicReader(
        label="verdicts",
        decode=lambda record: event_decoder.decode_verdict(record.value),
        insert=insert,
        origin_of=lambda record, _decoded: event_origins.read_verdict_origin(record),
    )


def delivery_reader(insert: Insert[RecordedAttempt]) -> TopicReader[RecordedAttempt]:
    """Return the reader of the topic of deliveries: attempts at alerts; that one was read is passed over."""
    return TopicReader(
        label="deliveries", decode=lambda record: event_decoder.find_attempt(record.value), insert=insert
    )


def fact_reader(insert: Insert[DecodedFact]) -> TopicReader[DecodedFact]:
    """Return the reader of the topic of facts, each of which is dated by when the log recorded it."""

    def decode(record: ConsumedRecord) -> DecodedFact | None:
        return event_decoder.decode_fact(record.value, recorded_at=decoding.read_timestamp(record))

    return TopicReader(
        label="facts",
        decode=decode,
        insert=insert,
        sets_aside=False,
        origin_of=lambda _record, fact: fact.origin,
    )


def on_batch(
    reader: TopicReader[Decoded],
    dead_letters: DeadLetterWriter,
    metrics: ReportingMetrics,
    *,
    clock: Clock,
    is_complete: Callable[[TopicPartition], bool],
) -> Handler:
    """Return the handler of the batches of one topic.

    It measures the way from the receipt of an event to what is stored of it, for the records that the database
    *is_complete* without; what is read again was shown before.
    """

    async def handle(records: Records, _consumer: AIOKafkaConsumer) -> None:
        with metrics.batch_seconds.labels(reader.label).time():
            # Five thousand verdicts take a tenth of a second, in which requests are answered.
            decoded, poison = await thread_work.run(partial(_decode_batch, reader, records), work=len(records))
            conflicting = await reader.insert([value for _record, value in decoded])
            conflicts = [(decoded[position][0], CONFLICT) for position in sorted(conflicting)]
            # The write comes first because the whole batch is tried again while the database is away: dead letters
            # written before it would be written once more at each try.
            for record, reason in (*poison, *conflicts):
                if reader.sets_aside:
                    await dead_letters.set_aside(record, reason=reason)
                    metrics.dead_letters.labels(reader.label).inc()
                place = {"topic": record.topic, "partition": record.partition, "offset": record.offset}
                log.warning("a record is refused", extra={"action": "record_refused", "reason": reason, **place})
        metrics.records.labels(reader.label).inc(len(decoded) - len(conflicts))
        metrics.unreadable.labels(reader.label).inc(len(poison))
        metrics.conflicts.labels(reader.label).inc(len(conflicts))
        places = {TopicPartition(record.topic, record.partition) for record in records}
        fresh = {place.partition for place in places if is_complete(place)}
        origins = (reader.origin_of(record, value) for record, value in decoded if record.partition in fresh)
        metrics.received_to_dashboard.observe_all(origins, clock.now(), reader.label)

    return handle


def _decode_batch(
    reader: TopicReader[Decoded], records: Records
) -> tuple[list[tuple[ConsumedRecord, Decoded]], list[tuple[ConsumedRecord, str]]]:
    """Return what *records* decode to, and the records that cannot be decoded with the reason for each."""
    decoded: list[tuple[ConsumedRecord, Decoded]] = []
    poison: list[tuple[ConsumedRecord, str]] = []
    for record in records:
        try:
            value = reader.decode(record)
        except UnreadableRecordError as cause:
            poison.append((record, str(cause)))
        else:
            decoded += () if value is None else ((record, value),)
    return decoded, poison
