"""An aiokafka consumer that tells how its polls go, and gives out no record while a rebalance listener runs."""

import asyncio
import logging
from typing import Any

from aiokafka import TopicPartition
from aiokafka.errors import IllegalStateError, KafkaError
from prometheus_client import Gauge

from services.runtime.kafka import clients
from services.runtime.kafka.damaged_batches import DamageAwareConsumer
from services.runtime.settings import KafkaConfig

log = logging.getLogger(__name__)


class ObservedConsumer(DamageAwareConsumer):
    """The consumer of a group. Its owner sets and clears `is_assigned` from the rebalance listener."""

    def __init__(self, config: KafkaConfig, damage_gauge: Gauge, **options: Any) -> None:  # noqa: ANN401 - options of aiokafka's consumer
        super().__init__(config, damage_gauge, **options)
        self._now = asyncio.get_running_loop().time
        self._polled_at = self._now()
        self.failure: KafkaError | None = None
        """What the last poll raised."""
        self.is_assigned = asyncio.Event()
        """Set while the group has assigned this consumer its share, be it empty, and the listener has returned."""
        self.is_stopping = asyncio.Event()
        """Set when the consumer is about to stop: who waits with a batch gives it up, and it comes again."""

    @property
    def seconds_since_poll(self) -> float:
        """How long ago a poll returned."""
        return float(self._now() - self._polled_at)

    async def getmany(
        self, *partitions: TopicPartition, timeout_ms: int = 0, max_records: int | None = None
    ) -> dict[TopicPartition, list[Any]]:
        """Return what the client returns, but after the listener, and nothing from before a seek of the listener."""
        try:
            records: dict[TopicPartition, list[Any]] = await super().getmany(
                *partitions, timeout_ms=timeout_ms, max_records=max_records
            )
        except KafkaError as cause:
            self._report_failure(cause)
            raise
        self.failure = None
        if records and not self.is_assigned.is_set():
            # The client fetches as soon as the group has assigned partitions, while the listener may still seek.
            ends = {one: await self._position_of(one) for one in records}
            await self.is_assigned.wait()
            records = {one: found for one, found in records.items() if await self._stands_at(one, ends[one])}
        self._polled_at = self._now()
        return records

    async def stop(self) -> None:
        """Stop within some seconds, whatever the broker does."""
        self.is_stopping.set()
        await clients.complete_stop(super().stop(), self._client)

    async def _position_of(self, partition: TopicPartition) -> int | None:
        try:
            position: int = await self.position(partition)
        except IllegalStateError:  # revoked since
            return None
        return position

    async def _stands_at(self, partition: TopicPartition, offset: int | None) -> bool:
        return offset is not None and await self._position_of(partition) == offset

    def _report_failure(self, cause: KafkaError) -> None:
        """Log a failure of the client once, although every poll meets it again."""
        if repr(cause) != repr(self.failure):
            details = {"action": "poll_failed", "denied": clients.explain_denial(cause)}
            log.error("the consumer cannot read", exc_info=cause, extra=details)
        self.failure = cause
