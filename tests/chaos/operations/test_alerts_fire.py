"""The real services are broken, and the real Prometheus finds that the alerts for it are true, and not before."""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import httpx
import pytest

from deploy.local.servers.kafka import Kafka
from deploy.local.servers.message_servers import Smsc, Smtp
from deploy.local.servers.mongod import Mongod
from schemas.events.topics import FACTS
from tests.support.assertions.eventually import eventually
from tests.support.clients.notifier import DUE, NotifierClient
from tests.support.processes import prometheus
from tests.support.processes.prometheus import Prometheus
from tests.support.servers.intake import IntakeFiles, open_client
from tests.support.servers.kafka import Bus
from tests.support.servers.mongo import Database
from tests.support.servers.services import Launch, Service
from tests.support.tools import needs

SERVICES = ("intake", "rules", "notifier", "reporting")
ATTEMPTS = 120  # more than a hundred in a quarter of an hour are a loop, or somebody who tries secrets
ALERT_SECONDS = 120.0
EXPRESSIONS = prometheus.load_expressions()

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(900), needs("prometheus", package="prometheus")]


@pytest.fixture
def client(bus: Bus, database: Database, smtp: Smtp, smsc: Smsc, tmp_path: Path) -> NotifierClient:
    """Nothing is published, and nobody has a mailbox; the reminders of a week before are due."""
    found = NotifierClient(bus, database, smtp, smsc, tmp_path / "clock")
    found.set_clock(DUE - timedelta(days=6, hours=12))
    return found


@pytest.fixture
def services(client: NotifierClient, launch: Launch, intake_files: IntakeFiles) -> Mapping[str, Service]:
    """The four services. Two systems share intake, neither with a source of its own; the key of one ends in a week."""
    intake_files.add_key(system="a", expires_at=datetime.now(UTC) + timedelta(days=7))  # noqa: TID251 - Prometheus has the wall clock
    intake_files.add_key(system="b")
    database = {"DONDOC_REPORTING_MONGO_DATABASE": f"{client.database.name}-r"}
    shared = {**client.settings, **database, **intake_files.environment}
    started = {name: launch(name, ready=False, **shared) for name in SERVICES}
    assert started
    return started


@pytest.fixture
def watch(services: Mapping[str, Service], tmp_path: Path) -> Iterator[Prometheus]:
    """A Prometheus that scrapes the services."""
    server = Prometheus(tmp_path / "prometheus", {name: one.port for name, one in services.items()})
    server.start()
    yield server
    server.stop()


async def test_each_harm_turns_its_alert_true(
    services: Mapping[str, Service], watch: Prometheus, client: NotifierClient, kafka: Kafka, mongod: Mongod
) -> None:
    """A plan that is missing, keys, refusals, garbage, nobody to write to, a broker, a database and a service away."""
    await _expect(watch, "Watchdog", "PlanMissing", "SourcesShared", "KeyExpiring")
    await client.publish_documents()
    for service in services.values():
        service.wait_until_ready()
    quiet = ("PlanMissing", "BusUnreachable", "DatabaseUnreachable", "ServiceDown", "DeadLetters")
    await _expect_silence(watch, *quiet, "RequestsUnauthenticated", "ReadsRefused")
    await _expect(watch, "NotReached")  # the reminders are due, and nobody has a mailbox
    await _ask_without_key(services)
    await client.bus.publish(FACTS.name, b"no event", key="h-mot", partition=0)
    await _expect(watch, "RequestsUnauthenticated", "ReadsRefused", "DeadLetters")
    kafka.pause()
    await _expect(watch, "BusUnreachable", "LagUnknown")
    kafka.resume()
    await _expect_silence(watch, "BusUnreachable", "LagUnknown")
    mongod.pause()
    await _expect(watch, "DatabaseUnreachable")
    mongod.resume()
    await _expect_silence(watch, "DatabaseUnreachable")
    services["rules"].kill()
    await _expect(watch, "ServiceDown")


async def _ask_without_key(services: Mapping[str, Service]) -> None:
    async with open_client(services["intake"], "k.wrong") as sender:
        for _ in range(ATTEMPTS):
            assert (await sender.post("/v1/events", content=b"{}")).status_code == 401
    async with httpx.AsyncClient(base_url=services["reporting"].url, timeout=30) as reader:
        for _ in range(ATTEMPTS):
            assert (await reader.get("/v1/duties")).status_code == 401


async def _expect(watch: Prometheus, *names: str) -> None:
    for name in names:
        await eventually(partial(watch.query, EXPRESSIONS[name]), f"{name} to be true", timeout=ALERT_SECONDS)


async def _expect_silence(watch: Prometheus, *names: str) -> None:
    for name in names:
        await eventually(_is_silent(watch, name), f"{name} to be silent", timeout=ALERT_SECONDS)


def _is_silent(watch: Prometheus, name: str) -> Callable[[], bool]:
    return lambda: watch.query(EXPRESSIONS[name]) == []
