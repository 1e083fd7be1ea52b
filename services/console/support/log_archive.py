"""Answers the queries of reporting from records of the log in memory, in place of reporting's database."""

from collections.abc import Iterable
from datetime import datetime

from schemas.events.ids import DutyKey
from services.reporting.core.lookup import known_by
from services.reporting.core.projections import Assessed
from services.reporting.event_decoder import UnreadableRecordError, read_delivery, read_verdict
from services.reporting.store import Place


class LogArchive:
    """All verdicts and deliveries of the log. A record that cannot be read is left out, as reporting leaves it out."""

    def __init__(self, verdicts: Iterable[bytes | None], deliveries: Iterable[bytes | None]) -> None:
        self._records: dict[str, bytes] = {}
        self._assessed: list[Assessed] = []
        self._alerts: dict[str, bytes] = {}
        for record in verdicts:
            self._add_verdict(record)
        for record in deliveries:
            self._add_delivery(record)

    async def standing(self, place: Place, known_at: datetime) -> list[bytes]:
        """Return the newest revision, of those recorded by *known_at*, of each duty at *place*."""
        return [self._records[one.event] for one in known_by(self._assessed, known_at) if _matches(one.key, place)]

    async def alerts(self, duties: Iterable[DutyKey], known_at: datetime) -> list[bytes]:
        """Return every attempt by *known_at* that is about one of *duties*."""
        wanted = set(duties)
        deliveries = (read_delivery(record) for record in self._alerts.values())
        return [
            delivery.record
            for delivery in deliveries
            if delivery.attempted_at <= known_at and any(attempt.key in wanted for attempt in delivery.attempts)
        ]

    async def periods(self, plan: str) -> list[str]:
        """Return the periods of *plan* in which any agency owes anything."""
        found = {one.key.period for one in self._assessed if one.key.plan == plan}
        return sorted(period for period in found if period is not None)

    def _add_verdict(self, record: bytes | None) -> None:
        try:
            verdict = read_verdict(record)
        except UnreadableRecordError:
            return
        self._records[verdict.assessed.event] = verdict.record
        self._assessed.append(verdict.assessed)

    def _add_delivery(self, record: bytes | None) -> None:
        try:
            delivery = read_delivery(record)
        except UnreadableRecordError:
            return
        self._alerts.setdefault(delivery.event, delivery.record)


def _matches(key: DutyKey, place: Place) -> bool:
    return (
        place.plan == key.plan
        and place.agency in (None, key.agency)
        and place.obligation in (None, key.obligation)
        and (not place.periods or key.period in place.periods)
    )
