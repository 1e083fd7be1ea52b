"""Create the delivery of the officer's weekly digest, once a week and plan, as soon as the week's first morning comes.

The id of the delivery derives from plan, week and address. So two processes, or one that was killed, create the same
one. A ledger that was lost sends the digest of the week once more, under the same Message-ID: no event tells of it.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime

from services.notifier.cited_documents import CitedDocuments
from services.notifier.core.rendering.officers import OfficerBook
from services.notifier.core.scheduling import officer_digest, routing
from services.notifier.core.scheduling.routing import OfficerWeek
from services.notifier.ledger import Ledger
from services.notifier.officers.digest_store import OfficerDigestStore
from services.runtime.clock import Clock


class OfficerDigestScheduler:
    """Creates the digests of one process. It sets each event of `scheduled` when there is a new one."""

    def __init__(
        self,
        ledger: Ledger,
        digests: OfficerDigestStore,
        officers: OfficerBook,
        *,
        documents: CitedDocuments,
        clock: Clock,
    ) -> None:
        self._ledger = ledger
        self._digests = digests
        self._addresses = {plan: one.email for plan, one in officers.items() if one.email}
        self._documents = documents
        self._clock = clock
        self._created: dict[str, OfficerWeek] = {}
        self._looked_at: dict[str, datetime] = {}
        self.scheduled: Sequence[asyncio.Event] = ()

    async def schedule_digests(self) -> None:
        """Create the digests that this week still lacks. Out of season a plan is looked at again once an hour."""
        now = self._clock.now()
        hour = now.replace(minute=0, second=0, microsecond=0)
        for plan_id, address in self._addresses.items():
            plan = self._documents.find_latest_plan(plan_id)
            if plan is None:
                continue
            hours = self._documents.hours(plan_id, plan.version)
            week = OfficerWeek(plan=plan_id, monday=officer_digest.find_monday(now, hours.zone))
            if not hours.is_open(now) or week == self._created.get(plan_id) or hour == self._looked_at.get(plan_id):
                continue
            if not await self._ledger.is_complete():
                continue
            if await self._digests.load(week, now) is not None:
                await self._ledger.create_delivery(routing.create_officer_delivery(week, address), now)
                self._created[plan_id] = week
                for event in self.scheduled:
                    event.set()
            self._looked_at[plan_id] = hour
