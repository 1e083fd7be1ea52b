"""What reporting does with a batch of records: read each once, keep all in one write, commit last.

A record that cannot be read is set aside with its reason; if that fails, the batch fails, uncommitted.
"""

import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import IllegalStateError

from services.reporting.event_decoder import (
    KeptAlert,
    KeptAssessment,
    UnreadableRecordError,
    read_delivery,
    read_verdict,
)
from services.reporting.metrics import Metrics
from services.reporting.receipts import KeptReceipt, read_receipt
from services.runtime.batch_consumer import Handler, Records
from services.runtime.dead_letters import ConsumedRecord

Kept = TypeVar("Kept")

log = logging.getLogger(__name__)


class Keeper(Protocol):
    """Keeps what was read; keeping it twice is keeping it once."""

    async def keep_assessments(self, kept: Sequence[KeptAssessment]) -> None: ...
    async def keep_alerts(self, kept: Sequence[KeptAlert]) -> None: ...
    async def keep_receipts(self, kept: Sequence[KeptReceipt]) -> None: ...


class SettingAside(Protocol):
    """Sets a poison record aside, or raises."""

    async def set_aside(self, record: ConsumedRecord, *, reason: str) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake(Generic[Kept]):
    """How the records of one topic are read and kept; what is read as nothing is passed over."""

    label: str
    read: Callable[[bytes | None], Kept | None]
    keep: Callable[[Sequence[Kept]], Awaitable[None]]


def verdicts(keeper: Keeper) -> Intake[KeptAssessment]:
    """Return how verdicts are kept."""
    return Intake(label="verdicts", read=read_verdict, keep=keeper.keep_assessments)


def deliveries(keeper: Keeper) -> Intake[KeptAlert]:
    """Return how deliveries are kept."""
    return Intake(label="deliveries", read=read_delivery, keep=keeper.keep_alerts)


def facts(keeper: Keeper) -> Intake[KeptReceipt]:
    """Return how the receipts in facts are kept."""
    return Intake(label="facts", read=read_receipt, keep=keeper.keep_receipts)


def on_batch(intake: Intake[Kept], dead_letters: SettingAside, metrics: Metrics) -> Handler:
    """Return the handler of one topic's batches."""

    async def handle(records: Records, consumer: AIOKafkaConsumer) -> None:
        with metrics.batch_seconds.labels(intake.label).time():
            readable, poison = _sorted_out(intake, records)
            await intake.keep(readable)
            # After the write, which is tried again while the database is away: so nothing is set aside at each try.
            for record, reason in poison:
                await dead_letters.set_aside(record, reason=reason)
                place = {"topic": record.topic, "partition": record.partition, "offset": record.offset}
                log.warning("a record was set aside", extra={"action": "set_aside", "reason": reason, **place})
        metrics.records.labels(intake.label).inc(len(readable))
        metrics.dead_letters.labels(intake.label).inc(len(poison))
        metrics.lag.labels(intake.label).set(await _lag(consumer))

    return handle


def _sorted_out(intake: Intake[Kept], records: Records) -> tuple[list[Kept], list[tuple[ConsumedRecord, str]]]:
    """Return what could be read of *records*, and what could not with its reason."""
    readable: list[Kept] = []
    poison: list[tuple[ConsumedRecord, str]] = []
    for record in records:
        try:
            kept = intake.read(record.value)
        except UnreadableRecordError as cause:
            poison.append((record, str(cause)))
        else:
            readable += () if kept is None else (kept,)
    return readable, poison


async def _lag(consumer: AIOKafkaConsumer) -> int:
    """Return how many records the broker had, at its last answer, beyond those handed over."""
    return sum([await _behind(consumer, part) for part in consumer.assignment()])


async def _behind(consumer: AIOKafkaConsumer, part: TopicPartition) -> int:
    try:
        position = await consumer.position(part)
    except IllegalStateError:
        return 0  # a rebalance took the partition away meanwhile; its new owner counts it
    is_ours = part in consumer.assignment()
    return max(0, (consumer.highwater(part) or 0) - position) if is_ours else 0
