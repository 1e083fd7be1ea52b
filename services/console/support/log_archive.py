"""The records of the log as reporting's inquiries ask for them: the same questions, answered without a database."""

from collections.abc import Iterable
from datetime import datetime

from schemas.events.ids import DutyKey
from services.reporting.core.lookup import known_by
from services.reporting.core.projections import Assessed
from services.reporting.event_decoder import UnreadableRecordError, read_delivery, read_verdict
from services.reporting.store import Place


class LogArchive:
    """Everything that was said, in memory. What cannot be read was set aside by reporting as well."""

    def __init__(self, verdicts: Iterable[bytes | None], deliveries: Iterable[bytes | None]) -> None:
        self._records: dict[str, bytes] = {}
        self._assessed: list[Assessed] = []
        self._alerts: dict[str, bytes] = {}
        for record in verdicts:
            self._keep_verdict(record)
        for record in deliveries:
            self._keep_delivery(record)

    async def standing(self, place: Place, known_at: datetime) -> list[bytes]:
        """Return the newest revision, of those recorded by *known_at*, of each duty meant."""
        return [self._records[one.event] for one in known_by(self._assessed, known_at) if _is_at(one.key, place)]

    async def alerts(self, duties: Iterable[DutyKey], known_at: datetime) -> list[bytes]:
        """Return every attempt by *known_at* that speaks of one of *duties*."""
        wanted = set(duties)
        kept = (read_delivery(record) for record in self._alerts.values())
        return [
            alert.record
            for alert in kept
            if alert.attempted_at <= known_at and any(attempt.key in wanted for attempt in alert.attempts)
        ]

    async def periods(self, plan: str) -> list[str]:
        """Return the periods of *plan* in which anybody owes anything."""
        found = {one.key.period for one in self._assessed if one.key.plan == plan}
        return sorted(period for period in found if period is not None)

    def _keep_verdict(self, record: bytes | None) -> None:
        try:
            kept = read_verdict(record)
        except UnreadableRecordError:
            return
        self._records[kept.assessed.event] = kept.record
        self._assessed.append(kept.assessed)

    def _keep_delivery(self, record: bytes | None) -> None:
        try:
            kept = read_delivery(record)
        except UnreadableRecordError:
            return
        self._alerts.setdefault(kept.event, kept.record)


def _is_at(key: DutyKey, place: Place) -> bool:
    return (
        place.plan == key.plan
        and place.agency in (None, key.agency)
        and place.obligation in (None, key.obligation)
        and (not place.periods or key.period in place.periods)
    )
