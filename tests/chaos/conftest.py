"""What chaos needs besides: a broker with a detour, and the real Toxiproxy at its entrance."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from deploy.local.process.ports import free_ports
from deploy.local.servers.kafka import Kafka, Listener
from tests.support.faults.toxiproxy import Proxy, Toxiproxy


@pytest.fixture(scope="session")
def detour() -> Listener:
    """A second way to the broker, with nobody at its entrance yet."""
    port, entrance = free_ports(2)
    return Listener(name="DETOUR", port=port, advertised_port=entrance)


@pytest.fixture(scope="session")
def session_kafka(servers: Path, jars: Path, detour: Listener) -> Iterator[Kafka]:
    """One real broker that can also be reached by a detour."""
    port, controller_port = free_ports(2)
    server = Kafka(
        servers / "detoured", jars=jars, port=port, controller_port=controller_port, extra_listeners=[detour]
    )
    server.start()
    yield server
    server.kill()


@pytest.fixture(scope="session")
def toxiproxy(servers: Path, jars: Path) -> Iterator[Toxiproxy]:
    """One real Toxiproxy; `make chaos` builds it beside the broker's jars."""
    server = Toxiproxy(servers, binary=jars.parents[1] / "toxiproxy" / "server", port=free_ports(1)[0])
    server.start()
    yield server
    server.stop()


@pytest.fixture
async def proxy(toxiproxy: Toxiproxy, kafka: Kafka, detour: Listener) -> AsyncIterator[Proxy]:
    """The detour to the running broker, sound until a test harms it."""
    assert kafka.is_running
    async with toxiproxy.proxy(listen_port=detour.advertised_port, upstream_port=detour.port) as way:
        yield way
