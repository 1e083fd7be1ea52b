"""Open what a service needs while its port is open already, and know what the service waits for.

A broker, a database or topics that are missing end no service: each step of the start is tried again until it succeeds.
That holds for a server that refuses the service for good, too: a password may be rotated and a right granted later.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TypeVar

from aiokafka.errors import KafkaError

from services.runtime import background
from services.runtime.http.probes import CHECK_SECONDS, NotReadyError, ReadinessCheck
from services.runtime.kafka import clients
from services.runtime.kafka.clients import BrokerRefusedError
from services.runtime.kafka.topics import TopicsError

BROKER = "the broker; look at DONDOC_KAFKA_BOOTSTRAP and DONDOC_KAFKA_SECURITY_PROTOCOL"
DATABASE = "the database; look at DONDOC_MONGO_URL"

# Of a server that is asked for a readiness check; the probe itself gives up a little later and knows no reason.
ANSWER_SECONDS = 0.9 * CHECK_SECONDS

# Between attempts, doubled each time: what comes back is found within two seconds.
FIRST_RETRY_SECONDS = 0.25
LONGEST_RETRY_SECONDS = 2.0

# For everything that a service closes when it stops. Batches and sends in progress have shorter limits of their own.
CLOSE_SECONDS = 20.0

Result = TypeVar("Result")

log = logging.getLogger(__name__)


class Startup:
    """What a service waits for at its start, by the name of the readiness check that fails meanwhile.

    *servers* has for each of these checks the sentence that it says. *recoverable* are the errors of the service's
    database after which a step is tried again; those of the broker are known. Any other exception is a defect: it
    leaves `wait_for` and halts the process.
    """

    def __init__(self, servers: Mapping[str, str], *recoverable: type[Exception]) -> None:
        self._servers = servers
        self._recoverable = (KafkaError, OSError, TopicsError, *recoverable)
        self._waiting_for: dict[str, str] = {}
        self._logged: dict[str, str] = {}

    async def wait_for(self, check: str, attempt: Callable[[], Awaitable[Result]]) -> Result:
        """Return what *attempt* returns, called again until it succeeds; *check* does not hold meanwhile.

        Where the cause of a failure is known to the word, such as a wrong password, *check* says that.
        """
        self._waiting_for[check] = self._servers[check]
        delay = FIRST_RETRY_SECONDS
        while True:
            try:
                result = await attempt()
            except self._recoverable as cause:
                self._report_failure(check, cause)
            else:
                self._waiting_for.pop(check)
                self._logged.pop(check, None)
                return result
            await asyncio.sleep(delay)
            delay = min(delay * 2, LONGEST_RETRY_SECONDS)

    def check(self, name: str, is_answering: ReadinessCheck) -> ReadinessCheck:
        """Return a check that the start does not wait for *name*, and that the server answers *is_answering*."""

        async def check() -> bool:
            if name in self._waiting_for:
                raise NotReadyError(self._waiting_for[name])
            try:
                async with asyncio.timeout(ANSWER_SECONDS):
                    holds = await is_answering()
            except self._recoverable as cause:
                raise NotReadyError(explain_failure(cause) or self._servers[name]) from cause
            if not holds:
                raise NotReadyError(self._servers[name])
            return True

        return check

    def _report_failure(self, check: str, cause: Exception) -> None:
        """Keep the reason for *check*, and log it unless it is the one that was logged last."""
        reason = self._waiting_for[check] = explain_failure(cause) or self._servers[check]
        if self._logged.get(check) == reason:
            return
        self._logged[check] = reason
        if isinstance(cause, BrokerRefusedError):
            log.error("the broker refuses this client", extra={"action": "broker_refused", "reason": cause.message})
            return
        details = {"action": "server_waiting", "check": check, "reason": reason, "error": repr(cause)}
        log.warning("a server is waited for", extra=details)


def explain_failure(error: BaseException) -> str | None:
    """Return what a person has to look at after *error*, without any address: it is shown to whoever asks.

    None stands for an error that may pass by itself.
    """
    if isinstance(error, BrokerRefusedError):
        return error.reason
    return str(error) if isinstance(error, TopicsError) else clients.explain_denial(error)


@asynccontextmanager
async def open_in_background(
    open_all: Callable[[AsyncExitStack], Awaitable[None]], *, halt: Callable[[], None]
) -> AsyncIterator[None]:
    """Run *open_all* beside the block, and close in reverse order what it has put on its stack.

    *open_all* puts the closing of a thing on the stack before it opens the thing, so that an opening that is cancelled
    half-way is closed as well.
    """
    stack = AsyncExitStack()

    async def run() -> None:
        await open_all(stack)

    opening = background.start(run(), halt=halt, failure="the service cannot start")
    try:
        yield
    finally:
        await background.cancel(opening)
        await _close(stack)


async def _close(stack: AsyncExitStack) -> None:
    """Close *stack*, or what of it does not depend on a server that hangs."""
    closing = asyncio.ensure_future(stack.aclose())
    await asyncio.wait([closing], timeout=CLOSE_SECONDS)
    if not closing.done():
        log.error("the stop does not wait for a server that hangs any longer", extra={"action": "close_given_up"})
    elif closing.exception() is not None:
        log.error("closing has failed", exc_info=closing.exception(), extra={"action": "close_failed"})
