"""Handing over what is due: agendas become deliveries, whoever is reached by the contacts of that moment.

Agendas and deliveries change in one transaction: of two processes that see the same due alerts one hands them over,
whole digests together, and the other finds nothing left.
"""

import logging
from collections.abc import Sequence

from services.notifier.core.deliveries import deliveries
from services.notifier.core.rounds import due_round
from services.notifier.documents import Change, Stored
from services.notifier.errors import DocumentsMissingError
from services.notifier.ledger import Ledger
from services.notifier.library import PublishedLibrary
from services.notifier.store import ContactStore
from services.runtime.clock import Clock

ROUND = 2_000  # agendas in one transaction: some two megabytes

log = logging.getLogger(__name__)


class HandOver:
    """Hands over, round by round."""

    def __init__(self, ledger: Ledger, contacts: ContactStore, *, library: PublishedLibrary, clock: Clock) -> None:
        self._ledger = ledger
        self._contacts = contacts
        self._library = library
        self._clock = clock

    async def due(self) -> bool:
        """Hand over one round; say whether there may be more."""
        now = self._clock.now()
        stored = [one for one in _whole_agencies(await self._ledger.due(now, ROUND)) if self._is_known(one)]
        if not stored:
            return False
        found = due_round([one.agenda for one in stored], self._library, await self._contacts.book(), now)
        changes = [
            Change(agenda=after, version=before.version)
            for before, after in zip(stored, found.agendas, strict=True)
            if after != before.agenda
        ]
        created = [delivery for notice in found.notices for delivery in deliveries(notice)]
        if changes and not await self._ledger.hand_over(changes, created, now):
            log.info("another process was faster", extra={"action": "hand_over_raced"})
        return bool(changes)

    def _is_known(self, stored: Stored) -> bool:
        """Leave out what cites documents that are not here yet: it stays due until they come."""
        try:
            self._library.plan(stored.agenda.duty.plan, stored.agenda.plan_version)
            self._library.registry(stored.agenda.registry, stored.agenda.registry_version)
        except DocumentsMissingError:
            log.warning("an alert waits for a document", extra={"action": "document_missing"})
            return False
        return True


def _whole_agencies(stored: Sequence[Stored]) -> Sequence[Stored]:
    """Leave the last agency of a full round to the next, so that its digest is not cut in two."""
    if len(stored) < ROUND:
        return stored
    last = stored[-1].agenda.duty.agency
    return [one for one in stored if one.agenda.duty.agency != last] or stored
