"""Fixtures for rules as separate processes on a real broker."""

import pytest

from tests.support.servers.kafka import Bus
from tests.support.servers.rules import RulesClient


@pytest.fixture
def rules(bus: Bus) -> RulesClient:
    """Return a client of the empty bus, from the side of rules."""
    return RulesClient(bus)
