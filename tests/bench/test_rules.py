"""What rules costs: processor time an event in three worlds, beside the raw client and a peer on Kafka Streams.

Processor time is the headline, because it says the same on a busy machine as on a quiet one more nearly than a rate
does. Still it grows with the load, so that every figure is the median of rounds and is compared with something else
that was measured in the same round. `BENCH_EVENTS` and `BENCH_ROUNDS` set other sizes.
"""

import asyncio
import gc
import hashlib
import json
import os
import shutil
import statistics
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from schemas.events.ids import partition_of
from schemas.events.topics import DUTIES, FACTS, VERDICTS
from services.rules import fact_decoder
from services.rules.assessment_event import LogPosition
from services.rules.core.duty_catalogue import DutyCatalogue
from services.rules.duty_catalogues import DutyCatalogues
from services.rules.processor import KeyedEvent, PartitionProcessor
from services.rules.state import changelog
from services.runtime import bootstrap
from services.runtime.clock import milliseconds, steer
from services.runtime.kafka import partition_reader
from services.runtime.settings import KafkaConfig
from tests.bench import rules_worlds
from tests.bench.kafka_streams_peer import KafkaStreamsPeer
from tests.bench.rules_worlds import World
from tests.support import maven
from tests.support.assertions.eventually import eventually
from tests.support.builders.partition_log import PartitionLog
from tests.support.servers.kafka import Bus
from tests.support.servers.rules import GROUP, RulesClient
from tests.support.servers.services import Launch, Service

EVENTS = int(os.environ.get("BENCH_EVENTS", "200000"))
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "3"))
IN_PROCESS_EVENTS = 20_000
IN_PROCESS_ROUNDS = 20
BATCH_BYTES = 512 * 1024
TIMEOUT_SECONDS = 900.0
POLL_SECONDS = 0.25
WARM_FROM = 0.4  # of the events: by then caches are filled and the peer's code is compiled
LEAST_OF_PEER = 1.3
VERSIONS = 4
RECORDED_AT = datetime(2026, 5, 1, tzinfo=UTC)
MOST_RESTORE_SECONDS = 15 / 1_000_000  # of processor time a duty

# What an event may cost in each world, in units of reading and writing its JSON and hashing it (`_yardstick`): a fifth
# above what was measured on 2026-11-28.
MOST_UNITS = {"own duty": 1.3, "deadline night": 4.1, "demo": 4.5}


@dataclass(frozen=True, kw_only=True)
class Measured:
    """Processor time an event in microseconds, and events a second."""

    cpu: float
    rate: float


@pytest.mark.timeout(3600)
async def test_rules_end_to_end(bus: Bus, launch: Launch, tmp_path: Path) -> None:
    """Rules, exactly once, costs at most what the peer costs divided by 1.3, where this machine can run the peer."""
    world = rules_worlds.build_own_duties(EVENTS)
    catalogue = DutyCatalogue(world.plans[0], world.registry)
    steer(tmp_path / "clock", world.now)
    raw, ours, peers, memory = [], [], [], []
    restore = 0.0
    for number in range(ROUNDS):
        await bus.recreate_topics()
        settings = {"DONDOC_CLOCK": f"steered:{tmp_path / 'clock'}"}
        service = launch("rules", ready=False, **settings)
        before = await _start_before_full_log(service, bus, world)
        ours.append(await _measure_group(bus, GROUP, service.cpu_seconds))
        memory.append((_read_resident_bytes(service) - before) / len(world.records))
        service.stop()
        raw.append(await _measure_raw(bus))
        if maven.is_available():
            peers.append(await _measure_peer(bus, tmp_path / f"peer-{number}", catalogue))
            await _check_same_verdicts(bus, len(world.records))
        restored = launch("rules", **settings)
        restore = max(restore, _read_restore_seconds(restored))
        restored.stop()
    _print_results(world, bus, {"raw aiokafka": raw, "rules": ours, "Kafka Streams": peers})
    print(f"  memory a duty after its batch    {statistics.median(memory):8.0f} bytes")
    print(f"  restore of {len(world.records)} duties       {restore:8.1f} s")
    if peers:
        ratio = statistics.median(peer.cpu / own.cpu for peer, own in zip(peers, ours, strict=True))
        assert ratio > LEAST_OF_PEER


