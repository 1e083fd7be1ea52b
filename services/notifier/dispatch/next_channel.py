"""Tell what bounced by the next channel of the order: the same alerts, once.

That nobody has the address of a delivery is marked by the write that records its outcome. The mark stays until the
deliveries on the next channel are in the ledger. They have the same ids however often they are created, so a process
may die anywhere in between, and several may do the same work. What may have arrived has no mark.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from services.notifier.cited_documents import CitedDocuments
from services.notifier.core.scheduling import ended_alerts, routing
from services.notifier.core.scheduling.routing import ContactBook, Delivery, Digest
from services.notifier.dispatch.dispatcher import DispatchStores
from services.runtime.clock import Clock

BATCH_SIZE = 500  # deliveries looked at in one turn


class NextChannelScheduler:
    """Creates the deliveries on the next channel. *scheduled* are the events by which it wakes the dispatchers."""

    def __init__(
        self, stores: DispatchStores, documents: CitedDocuments, clock: Clock, scheduled: Sequence[asyncio.Event]
    ) -> None:
        self._stores = stores
        self._documents = documents
        self._clock = clock
        self._scheduled = scheduled

    async def schedule_bounced(self) -> bool:
        """Create deliveries for what bounced; return whether there may be more."""
        bounced = await self._stores.deliveries.find_bounced(BATCH_SIZE)
        if not bounced:
            return False
        book, now = await self._stores.contacts.load_book(), self._clock.now()
        is_done = [await self._schedule_next(one, book, now) for one in bounced]
        for event in self._scheduled:
            event.set()
        return any(is_done)

    async def _schedule_next(self, bounced: Delivery, book: ContactBook, now: datetime) -> bool:
        """Create the deliveries instead of *bounced*; return False while a document is missing."""
        try:
            digests = self._find_digests(bounced, book, now)
        except LookupError:
            return False
        first_id = await self._stores.deliveries.find_first_id(bounced) if digests else ""
        ended = await self._stores.ledger.find_ended_alerts(str(one.duty) for one in bounced.alerts)
        for digest in ended_alerts.drop_ended(digests, ended):
            created = routing.create_next_deliveries(bounced, digest, first_id=first_id)
            told = await self._stores.deliveries.find_told(digest, [one.id for one in created])
            for one in created:
                alerts = tuple(alert for alert in one.alerts if alert.dedup_key not in told)
                if alerts:
                    await self._stores.ledger.create_delivery(replace(one, alerts=alerts), now)
        await self._stores.deliveries.close_bounced(bounced)
        return True

    def _find_digests(self, bounced: Delivery, book: ContactBook, now: datetime) -> list[Digest]:
        zone = self._documents.hours(bounced.lead.duty.plan, bounced.lead.plan_version).zone
        day = now.astimezone(zone).date()
        people = book.find_next(bounced.to_agency, day, channel=bounced.channel, address=bounced.address)
        return [
            replace(bounced.digest, channel=channel, contacts=contacts) for channel, contacts in sorted(people.items())
        ]
