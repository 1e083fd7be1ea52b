"""Write a poison record to the dead letter topic, byte for byte, with its origin, the reason and the time in headers.

If the record cannot be written this raises: the consumer then stops without committing, and nothing is lost.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from aiokafka import AIOKafkaProducer, TopicPartition

from services.runtime.clock import Clock, milliseconds
from services.runtime.kafka import log_coverage
from services.runtime.kafka.log_coverage import FingerprintedRecord
from services.runtime.kafka.raw_batches import RawBatch

SUFFIX = ".dead-letter"
ORIGIN_TOPIC = "dondoc-origin-topic"
ORIGIN_PARTITION = "dondoc-origin-partition"
ORIGIN_OFFSET = "dondoc-origin-offset"
# Only of a damaged batch, whose bytes are the value of the letter: the offset behind its last one.
ORIGIN_NEXT_OFFSET = "dondoc-origin-next-offset"
ORIGIN_TIMESTAMP = "dondoc-origin-timestamp"
REASON = "dondoc-reason"
SET_ASIDE_AT = "dondoc-set-aside-at"
LONGEST_REASON = 1_000  # characters; the reason is for a person to read, and the record itself is there too


# The offset of a record in its topic and its fingerprint: the same record at the same place.
RecordIdentity = tuple[int, str]


class ConsumedRecord(FingerprintedRecord, Protocol):
    """A record as aiokafka's consumer returns it."""

    @property
    def topic(self) -> str: ...
    @property
    def partition(self) -> int: ...
    @property
    def headers(self) -> Sequence[tuple[str, bytes]]: ...


class DeadLetters:
    """Writes to `<topic>.dead-letter` with the same key and partition, in the producer's transaction if it has one."""

    def __init__(self, producer: AIOKafkaProducer, clock: Clock) -> None:
        self._producer = producer
        self._clock = clock

    async def set_aside(self, record: ConsumedRecord, *, reason: str) -> None:
        """Return when the broker has the record; raise `KafkaError` if it refuses it."""
        place = TopicPartition(record.topic, record.partition)
        origin = {ORIGIN_OFFSET: str(record.offset), ORIGIN_TIMESTAMP: str(record.timestamp)}
        headers = [*record.headers, *self._describe(place, origin, reason=reason)]
        # aiokafka refuses a record without key and value, which other clients can write.
        key = b"" if record.key is None and record.value is None else record.key
        await self._send(place, key, record.value, headers)

    async def set_aside_damaged(self, place: TopicPartition, batch: RawBatch, *, reason: str) -> None:
        """Set a damaged batch aside with its bytes, which permits consumers to pass over it."""
        origin = {ORIGIN_OFFSET: str(batch.offset), ORIGIN_NEXT_OFFSET: str(batch.next_offset)}
        await self._send(place, None, batch.data, self._describe(place, origin, reason=reason))

    async def _send(
        self, place: TopicPartition, key: bytes | None, value: bytes | None, headers: Sequence[tuple[str, bytes]]
    ) -> None:
        await self._producer.send_and_wait(
            f"{place.topic}{SUFFIX}",
            value,
            key=key,
            # The dead letter topic has as many partitions as its origin, so a record keeps its number.
            partition=place.partition,
            timestamp_ms=milliseconds(self._clock.now()),
            headers=list(headers),
        )

    def _describe(
        self, place: TopicPartition, origin: Mapping[str, str], *, reason: str
    ) -> Sequence[tuple[str, bytes]]:
        """Return the headers that say where the letter comes from, why, and since when."""
        texts = {
            ORIGIN_TOPIC: place.topic,
            ORIGIN_PARTITION: str(place.partition),
            **origin,
            REASON: reason[:LONGEST_REASON],
            SET_ASIDE_AT: self._clock.now().isoformat(),
        }
        return [(name, text.encode()) for name, text in texts.items()]


def identify(record: FingerprintedRecord) -> RecordIdentity:
    """Return the identity of a record of the log, as `identify_origin` returns it for its dead letter."""
    return record.offset, log_coverage.fingerprint_record(record)


def identify_origin(letter: ConsumedRecord) -> RecordIdentity | None:
    """Return the identity of the record that was set aside as *letter*; None if its headers do not tell."""
    headers = dict(letter.headers)
    try:
        offset, timestamp = int(headers[ORIGIN_OFFSET]), int(headers[ORIGIN_TIMESTAMP])
        return identify(_Origin(offset=offset, timestamp=timestamp, key=letter.key, value=letter.value))
    except (KeyError, ValueError, TypeError, OverflowError):
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Origin:
    """The record that was set aside, as it was in its topic."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
