"""Use Kafka in a test: recreate the declared topics, publish records, read records and offsets back."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import CommitFailedError
from aiokafka.structs import OffsetAndMetadata

from schemas.events.topics import DEAD_LETTER_CONFIG
from services.runtime.clock import instant_of, milliseconds
from services.runtime.kafka.topics import ensure_topics
from services.runtime.settings import KafkaConfig
from tests.support.assertions.eventually import eventually

PARTITIONS = 3  # enough for two replicas to share, few enough to make anew for each test
OURS = "dondoc."
LARGEST_REQUEST_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One record of the log."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Mapping[str, bytes]
    recorded_at: datetime

    @property
    def json(self) -> Any:
        """The value, decoded."""
        return json.loads(self.value or b"null")


class Bus:
    """The declared topics on one broker; `fresh` recreates them empty."""

    def __init__(self, bootstrap: str, *, partitions: int = PARTITIONS) -> None:
        self.bootstrap = bootstrap
        self.access = KafkaConfig(bootstrap=bootstrap)
        self.partitions = partitions

    async def recreate_topics(self, *topics: str) -> None:
        """Delete *topics*, or all of the system's, with the offsets of every group in them, and create them again."""
        await self.delete_topics(*topics)
        await ensure_topics(self.access, self.partitions)

    async def delete_topics(self, *topics: str) -> None:
        """Delete *topics*, or all of the system's, with the offsets of every group in them."""
        admin = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap)
        await admin.start()
        try:
            await self._drop(admin, topics)
        finally:
            await admin.close()

    async def has_topic(self, topic: str) -> bool:
        """Whether the broker has *topic*."""
        admin = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap)
        await admin.start()
        try:
            return topic in await admin.list_topics()
        finally:
            await admin.close()

    async def publish(  # noqa: PLR0913  # these are the parts of a Kafka record
        self,
        topic: str,
        value: object,
        *,
        key: str | bytes | None = None,
        headers: Sequence[tuple[str, bytes]] = (),
        recorded_at: datetime | None = None,
        partition: int | None = None,
    ) -> Record:
        """Write one record and wait until the broker has it; anything but bytes and None goes as JSON."""
        raw = value if value is None or isinstance(value, bytes) else json.dumps(value, ensure_ascii=False).encode()
        raw_key = key.encode() if isinstance(key, str) else key
        async with AIOKafkaProducer(
            bootstrap_servers=self.bootstrap, acks="all", linger_ms=0, max_request_size=LARGEST_REQUEST_BYTES
        ) as producer:
            written = await producer.send_and_wait(
                topic,
                raw,
                key=raw_key,
                headers=list(headers),
                partition=partition,
                timestamp_ms=milliseconds(recorded_at) if recorded_at else None,
            )
        return Record(
            topic=topic,
            partition=written.partition,
            offset=written.offset,
            key=raw_key,
            value=raw,
            headers=dict(headers),
            recorded_at=instant_of(written.timestamp),
        )

    async def publish_all(self, topic: str, records: Sequence[tuple[str, object]]) -> None:
        """Write *records*, each a key and a value that goes as JSON, and wait until the broker has all of them."""
        async with AIOKafkaProducer(bootstrap_servers=self.bootstrap, acks="all", linger_ms=5) as producer:
            sent = [
                await producer.send(topic, json.dumps(value, ensure_ascii=False).encode(), key=key.encode())
                for key, value in records
            ]
            await asyncio.gather(*sent)

    async def records(self, topic: str) -> list[Record]:
        """Read all committed records of *topic*: by partition, then by offset."""
        consumer = AIOKafkaConsumer(bootstrap_servers=self.bootstrap, isolation_level="read_committed")
        await consumer.start()
        try:
            found = [record async for record in _to_end(consumer, await self._parts(topic))]
        finally:
            await consumer.stop()
        return sorted(found, key=lambda record: (record.partition, record.offset))

    async def end_offsets(self, topic: str) -> dict[int, int]:
        """Return the offset of the next record of *topic*, by partition."""
        consumer = AIOKafkaConsumer(bootstrap_servers=self.bootstrap)
        await consumer.start()
        try:
            ends = await consumer.end_offsets(await self._parts(topic))
        finally:
            await consumer.stop()
        return {place.partition: end for place, end in ends.items()}

    async def committed_offsets(self, group: str, topic: str) -> dict[int, int]:
        """Return the next offset that *group* has committed, by partition; 0 if it has committed none."""
        admin = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap)
        await admin.start()
        try:
            offsets = await admin.list_consumer_group_offsets(group)
        finally:
            await admin.close()
        return {number: _next(offsets, TopicPartition(topic, number)) for number in range(self.partitions)}

    async def commit_offsets(self, group: str, topic: str, offsets: Mapping[int, int]) -> None:
        """Set the committed offsets of *group*, by partition, once no session of a killed member is left."""
        consumer = AIOKafkaConsumer(bootstrap_servers=self.bootstrap, group_id=group, enable_auto_commit=False)
        await consumer.start()
        try:
            places = {TopicPartition(topic, number): offset for number, offset in offsets.items()}
            consumer.assign(list(places))
            await eventually(lambda: _is_committed(consumer, places), f"the offsets of {group} set")
        finally:
            await consumer.stop()

    async def lag(self, group: str, topic: str) -> int:
        """Count the records of *topic* beyond the committed offsets of *group*; transaction markers do not count."""
        committed = await self.committed_offsets(group, topic)
        return sum(record.offset >= committed.get(record.partition, 0) for record in await self.records(topic))

    async def wait_until_consumed(self, group: str, topic: str, *, timeout: float = 60.0) -> None:
        """Wait until *group* has committed everything in *topic*."""

        async def is_caught_up() -> bool:
            return await self.lag(group, topic) == 0

        await eventually(is_caught_up, f"group {group} at the end of {topic}", timeout=timeout)

    @asynccontextmanager
    async def refuse_records(self, topic: str) -> AsyncIterator[None]:
        """Let *topic* refuse every record until the block ends, because of its size."""
        usual = dict(DEAD_LETTER_CONFIG).get("max.message.bytes", "1048588")
        await self._limit(topic, "100")
        try:
            yield
        finally:
            await self._limit(topic, usual)

    async def _limit(self, topic: str, most_bytes: str) -> None:
        admin = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap)
        await admin.start()
        try:
            limit = {"max.message.bytes": most_bytes}
            await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, configs=limit)])
        finally:
            await admin.close()

    async def _parts(self, topic: str) -> list[TopicPartition]:
        admin = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap)
        await admin.start()
        try:
            described = await admin.describe_topics([topic])
        finally:
            await admin.close()
        return [TopicPartition(topic, part["partition"]) for part in described[0]["partitions"]]

    async def _drop(self, admin: AIOKafkaAdminClient, topics: Sequence[str]) -> None:
        dropped = topics or [name for name in await admin.list_topics() if name.startswith(OURS)]
        if dropped:
            await admin.delete_topics(list(dropped))

        async def is_gone() -> bool:
            return not set(dropped).intersection(await admin.list_topics())

        await eventually(is_gone, "the old topics gone")


