"""Read the record batches of a partition as the broker stores them, to find a damaged one and to keep its bytes.

A bit that flips on a disk no longer fits the checksum of its batch (CRC-32C, Kafka's message format v2). The broker
does not look at it and serves the batch; aiokafka refuses it, and what the same answer held before it.
"""

import struct
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiokafka import TopicPartition
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError, LeaderNotAvailableError, for_code
from aiokafka.protocol.fetch import FetchRequest
from aiokafka.record.default_records import DefaultRecordBatch

from services.runtime.kafka import clients
from services.runtime.settings import KafkaConfig

# Base offset, length, leader epoch, magic, checksum, attributes, last offset delta.
_HEADER = struct.Struct(">qiibIhi")
_BYTES_BEFORE_LENGTH_COUNTS = 12
_SMALLEST_BATCH_BYTES = 61
_FETCH_BYTES = 20 * 1024 * 1024  # more than the largest record of any topic
_FETCH_WAIT_MS = 500
_READ_UNCOMMITTED = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RawBatch:
    """One batch as it is stored: it holds the offsets from `offset` up to, but not including, `next_offset`."""

    offset: int
    next_offset: int
    data: bytes
    is_sound: bool


class RawReader:
    """Reads batches through a client of its own, whose close is `open_raw_reader`'s."""

    def __init__(self, client: AIOKafkaClient) -> None:
        self._client = client

    async def find_damage(self, place: TopicPartition, offset: int) -> RawBatch | None:
        """Return the first damaged batch that a fetch at *offset* returns; raise `KafkaError` if the broker refuses it.

        Its `next_offset` is where the next batch begins, or where the partition ends.
        """
        data, end = await self._fetch(place, offset)
        batches = list(_split(data))
        for number, batch in enumerate(batches):
            if not batch.is_sound:
                behind = batches[number + 1].offset if number + 1 < len(batches) else batch.next_offset
                # What a damaged header says of itself may be wrong as well; it must lead forward, and not too far.
                next_offset = behind if batch.offset < behind <= end else end
                first = max(offset, batch.offset) if number == 0 else batch.offset
                return RawBatch(offset=first, next_offset=next_offset, data=batch.data, is_sound=False)
        return None

    async def _fetch(self, place: TopicPartition, offset: int) -> tuple[bytes, int]:
        """Return the bytes that the broker stores from *offset* on, and where the partition ends."""
        leader = self._client.cluster.leader_for_partition(place)
        if leader is None or leader < 0:
            raise LeaderNotAvailableError(place)
        partitions = [(place.partition, offset, _FETCH_BYTES)]
        request = FetchRequest(_FETCH_WAIT_MS, 1, _FETCH_BYTES, _READ_UNCOMMITTED, [(place.topic, partitions)])
        response = await self._client.send(leader, request)
        ((_, ((_, error_code, end, *rest),)),) = response.topics
        if error_code:
            raise for_code(error_code)(f"{place} at {offset}")
        return rest[-1] or b"", end


@asynccontextmanager
async def open_raw_reader(config: KafkaConfig, topic: str) -> AsyncIterator[RawReader]:
    """Connect to the broker to read *topic*; raise `KafkaError` if that fails."""
    client = AIOKafkaClient(**config.client())
    try:
        await client.bootstrap()
        await client.set_topics([topic])
        yield RawReader(client)
    finally:
        await clients.close_client(client)


def _split(data: bytes) -> Iterator[RawBatch]:
    """Yield the batches in *data*. The last one is left out if it is not whole, unless it is the only one."""
    start = 0
    while len(data) - start >= _SMALLEST_BATCH_BYTES:
        offset, length, _, _, _, _, last_delta = _HEADER.unpack_from(data, start)
        end = start + _BYTES_BEFORE_LENGTH_COUNTS + length
        if end - start < _SMALLEST_BATCH_BYTES or end > len(data):
            # The broker returns at least one whole batch, so the length of the first one is wrong.
            if start == 0:
                yield RawBatch(offset=offset, next_offset=offset, data=data, is_sound=False)
            return
        batch = data[start:end]
        yield RawBatch(offset=offset, next_offset=offset + last_delta + 1, data=batch, is_sound=_is_sound(batch))
        start = end


def _is_sound(batch: bytes) -> bool:
    try:
        return bool(DefaultRecordBatch(batch).validate_crc())
    except (KafkaError, ValueError, struct.error):
        return False
