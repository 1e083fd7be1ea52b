"""Puts the hostile corpus on a topic of the real broker, with good records around it."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain

from aiokafka import AIOKafkaProducer

from services.runtime.decoding import UnreadableRecordError
from tests.support.hostile import records
from tests.support.hostile.records import Json
from tests.support.servers.kafka import LARGEST_REQUEST_BYTES, Bus

LARGEST_BYTES = 900_000  # a topic without a limit of its own takes a little more
HEADERS: tuple[tuple[str, bytes | None], ...] = (("", b"\xff"), ("trace", None), ("dondoc-reason", b"\x00"))
TIMESTAMPS = (0, 2**60, 253_402_300_800_000)  # 1970, no date at all, and the year 10000


def corpus(events: Callable[[], Iterator[tuple[str, Json]]], *, every: int) -> list[bytes | None]:
    """Return the hostile values and every so many of the damaged *events*, without those that no broker takes."""
    damaged = list(chain.from_iterable(records.damage_event(event) for _, event in events()))
    values = [value for _, value in (*records.hostile_values(), *damaged[::every])]
    return [value for value in values if value is None or len(value) < LARGEST_BYTES]


def count_refused(decode: Callable[[bytes | None], object], values: Iterable[bytes | None]) -> int:
    """Count the *values* that *decode* refuses."""
    return sum(_is_refused(decode, value) for value in values)


async def publish_all(bus: Bus, topic: str, values: Sequence[bytes | None], *, key: str, partition: int) -> None:
    """Write *values* to a partition, some of them with hostile headers and without a key."""
    async with AIOKafkaProducer(
        bootstrap_servers=bus.bootstrap, acks="all", max_request_size=LARGEST_REQUEST_BYTES
    ) as producer:
        # Only in a batch does aiokafka's producer write a record that has neither key nor value.
        for number, value in enumerate(values):
            batch = producer.create_batch()
            bare_key = None if number % 7 == 0 else key.encode()
            headers = list(HEADERS) if number % 5 == 0 else []
            assert batch.append(key=bare_key, value=value, timestamp=None, headers=headers)
            await producer.send_batch(batch, topic, partition=partition)
        await producer.flush()


async def publish_at(bus: Bus, topic: str, timestamp: int) -> None:
    """Write a record that bears *timestamp*, in milliseconds since 1970."""
    async with AIOKafkaProducer(bootstrap_servers=bus.bootstrap, acks="all") as producer:
        await producer.send_and_wait(topic, b"{}", partition=0, timestamp_ms=timestamp)


def _is_refused(decode: Callable[[bytes | None], object], value: bytes | None) -> bool:
    try:
        decode(value)
    except UnreadableRecordError:
        return True
    return False
