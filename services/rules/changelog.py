"""Read a partition of `dondoc.duties.v1` from its beginning to where it ends now: the state that an owner starts from.

Only committed records are read, and only after the earlier owner is fenced, so that nothing can still be added.
"""

import asyncio
from collections.abc import Callable

from aiokafka import AIOKafkaConsumer, TopicPartition

from schemas.events.topics import DUTIES
from services.runtime import kafka
from services.runtime.settings import KafkaConfig

POLL_MS = 200
BREATH = 2_000  # after so many records the loop may turn: heartbeats go on during a long restore
FETCH_BYTES = 8 * 1024 * 1024  # a restore reads in bulk


async def restore(config: KafkaConfig, partition: int, take: Callable[[bytes, bytes | None], None]) -> int:
    """Give every record, oldest first, to *take*; return how many there were. A later record of a key replaces it."""
    here = TopicPartition(DUTIES.name, partition)
    consumer = AIOKafkaConsumer(
        **config.client(),
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        isolation_level="read_committed",
        max_partition_fetch_bytes=FETCH_BYTES,
    )
    await consumer.start()
    try:
        consumer.assign([here])
        await consumer.seek_to_beginning(here)
        end = (await consumer.end_offsets([here]))[here]
        latest: dict[bytes, bytes | None] = {}
        while await consumer.position(here) < end:
            fetched = await consumer.getmany(here, timeout_ms=POLL_MS)
            latest.update((record.key, record.value) for record in fetched.get(here, ()))
    finally:
        await kafka.stop_consumer(consumer)
    for count, (key, value) in enumerate(latest.items(), start=1):
        take(key, value)
        if count % BREATH == 0:
            await asyncio.sleep(0)
    return len(latest)
