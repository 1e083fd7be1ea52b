"""Every service opens its port first, waits for what is missing, says for what, and hears a signal at any moment."""

import os
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from deploy.local.servers.kafka import Kafka
from deploy.local.servers.mongod import Mongod
from schemas.events.topics import FACTS
from services.runtime import startup
from tests.support.assertions.eventually import eventually
from tests.support.matrix import matrix
from tests.support.servers.intake import IntakeFiles, publish_plan
from tests.support.servers.kafka import PARTITIONS, Bus
from tests.support.servers.mongo import Database
from tests.support.servers.services import Launch, Service

pytestmark = pytest.mark.long

SERVICES = ("rules", "notifier", "reporting", "intake")
WITH_DATABASE = ("notifier", "reporting")
BROKER_CHECK = {"rules": "broker", "notifier": "broker", "reporting": "kafka", "intake": "kafka"}
DATABASE_CHECK = {"notifier": "database", "reporting": "mongo"}

# Of a stop. It takes about a second; this machine runs other tests at the same time.
STOP_SECONDS = 8.0


@pytest.fixture
def settings(database: Database, intake_files: IntakeFiles) -> Mapping[str, str]:
    """The settings of every service besides the broker's address."""
    return {
        "DONDOC_MONGO_URL": database.url,
        "DONDOC_MONGO_DATABASE": database.name,
        "DONDOC_RULES_SESSION_TIMEOUT_MS": "6000",
        "DONDOC_NOTIFIER_SESSION_TIMEOUT_MS": "6000",
        "DONDOC_REPORTING_SESSION_TIMEOUT_MS": "6000",
        **intake_files.environment,
    }


def readiness(service: Service) -> httpx.Response | None:
    """Return the answer of `/readyz`, or None while the port is closed."""
    try:
        return httpx.get(f"{service.url}/readyz", timeout=10.0)
    except httpx.TransportError:
        return None


async def waits_for(service: Service, check: str, said: str) -> None:
    """Wait until *service* answers that *check* waits for something whose sentence contains *said*."""

    def is_told() -> bool:
        answer = readiness(service)
        if answer is None or answer.status_code != 503:
            return False
        return answer.json()[check] is False and said in answer.json().get("waiting_for", {}).get(check, "")

    await eventually(is_told, f"{service.program.name} waiting for {said}", timeout=60)


def answers_operators(service: Service) -> None:
    """Assert that probes, metrics and AsyncAPI are answered."""
    for path in ("/livez", "/metrics", "/asyncapi"):
        assert httpx.get(f"{service.url}{path}", timeout=10.0).status_code == 200


@pytest.mark.chaos
async def test_services_wait_for_the_broker(
    published: Bus, kafka: Kafka, launch: Launch, settings: Mapping[str, str]
) -> None:
    """Started without it they answer probes, metrics and AsyncAPI, and are ready when it comes, in the same process.

    The same when it goes away under them and comes back.
    """
    assert published.bootstrap
    kafka.kill()
    services = {name: launch(name, ready=False, **settings) for name in SERVICES}
    for name, service in services.items():
        await waits_for(service, BROKER_CHECK[name], "DONDOC_KAFKA_BOOTSTRAP")
        answers_operators(service)
    for _ in range(2):
        kafka.start()
        for service in services.values():
            service.wait_until_ready()
        kafka.kill()
        for name, service in services.items():
            await waits_for(service, BROKER_CHECK[name], "DONDOC_KAFKA_BOOTSTRAP")
    assert all(service.is_running for service in services.values())
    halts = [line for service in services.values() for line in service.log_lines() if line.get("action") == "halted"]
    assert halts == []


@pytest.mark.chaos
async def test_services_wait_for_the_database(
    published: Bus, mongod: Mongod, launch: Launch, settings: Mapping[str, str]
) -> None:
    """Started without it they say so, create their indexes when it comes, and stay when it goes away under them."""
    assert published.bootstrap
    mongod.kill()
    services = {name: launch(name, ready=False, **settings) for name in WITH_DATABASE}
    for name, service in services.items():
        await waits_for(service, DATABASE_CHECK[name], "DONDOC_MONGO_URL")
        answers_operators(service)
    for _ in range(2):
        mongod.start()
        for service in services.values():
            service.wait_until_ready()
        mongod.kill()
        for name, service in services.items():
            await waits_for(service, DATABASE_CHECK[name], "DONDOC_MONGO_URL")
    assert all(service.is_running for service in services.values())


