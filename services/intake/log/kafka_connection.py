"""The connection to the bus, opened and opened again: what must be there before intake can append, and whether it is.

A bus that stops acknowledging is given up at once and won back in the background; nobody waits for it meanwhile.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

from aiokafka.errors import KafkaError

from services.intake.log.appender import Appender
from services.intake.log.partition_queue import BusDownError, Ends
from services.intake.log.records import Lot
from services.intake.metrics import IntakeMetrics

RETRY_SECONDS = 0.5
FIRST_ATTEMPT_SECONDS = 10.0

log = logging.getLogger(__name__)

Connect = Callable[[], Awaitable[Appender]]
Prepare = Callable[[Appender], Awaitable[None]]


class Bus:
    """Appends while the bus is up. *connect* opens an appender; *prepare* must be done before anybody may append."""

    def __init__(self, connect: Connect, prepare: Prepare, metrics: IntakeMetrics) -> None:
        self._connect = connect
        self._prepare = prepare
        self._metrics = metrics
        self._appender: Appender | None = None
        self._lost = asyncio.Event()
        self._tried = asyncio.Event()

    @property
    def is_up(self) -> bool:
        return self._appender is not None

    async def settled(self) -> None:
        """Return when the first attempt to connect has ended, one way or the other, or has taken too long."""
        if not self._tried.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(self._tried.wait(), FIRST_ATTEMPT_SECONDS)

    def reconnect(self) -> None:
        """Give the bus up and win it back, with everything that comes before the first append."""
        if self._appender is not None:
            self._give_up(self._appender)

    async def append(self, lots: Sequence[Lot]) -> Ends:
        """Return where the records ended up, acknowledged; raise `BusDownError` if the bus is down or goes down."""
        appender = self._appender
        if appender is None:
            raise BusDownError("the bus is down")
        try:
            return await appender.append(lots)
        except BusDownError:
            self._give_up(appender)
            raise

    async def supervise(self) -> None:
        """Keep the bus connected until cancelled."""
        while True:
            appender = await self._won()
            # Nothing awaits between the end of the preparation and this line: whoever waits for either sees both.
            self._lost.clear()
            self._appender = appender
            self._metrics.bus_is_up.set(1)
            log.info("the bus is up", extra={"action": "bus_up"})
            try:
                await self._lost.wait()
            finally:
                self._appender = None
                await appender.close()

    def _give_up(self, appender: Appender) -> None:
        if self._appender is appender:
            self._appender = None
            self._metrics.bus_is_up.set(0)
            self._lost.set()
            log.warning("the bus is given up for now", extra={"action": "bus_down"})

    async def _won(self) -> Appender:
        while True:
            appender = None
            try:
                appender = await self._connect()
                await self._prepare(appender)
            except (KafkaError, BusDownError, OSError) as error:
                log.warning("the bus is not there yet", extra={"action": "bus_waiting", "error": repr(error)})
                if appender is not None:
                    await appender.close()
                await asyncio.sleep(RETRY_SECONDS)
            except asyncio.CancelledError:
                if appender is not None:
                    with suppress(KafkaError):
                        await appender.close()
                raise
            else:
                return appender
            finally:
                self._tried.set()
