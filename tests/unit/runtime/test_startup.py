"""The start waits for what is missing, says for what, and goes on when it is there."""

import asyncio
import logging
from contextlib import AsyncExitStack

import pytest
from aiokafka.errors import GroupAuthorizationFailedError, KafkaConnectionError

from services.runtime import startup
from services.runtime.http.probes import NotReadyError
from services.runtime.kafka.clients import BrokerRefusedError
from services.runtime.startup import Startup

ELSEWHERE = "10.1.2.3:9092"
SERVERS = {"broker": "the broker; look at its address", "database": "the database"}


class DatabaseAwayError(Exception):
    """What a store raises while the database is away."""


class Server:
    """Fails with each of *failures* in turn, then answers."""

    def __init__(self, *failures: Exception) -> None:
        self.failures = list(failures)

    async def ask(self) -> str:
        """Answer, or fail."""
        if self.failures:
            raise self.failures.pop(0)
        return "answer"


async def holds() -> bool:
    """Hold."""
    return True


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(startup, "FIRST_RETRY_SECONDS", 0.001)


async def test_a_step_is_tried_again_until_it_succeeds() -> None:
    """Errors of the broker, of the network and of the service's own database are waited out."""
    server = Server(KafkaConnectionError("away"), ConnectionRefusedError(), DatabaseAwayError())
    assert await Startup(SERVERS, DatabaseAwayError).wait_for("broker", server.ask) == "answer"


async def test_a_defect_is_not_waited_out() -> None:
    """An exception that nobody expects leaves the start, which halts."""
    with pytest.raises(ValueError, match="defect"):
        await Startup(SERVERS).wait_for("broker", Server(ValueError("defect")).ask)


@pytest.mark.parametrize(
    "failure, said",
    [
        (KafkaConnectionError(f"{ELSEWHERE} is away"), "the broker; look at its address"),
        (BrokerRefusedError(ELSEWHERE, "takes no password; look at X"), "the broker takes no password; look at X"),
        (GroupAuthorizationFailedError("dondoc-rules"), "the broker denies this user Read on group dondoc-rules"),
    ],
)
async def test_a_check_says_what_is_waited_for(failure: Exception, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reason that is known to the word is said instead of the usual sentence; an address is in neither."""
    monkeypatch.setattr(startup, "FIRST_RETRY_SECONDS", 60.0)
    start = Startup(SERVERS)
    check = start.check("broker", holds)
    assert await check()
    waiting = asyncio.create_task(start.wait_for("broker", Server(failure).ask))
    await asyncio.sleep(0.01)
    with pytest.raises(NotReadyError, match=said) as told:
        await check()
    assert ELSEWHERE not in str(told.value)
    assert await start.check("database", holds)()
    waiting.cancel()


@pytest.mark.parametrize("failure", [KafkaConnectionError("away"), None])
async def test_a_server_that_goes_away_later_is_named_too(
    failure: Exception | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether it breaks the connection or does not answer at all, within the time of the probe."""
    monkeypatch.setattr(startup, "ANSWER_SECONDS", 0.01)

    async def ask() -> bool:
        if failure is not None:
            raise failure
        await asyncio.Event().wait()
        return True

    with pytest.raises(NotReadyError, match="the broker; look at its address"):
        await Startup(SERVERS).check("broker", ask)()


async def test_a_check_asks_for_itself_once_the_start_is_over() -> None:
    """Nothing is left of what was waited for."""
    start = Startup(SERVERS)
    await start.wait_for("broker", Server(KafkaConnectionError()).ask)
    assert await start.check("broker", holds)()


async def test_a_reason_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    """A broker that is away for hours fills no log; another reason is another line, with the address."""
    away, refused = KafkaConnectionError("away"), BrokerRefusedError(ELSEWHERE, "takes no password")
    server = Server(away, away, refused, refused, away)
    await Startup(SERVERS).wait_for("broker", server.ask)
    assert [vars(record)["action"] for record in caplog.records] == [
        "server_waiting",
        "broker_refused",
        "server_waiting",
    ]
    refusal = caplog.records[1]
    assert (refusal.levelno, vars(refusal)["reason"]) == (logging.ERROR, f"the broker at {ELSEWHERE} takes no password")


async def test_what_was_opened_is_closed_although_the_start_never_ended() -> None:
    """The end of a service that waits comes at once, and closes what it has opened by then."""
    closed: list[str] = []
    halted: list[bool] = []

    async def open_all(stack: AsyncExitStack) -> None:
        stack.callback(closed.append, "first")
        stack.callback(closed.append, "second")
        await asyncio.Event().wait()

    async with startup.open_in_background(open_all, halt=lambda: halted.append(True)):
        await asyncio.sleep(0.01)
        assert closed == []
    assert (closed, halted) == (["second", "first"], [])


async def test_a_start_that_fails_halts() -> None:
    """The process ends, for its supervisor to start it again, instead of answering without ever working."""
    halted: list[bool] = []

    async def open_all(_stack: AsyncExitStack) -> None:
        raise ValueError("defect")

    async with startup.open_in_background(open_all, halt=lambda: halted.append(True)):
        await asyncio.sleep(0.01)
        assert halted == [True]
