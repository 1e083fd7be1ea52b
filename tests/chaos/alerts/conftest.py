"""The four services, a Prometheus that scrapes them, and those outside."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from deploy.local.servers.message_servers import Smsc, Smtp
from tests.support.clients.notifier import DUE, NotifierClient
from tests.support.processes.alert_watch import AlertWatch, StartWatch
from tests.support.processes.prometheus import Prometheus
from tests.support.servers.intake import IntakeFiles
from tests.support.servers.kafka import Bus
from tests.support.servers.mongo import Database
from tests.support.servers.services import Launch, Service

SERVICES = ("intake", "rules", "notifier", "reporting")
SPOOL_BYTES = 1024 * 1024


@pytest.fixture
def client(bus: Bus, database: Database, smtp: Smtp, smsc: Smsc, tmp_path: Path) -> NotifierClient:
    """Nothing is published, and nobody has a mailbox; the reminders of a week before are due."""
    found = NotifierClient(bus, database, smtp, smsc, tmp_path / "clock")
    found.set_clock(DUE - timedelta(days=6, hours=12))
    return found


@pytest.fixture
def services(client: NotifierClient, launch: Launch, intake_files: IntakeFiles, bearer: str) -> Mapping[str, Service]:
    """The four services. Two systems share intake, neither with a source of its own; the key of one ends in a week."""
    assert bearer  # a key that is made while intake runs is known to it a second later
    intake_files.add_key(system="a", expires_at=datetime.now(UTC) + timedelta(days=7))  # noqa: TID251 - Prometheus has the wall clock
    intake_files.add_key(system="b")
    database = {"DONDOC_REPORTING_MONGO_DATABASE": f"{client.database.name}-r"}
    spool = {"DONDOC_INTAKE_SPOOL_MAX_BYTES": str(SPOOL_BYTES)}
    shared = {**client.settings, **database, **intake_files.environment, **spool}
    return {name: launch(name, ready=False, **shared) for name in SERVICES}


@pytest.fixture
def start_watch(services: Mapping[str, Service], tmp_path: Path) -> Iterator[StartWatch]:
    """Start a Prometheus that scrapes the services, but for those that it is told to leave out."""
    with ExitStack() as started:

        def start(*left_out: str) -> AlertWatch:
            number = len(list(tmp_path.glob("prometheus-*")))
            targets = {name: one.port for name, one in services.items() if name not in left_out}
            server = Prometheus(tmp_path / f"prometheus-{number}", targets)
            server.start()
            started.callback(server.stop)
            return AlertWatch(server)

        yield start


@pytest.fixture
def watch(start_watch: StartWatch) -> AlertWatch:
    """A Prometheus that scrapes the services from the beginning."""
    return start_watch()
