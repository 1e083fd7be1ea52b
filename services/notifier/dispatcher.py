"""Attempting what is due: claim, send, record, in this order, so that no crash sends twice unseen.

The rule for an attempt whose outcome is unknown (its process died between claim and record, or the connection broke
after the message was handed over): it is recorded as `unknown`; a mail is then sent again with the same Message-ID, an
SMS is not. Who reads the record sees both.
"""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from schemas.events.deliveries import AttemptOutcome
from services.notifier.channels.message import Answer
from services.notifier.clocks import Clocks
from services.notifier.core.scheduling.scheduled_alert import Telling
from services.notifier.ledger import Ledger
from services.notifier.ledger_documents import Claimed, Ended, Stored
from services.notifier.sender import Postponed, Sender

CHUNK = 256  # claimed at once: enough to keep all connections busy, few enough to be done long before the lease ends

log = logging.getLogger(__name__)


class Attempts:
    """Makes the attempts of one process, which goes by *name* in the ledger."""

    def __init__(self, ledger: Ledger, sender: Sender, clocks: Clocks, *, name: str) -> None:
        self._ledger = ledger
        self._sender = sender
        self._clocks = clocks
        self._name = name
        self._claims = 0

    async def make_due(self) -> int:
        """Attempt one chunk of what is due; return how many were claimed."""
        now = self._clocks.service.now()
        lease = self._sender.lease
        lease_ends = asyncio.get_running_loop().time() + lease.total_seconds()
        self._claims += 1
        name = f"{self._name}-{self._claims}"
        claimed = await self._ledger.claim(now, name, leased_until=self._clocks.wall.now() + lease, limit=CHUNK)
        if not claimed:
            return 0
        standing, cancelled = await self._sifted(claimed, now)
        results = await asyncio.gather(*(self._sender.attempt(one, lease_ends) for one in standing))
        ended = [*cancelled, *(one for one in results if isinstance(one, Ended))]
        await self._record(ended, now)
        await self._ledger.release([(one.claimed, one.until) for one in results if isinstance(one, Postponed)])
        return len(claimed)

    async def give_up_lost(self) -> int:
        """Record as unknown what processes that died had claimed; return how many there were."""
        lost = await self._ledger.abandoned(self._clocks.wall.now())
        if not lost:
            return 0
        answer = Answer(outcome=AttemptOutcome.UNKNOWN, reason="process_died")
        await self._record([self._sender.ended(one, answer) for one in lost], self._clocks.service.now())
        return len(lost)

    async def _sifted(self, claimed: Sequence[Claimed], now: datetime) -> tuple[list[Claimed], list[Ended]]:
        """Return what is still called for, less the duties that are not, and what is cancelled whole."""
        duties = {str(telling.duty) for one in claimed for telling in one.delivery.tellings}
        agendas = await self._ledger.agendas(sorted(duties))
        standing, cancelled = [], []
        for one in claimed:
            tellings = tuple(told for told in one.delivery.tellings if _stands(told, agendas, now))
            if tellings:
                standing.append(replace(one, delivery=replace(one.delivery, tellings=tellings)))
            else:
                cancelled.append(
                    self._sender.ended(one, Answer(outcome=AttemptOutcome.CANCELLED, reason="not_called_for"))
                )
        return standing, cancelled

    async def _record(self, ended: Sequence[Ended], now: datetime) -> None:
        await self._ledger.record(ended)
        parts = [name for one in ended for name in one.provider_ids]
        if parts:
            await self._ledger.apply_receipts(parts, now)
        for one in ended:
            outcome, delivery = one.attempt.outcome, one.claimed.delivery
            log.info(
                "an attempt ended",
                extra={
                    "action": "attempted",
                    "delivery": delivery.id,
                    "channel": delivery.channel.value,
                    "attempt": one.attempt.number,
                    "outcome": outcome.value,
                    "reason": one.attempt.reason,
                },
            )


def _stands(telling: Telling, agendas: dict[str, Stored], now: datetime) -> bool:
    stored = agendas.get(str(telling.duty))
    return stored is not None and stored.agenda.stands(telling.call, now)
