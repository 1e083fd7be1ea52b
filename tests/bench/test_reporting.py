"""The rate of reporting beside raw unordered bulk writes of the same documents and Kafka Connect's sink, in one run.

Each duty has ten assessments, as in a busy year, and every one of them is stored. `BENCH_VERDICTS` sets another size.
"""

import asyncio
import os
import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.request import urlopen

import msgspec
import pytest
from aiokafka import AIOKafkaProducer
from pymongo import InsertOne, ReplaceOne
from pymongo.collection import Collection

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
from tests.support.servers.services import Launch, Service

VERDICT_COUNT = int(os.environ.get("BENCH_VERDICTS", "200000"))
REVISIONS = 10
DUTIES = VERDICT_COUNT // REVISIONS
BATCH = 5_000
BATCH_BYTES = 512 * 1024
FLOOR = 0.05  # of the raw writes; below this something is broken rather than slow
Write = Callable[["Collection[Document]", int, list[tuple[str, bytes]]], None]


@pytest.mark.timeout(600)
async def test_reporting_events_a_second(bus: Bus, launch: Launch, database: Database, tmp_path: Path) -> None:
    """Print both rates, their ratio and the memory; fail only where the pipeline is broken."""
    settings = {"DONDOC_MONGO_URL": database.url, "DONDOC_REPORTING_MONGO_DATABASE": database.name}
    records = list(_shuffled_records())
    await _publish(bus, records)
    insert_rate = await asyncio.to_thread(_raw_rate, database, records, _insert)
    upsert_rate = await asyncio.to_thread(_raw_rate, database, records, _upsert_newest)
    begun = time.perf_counter()
    service = launch("reporting", ready=False, **settings)
    rate = await _measure_rate(database["assessments"], len(records))
    memory = _read_metric(service, "process_resident_memory_bytes") / 1e6
    print(f"\nreporting, {len(records)} verdicts of {len(records[0][1])} bytes, {DUTIES} duties, batches of {BATCH}")
    print(f"  raw unordered bulk, newest of a batch upserted {upsert_rate:10,.0f} events/s")
    print(f"  raw unordered bulk, every revision inserted    {insert_rate:10,.0f} events/s")
    print(f"  reporting, every revision                      {rate:10,.0f} events/s   {rate / insert_rate:.0%} of raw")
    cpu = _read_metric(service, "process_cpu_seconds_total") / len(records) * 1e6
    print(f"  processor time of reporting {cpu:.0f} µs an event, start-up included")
    print(f"  memory {memory:.0f} MB resident; {time.perf_counter() - begun:.1f} s with start-up")
    service.stop()
    if maven.is_available():
        peer_rate, peer_memory = await _measure_peer(bus, database, tmp_path, len(records))
        print(
            f"  Kafka Connect, one document a record           {peer_rate:10,.0f} events/s   {rate / peer_rate:.2f} x"
        )
        print(f"  its memory {peer_memory:.0f} MB resident; reporting has {memory / peer_memory:.0%} of it")
    print(f"  load {os.getloadavg()[0]:.1f}")
    assert rate > FLOOR * insert_rate


async def _measure_rate(stored: "Collection[Document]", count: int) -> float:
    """Return the events a second from the first batch that is *stored* to the last of *count* documents."""
    before = await eventually(stored.estimated_document_count, "the first batch stored", timeout=120)
    start = time.perf_counter()
    await eventually(lambda: stored.estimated_document_count() == count, "all stored", timeout=300)
    return float(count - before) / (time.perf_counter() - start)


async def _measure_peer(bus: Bus, database: Database, folder: Path, count: int) -> tuple[float, float]:
    """Return the rate of the peer and its resident memory in megabytes."""
    peer = KafkaConnectPeer(folder, bus.bootstrap, url=database.url, database=database.name, batch=BATCH)
    peer.start()
    try:
        rate = await _measure_rate(database[kafka_connect_peer.COLLECTION], count)
        pages = int(Path(f"/proc/{peer.pid}/statm").read_text(encoding="ascii").split()[1])
        return rate, pages * os.sysconf("SC_PAGE_SIZE") / 1e6
    finally:
        peer.stop()


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


def _read_metric(service: Service, name: str) -> float:
    try:
        with urlopen(f"{service.url}/metrics", timeout=5) as answer:  # noqa: S310 - our own loopback address
            lines = answer.read().decode().splitlines()
    except OSError:
        return 0.0
    return next((float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(f"{name} ")), 0.0)
