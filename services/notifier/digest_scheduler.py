"""Handing over what is due, round by round: agendas give up their calls, which become deliveries to whoever is reached.

A round has a name of its own and takes calls before it hands them over. Of two processes that see the same due alerts
each agenda goes with one; a round whose process died is finished by another, under the same name, so without doubles.
"""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from services.notifier.cited_documents import PublishedLibrary
from services.notifier.clocks import Clocks
from services.notifier.contact_store import ContactStore
from services.notifier.core.scheduling import due_batch
from services.notifier.core.scheduling.delivery import deliveries
from services.notifier.core.scheduling.scheduled_alert import Agenda, Taken
from services.notifier.errors import DocumentsMissingError
from services.notifier.ledger import Ledger
from services.notifier.ledger_documents import Change, Stored

ROUND = 2_000  # agendas taken at once: some two megabytes

log = logging.getLogger(__name__)


class HandOver:
    """Hands over for one process, which goes by *name* in the ledger."""

    def __init__(
        self, ledger: Ledger, contacts: ContactStore, library: PublishedLibrary, *, clocks: Clocks, name: str
    ) -> None:
        self._ledger = ledger
        self._contacts = contacts
        self._library = library
        self._clocks = clocks
        self._name = name
        self._rounds = 0

    async def due(self, lease: timedelta) -> bool:
        """Take and hand over one round; say whether there may be more."""
        now = self._clocks.service.now()
        stored = [one for one in _whole_agencies(await self._ledger.due(now, ROUND)) if self._is_known(one.agenda)]
        self._rounds += 1
        round_ = f"{self._name}-{self._rounds}"
        changes = list(self._taken(stored, Taken(round=round_, until=self._clocks.wall.now() + lease, calls=()), now))
        if changes:
            await self._ledger.take(changes)
            await self._finish(round_)
        return bool(changes)

    async def finish_lost(self) -> None:
        """Hand over what processes that died had taken."""
        for round_ in await self._ledger.lost_rounds(self._clocks.wall.now()):
            log.warning("a round of a dead process is finished", extra={"action": "round_finished", "round": round_})
            await self._finish(round_)

    async def _finish(self, round_: str) -> None:
        now = self._clocks.service.now()
        agendas = await self._ledger.taken(round_)
        tellings = [one.telling(call) for one in agendas if one.taken for call in one.taken.calls]
        notices = due_batch.notices(tellings, self._library, await self._contacts.book(), now)
        for notice in notices:
            if not notice.contacts:
                told = {"action": "unreachable", "to_agency": notice.to_agency}
                log.warning("an alert reaches nobody: there is no contact", extra=told)
        created = [delivery for notice in notices for delivery in deliveries(notice, round_)]
        await self._ledger.hand_over(round_, created, now)

    def _taken(self, stored: Sequence[Stored], round_: Taken, now: datetime) -> Iterable[Change]:
        for one in stored:
            due = due_batch.due(one.agenda, self._library, now)
            if due.calls:
                yield Change(agenda=replace(due.agenda, taken=replace(round_, calls=due.calls)), version=one.version)
            elif due.agenda != one.agenda:
                yield Change(agenda=due.agenda, version=one.version)

    def _is_known(self, agenda: Agenda) -> bool:
        """Leave out what cites documents that are not here yet: it stays due until they come."""
        try:
            self._library.plan(agenda.duty.plan, agenda.plan_version)
            self._library.registry(agenda.registry, agenda.registry_version)
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
