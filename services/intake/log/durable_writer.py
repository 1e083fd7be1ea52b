"""Where accepted records become durable: on the bus, or in the spool until the bus is back.

While the spool holds anything, everything goes there, so that the order stays.
"""

import logging
from collections.abc import Sequence

from services.intake.asgi import RequestRefusedError
from services.intake.core.problems import Refusal, RequestProblem, Said
from services.intake.dedup.log_reader import Follower
from services.intake.log.kafka_connection import Bus
from services.intake.log.partition_queue import BusDownError
from services.intake.log.records import Lot
from services.intake.spool.replay import Drain
from services.intake.spool.spool import Spool, SpoolFullError

RETRY_AFTER_SECONDS = 5

log = logging.getLogger(__name__)


class Keeping:
    """Keeps records, wherever they can be kept."""

    def __init__(self, bus: Bus, spool: Spool, drain: Drain, follower: Follower) -> None:
        self._bus = bus
        self._follower = follower
        self._spool = spool
        self._drain = drain

    async def keep(self, fresh: Sequence[Lot]) -> None:
        """Return when no crash can lose *fresh*; raise with 503 if neither bus nor spool takes them."""
        await self._drain.passed()
        if self._bus.is_up:
            try:
                ends = await self._bus.append(fresh)
            except BusDownError:
                log.info("records go to the spool", extra={"action": "spooling", "records": sum(map(len, fresh))})
            else:
                # Another replica may have been first with the same event: the log says so to both alike.
                await self._follower.passed(ends)
                return
        try:
            await self._spool.append([record for lot in fresh for record in zip(lot.keys, lot.values, strict=True)])
        except SpoolFullError as cause:
            raise RequestRefusedError(_FULL) from cause
        if self._bus.is_up:
            # It came back in between: what was spooled is drained before anything else is appended.
            self._bus.reconnect()


_FULL = Refusal(
    problem=RequestProblem.UNAVAILABLE,
    detail=Said(
        en="the log does not answer and the spool is full; send the same event again later",
        vi="hệ thống lưu trữ chưa sẵn sàng và bộ nhớ tạm đã đầy; hãy gửi lại đúng sự kiện này sau",
    ),
    retry_after_seconds=RETRY_AFTER_SECONDS,
)
