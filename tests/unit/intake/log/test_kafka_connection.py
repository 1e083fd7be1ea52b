"""A log that has lost records is read again before anything is appended, whenever the loss is noticed."""

import asyncio
from typing import cast

import pytest
from prometheus_client import CollectorRegistry

from services.intake.dedup.log_reader import StaleReaderError
from services.intake.log.kafka_connection import KafkaConnection, KafkaConnector
from services.intake.log.producer import BatchingProducer
from services.intake.metrics import IntakeMetrics
from services.intake.spool.replay import SpoolReplay
from services.runtime import startup

# Of the event loop; enough for every attempt of a test.
TURNS = 50


class OpenProducer:
    """A producer under which nothing is under way."""

    is_settled = True
    is_usable = True

    def resume(self) -> None:
        """Take appends."""

    async def close(self) -> None:
        """Nothing is open."""


class Log:
    """Connector and replay of one log; it loses records in the steps that a test names, each time once."""

    def __init__(self, *losses: str) -> None:
        self.is_log_lost = False
        self._losses = list(losses)
        self.opened: list[OpenProducer] = []
        self.reads = 0

    def lose(self, step: str) -> None:
        """Lose records if *step* is the next in which that happens."""
        if self._losses[:1] == [step]:
            del self._losses[0]
            self.is_log_lost = True

    async def open(self) -> OpenProducer:
        """Begin to read the log again if it has lost records, and connect a producer."""
        self.is_log_lost = False
        self.reads += 1
        self.lose("open")
        self.opened.append(OpenProducer())
        return self.opened[-1]

    async def run(self, producer: OpenProducer) -> None:
        """Read the log to its end, which fails where that log is another one, and replay the spool."""
        assert producer is self.opened[-1]
        self.lose("read")
        if self.is_log_lost:
            raise StaleReaderError("the log has lost records")
        self.lose("replay")


def connect(log: Log) -> KafkaConnection:
    """The connection to *log*, which is not supervised yet."""
    return KafkaConnection(cast("KafkaConnector", log), cast("SpoolReplay", log), IntakeMetrics(CollectorRegistry()))


@pytest.fixture(autouse=True)
def _no_delay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(startup, "FIRST_RETRY_SECONDS", 0.0)


async def wait_until_up(connection: KafkaConnection) -> BatchingProducer:
    """Return the producer once there is one, which takes a few turns of the event loop."""
    for _ in range(TURNS):
        await asyncio.sleep(0)
    assert connection.producer is not None
    return connection.producer


@pytest.mark.parametrize("step", ["open", "read", "replay"])
async def test_a_loss_that_is_noticed_while_the_broker_is_won_back_has_the_log_read_again(step: str) -> None:
    """Else the connection would wait for a reader that nobody starts, or append beside one that has stopped."""
    log = Log(step)
    connection = connect(log)
    supervising = asyncio.create_task(connection.supervise())
    try:
        assert await wait_until_up(connection) is cast("object", log.opened[-1])
    finally:
        supervising.cancel()
    assert not log.is_log_lost
    assert (log.reads, len(log.opened)) == (2, 2)


async def test_a_loss_that_is_noticed_later_replaces_the_producer() -> None:
    """The broker may have lost the sequence numbers of the old one with the records."""
    log = Log()
    connection = connect(log)
    supervising = asyncio.create_task(connection.supervise())
    try:
        first = await wait_until_up(connection)
        log.is_log_lost = True
        connection.reconnect()
        assert connection.producer is None
        assert await wait_until_up(connection) is not first
    finally:
        supervising.cancel()
    assert log.reads == 2


async def test_the_producer_is_kept_when_the_log_has_lost_nothing() -> None:
    """Only its client knows the sequence numbers of what it has sent."""
    log = Log()
    connection = connect(log)
    supervising = asyncio.create_task(connection.supervise())
    try:
        first = await wait_until_up(connection)
        connection.reconnect()
        assert await wait_until_up(connection) is first
    finally:
        supervising.cancel()
    assert log.reads == 1
