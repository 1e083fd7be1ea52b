"""Whether a partition of the facts has had another log before, which rules notes with its state.

The revisions of its assessments cannot be told from the log then: some were given in the earlier one.
"""

from collections.abc import Mapping
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from schemas.events.topics import DUTIES
from services.rules.state import state_store
from services.runtime.kafka import clients
from services.runtime.settings import KafkaConfig

POLL_MS = 200
TAIL_OFFSETS = 100  # rules writes the coverage record last in every transaction; behind it there are only markers


async def read_generations(config: KafkaConfig, *, partitions: int) -> Mapping[int, int]:
    """Return the generation of the log of each partition, 0 for the first; raise `KafkaError`."""
    places = [TopicPartition(DUTIES.name, number) for number in range(partitions)]
    consumer: AIOKafkaConsumer[Any, Any] = AIOKafkaConsumer(
        **config.client(), enable_auto_commit=False, auto_offset_reset="earliest", isolation_level="read_committed"
    )
    await consumer.start()
    try:
        consumer.assign(places)
        ends = await consumer.end_offsets(places)
        for place, beginning in (await consumer.beginning_offsets(places)).items():
            consumer.seek(place, max(beginning, ends[place] - TAIL_OFFSETS))
        generations = dict.fromkeys(range(partitions), 0)
        left = {place for place in places if await consumer.position(place) < ends[place]}
        while left:
            for place, records in (await consumer.getmany(*left, timeout_ms=POLL_MS)).items():
                for record in (one for one in records if one.key == state_store.COVERAGE_KEY and one.value):
                    coverage = state_store.decode_coverage(record.value)
                    generations[place.partition] = 0 if coverage is None else coverage.generation
            left = {place for place in left if await consumer.position(place) < ends[place]}
    finally:
        await clients.stop_consumer(consumer)
    return generations
