"""Answers the queries of reporting from records of the log in memory, in place of reporting's database."""

from collections.abc import Iterable
from datetime import datetime

from schemas.events.ids import DutyKey
from services.reporting import event_decoder
from services.reporting.core import timeline
from services.reporting.core.timeline import AssessmentRevision
from services.reporting.event_decoder import StoredRecord
from services.reporting.store import PlanDutyFilter
from services.runtime.decoding import UnreadableRecordError


class LogArchive:
    """All verdicts and deliveries of the log. A record that cannot be read is left out, as reporting leaves it out."""

    def __init__(self, verdicts: Iterable[bytes | None], deliveries: Iterable[bytes | None]) -> None:
        self._records: dict[str, bytes] = {}
        self._assessments: list[AssessmentRevision] = []
        self._alerts: dict[str, bytes] = {}
        for record in verdicts:
            self._add_verdict(record)
        for record in deliveries:
            self._add_delivery(record)

    async def find_newest_revisions(self, duties: PlanDutyFilter, known_at: datetime) -> list[StoredRecord]:
        """Return the newest revision, of those recorded by *known_at*, of each of *duties*."""
        newest = timeline.newest_revisions_known_at(self._assessments, known_at)
        matching = [one for one in newest if _matches(one.key, duties)]
        return [StoredRecord(id=one.event, record=self._records[one.event]) for one in matching]

    async def find_attempts(self, duties: Iterable[DutyKey], known_at: datetime) -> list[StoredRecord]:
        """Return every attempt by *known_at* that is about one of *duties*."""
        wanted = set(duties)
        deliveries = (event_decoder.decode_delivery(record) for record in self._alerts.values())
        return [
            StoredRecord(id=delivery.event, record=delivery.record)
            for delivery in deliveries
            if delivery.attempted_at <= known_at and any(attempt.key in wanted for attempt in delivery.attempts)
        ]

    async def find_periods(self, plan: str) -> list[str]:
        """Return the periods of *plan* in which any agency owes anything."""
        found = {one.key.period for one in self._assessments if one.key.plan == plan}
        return sorted(period for period in found if period is not None)

    def _add_verdict(self, record: bytes | None) -> None:
        try:
            verdict = event_decoder.decode_verdict(record)
        except UnreadableRecordError:
            return
        self._records[verdict.assessment.event] = verdict.record
        self._assessments.append(verdict.assessment)

    def _add_delivery(self, record: bytes | None) -> None:
        try:
            delivery = event_decoder.decode_delivery(record)
        except UnreadableRecordError:
            return
        self._alerts.setdefault(delivery.event, delivery.record)


def _matches(key: DutyKey, duties: PlanDutyFilter) -> bool:
    return (
        duties.plan == key.plan
        and duties.agency in (None, key.agency)
        and duties.obligation in (None, key.obligation)
        and (not duties.periods or key.period in duties.periods)
    )
