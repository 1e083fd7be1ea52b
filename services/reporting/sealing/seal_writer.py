"""Append one sealed version to `dondoc.reports.v1`, whole or not at all, and never two with the same number.

A transactional id belongs to each partition of the topic. Opening the writer fences whoever opened one before (KIP-98):
the broker aborts their transaction and refuses what they still try to write. So whoever has opened a writer and then
read the partition to its end knows every version there is, and can only commit while nobody has opened one since. The
log itself is thus what compares and sets; no reservation in a database can be left over by a process that was killed.
"""

from collections.abc import Iterable
from types import TracebackType
from typing import Self

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import InvalidProducerEpoch, KafkaError, ProducerFenced

from schemas.events import ids, reports
from schemas.events.topics import REPORTS
from services.reporting.sealing.report_events import ReportRecord
from services.runtime.clock import Clock, milliseconds
from services.runtime.kafka import clients
from services.runtime.settings import KafkaConfig

LARGEST_REQUEST_BYTES = 16 * 1024 * 1024  # what the topic takes in one record
TRANSACTION_TIMEOUT_MS = 30_000  # a killed writer blocks committed readers of its partition no longer than this


class SealContestedError(Exception):
    """Another process sealed a report, or is about to, since this one looked; nothing was written. Ask again."""


class SealWriter:
    """The right to append a version to one partition, from entering to leaving the context. Keep that short."""

    def __init__(self, kafka: KafkaConfig, group: str, place: TopicPartition, *, clock: Clock) -> None:
        self._place = place
        self._clock = clock
        self._producer = AIOKafkaProducer(
            **kafka.client(),
            transactional_id=f"{group}-{REPORTS.name}-{place.partition}",
            transaction_timeout_ms=TRANSACTION_TIMEOUT_MS,
            max_request_size=LARGEST_REQUEST_BYTES,
            compression_type="zstd",
        )

    async def __aenter__(self) -> Self:
        try:
            await self._producer.start()
        except BaseException:
            await clients.stop_producer(self._producer)
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await clients.stop_producer(self._producer)

    async def append(self, records: Iterable[ReportRecord]) -> None:
        """Append *records* in one transaction; raise `SealContestedError` if another writer was opened since."""
        timestamp = milliseconds(self._clock.now())
        try:
            async with self._producer.transaction():
                for record in records:
                    # One after the other: a document of many megabytes is not held in the client's buffer as well.
                    await self._producer.send_and_wait(
                        REPORTS.name,
                        record.value,
                        key=record.key.encode(),
                        partition=self._place.partition,
                        timestamp_ms=timestamp,
                    )
        except (ProducerFenced, InvalidProducerEpoch) as cause:
            raise SealContestedError(f"{self._place.topic}/{self._place.partition}") from cause
        except AssertionError as cause:
            # aiokafka asserts the order of its calls and answers, which a refused or deleted topic upsets.
            raise KafkaError("the client lost track of its transaction") from cause


def place_of(plan: str, period: str, partitions: int) -> TopicPartition:
    """Return the partition that holds the versions of a report."""
    return TopicPartition(REPORTS.name, ids.partition_of(reports.report_key(plan, period), partitions))
