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
from tests.support.servers.services import Launch, Launcher, Service

Start = Callable[..., Service]


@pytest.fixture
async def notifier(  # noqa: PLR0913 - these are the servers that a notifier needs
    bus: Bus, database: Database, smtp: Smtp, smsc: Smsc, tmp_path: Path, launch: Launcher
) -> AsyncIterator[NotifierClient]:
    """Return a client with an empty broker, mailbox and SMS log, at noon on 1 December 2026.

    Whatever the test did, and however it failed, no address of a contact may have left the database.
    """
    client = NotifierClient(bus, database, smtp, smsc, tmp_path / "clock")
    client.set_clock(NOON)
    yield client
    await addresses.check_nowhere(client.addresses, launch.services, bus)


@pytest.fixture
def start(launch: Launch, notifier: NotifierClient) -> Start:
    """Return a function that starts a notifier; its keywords are settings in addition to the usual ones."""

    def start_notifier(**settings: Any) -> Service:
        return launch("notifier", **{**notifier.settings, **settings})

    return start_notifier
