"""Intake end to end beside the raw produce rate of the same records, and beside its peer where there is one.

Sixty-four connections post single events, then sixteen post batches of a hundred; each answer is a signed 202 after the
broker's acknowledgement. In rounds, each beside the peer: the speed of a shared machine changes within seconds, so that
only what was measured side by side makes a ratio. `BENCH_EVENTS` sets another size, `BENCH_WORKERS` other numbers of
workers, `BENCH_KARAPACE` the command that starts the peer.
"""

import os
import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.request import urlopen

import msgspec
import pytest
from aiokafka import AIOKafkaProducer

from deploy.local.process.ports import free_ports
from deploy.local.servers.kafka import Kafka
from schemas.events.ids import partition_of
from schemas.events.topics import FACTS, VERDICTS
from tests.bench.karapace import COMMAND, Karapace
from tests.support.assertions.eventually import eventually
from tests.support.builders.plans import AGENCIES, a_submission
from tests.support.clients.http_load import Load, post_all
from tests.support.servers.intake import BATCH, STRUCTURED, IntakeFiles, publish_plan
from tests.support.servers.kafka import Bus
from tests.support.servers.services import Launch, Service

EVENTS = int(os.environ.get("BENCH_EVENTS", "60000"))
WORKERS = [int(number) for number in os.environ.get("BENCH_WORKERS", "0,1").split(",")]
ROUNDS = 4
WARM_UPS = 6  # rounds before them, until the broker has compiled what it does all the time
PEER_SHARE = 0.1  # of the events: it takes about as long for them
BATCH_EVENTS = 100
BATCHES_SHARE = 8  # times the events posted one by one: it takes about as long
RAW_BATCH_BYTES = 768 * 1024
PEER_TOPIC = VERDICTS.name  # declared like the facts topic, and empty here
FLOOR = 0.01  # of the raw produce rate; below this something is broken rather than slow


class LastingKafka(Kafka):
    """A broker as it runs for months, once it is warm: every compiler, and Kafka's usual heap."""

    jvm = ("-Xms1g", "-Xmx1g", "-XX:+UseSerialGC", "-XX:-UsePerfData")


