"""How far a consumer group is behind the end of its topics, measured on a timer from what the broker itself reports.

What a consumer says of itself stops when the consumer stops. So a client of its own compares what the group has
committed with where the log ends, for all partitions of the group, whoever they are assigned to: each replica of a
service shows the same figures, also while it has no partition or none is assigned at all.
"""

import asyncio
import logging
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from services.runtime.clock import Clock, instant_of
from services.runtime.kafka import clients
from services.runtime.settings import KafkaConfig

# Prometheus scrapes about as often.
INTERVAL_SECONDS = 5.0

# Of one measurement, which takes some milliseconds: a broker that hangs must not leave old figures standing.
MEASUREMENT_SECONDS = 10.0

# For the first unread record of each partition.
FETCH_MS = 1_000

# A fetch returns at least one batch of records, however small this is; more is not needed.
FETCH_BYTES = 1

UNKNOWN = math.nan
"""The value of a gauge of lag until it is measured, and while it cannot be.

Prometheus asks for series that exist from the start, and for NaN where 0 would mislead. No comparison with NaN holds,
so an alert on lag does not fire, and `lag != lag` finds what is unknown.
"""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class PartitionLag:
    """How many records of one partition a group has not committed, and how old the oldest of them is.

    The number counts the markers of transactions behind the first unread record too, because offsets do.
    """

    records: float
    oldest_unread_seconds: float


UP_TO_DATE = PartitionLag(records=0, oldest_unread_seconds=0)
UNKNOWN_LAG = PartitionLag(records=UNKNOWN, oldest_unread_seconds=UNKNOWN)

LagByPartition = Mapping[TopicPartition, PartitionLag]


def add_up(lags: Iterable[PartitionLag]) -> PartitionLag:
    """Return the lag of several partitions together; unknown if one is, or if there are none."""
    known = list(lags)
    if not known or any(math.isnan(one.records) for one in known):
        return UNKNOWN_LAG
    return PartitionLag(
        records=sum(one.records for one in known),
        oldest_unread_seconds=max(one.oldest_unread_seconds for one in known),
    )


class LagMonitor:
    """Measures the lag of one group from time to time, and gives it to *show*.

    *topics* has the number of partitions by topic. What could not be measured is shown as unknown.
    """

    def __init__(
        self,
        config: KafkaConfig,
        group: str,
        topics: Mapping[str, int],
        *,
        clock: Clock,
        show: Callable[[LagByPartition], None],
    ) -> None:
        self._config = config
        self._group = group
        self._partitions = [TopicPartition(name, number) for name, count in topics.items() for number in range(count)]
        self._clock = clock
        self._show = show

    async def run(self) -> None:
        """Measure until cancelled."""
        logged = ""
        while True:
            try:
                await self._measure_repeatedly()
            except (KafkaError, OSError) as cause:
                if repr(cause) != logged:  # a broker that is away for hours fills no log
                    logged = repr(cause)
                    details = {"action": "lag_unknown", "group": self._group, "denied": clients.explain_denial(cause)}
                    log.warning("the lag cannot be measured for now", extra={**details, "error": logged})
            self._show(dict.fromkeys(self._partitions, UNKNOWN_LAG))
            await asyncio.sleep(INTERVAL_SECONDS)

    async def _measure_repeatedly(self) -> None:
        consumer = AIOKafkaConsumer(
            **self._config.client(),
            group_id=self._group,  # only to ask for its committed offsets: partitions are assigned
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
            max_partition_fetch_bytes=FETCH_BYTES,
        )
        try:
            async with asyncio.timeout(MEASUREMENT_SECONDS):
                await consumer.start()
            consumer.assign(self._partitions)
            consumer.pause(*self._partitions)
            while True:
                async with asyncio.timeout(MEASUREMENT_SECONDS):
                    measured = await measure(consumer, self._partitions, self._clock.now())
                self._show(measured)
                await asyncio.sleep(INTERVAL_SECONDS)
        finally:
            await clients.stop_consumer(consumer)


async def measure(
    consumer: AIOKafkaConsumer, partitions: Iterable[TopicPartition], now: datetime
) -> dict[TopicPartition, PartitionLag]:
    """Return the lag of the group of *consumer*, to which *partitions* are assigned and paused."""
    places = list(partitions)
    # In this order: what is committed while the ends are asked for lies before them.
    committed = await asyncio.gather(*map(consumer.committed, places))
    beginnings = await consumer.beginning_offsets(places)
    ends = await consumer.end_offsets(places)
    # A group that has committed nothing begins at the beginning, as one does whose records were deleted.
    nexts = {one: max(offset or 0, beginnings[one]) for one, offset in zip(places, committed, strict=True)}
    lags = {}
    for one in places:
        if nexts[one] > ends[one]:  # the log has lost records
            lags[one] = UNKNOWN_LAG
        else:
            lags[one] = _lag_of(await _find_first(consumer, one, nexts[one], end=ends[one]), end=ends[one], now=now)
    return lags


async def _find_first(
    consumer: AIOKafkaConsumer, partition: TopicPartition, offset: int, *, end: int
) -> "tuple[int, int] | None":
    """Return offset and timestamp of the first record at *offset* or behind it; None if there is none before *end*.

    Behind the last record there may be a marker of a transaction: an offset that no consumer ever commits.
    """
    if offset == end:
        return None
    consumer.seek(partition, offset)
    consumer.resume(partition)
    try:
        while await consumer.position(partition) < end:
            fetched = await consumer.getmany(partition, timeout_ms=FETCH_MS, max_records=1)
            for record in fetched.get(partition, ()):
                return record.offset, record.timestamp
    finally:
        consumer.pause(partition)
    return None


def _lag_of(first: "tuple[int, int] | None", *, end: int, now: datetime) -> PartitionLag:
    if first is None:
        return UP_TO_DATE
    offset, timestamp = first
    try:
        age = max(0.0, (now - instant_of(timestamp)).total_seconds())
    except (ValueError, OverflowError, OSError):  # any writer may stamp a record with any number
        age = UNKNOWN
    return PartitionLag(records=max(1, end - offset), oldest_unread_seconds=age)
