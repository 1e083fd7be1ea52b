"""A route: one provider of one channel, with its window, its pace and its circuit breaker.

The routes of a channel stand in the order of preference. A later one is used only while every earlier one is open.
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from schemas.events.deliveries import TAKEN, AttemptOutcome
from services.notifier.channels.message_channel import MessageChannel, SendResult
from services.notifier.core.dispatch import circuit
from services.notifier.core.dispatch.circuit import Circuit, CircuitPolicy
from services.notifier.core.dispatch.pacing import Pace
from services.notifier.core.dispatch.refusals import RefusalFault

_DOMAINS_MAX = 4_096  # recipient domains whose pace is remembered; the one unused for longest is forgotten
_DOMAINS_IN_A_ROW = 2  # so many domains are busy one after another: it is the route that is

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteLimits:
    """At most `window` attempts are begun, of which `concurrency` are on the wire.

    `per_minute` and `per_domain` bound the rate (None: only what is learnt).
    """

    window: int
    concurrency: int
    per_minute: float | None = None
    per_domain: float | None = None


class DeliveryRoute:
    """Decides how many messages may go out now, and learns from each answer."""

    def __init__(self, name: str, carrier: MessageChannel, *, limits: RouteLimits, policy: CircuitPolicy) -> None:
        self.name = name
        self.carrier = carrier
        self.slots = asyncio.Semaphore(limits.concurrency)
        self._limits = limits
        self._policy = policy
        self._circuit = Circuit()
        self._pace = Pace(limit=limits.per_minute)
        # Whether there is a rate to keep to. As long as nothing bounds the route, no tokens are counted.
        self.is_bounded = limits.per_minute is not None
        self._domains: OrderedDict[str, Pace] = OrderedDict()
        self._busy_domains: set[str] = set()
        self._preferred: Sequence[DeliveryRoute] = ()
        # Counts the times at which the route became slower. What was begun before and is not on the wire is taken back.
        self.epoch = 0

    def stand_in_for(self, preferred: Sequence["DeliveryRoute"]) -> None:
        """Use this route only while none of *preferred* can be used."""
        self._preferred = preferred

    @property
    def is_preferred(self) -> bool:
        """Whether every route before this one is open, so that it sends what any of them may send."""
        return all(one.is_open for one in self._preferred)

    @property
    def is_open(self) -> bool:
        """Whether the circuit is open: the route takes nothing for now."""
        return not self._circuit.is_closed

    @property
    def rate(self) -> float | None:
        """Messages a minute, or None where nothing bounds them."""
        return self._pace.rate

    def count_free(self, now: datetime, in_flight: int) -> int:
        """Return how many messages may be started now beside those *in_flight*."""
        if self.is_open:
            return 1 if not in_flight and self._circuit.allows_probe(now) else 0
        free = self._limits.window - in_flight
        return self._pace.count_free(now, free) if self.is_bounded else free

    def find_paused(self, addresses: Sequence[str], now: datetime) -> set[int]:
        """Return the positions in *addresses* whose domains take no more now, and spend the tokens of the others."""
        paused = set()
        for position, address in enumerate(addresses):
            pace = self._domain_pace(address, create=self._limits.per_domain is not None)
            if pace is None:
                continue
            if pace.count_free(now, 1):
                pace.take(1, now)
            else:
                paused.add(position)
        if self.is_bounded:
            self._pace.take(len(addresses) - len(paused), now)
        return paused

    def learn(self, address: str, result: SendResult, now: datetime) -> None:
        """Learn from the answer to a message to *address*."""
        refusal = result.refusal
        was_open = self.is_open
        if result.outcome in TAKEN:
            self._pace.record_accepted(now)
            self._busy_domains.clear()
            if (pace := self._domain_pace(address)) is not None:
                pace.record_accepted(now)
        if refusal is not None and refusal.fault is RefusalFault.BUSY:
            self._slow_down(address, now, concerns_route=refusal.concerns_route)
        if result.outcome in TAKEN or (refusal is not None and refusal.spends_attempt):
            self._circuit = circuit.record_success(self._circuit)
        elif refusal is not None or result.outcome is AttemptOutcome.UNKNOWN:
            self._circuit = circuit.record_failure(self._circuit, refusal, self._policy, now)
        if was_open != self.is_open:
            self.epoch += 1
            self._log_change(result.reason)

    def _log_change(self, reason: str | None) -> None:
        details = {"route": self.name, "reason": reason}
        if self.is_open:
            log.warning("a route does not work: it rests", extra={"action": "route_opened", **details})
        else:
            log.warning("a route works again", extra={"action": "route_closed", **details})

    def _slow_down(self, address: str, now: datetime, *, concerns_route: bool) -> None:
        pace = None if concerns_route else self._domain_pace(address, create=True)
        if pace is not None:
            pace.slow_down(now)
            self._busy_domains.add(_domain_of(address))
        # A relay that limits us may say so in answer to RCPT, as an overloaded recipient does. Two recipients' servers
        # are rarely overloaded together.
        if (pace is None or len(self._busy_domains) >= _DOMAINS_IN_A_ROW) and self._pace.slow_down(now):
            self.is_bounded = True
            self.epoch += 1

    def _domain_pace(self, address: str, *, create: bool = False) -> Pace | None:
        """Return the pace of the domain of *address*; None for a number, and for a domain that nothing bounds."""
        domain = _domain_of(address)
        if not domain:
            return None
        if domain not in self._domains:
            if not create:
                return None
            self._domains[domain] = Pace(limit=self._limits.per_domain)
            if len(self._domains) > _DOMAINS_MAX:
                self._domains.popitem(last=False)
        self._domains.move_to_end(domain)
        return self._domains[domain]


def _domain_of(address: str) -> str:
    return address.rpartition("@")[2].lower() if "@" in address else ""