@pytest.mark.timeout(3600)
async def test_restore_of_many_versions(bus: Bus) -> None:
    """A million duties are restored in 15 seconds, though the topic holds versions of each that nobody needs."""
    world = rules_worlds.build_own_duties(EVENTS)
    log = PartitionLog(world.registry, *world.plans)
    log.adopt_raw(world.plans[0].plan, now=world.now)
    states = [state for _, value in world.records for state in _process(log, value)[1]]
    _settle_memory()
    async with AIOKafkaProducer(
        bootstrap_servers=bus.bootstrap, max_batch_size=BATCH_BYTES, compression_type="zstd"
    ) as producer:
        for _ in range(VERSIONS):
            await _append_all(producer, DUTIES.name, states, bus.partitions)
    begun, cpu = time.monotonic(), time.process_time()
    counts = await asyncio.gather(*(_restore(bus, number, log.catalogues) for number in range(bus.partitions)))
    seconds, cpu = time.monotonic() - begun, time.process_time() - cpu
    print(f"\nrules, {sum(counts)} duties with {VERSIONS} versions: restored in {seconds:.1f} s, processor {cpu:.1f} s")
    assert sum(counts) == len(states)
    assert cpu / len(states) < MOST_RESTORE_SECONDS


@pytest.mark.parametrize(
    "build",
    [rules_worlds.build_own_duties, rules_worlds.build_deadline_nights, rules_worlds.build_demo_years],
    ids=["own duty", "deadline night", "demo"],
)
def test_the_processor_time_of_an_event(build: Callable[[int], World]) -> None:
    """The processor alone, without Kafka, costs at most a fifth more than it did, beside plain JSON in a round."""
    world = build(IN_PROCESS_EVENTS)
    log = PartitionLog(world.registry, *world.plans)
    for plan in world.plans:
        log.adopt_raw(plan.plan, now=world.now)
    values = [value for _, value in world.records]
    _settle_memory()
    share = -(-len(values) // IN_PROCESS_ROUNDS)
    costs, units, written = [], [], Counter[str]()
    for begin in range(0, len(values), share):
        batch = values[begin : begin + share]
        begun = time.process_time()
        for value in batch:
            _yardstick(value)
        between = time.process_time()
        found = [_process(log, value) for value in batch]
        units.append((between - begun) / len(batch))
        costs.append((time.process_time() - between) / len(batch))
        written["verdicts"] += sum(len(event) for events, _ in found for _, event in events)
        written["states"] += sum(len(state) for _, states in found for _, state in states)
    ratio = statistics.median(cost / unit for cost, unit in zip(costs, units, strict=True))
    print(f"\nrules, the processor alone, {world.name}: {len(values)} events of {len(values[0])} bytes")
    print(f"  processor time of an event   {statistics.median(costs) * 1e6:8.1f} µs   {ratio:.2f} x plain JSON")
    print(f"  verdict / state, bytes       {written['verdicts'] // len(values)} / {written['states'] // len(values)}")
    assert ratio < MOST_UNITS[world.name]


def _yardstick(value: bytes) -> bytes:
    return hashlib.sha256(json.dumps(json.loads(value), ensure_ascii=False).encode()).digest()


def _settle_memory() -> None:
    """Let the garbage collector run as in the service, and not walk what the benchmark itself keeps."""
    bootstrap.relax_garbage_collection()
    gc.collect()
    gc.freeze()


def _process(log: PartitionLog, value: bytes) -> tuple[list[KeyedEvent], list[tuple[str, bytes]]]:
    """Return the assessments and the states that follow from one record."""
    log.offset += 1
    fact, _ = fact_decoder.decode_event(value, recorded_at=RECORDED_AT)
    events = list(log.processor.process(fact, position=LogPosition(offset=log.offset, recorded_at=RECORDED_AT)))
    return events, log.processor.drain_changes()


def _print_results(world: World, bus: Bus, results: dict[str, list[Measured]]) -> None:
    size = len(world.records[0][1])
    print(f"\nrules, {len(world.records)} events of {size} bytes, {bus.partitions} partitions, each its own duty, warm")
    for name, rounds in results.items():
        if not rounds:
            print(f"  {name:16} left out: this machine has no Maven or no Java")
            continue
        cpu, rate = (statistics.median(getattr(one, field) for one in rounds) for field in ("cpu", "rate"))
        print(f"  {name:16} processor time of an event {cpu:6.1f} µs   {rate:10,.0f} events/s")


async def _start_before_full_log(service: Service, bus: Bus, world: World) -> float:
    """Let *service* adopt the plan, and start it again when the log is full, as the peer finds it.

    While the log is filled a service takes the records as they come, in small batches, and its memory holds what the
    adoption has freed. Return the memory of the new process.
    """
    await RulesClient(bus).publish(world.registry, *world.plans)
    await eventually(partial(_has_adopted, service, bus.partitions), "the plan adopted", timeout=TIMEOUT_SECONDS)
    service.stop()
    await _fill_log(bus, world)
    service.launch()
    await eventually(service.answers, "the service started again", timeout=TIMEOUT_SECONDS)
    return _read_resident_bytes(service)


async def _fill_log(bus: Bus, world: World) -> None:
    """Append every event to the log."""
    async with AIOKafkaProducer(bootstrap_servers=bus.bootstrap, max_batch_size=BATCH_BYTES) as producer:
        await _append_all(producer, FACTS.name, world.records, bus.partitions, milliseconds(world.now))


async def _append_all(
    producer: AIOKafkaProducer,
    topic: str,
    records: Sequence[tuple[str, bytes]],
    partitions: int,
    stamp: int | None = None,
) -> None:
    """Append *records* to the partitions of their keys in whole batches."""
    batches = {number: producer.create_batch() for number in range(partitions)}
    for key, value in records:
        number = partition_of(key, partitions)
        if batches[number].append(key=key.encode(), value=value, timestamp=stamp) is None:
            await producer.send_batch(batches[number], topic, partition=number)
            batches[number] = producer.create_batch()
            batches[number].append(key=key.encode(), value=value, timestamp=stamp)
    for number, batch in batches.items():
        await producer.send_batch(batch, topic, partition=number)
    await producer.flush()


async def _restore(bus: Bus, number: int, catalogues: DutyCatalogues) -> int:
    """Return how many duties a processor was restored with from the state topic."""
    found = await changelog.read_changelog(KafkaConfig(bootstrap=bus.bootstrap), number)
    processor = PartitionProcessor(number, catalogues)
    for key, value in found.records.items():
        processor.restore(key, value)
    return processor.digest.records


def _has_adopted(service: Service, partitions: int) -> bool:
    return service.answers() and service.read_metric("rules_facts_consumed_total") >= partitions


async def _measure_group(bus: Bus, group: str, cpu_seconds: Callable[[], float]) -> Measured:
    """Return what an event costs the consumer *group* once it is warm, until it has consumed every event."""
    ends = await bus.end_offsets(FACTS.name)

    async def count_left() -> int:
        committed = await bus.committed_offsets(group, FACTS.name)
        return sum(max(0, end - committed[number]) for number, end in ends.items())

    deadline = time.monotonic() + TIMEOUT_SECONDS
    left = EVENTS + 1
    while left > EVENTS * (1 - WARM_FROM):
        assert time.monotonic() < deadline, f"{group} has {left} events left"
        await asyncio.sleep(POLL_SECONDS)
        left = await count_left()
    first, begun, cpu = left, time.monotonic(), cpu_seconds()
    while left:
        assert time.monotonic() < deadline, f"{group} has {left} events left"
        await asyncio.sleep(POLL_SECONDS)
        left = await count_left()
    return Measured(cpu=(cpu_seconds() - cpu) / max(first, 1) * 1e6, rate=first / max(time.monotonic() - begun, 1e-3))


async def _measure_peer(bus: Bus, folder: Path, catalogue: DutyCatalogue) -> Measured:
    """Return what an event costs the peer, all its threads counted."""
    peer = KafkaStreamsPeer(folder, bus.bootstrap, catalogue)
    peer.start()
    try:
        return await _measure_group(bus, peer.application, lambda: _read_cpu_seconds(peer.pid))
    finally:
        peer.stop()
        shutil.rmtree(folder / "state", ignore_errors=True)


async def _check_same_verdicts(bus: Bus, events: int) -> None:
    """Check that the peer has written the very verdicts of rules, one for each event."""
    found: Counter[int] = Counter()
    for number in range(bus.partitions):
        async for records in partition_reader.read_partition(
            KafkaConfig(bootstrap=bus.bootstrap), TopicPartition(VERDICTS.name, number)
        ):
            found.update(hash(one.value) for one in records if b'"evidence"' in one.value)
    assert len(found) == events
    assert set(found.values()) == {2}


async def _measure_raw(bus: Bus) -> Measured:
    """Return what an event costs the raw client, which consumes every fact and writes it acknowledged, in batches."""
    parts = [TopicPartition(FACTS.name, number) for number in range(bus.partitions)]
    consumer = AIOKafkaConsumer(bootstrap_servers=bus.bootstrap, max_partition_fetch_bytes=4 * 1024 * 1024)
    await consumer.start()
    consumer.assign(parts)
    await consumer.seek_to_beginning(*parts)
    ends = await consumer.end_offsets(parts)
    done, begun, cpu = 0, time.monotonic(), time.process_time()
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
    await consumer.stop()
    return Measured(cpu=(time.process_time() - cpu) / done * 1e6, rate=done / (time.monotonic() - begun))


def _read_cpu_seconds(pid: int) -> float:
    """Return the processor time of all threads of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return sum(map(int, fields[11:13])) / os.sysconf("SC_CLK_TCK")


def _read_resident_bytes(service: Service) -> float:
    return service.read_metric("process_resident_memory_bytes")


def _read_restore_seconds(service: Service) -> float:
    """Return how long the restore of the slowest partition took, as the service has logged it."""
    return max(float(line["seconds"]) for line in service.log_lines() if line.get("action") == "restored")
