"""The rate of reporting beside raw unordered bulk writes of the same documents and Kafka Connect's sink, in one run.

Each duty has ten assessments, as in a busy year, and every one of them is stored. `BENCH_VERDICTS` sets another size.
Reporting and Kafka Connect take the same topic in turns, as often as `BENCH_ROUNDS` says: what else the machine does
meets both. Processor time is that of everything that takes part, the database included.
"""

import asyncio
import os
import random
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest
from aiokafka import AIOKafkaProducer
from pymongo import InsertOne, ReplaceOne
from pymongo.collection import Collection

from deploy.local.process.daemon import Daemon
from deploy.local.servers.mongod import Mongod
from schemas.events.ids import partition_of
from schemas.events.topics import VERDICTS
from tests.bench import kafka_connect_peer
from tests.bench.kafka_connect_peer import KafkaConnectPeer
from tests.support import maven
from tests.support.assertions.eventually import eventually
from tests.support.builders.annual_report import a_key, a_revision
from tests.support.builders.annual_report_events import a_verdict_event
from tests.support.servers.kafka import Bus
from tests.support.servers.mongo import Database, Document
from tests.support.servers.services import Launch

VERDICT_COUNT = int(os.environ.get("BENCH_VERDICTS", "200000"))
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "1"))
REVISIONS = 10
DUTIES = VERDICT_COUNT // REVISIONS
BATCH = 5_000
BATCH_BYTES = 512 * 1024
FLOOR = 0.05  # of the raw writes; below this something is broken rather than slow
Write = Callable[["Collection[Document]", int, list[tuple[str, bytes]]], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """What one run took: events a second, processor time an event in microseconds, resident memory in megabytes."""

    rate: float
    own_time: float
    database_time: float
    memory: float
    load: float


@pytest.mark.timeout(1200)
async def test_reporting_events_a_second(
    bus: Bus, launch: Launch, database: Database, mongod: Mongod, tmp_path: Path
) -> None:
    """Print rates, processor time and memory of each round; fail only where the pipeline is broken."""
    settings = {"DONDOC_MONGO_URL": database.url, "DONDOC_REPORTING_MONGO_DATABASE": database.name}
    records = list(_shuffled_records())
    await _publish(bus, records)
    insert_rate = await asyncio.to_thread(_raw_rate, database, records, _insert)
    upsert_rate = await asyncio.to_thread(_raw_rate, database, records, _upsert_newest)
    print(f"\nreporting, {len(records)} verdicts of {len(records[0][1])} bytes, {DUTIES} duties, batches of {BATCH}")
    print(f"  raw unordered bulk, newest of a batch upserted {upsert_rate:10,.0f} events/s")
    print(f"  raw unordered bulk, every revision inserted    {insert_rate:10,.0f} events/s")
    print(f"  {'':<16}{'events/s':>10}{'µs an event':>13}{'µs of mongod':>14}{'MB':>6}{'load':>7}")
    pairs = []
    for number in range(ROUNDS):
        database.drop()
        service = launch("reporting", ready=False, **settings)
        own = await _measure(service, mongod, database["assessments"], len(records))
        service.stop()
        _print_measurement("reporting", own)
        database.drop()
        if maven.is_available():
            folder = tmp_path / f"connect-{number}"
            peer = KafkaConnectPeer(folder, bus.bootstrap, url=database.url, database=database.name, batch=BATCH)
            peer.start()
            other = await _measure(peer, mongod, database[kafka_connect_peer.COLLECTION], len(records))
            peer.stop()
            _print_measurement("Kafka Connect", other)
            pairs.append((own, other))
        assert own.rate > FLOOR * insert_rate
    if pairs:
        rates = ", ".join(f"{own.rate / other.rate:.2f}" for own, other in pairs)
        memory = statistics.median(own.memory / other.memory for own, other in pairs)
        print(f"  reporting / Kafka Connect: {rates} x; {memory:.0%} of its memory")


async def _measure(process: Daemon, mongod: Mongod, stored: "Collection[Document]", count: int) -> Measurement:
    """Measure *process* from the first batch that is *stored* to the last of *count* documents."""
    before = await eventually(stored.estimated_document_count, "the first batch stored", timeout=120)
    start, own, database = time.perf_counter(), _cpu_seconds(process.pid), _cpu_seconds(mongod.pid)
    await eventually(lambda: stored.estimated_document_count() == count, "all stored", timeout=300)
    measured, microseconds = count - before, 1e6 / (count - before)
    pages = int(Path(f"/proc/{process.pid}/statm").read_text(encoding="ascii").split()[1])
    return Measurement(
        rate=measured / (time.perf_counter() - start),
        own_time=(_cpu_seconds(process.pid) - own) * microseconds,
        database_time=(_cpu_seconds(mongod.pid) - database) * microseconds,
        memory=pages * os.sysconf("SC_PAGE_SIZE") / 1e6,
        load=os.getloadavg()[0],
    )


def _cpu_seconds(pid: int | None) -> float:
    """Return the processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return sum(map(int, fields[11:13])) / os.sysconf("SC_CLK_TCK")


def _print_measurement(name: str, one: Measurement) -> None:
    numbers = f"{one.rate:10,.0f}{one.own_time:13.0f}{one.database_time:14.0f}{one.memory:6.0f}{one.load:7.1f}"
    print(f"  {name:<16}{numbers}")


def _shuffled_records() -> Iterator[tuple[str, bytes]]:
    """Yield key and value of every revision of every duty, with the agencies in random order, as in real traffic."""
    order = list(range(DUTIES))
    shuffle = random.Random(6766).shuffle  # noqa: S311 - an order, not a secret
    for revision in range(1, REVISIONS + 1):
        shuffle(order)
        for number in order:
            assessment = a_revision(a_key(f"a-{number:06d}"), revision=revision)
            yield assessment.key.agency, msgspec.json.encode(a_verdict_event(assessment))


async def _publish(bus: Bus, records: list[tuple[str, bytes]]) -> None:
    async with AIOKafkaProducer(bootstrap_servers=bus.bootstrap, max_batch_size=BATCH_BYTES) as producer:
        batches = {number: producer.create_batch() for number in range(bus.partitions)}
        for agency, value in records:
            number = partition_of(agency, bus.partitions)
            if batches[number].append(key=agency.encode(), value=value, timestamp=None) is None:
                await producer.send_batch(batches[number], VERDICTS.name, partition=number)
                batches[number] = producer.create_batch()
                batches[number].append(key=agency.encode(), value=value, timestamp=None)
        for number, batch in batches.items():
            await producer.send_batch(batch, VERDICTS.name, partition=number)
        await producer.flush()


def _raw_rate(database: Database, records: list[tuple[str, bytes]], write: Write) -> float:
    """Return the rate at which the plain driver writes the records: nothing is decoded and nothing is indexed."""
    raw = database["raw"]
    start = time.perf_counter()
    for begin in range(0, len(records), BATCH):
        write(raw, begin, records[begin : begin + BATCH])
    seconds = time.perf_counter() - start
    raw.drop()
    return len(records) / seconds


def _insert(raw: "Collection[Document]", begin: int, batch: list[tuple[str, bytes]]) -> None:
    documents = ({"_id": begin + place, "record": value} for place, (_, value) in enumerate(batch))
    raw.bulk_write([InsertOne(document) for document in documents], ordered=False)


def _upsert_newest(raw: "Collection[Document]", _begin: int, batch: list[tuple[str, bytes]]) -> None:
    newest = dict(batch)
    raw.bulk_write(
        [ReplaceOne({"_id": key}, {"record": value}, upsert=True) for key, value in newest.items()], ordered=False
    )
