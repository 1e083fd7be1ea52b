"""What the officer's weekly digest is made of, read from the notifier's own database."""

from collections.abc import AsyncIterator
from datetime import datetime

from motor.motor_asyncio import AsyncIOMotorClient

from schemas.plan.plan import Plan
from services.notifier import ledger_documents
from services.notifier.cited_documents import CitedDocuments
from services.notifier.contacts.store import ContactStore
from services.notifier.control.store import HoldStore
from services.notifier.core.scheduling import officer_digest
from services.notifier.core.scheduling.letter_history import LetterHistory
from services.notifier.core.scheduling.officer_digest import OfficerDigest
from services.notifier.core.scheduling.routing import OfficerWeek
from services.notifier.core.scheduling.schedule import AlertSchedule
from services.notifier.errors import LedgerRefusedError, LedgerUnavailableError
from services.notifier.history.letter_store import LetterHistoryStore
from services.notifier.ledger_documents import SCHEDULES, Document
from services.runtime import mongo


class OfficerDigestStore:
    """Raises `LedgerUnavailableError` where trying again may help, else `LedgerRefusedError`."""

    def __init__(
        self,
        client: AsyncIOMotorClient[Document],
        name: str,
        *,
        contacts: ContactStore,
        holds: HoldStore,
        documents: CitedDocuments,
    ) -> None:
        self._schedules = client[name][SCHEDULES]
        self._letters = LetterHistoryStore(client, name)
        self._contacts = contacts
        self._holds = holds
        self._documents = documents

    async def load(self, week: OfficerWeek, now: datetime) -> OfficerDigest | None:
        """Return the digest of *week* as of *now*; None out of season, and once the week is over."""
        plan = self._documents.find_latest_plan(week.plan)
        if plan is None:
            return None
        hours = self._documents.hours(plan.plan, plan.version)
        if week.monday != officer_digest.find_monday(now, hours.zone):
            return None
        # Of ten years of a plan some weeks are open: what is done is dropped record by record.
        open_now = [one async for one in self._find_open(plan, now)]
        duties = sorted(str(one.duty) for one in open_now)
        history = LetterHistory(duties=await self._letters.find_histories(duties), counts={})
        digest = officer_digest.write_digest(week, open_now, hours, now=now, history=history)
        if digest is None:
            return None
        book, holds = await self._contacts.load_book(), await self._holds.list(in_force_only=True)
        today = now.astimezone(hours.zone).date()
        return officer_digest.complete_digest(digest, book, holds, now=now, today=today)

    async def _find_open(self, plan: Plan, now: datetime) -> AsyncIterator[AlertSchedule]:
        # By obligation, because there is an index that begins with it.
        wanted = {"agenda.duty.obligation": {"$in": [one.id for one in plan.obligations]}}
        async with mongo.translate_errors(unavailable=LedgerUnavailableError, refused=LedgerRefusedError):
            async for document in self._schedules.find({**wanted, "agenda.duty.plan": plan.plan}):
                known = ledger_documents.decode_schedule(document).schedule
                if officer_digest.list_open([known], now):
                    yield known
