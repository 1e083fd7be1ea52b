"""Rules on the real broker, as processes of their own."""

import pytest

from tests.support.kafka import Bus
from tests.support.rules import Rules


@pytest.fixture
def rules(bus: Bus) -> Rules:
    """The empty bus, from the side of rules."""
    return Rules(bus)
