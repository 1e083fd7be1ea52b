"""Where an accepted record becomes durable: on the bus, acknowledged by all in-sync replicas."""

from collections.abc import Sequence

from services.intake.appender import BusDownError
from services.intake.bus import Bus
from services.intake.core.refusals import Problem, Refusal, Said
from services.intake.http import RefusedError
from services.intake.records import Record

RETRY_AFTER_SECONDS = 2


class BusKeeper:
    """Keeps records on the bus alone."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    async def keep(self, records: Sequence[Record]) -> None:
        """Return when every record is acknowledged; raise with 503 otherwise."""
        try:
            await self._bus.append(records)
        except BusDownError as cause:
            raise RefusedError(_DOWN) from cause


_DOWN = Refusal(
    problem=Problem.UNAVAILABLE,
    detail=Said(
        en="the log does not answer; send the same event again",
        vi="hệ thống lưu trữ chưa sẵn sàng; hãy gửi lại đúng sự kiện này",
    ),
    retry_after_seconds=RETRY_AFTER_SECONDS,
)
