"""Rules end to end, exactly once, beside the raw client that only consumes and produces, in the same run.

Every event is the report of another duty, as on the night of a deadline, with the real assessment, its alerts, the
changelog and the transactions included. `BENCH_EVENTS` sets another size.
"""

import json
import os
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from urllib.request import urlopen

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from schemas.events.ids import partition_of
from schemas.events.topics import FACTS, VERDICTS
from services.runtime.clock import milliseconds, steer
from tests.support.assertions.eventually import eventually
from tests.support.builders import plans
from tests.support.servers.kafka import Bus
from tests.support.servers.rules import GROUP, RulesClient
from tests.support.servers.services import Launch, Service

EVENTS = int(os.environ.get("BENCH_EVENTS", "200000"))
MONTHS = 40
PERIODS = [f"{2024 + month // 12}-{month % 12 + 1:02d}" for month in range(MONTHS)]
AGENCIES = [f"a-{number:05d}" for number in range(EVENTS // MONTHS)]
NOW = datetime.fromisoformat("2023-01-02T08:00:00+07:00")
BATCH_BYTES = 512 * 1024
TIMEOUT_SECONDS = 300.0
FLOOR = 0.01  # of the raw client; below this something is broken rather than slow


@pytest.mark.timeout(600)
async def test_rules_events_a_second(bus: Bus, launch: Launch, tmp_path: Path) -> None:
    """Print both rates, their ratio, memory and the time of a restore; fail only where the pipeline is broken."""
    rules = RulesClient(bus)
    steer(tmp_path / "clock", NOW)
    settings = {"DONDOC_CLOCK": f"steered:{tmp_path / 'clock'}"}
    monthly = plans.a_version(recurrence="month", due={"day": 10}, **{"from": "2024-01-01"})
    service = launch("rules", ready=False, **settings)
    await rules.publish(plans.a_registry(*map(plans.an_agency, AGENCIES)), plans.a_plan(plans.an_obligation(monthly)))
    await rules.wait_for_assessments(AGENCIES[-1], times=1, period="2024-01")
    await rules.wait_until_consumed()
    service.stop()
    size = await _fill_log(bus)
    raw = await _measure_raw_rate(bus)
    service = launch("rules", **settings)
    rate = await _measure_rate(bus, service)
    cpu = _read_metric(service, "process_cpu_seconds_total") / EVENTS * 1e6
    memory = _read_metric(service, "process_resident_memory_bytes") / 1e6
    service.stop()
    restore = _read_restore_seconds(launch("rules", **settings))
    print(f"\nrules, {EVENTS} events of {size} bytes over {bus.partitions} partitions, each its own duty")
    print(f"  raw aiokafka consume and produce  {raw:10,.0f} events/s")
    print(f"  rules, exactly once               {rate:10,.0f} events/s   {rate / raw:.1%} of raw")
    print(f"  processor time of rules           {cpu:10,.0f} µs an event, start-up included; {memory:.0f} MB resident")
    print(f"  restore                           {restore:10.1f} s for {EVENTS} duties")
    assert rate > FLOOR * raw


def _events() -> Iterator[tuple[str, bytes]]:
    for month, period in enumerate(PERIODS):
        for agency in AGENCIES:
            event = plans.a_submission(f"{agency}-{month}", data={"agency": agency, "period": period})
            yield agency, json.dumps({**event, "receivedtime": "2024-02-01T08:00:00+07:00"}).encode()


async def _fill_log(bus: Bus) -> int:
    """Append every event to the log in whole batches; return the size of one in bytes."""
    size = 0
    async with AIOKafkaProducer(bootstrap_servers=bus.bootstrap, max_batch_size=BATCH_BYTES) as producer:
        batches = {number: producer.create_batch() for number in range(bus.partitions)}
        for agency, value in _events():
            number, size = partition_of(agency, bus.partitions), len(value)
            if batches[number].append(key=agency.encode(), value=value, timestamp=milliseconds(NOW)) is None:
                await producer.send_batch(batches[number], FACTS.name, partition=number)
                batches[number] = producer.create_batch()
                batches[number].append(key=agency.encode(), value=value, timestamp=milliseconds(NOW))
        for number, batch in batches.items():
            await producer.send_batch(batch, FACTS.name, partition=number)
        await producer.flush()
    return size


async def _measure_raw_rate(bus: Bus) -> float:
    """Return events a second of the raw client: consume every fact and write it acknowledged, in whole batches."""
    parts = [TopicPartition(FACTS.name, number) for number in range(bus.partitions)]
    consumer = AIOKafkaConsumer(bootstrap_servers=bus.bootstrap, max_partition_fetch_bytes=4 * 1024 * 1024)
    await consumer.start()
    consumer.assign(parts)
    await consumer.seek_to_beginning(*parts)
    ends = await consumer.end_offsets(parts)
    done, begun = 0, time.perf_counter()
    async with AIOKafkaProducer(bootstrap_servers=bus.bootstrap, acks="all", max_batch_size=BATCH_BYTES) as producer:
        while any([await consumer.position(part) < ends[part] for part in parts]):
            for part, records in (await consumer.getmany(timeout_ms=200, max_records=5_000)).items():
                batch = producer.create_batch()
                for record in records:
                    if batch.append(key=record.key, value=record.value, timestamp=record.timestamp) is None:
                        await producer.send_batch(batch, FACTS.dead_letter, partition=part.partition)
                        batch = producer.create_batch()
                        batch.append(key=record.key, value=record.value, timestamp=record.timestamp)
                await producer.send_batch(batch, FACTS.dead_letter, partition=part.partition)
                done += len(records)
        await producer.flush()
    seconds = time.perf_counter() - begun
    await consumer.stop()
    return done / seconds


async def _measure_rate(bus: Bus, service: Service) -> float:
    """Return events a second of rules, from the first commit seen to the last."""
    first = await _wait_for_facts(service, 1)
    begun = time.perf_counter()
    await _wait_for_facts(service, EVENTS)
    seconds = time.perf_counter() - begun
    await bus.wait_until_consumed(GROUP, FACTS.name)
    assert len(await bus.records(VERDICTS.name)) >= EVENTS
    return (EVENTS - first) / seconds


async def _wait_for_facts(service: Service, count: int) -> float:
    """Wait until so many facts are consumed; return how many are consumed by then."""

    def read_consumed() -> float:
        figure = _read_metric(service, "rules_facts_consumed_total")
        return figure if figure >= count else 0.0

    return await eventually(read_consumed, f"{count} facts consumed", timeout=TIMEOUT_SECONDS)


def _read_restore_seconds(service: Service) -> float:
    """Return how long the restore of the slowest partition took, as the service has logged it."""
    return max(float(line["seconds"]) for line in service.log_lines() if line.get("action") == "restored")


def _read_metric(service: Service, name: str) -> float:
    with urlopen(f"{service.url}/metrics", timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310 # loopback
        lines = answer.read().decode().splitlines()
    return next(float(line.split()[1]) for line in lines if line.startswith(f"{name} "))
