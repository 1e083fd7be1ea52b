"""What letters tell of the past, read from the ledger: earlier alerts of a duty, days that were named, and counts."""

from collections.abc import Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import date, datetime
from typing import Any

from motor.motor_asyncio import AsyncIOMotorClient
from pymongo import ASCENDING

from schemas.events.assessments import StepKind
from schemas.events.deliveries import AttemptOutcome
from schemas.plan.plan import PARENT
from services.notifier import ledger_documents
from services.notifier.core.scheduling import letter_history
from services.notifier.core.scheduling.letter_history import (
    DutyHistory,
    LetterHistory,
    NamedDay,
    ReportKey,
    ReportTally,
    SentAlert,
)
from services.notifier.core.scheduling.schedule import AlertSchedule
from services.notifier.core.scheduling.scheduled_alert import DutyAlert
from services.notifier.errors import LedgerRefusedError, LedgerUnavailableError
from services.notifier.ledger_documents import DELIVERIES, SCHEDULES, Document
from services.runtime import mongo

_WITHOUT_TEXT = {"text": False, "events": False}

# Python 3.11 finds members in an enumeration, and no values.
_OUTCOMES = frozenset(one.value for one in AttemptOutcome)


class LetterHistoryStore:
    """Reads the ledger's collections. Raises `LedgerUnavailableError` where trying again may help."""

    def __init__(self, client: AsyncIOMotorClient[Document], name: str) -> None:
        self._deliveries = client[name][DELIVERIES]
        self._schedules = client[name][SCHEDULES]

    async def create_indexes(self) -> None:
        """Create the indexes that the queries below use."""
        async with _translate_errors():
            await self._deliveries.create_index("duties")
            await self._deliveries.create_index("text.at", sparse=True)
            await self._schedules.create_index(
                [("agenda.duty.obligation", ASCENDING), ("agenda.duty.period", ASCENDING)]
            )

    async def forget_texts(self, before: datetime) -> None:
        """Remove the texts of messages that were sent before that instant; the digests in their events stay."""
        async with _translate_errors():
            await self._deliveries.update_many({"text.at": {"$lt": before}}, {"$unset": {"text": ""}})

    async def load(self, alerts: Sequence[DutyAlert], now: datetime) -> LetterHistory:
        """Return what the letters about *alerts*, each of a kind that `TELLS_OF_PAST`, tell of the past."""
        known = await self.find_histories(sorted({str(one.duty) for one in alerts}))
        counted = {
            (one.duty.plan, one.duty.obligation, one.duty.period)
            for one in alerts
            if one.alert.kind is StepKind.ESCALATION and one.alert.to != PARENT
        }
        counts = {key: await self._count(key, now) for key in counted}
        return LetterHistory(duties=known, counts=counts)

    async def find_histories(self, duties: Sequence[str]) -> dict[str, DutyHistory]:
        """Return what was sent about each of *duties*, and the day that its agency has named."""
        async with _translate_errors():
            found = await self._deliveries.find({"duties": {"$in": list(duties)}}, _WITHOUT_TEXT).to_list(None)
        sent: dict[str, list[SentAlert]] = {}
        named: dict[str, NamedDay] = {}
        for document in found:
            for duty, alert in _read_sent(document):
                sent.setdefault(duty, []).append(alert)
            day = _read_named_day(document)
            for duty in document["duties"] if day else ():
                if day and (duty not in named or named[duty].said_at < day.said_at):
                    named[duty] = day
        return {one: DutyHistory(sent=tuple(sent.get(one, ())), named=named.get(one)) for one in duties}

    async def _count(self, key: ReportKey, now: datetime) -> ReportTally:
        plan, obligation, period = key
        wanted: dict[str, Any] = {"agenda.duty.obligation": obligation, "agenda.duty.period": period}
        async with _translate_errors():
            found = await self._schedules.find({**wanted, "agenda.duty.plan": plan}).to_list(None)
        return letter_history.count_reports(_read_schedules(found), now)


def _read_schedules(documents: Iterable[Document]) -> Iterable[AlertSchedule]:
    return (ledger_documents.decode_schedule(one).schedule for one in documents)


def _read_sent(document: Document) -> Iterable[tuple[str, SentAlert]]:
    """Yield the alerts of a delivery that has ended, each with its duty.

    Once it was taken it counts from then, whatever came back later; what came back later is told of the address.
    """
    if document["state"] not in _OUTCOMES:
        return
    outcome = AttemptOutcome(document["state"])
    first = next((one for one in document.get("outcomes", ()) if one["outcome"] == AttemptOutcome.ACCEPTED), None)
    at = first["at"] if first is not None and outcome is AttemptOutcome.CONFIRMED else document["at"]
    for one in ledger_documents.decode_delivery(document).alerts:
        alert = one.alert
        yield (
            str(one.duty),
            SentAlert(kind=alert.kind, step=alert.label, to=alert.to, due_at=alert.due_at, outcome=outcome, at=at),
        )


def _read_named_day(document: Document) -> NamedDay | None:
    acknowledged = document.get("acknowledged")
    if not acknowledged or not acknowledged.get("promised_on"):
        return None
    return NamedDay(promised_on=date.fromisoformat(acknowledged["promised_on"]), said_at=acknowledged["at"])


def _translate_errors() -> AbstractAsyncContextManager[None]:
    return mongo.translate_errors(unavailable=LedgerUnavailableError, refused=LedgerRefusedError)
