"""Turn due alerts into deliveries, batch by batch: claim the alerts, group them into digests, create the deliveries.

Two processes that see the same due alerts both try to claim them, and each schedule goes to one of them. A batch whose
process died is finished by another under the same name, so it creates the same deliveries and no second ones.
"""

import asyncio
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from schemas.events.deliveries import AttemptOutcome, Channel
from services.notifier.cited_documents import CitedDocuments
from services.notifier.contacts.store import ContactStore
from services.notifier.control.store import HoldStore
from services.notifier.core.scheduling import ended_alerts, routing, schedule
from services.notifier.core.scheduling.routing import ContactBook
from services.notifier.core.scheduling.schedule import AlertSchedule, ClaimedAlerts, SendingHours
from services.notifier.core.scheduling.scheduled_alert import ScheduledAlert
from services.notifier.errors import DocumentsMissingError
from services.notifier.ledger import BatchLease, Ledger
from services.notifier.ledger_documents import StoredSchedule
from services.notifier.metrics import NotifierMetrics
from services.runtime.clock import Clock

BATCH_SIZE = 2_000  # schedules claimed at once: some two megabytes

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class SchedulingStores:
    """What is due, whom it reaches, and what is held back."""

    ledger: Ledger
    contacts: ContactStore
    holds: HoldStore


class DigestScheduler:
    """Creates deliveries for one process."""

    def __init__(
        self,
        stores: SchedulingStores,
        documents: CitedDocuments,
        *,
        clock: Clock,
        lease: timedelta,
        metrics: NotifierMetrics,
    ) -> None:
        self._ledger = stores.ledger
        self._contacts = stores.contacts
        self._holds = stores.holds
        self._documents = documents
        self._clock = clock
        self._lease = lease
        self._metrics = metrics
        # Set whenever there may be new deliveries.
        self.scheduled: Sequence[asyncio.Event] = ()
        self._retried: tuple[object, datetime] | None = None
        self._is_replanned = False

    async def schedule_due(self) -> bool:
        """Turn one batch of due alerts into deliveries; return whether there may be more."""
        now = self._clock.now()
        holds = await self._holds.load(now)
        if holds.is_all:
            return False
        due = [
            stored
            for stored in _keep_whole_agencies(await self._ledger.find_due_schedules(now, holds, BATCH_SIZE))
            if self._has_documents(stored.schedule)
        ]
        if not due:
            return False
        lease = await self._ledger.begin_lease(self._lease)
        changes = list(self._claim_due(due, lease, now))
        if changes:
            await self._complete(lease.name, await self._ledger.claim_alerts(lease.name, changes))
            for event in self.scheduled:
                event.set()
        return bool(changes)

    async def retry_unreached(self) -> None:
        """Schedule the alerts that had no recipient and now have one: when the contacts change, and once an hour.

        A contact may hold from a date on, and an alert may have become void.
        """
        book, now = await self._contacts.load_book(), self._clock.now()
        reason = (self._contacts.edition, now.replace(minute=0, second=0, microsecond=0))
        if reason == self._retried:
            return
        found = await self._ledger.find_unreached_schedules()
        known = [stored for stored in found if self._has_documents(stored.schedule)]
        pairs = [(stored, self._retry_reachable(stored.schedule, book, now)) for stored in known]
        changes = [replace(stored, schedule=after) for stored, after in pairs if after != stored.schedule]
        if not changes or await self._ledger.put_schedules(changes):
            self._retried = reason

    def _retry_reachable(self, known: AlertSchedule, book: ContactBook, now: datetime) -> AlertSchedule:
        registry = self._documents.registry(known.registry, known.registry_version)
        hours = self._hours_of(known)
        day = now.astimezone(hours.zone).date()

        def is_reached(alert: ScheduledAlert) -> bool:
            called_on = alert.at.astimezone(hours.zone).date()
            recipient = routing.resolve_recipient(alert.to, known.duty.agency, registry, on=called_on)
            return bool(book.find_reachable(recipient, day))

        return schedule.retry_unreached(known, is_reached, hours, now)

    async def replan(self) -> None:
        """Plan the waiting alerts anew, once, that were planned by other sending hours than this process has."""
        now = self._clock.now()
        while not self._is_replanned:
            found = await self._ledger.find_schedules_of_other_hours(BATCH_SIZE)
            known = [stored for stored in found if self._has_documents(stored.schedule)]
            # Written even where nothing changes: the hours that are written beside the schedule do.
            changes = [replace(one, schedule=self._replan(one.schedule, now)) for one in known]
            if found and not (changes and await self._ledger.put_schedules(changes)):
                return  # some wait for a document, or were changed by another process; they are found next time
            self._is_replanned = len(found) < BATCH_SIZE

    def _replan(self, known: AlertSchedule, now: datetime) -> AlertSchedule:
        return schedule.replan(known, self._hours_of(known), now)

    async def finish_lost_batches(self) -> None:
        """Finish the batches of processes that died."""
        for batch in await self._ledger.find_lost_batches():
            log.warning("the batch of a dead process is finished", extra={"action": "batch_finished", "batch": batch})
            await self._complete(batch, await self._ledger.find_claimed_schedules(batch))

    async def _complete(self, batch: str, schedules: Sequence[AlertSchedule]) -> None:
        """Create the deliveries of *batch*, which according to the ledger has claimed alerts of *schedules*."""
        now = self._clock.now()
        alerts = [one.with_duty(alert) for one in schedules if one.claimed for alert in one.claimed.alerts]
        ended = await self._ledger.find_ended_alerts(str(one.duty) for one in alerts)
        collected = routing.collect_digests(alerts, self._documents, await self._contacts.load_book(), now)
        digests = ended_alerts.drop_ended(collected, ended) if ended else collected
        created = [new for one in digests for new in routing.create_deliveries(one, batch)]
        unreached: dict[str, list[ScheduledAlert]] = {}
        for one in digests:
            if not one.contacts:
                details = {"action": "unreachable", "to_agency": one.to_agency}
                log.warning("an alert reaches nobody: there is no contact", extra=details)
                for alert in one.alerts:
                    unreached.setdefault(str(alert.duty), []).append(alert.alert)
        recorded = await self._ledger.complete_batch(batch, created, unreached, now=now)
        self._metrics.attempts.labels(Channel.EMAIL.value, AttemptOutcome.UNREACHABLE.value).inc(recorded)

    def _claim_due(self, due: Sequence[StoredSchedule], lease: BatchLease, now: datetime) -> Iterator[StoredSchedule]:
        """Yield the schedules that change: their due alerts are claimed, or moved to the next sending hours."""
        for stored in due:
            known = stored.schedule
            alerts, after = schedule.take_due(known, self._hours_of(known), now)
            if alerts:
                claimed = ClaimedAlerts(batch=lease.name, until=lease.ends_at, alerts=alerts)
                yield replace(stored, schedule=replace(after, claimed=claimed))
            elif after != known:
                yield replace(stored, schedule=after)

    def _hours_of(self, known: AlertSchedule) -> SendingHours:
        return self._documents.hours(known.duty.plan, known.plan_version)

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