async def test_services_wait_for_a_plan(bus: Bus, launch: Launch, settings: Mapping[str, str]) -> None:
    """Without any published plan no fact is set aside as unknown: it is read when the plan is there."""
    await bus.publish(FACTS.name, b"no event", partition=0)
    services = {name: launch(name, ready=False, **settings) for name in SERVICES}
    for service in services.values():
        await waits_for(service, "references", "dondoc publish")
    assert await bus.records(f"{FACTS.name}.dead-letter") == []
    await publish_plan(bus)
    for service in services.values():
        service.wait_until_ready()
    await bus.wait_until_consumed("dondoc-rules", FACTS.name)
    assert len(await bus.records(f"{FACTS.name}.dead-letter")) == 1


@pytest.fixture
def first_of_namespace(tmp_path: Path, kafka: Kafka, settings: Mapping[str, str]) -> Iterator["FirstProcesses"]:
    """Start services as PID 1 of a PID namespace of their own, as a container does without an init."""
    processes = FirstProcesses(tmp_path, {"DONDOC_KAFKA_BOOTSTRAP": kafka.bootstrap, **settings})
    yield processes
    processes.end()


class FirstProcesses:
    """Starts services as the first process of a PID namespace each."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self._folder = folder
        self._environment = {**environment, "DONDOC_PARTITIONS": str(PARTITIONS)}
        self._services: list[Service] = []

    def start(self, name: str) -> Service:
        """Start `services.<name>` without waiting for anything."""
        service = Service(name, self._folder / f"{name}-first", environment=self._environment)
        command = ("unshare", "--pid", "--fork", "--kill-child", sys.executable, "-m", f"services.{name}")
        service.program = replace(service.program, command=command)
        self._services.append(service)
        service.launch()
        return service

    def end(self) -> None:
        """Kill whatever still runs."""
        for service in self._services:
            service.kill()


def hears(pid: int, number: signal.Signals) -> bool:
    """Whether the process *pid* has a handler for the signal."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    (caught,) = (line.split()[1] for line in status.splitlines() if line.startswith("SigCgt:"))
    return bool(int(caught, 16) >> (number - 1) & 1)


async def terminate_first(service: Service) -> float:
    """Send TERM to PID 1 of the namespace as soon as it hears it; return the seconds until it has ended with 0."""
    await eventually(service.children, "a child of unshare")
    (first,) = service.children()
    await eventually(lambda: hears(first, signal.SIGTERM), "a handler")
    begun = time.monotonic()
    os.kill(first, signal.SIGTERM)
    await service.wait_until_ended()
    assert service.exit_status == 0
    return time.monotonic() - begun


@pytest.mark.parametrize("name", matrix(SERVICES, in_every_run=1))
async def test_term_is_heard_by_pid_1_while_it_is_still_being_imported(
    name: str, published: Bus, first_of_namespace: FirstProcesses
) -> None:
    """The kernel discards a signal to PID 1 that has no handler, so the handler comes before everything else."""
    assert published.bootstrap
    service = first_of_namespace.start(name)
    assert await terminate_first(service) < STOP_SECONDS
    assert service.log_lines() == []


@pytest.mark.parametrize("name", matrix(SERVICES, in_every_run=1))
async def test_term_is_heard_by_pid_1_that_waits(
    name: str, published: Bus, kafka: Kafka, mongod: Mongod, first_of_namespace: FirstProcesses
) -> None:
    """Neither an absent broker nor an absent database holds up a stop."""
    assert published.bootstrap
    kafka.kill()
    mongod.kill()
    service = first_of_namespace.start(name)
    await waits_for(service, BROKER_CHECK[name], "DONDOC_KAFKA_BOOTSTRAP")
    assert await terminate_first(service) < STOP_SECONDS


@pytest.mark.parametrize("name", matrix(SERVICES, in_every_run=1))
async def test_term_is_heard_by_pid_1_that_runs_while_its_servers_hang(
    name: str, published: Bus, kafka: Kafka, mongod: Mongod, first_of_namespace: FirstProcesses
) -> None:
    """Servers that answer nothing, not even the end of a connection, hold up a stop for seconds only."""
    assert published.bootstrap
    service = first_of_namespace.start(name)
    service.wait_until_ready()
    kafka.pause()
    if name in WITH_DATABASE:
        mongod.pause()
    assert await terminate_first(service) < STOP_SECONDS + startup.CLOSE_SECONDS
