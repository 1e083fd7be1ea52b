"""Stops and silences: what the operator does not want to be sent, until it is lifted or its end has come.

A stop lasts until it is resumed; a silence has an end. Both hold back what they cover and drop nothing: afterwards what
is still called for goes out, and of what several steps called for meanwhile only the last.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class HoldScope(StrEnum):
    """What a hold covers: everything, one route, one plan, or one agency."""

    ALL = "all"
    ROUTE = "route"
    PLAN = "plan"
    AGENCY = "agency"


@dataclass(frozen=True, slots=True, kw_only=True)
class SendingHold:
    """A stop (`until` is None) or a silence, on record for ever. `target` is empty for `HoldScope.ALL`."""

    id: str
    scope: HoldScope
    target: str
    author: str
    reason: str
    starts_at: datetime
    until: datetime | None = None
    lifted_at: datetime | None = None
    lifted_by: str | None = None

    def is_in_force(self, now: datetime) -> bool:
        """Whether it holds anything back at *now*."""
        return self.lifted_at is None and (self.until is None or now < self.until)


@dataclass(frozen=True, slots=True, kw_only=True)
class SendingHolds:
    """What is held back by the holds that are in force."""

    is_all: bool = False
    routes: frozenset[str] = frozenset()
    plans: frozenset[str] = frozenset()
    agencies: frozenset[str] = frozenset()

    def covers_route(self, name: str) -> bool:
        """Whether nothing may go out on the route *name*."""
        return self.is_all or name in self.routes


def collect_holds(holds: Iterable[SendingHold], now: datetime) -> SendingHolds:
    """Return what *holds* cover at *now*."""
    in_force = [one for one in holds if one.is_in_force(now)]

    def targets(scope: HoldScope) -> frozenset[str]:
        return frozenset(one.target for one in in_force if one.scope is scope)

    return SendingHolds(
        is_all=any(one.scope is HoldScope.ALL for one in in_force),
        routes=targets(HoldScope.ROUTE),
        plans=targets(HoldScope.PLAN),
        agencies=targets(HoldScope.AGENCY),
    )
