"""The notifier as a process of its own, on a real broker, database, mail server and SMS centre."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from deploy.local.servers.message_servers import Smsc, Smtp
from tests.support.assertions import addresses
from tests.support.clients.notifier import NOON, NotifierClient
from tests.support.servers.kafka import Bus
from tests.support.servers.mongo import Database
from tests.support.servers.services import Launcher, Service

Start = Callable[..., Service]


@pytest.fixture
def notifier(bus: Bus, database: Database, smtp: Smtp, smsc: Smsc, tmp_path: Path) -> NotifierClient:
    """Return a client with an empty broker, mailbox and SMS log, at noon on 1 December 2026."""
    client = NotifierClient(bus, database, smtp, smsc, tmp_path / "clock")
    client.set_clock(NOON)
    return client


@pytest.fixture
async def start(launch: Launcher, notifier: NotifierClient) -> AsyncIterator[Start]:
    """Return a function that starts a notifier; its keywords are settings in addition to the usual ones.

    Whatever the test did, and however it failed, no address of a contact may have left the database.
    """

    def start_notifier(**settings: Any) -> Service:
        return launch("notifier", **{**notifier.settings, **settings})

    yield start_notifier
    await addresses.check_nowhere(notifier.addresses, launch.services, notifier.bus)
