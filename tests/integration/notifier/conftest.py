"""The notifier on the real broker, database, mail server and SMS centre, as a process of its own."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from deploy.local.servers.message_servers import Smsc, Smtp
from tests.support.clients.notifier import NOON, Alerts
from tests.support.servers.kafka import Bus
from tests.support.servers.mongo import Database
from tests.support.servers.services import Launch, Service

Start = Callable[..., Service]


@pytest.fixture
def alerts(bus: Bus, database: Database, smtp: Smtp, smsc: Smsc, tmp_path: Path) -> Alerts:
    """The empty bus, mailbox and SMS log; it is noon on 1 December 2026."""
    outside = Alerts(bus, database, smtp, smsc, tmp_path / "clock")
    outside.now_is(NOON)
    return outside


@pytest.fixture
def start(launch: Launch, alerts: Alerts) -> Start:
    """Start a notifier; each keyword is a setting on top of the usual ones."""

    def started(**settings: Any) -> Service:
        return launch("notifier", **{**alerts.settings, **settings})

    return started
