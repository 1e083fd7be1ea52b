"""Rules on the real broker, as processes of their own."""

import pytest

from tests.support.servers.kafka import Bus
from tests.support.servers.rules import Rules


@pytest.fixture
def rules(bus: Bus) -> Rules:
    """The empty bus, from the side of rules."""
    return Rules(bus)
