"""Intake end to end beside the raw produce rate of the same records in the same run.

Sixty-four connections post single events, then sixteen post batches of a hundred; each answer is a signed 202 after the
broker's acknowledgement. `BENCH_EVENTS` sets another size.
"""

import os
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import msgspec
import pytest
from aiokafka import AIOKafkaProducer

from schemas.ids import partition_of
from schemas.topics import FACTS
from tests.support.builders import AGENCIES, a_submission
from tests.support.intake import BATCH, STRUCTURED, Desk, publish_plan
from tests.support.kafka import Bus
from tests.support.load import Load, post_all
from tests.support.services import Launch, Service

EVENTS = int(os.environ.get("BENCH_EVENTS", "60000"))
CONNECTIONS = 64
BATCH_CONNECTIONS = 16
BATCH_EVENTS = 100
WARM_UP = 0.1  # of the events, before anything is measured
RAW_BATCH_BYTES = 768 * 1024
FLOOR = 0.01  # of the raw produce rate; below this something is broken rather than slow


@pytest.mark.timeout(600)
async def test_intake_events_a_second(bus: Bus, launch: Launch, tmp_path: Path) -> None:
    """Print single and batch rates, latencies and memory beside the raw rate; fail only where intake is broken."""
    desk = Desk(folder=tmp_path)
    bearer = desk.key()
    await publish_plan(bus)
    service = launch("intake", **desk.environment, DONDOC_LOG_LEVEL="WARNING")
    raw = await _raw_rate(bus)
    warm = [_request(bearer, STRUCTURED, body) for body in _events("warm", int(EVENTS * WARM_UP))]
    post_all(service.port, warm, connections=CONNECTIONS)
    singles = [_request(bearer, STRUCTURED, body) for body in _events("single", EVENTS)]
    before = _cpu_seconds(service)
    single = post_all(service.port, singles, connections=CONNECTIONS)
    single_cpu = (_cpu_seconds(service) - before) / len(singles)
    batches = [_request(bearer, BATCH, body) for body in _batches("batch", EVENTS)]
    before = _cpu_seconds(service)
    batch = post_all(service.port, batches, connections=BATCH_CONNECTIONS)
    batch_cpu = (_cpu_seconds(service) - before) / (len(batches) * BATCH_EVENTS)
    print(
        f"\nintake, {EVENTS} events of {len(next(_events('x', 1)))} bytes, signed and acknowledged; CPU is intake's own"
    )
    print(f"  raw produce        {raw:10,.0f} events/s")
    _print_load(f"single, {CONNECTIONS} conn.", single, 1, single_cpu)
    _print_load(f"batches of {BATCH_EVENTS}", batch, BATCH_EVENTS, batch_cpu)
    print(f"  memory {_figure(service, 'process_resident_memory_bytes') / 1e6:.0f} MB resident")
    assert min(single.rate, batch.rate * BATCH_EVENTS) > FLOOR * raw


def _events(name: str, count: int) -> Iterator[bytes]:
    for number in range(count):
        agency = AGENCIES[number % len(AGENCIES)]
        event = a_submission(f"{name}-{number}", data={"agency": agency}, subject=agency)
        yield msgspec.json.encode(event)


def _batches(name: str, count: int) -> Iterator[bytes]:
    events = list(_events(name, count))
    for begin in range(0, count, BATCH_EVENTS):
        yield b"[" + b",".join(events[begin : begin + BATCH_EVENTS]) + b"]"


def _request(bearer: str, media_type: str, body: bytes) -> bytes:
    head = f"POST /v1/events HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {bearer}\r\ncontent-type: {media_type}\r\n"
    return f"{head}content-length: {len(body)}\r\n\r\n".encode() + body


async def _raw_rate(bus: Bus) -> float:
    """Append the same events as they are with the plain client, in batches it likes best."""
    events = [(AGENCIES[number % len(AGENCIES)], body) for number, body in enumerate(_events("raw", EVENTS))]
    async with AIOKafkaProducer(
        bootstrap_servers=bus.bootstrap, acks="all", enable_idempotence=True, max_batch_size=RAW_BATCH_BYTES
    ) as producer:
        start = time.perf_counter()
        batches = {number: producer.create_batch() for number in range(bus.partitions)}
        for agency, value in events:
            number = partition_of(agency, bus.partitions)
            if batches[number].append(key=agency.encode(), value=value, timestamp=None) is None:
                await producer.send_batch(batches[number], FACTS.name, partition=number)
                batches[number] = producer.create_batch()
                batches[number].append(key=agency.encode(), value=value, timestamp=None)
        for number, batch in batches.items():
            await producer.send_batch(batch, FACTS.name, partition=number)
        await producer.flush()
        return len(events) / (time.perf_counter() - start)


def _print_load(name: str, load: Load, events: int, cpu_seconds: float) -> None:
    middle, late = (load.percentile(percent) * 1e3 for percent in (50, 99))
    cpu = f"{cpu_seconds * 1e6:.0f} us CPU each"
    print(f"  {name:18} {load.rate * events:10,.0f} events/s   p50 {middle:6.1f} ms   p99 {late:6.1f} ms   {cpu}")


def _cpu_seconds(service: Service) -> float:
    return _figure(service, "process_cpu_seconds_total")


def _figure(service: Service, name: str) -> float:
    with urlopen(f"{service.url}/metrics", timeout=5) as answer:  # noqa: S310 - our own loopback address
        lines = answer.read().decode().splitlines()
    return next((float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(f"{name} ")), 0.0)
