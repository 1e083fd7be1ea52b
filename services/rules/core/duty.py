"""A duty: one obligation of one agency for one period, with everything needed to assess it from facts alone."""

from datetime import datetime
from zoneinfo import ZoneInfo

import msgspec

from schemas.events.ids import DutyKey
from schemas.plan.plan import Obligation, ObligationVersion


class Duty(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What is owed. `opens_at` is nothing where the obligation never binds the agency for the period.

    `ends_at` is the instant at which the agency ends (`heirs` then owe the duty themselves) and `left_at` the one at
    which an undated duty stops binding an agency that lives on. `line` holds all successors, who may file on the
    agency's behalf.
    """

    key: DutyKey
    obligation: Obligation
    version: ObligationVersion | None
    zone: ZoneInfo
    opens_at: datetime | None
    due_at: datetime | None
    ends_at: datetime | None = None
    heirs: tuple[str, ...] = ()
    left_at: datetime | None = None
    line: frozenset[str] = frozenset()

    @property
    def is_binding(self) -> bool:
        """Whether the agency owes this at any time."""
        return self.opens_at is not None