async def _to_end(consumer: AIOKafkaConsumer, parts: Sequence[TopicPartition]) -> AsyncIterator[Record]:
    """Yield every committed record up to the end that the log has now."""
    consumer.assign(parts)
    await consumer.seek_to_beginning(*parts)
    ends = await consumer.end_offsets(parts)
    left = {part for part in parts if ends[part] > 0}
    while left:
        for part, fetched in (await consumer.getmany(*left, timeout_ms=100)).items():
            for record in fetched:
                if record.offset < ends[part]:
                    yield _record(record)
        left = {part for part in left if await consumer.position(part) < ends[part]}


def _record(raw: ConsumerRecord) -> Record:
    return Record(
        topic=raw.topic,
        partition=raw.partition,
        offset=raw.offset,
        key=raw.key,
        value=raw.value,
        headers=dict(raw.headers),
        recorded_at=instant_of(raw.timestamp),
    )


async def _is_committed(consumer: AIOKafkaConsumer, places: Mapping[TopicPartition, int]) -> bool:
    """Commit *places*; False while the group still has a member, for which only that member may commit."""
    try:
        await consumer.commit(dict(places))
    except CommitFailedError:
        return False
    return True


def _next(offsets: Mapping[TopicPartition, OffsetAndMetadata], part: TopicPartition) -> int:
    return max(0, offsets[part].offset) if part in offsets else 0
