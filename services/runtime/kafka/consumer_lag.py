"""How many records a consumer has not read yet, as far as the broker's last answer to a fetch knew.

The figures count the markers of transactions too, because offsets do. They cost no request: aiokafka keeps the end of
each partition (its high watermark) from the fetch responses.
"""

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import IllegalStateError


async def measure(consumer: AIOKafkaConsumer) -> int:
    """Return the lag of *consumer* over all the partitions that are assigned to it."""
    return sum([await measure_partition(consumer, partition) or 0 for partition in consumer.assignment()])


async def measure_partition(consumer: AIOKafkaConsumer, partition: TopicPartition) -> int | None:
    """Return the lag of *consumer* in *partition*; None if it is not assigned or nothing was fetched from it yet."""
    if _high_watermark(consumer, partition) is None:  # the position would be waited for
        return None
    try:
        position = await consumer.position(partition)
    except IllegalStateError:
        return None
    # A rebalance may have taken the partition away while the position was awaited; its new owner measures it then.
    end = _high_watermark(consumer, partition)
    return None if end is None else max(0, end - position)


def _high_watermark(consumer: AIOKafkaConsumer, partition: TopicPartition) -> int | None:
    end: int | None = consumer.highwater(partition) if partition in consumer.assignment() else None
    return end