@dataclass(frozen=True, kw_only=True)
class LoadProfile:
    """How a round of load is posted (events, connections, events a request), and what was measured."""

    name: str
    connections: int
    events: int
    a_round: int
    loads: list[Load] = field(default_factory=list)
    peer: list[Load] = field(default_factory=list)
    cpu_seconds: list[float] = field(default_factory=list)

    def forget(self, rounds: int) -> None:
        """Forget the first *rounds*."""
        for measured in (self.loads, self.peer, self.cpu_seconds):
            del measured[:rounds]

    @property
    def rate(self) -> float:
        """Events a second in the middle round."""
        return statistics.median(load.rate for load in self.loads) * self.events

    def row(self) -> str:
        """One line of the print."""
        seconds = sorted(second for load in self.loads for second in load.seconds)
        middle, late = (seconds[len(seconds) * percent // 100] * 1e3 for percent in (50, 99))
        cpu = sum(self.cpu_seconds) / (len(seconds) * self.events) * 1e6
        return (
            f"  {self.name:18} {self.rate:10,.0f} events/s   p50 {middle:6.1f} ms   p99 {late:6.1f} ms"
            f"   {cpu:.0f} us CPU each{self._beside()}"
        )

    def _beside(self) -> str:
        if not self.peer:
            return ""
        ratios = [ours.rate / theirs.rate for ours, theirs in zip(self.loads, self.peer, strict=True)]
        return f"   {statistics.median(ratios):.1f} x Karapace ({min(ratios):.1f} to {max(ratios):.1f})"


@pytest.fixture
def kafka(tmp_path: Path, jars: Path) -> Iterator[Kafka]:
    """A broker of its own; the one of the other tests is made to start quickly."""
    port, controller_port = free_ports(2)
    server = LastingKafka(tmp_path / "warm", jars=jars, port=port, controller_port=controller_port)
    server.start()
    yield server
    server.kill()


@pytest.fixture
def peer(bus: Bus, tmp_path: Path) -> Iterator[Karapace | None]:
    """The peer, if this machine has one."""
    if not COMMAND:
        yield None
        return
    karapace = Karapace(tmp_path, bus.bootstrap)
    karapace.start()
    yield karapace
    karapace.kill()


@pytest.mark.timeout(600)
@pytest.mark.parametrize("workers", WORKERS)
async def test_intake_events_a_second(
    bus: Bus, launch: Launch, tmp_path: Path, peer: Karapace | None, workers: int
) -> None:
    """Print single and batch rates, latencies and memory beside the raw rate; fail only where intake is broken."""
    intake_files = IntakeFiles(folder=tmp_path)
    bearer = intake_files.add_key()
    await publish_plan(bus)
    settings = {"DONDOC_LOG_LEVEL": "WARNING", "DONDOC_INTAKE_WORKERS": str(workers)}
    service = launch("intake", **intake_files.environment, **settings)
    await eventually(lambda: _figure(service, "intake_workers") == workers, "the workers serving")
    raw = await _raw_rate(bus)
    profiles = (
        LoadProfile(name="single, 64 conn.", connections=64, events=1, a_round=EVENTS // ROUNDS),
        LoadProfile(
            name="batches of 100", connections=16, events=BATCH_EVENTS, a_round=EVENTS // ROUNDS * BATCHES_SHARE
        ),
    )
    for number in range(WARM_UPS + ROUNDS):
        for profile in profiles:
            if peer is not None:
                _post_round_to_peer(profile, number, peer)
            _post_round(profile, number, service, bearer)
    for profile in profiles:
        profile.forget(WARM_UPS)
    print(
        f"\nintake with {workers} workers, {EVENTS} events of {len(next(_events('x', 1)))} bytes, signed, acknowledged"
    )
    print(f"  raw produce        {raw:10,.0f} events/s")
    print("\n".join(profile.row() for profile in profiles))
    print(f"  memory {_figure(service, 'process_resident_memory_bytes') / 1e6:.0f} MB resident, all processes")
    assert min(profile.rate for profile in profiles) > FLOOR * raw


def _post_round(profile: LoadProfile, number: int, service: Service, bearer: str) -> None:
    media_type = STRUCTURED if profile.events == 1 else BATCH
    name = f"{profile.events}-{number}"
    requests = [_request(bearer, media_type, body) for body in _bodies(name, profile.a_round, profile.events)]
    before = service.cpu_seconds()
    profile.loads.append(post_all(service.port, requests, connections=profile.connections))
    profile.cpu_seconds.append(service.cpu_seconds() - before)


def _post_round_to_peer(profile: LoadProfile, number: int, peer: Karapace) -> None:
    events = list(_events(f"peer-{profile.events}-{number}", int(profile.a_round * PEER_SHARE)))
    keyed = [(AGENCIES[place % len(AGENCIES)], event) for place, event in enumerate(events)]
    chunks = [keyed[start : start + profile.events] for start in range(0, len(keyed), profile.events)]
    requests = [peer.request(PEER_TOPIC, chunk) for chunk in chunks]
    profile.peer.append(post_all(peer.port, requests, connections=profile.connections, expected=b"HTTP/1.1 200"))


def _bodies(name: str, count: int, at_once: int) -> Iterator[bytes]:
    events = list(_events(name, count))
    if at_once == 1:
        return iter(events)
    return (b"[" + b",".join(events[start : start + at_once]) + b"]" for start in range(0, count, at_once))


def _events(name: str, count: int) -> Iterator[bytes]:
    for number in range(count):
        agency = AGENCIES[number % len(AGENCIES)]
        event = a_submission(f"{name}-{number}", data={"agency": agency}, subject=agency)
        yield msgspec.json.encode(event)


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


def _figure(service: Service, name: str) -> float:
    with urlopen(f"{service.url}/metrics", timeout=5) as answer:  # noqa: S310 - our own loopback address
        lines = answer.read().decode().splitlines()
    return next((float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(f"{name} ")), 0.0)
