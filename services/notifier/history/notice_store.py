"""The notices of one duty as the ledger keeps them: what each said, to whom, when, and what came of every attempt."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from motor.motor_asyncio import AsyncIOMotorClient

from schemas.events.assessments import StepKind
from schemas.events.deliveries import Channel
from schemas.events.ids import DutyKey
from services.notifier import ledger_documents
from services.notifier.errors import LedgerRefusedError, LedgerUnavailableError
from services.notifier.ledger_documents import DELIVERIES, Document
from services.runtime import mongo


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeOutcome:
    """What came of one attempt, or came back about it later; `answer`: what the other side said, without an address."""

    at: datetime
    attempt: int
    outcome: str
    reason: str | None
    route: str | None
    answer: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeText:
    """What the notice said, without the tokens of its links; `digest` is the one in the published event."""

    subject: str | None
    body: str
    template: str
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SentNotice:
    """One notice to one reader; its address is not told. `text` is None where it was not sent, or was kept long enough.

    `read_at` is when the agency acknowledged it, `promised_on` the day that it named then. `resent_by` names who asked
    for it to be sent again. `instead_of` is the notice on an earlier channel whose address nobody has.
    """

    delivery: str
    kind: StepKind
    step: str
    due_at: datetime | None
    channel: Channel
    to_agency: str
    created_at: datetime | None
    outcomes: tuple[NoticeOutcome, ...]
    text: NoticeText | None
    read_at: datetime | None = None
    promised_on: date | None = None
    resent_by: tuple[str, ...] = ()
    instead_of: str | None = None


class NoticeStore:
    """Raises `LedgerUnavailableError` where trying again may help, else `LedgerRefusedError`."""

    def __init__(self, client: AsyncIOMotorClient[Document], name: str) -> None:
        self._deliveries = client[name][DELIVERIES]

    async def find(self, duty: DutyKey) -> Sequence[SentNotice]:
        """Return the notices about *duty* in the order in which they were first attempted."""
        async with mongo.translate_errors(unavailable=LedgerUnavailableError, refused=LedgerRefusedError):
            found = await self._deliveries.find({"duties": str(duty)}, {"events": False}).to_list(None)
        notices = [notice for one in found for notice in _read_notices(one, duty)]
        return sorted(notices, key=lambda one: (one.outcomes[0].at, one.delivery))


def _read_notices(document: Document, duty: DutyKey) -> Iterable[SentNotice]:
    """Yield the notice in *document* about *duty*; none while nothing has been attempted."""
    outcomes = tuple(_read_outcomes(document))
    delivery = ledger_documents.decode_delivery(document)
    if not outcomes:
        return
    text, said = document.get("text"), document.get("acknowledged") or {}
    promised = said.get("promised_on")
    told = next(one for one in delivery.alerts if one.duty == duty)
    yield SentNotice(
        delivery=delivery.public_id,
        kind=told.alert.kind,
        step=told.alert.label,
        due_at=told.alert.due_at,
        channel=delivery.channel,
        to_agency=delivery.to_agency,
        created_at=delivery.created_at,
        outcomes=outcomes,
        text=None if text is None else _read_text(text),
        read_at=said.get("at"),
        promised_on=date.fromisoformat(promised) if promised else None,
        resent_by=tuple(one["by"] for one in document.get("resent", ())),
        instead_of=delivery.instead_of,
    )


def _read_outcomes(document: Document) -> Iterable[NoticeOutcome]:
    if "outcomes" in document:
        for one in document["outcomes"]:
            fields = {name: one[name] for name in ("at", "attempt", "outcome", "reason", "route")}
            yield NoticeOutcome(**fields, answer=one.get("answer"))
    elif "at" in document:
        # Nobody was reached, or an older ledger kept the last outcome alone.
        yield NoticeOutcome(
            at=document["at"],
            attempt=document["attempt"],
            outcome=document["state"],
            reason=document.get("reason"),
            route=document.get("route"),
        )


def _read_text(text: Document) -> NoticeText:
    return NoticeText(subject=text["subject"], body=text["body"], template=text["template"], digest=text["digest"])
