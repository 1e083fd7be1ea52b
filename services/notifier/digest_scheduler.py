"""Turn due alerts into deliveries, batch by batch: claim the alerts, group them into digests, create the deliveries.

Two processes that see the same due alerts both try to claim them, and each schedule goes to one of them. A batch whose
process died is finished by another under the same name, so it creates the same deliveries and no second ones.
"""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from services.notifier.cited_documents import CitedDocuments
from services.notifier.contacts.store import ContactStore
from services.notifier.core.scheduling import delivery, digest, schedule
from services.notifier.core.scheduling.schedule import AlertSchedule, ClaimedAlerts
from services.notifier.errors import DocumentsMissingError
from services.notifier.leases import Lease, Leases
from services.notifier.ledger import Ledger
from services.notifier.ledger_documents import StoredSchedule
from services.runtime.clock import Clock

BATCH_SIZE = 2_000  # schedules claimed at once: some two megabytes

log = logging.getLogger(__name__)


class DigestScheduler:
    """Creates deliveries for one process."""

    def __init__(
        self, ledger: Ledger, contacts: ContactStore, documents: CitedDocuments, *, clock: Clock, leases: Leases
    ) -> None:
        self._ledger = ledger
        self._contacts = contacts
        self._documents = documents
        self._clock = clock
        self._leases = leases

    async def schedule_due(self) -> bool:
        """Turn one batch of due alerts into deliveries; return whether there may be more."""
        now = self._clock.now()
        due = [
            stored
            for stored in _keep_whole_agencies(await self._ledger.find_due_schedules(now, BATCH_SIZE))
            if self._has_documents(stored.schedule)
        ]
        lease = self._leases.begin()
        changes = list(self._claim_due(due, lease, now))
        if changes:
            await self._ledger.claim_alerts(changes)
            await self._complete(lease.name)
        return bool(changes)

    async def finish_lost_batches(self) -> None:
        """Finish the batches of processes that died."""
        for batch in await self._ledger.find_lost_batches(self._leases.now()):
            log.warning("the batch of a dead process is finished", extra={"action": "batch_finished", "batch": batch})
            await self._complete(batch)

    async def _complete(self, batch: str) -> None:
        """Create the deliveries of *batch* from what the ledger says it has claimed."""
        # Read back rather than remembered: another process may have been faster with some of the claims, and a batch
        # of a dead process is known from the ledger alone.
        now = self._clock.now()
        schedules = await self._ledger.find_claimed_schedules(batch)
        alerts = [one.with_duty(alert) for one in schedules if one.claimed for alert in one.claimed.alerts]
        digests = digest.collect_digests(alerts, self._documents, await self._contacts.load_book(), now)
        for one in digests:
            if not one.contacts:
                details = {"action": "unreachable", "to_agency": one.to_agency}
                log.warning("an alert reaches nobody: there is no contact", extra=details)
        created = [new for one in digests for new in delivery.create_deliveries(one, batch)]
        await self._ledger.complete_batch(batch, created, now)

    def _claim_due(self, due: Sequence[StoredSchedule], lease: Lease, now: datetime) -> Iterator[StoredSchedule]:
        """Yield the schedules that change: their due alerts are claimed, or moved to the next sending hours."""
        for stored in due:
            known = stored.schedule
            hours = self._documents.hours(known.duty.plan, known.plan_version)
            alerts, after = schedule.take_due(known, hours, now)
            if alerts:
                claimed = ClaimedAlerts(batch=lease.name, until=lease.ends_at, alerts=alerts)
                yield replace(stored, schedule=replace(after, claimed=claimed))
            elif after != known:
                yield replace(stored, schedule=after)

    def _has_documents(self, known: AlertSchedule) -> bool:
        """Whether the documents that a schedule cites are here. If not, its alerts stay due until they come."""
        try:
            self._documents.plan(known.duty.plan, known.plan_version)
            self._documents.registry(known.registry, known.registry_version)
        except DocumentsMissingError:
            log.warning("an alert waits for a document", extra={"action": "document_missing"})
            return False
        return True


def _keep_whole_agencies(due: Sequence[StoredSchedule]) -> Sequence[StoredSchedule]:
    """Return *due* without the last agency if the batch is full, so that its digest is not cut in two."""
    # A single agency that fills the whole batch is kept, else it would never be sent anything.
    if len(due) < BATCH_SIZE:
        return due
    last = due[-1].schedule.duty.agency
    return [stored for stored in due if stored.schedule.duty.agency != last] or due
