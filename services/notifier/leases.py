"""Leases: a process claims alerts and deliveries for a limited time, after which others may take them for lost.

Leases run on the wall clock, not on the service's clock: a steered clock (`DONDOC_CLOCK=steered:...`) may jump over a
whole lease while a mail is being sent.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.runtime.clock import Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """One claim: a name that no claim had before, and the wall time from which the claim counts as lost."""

    name: str
    ends_at: datetime


class Leases:
    """Hands out the leases of one process. Each lasts for *duration*."""

    def __init__(self, wall_clock: Clock, duration: timedelta) -> None:
        self._wall_clock = wall_clock
        self.duration = duration
        self._process = secrets.token_hex(8)
        self._count = 0

    def begin(self) -> Lease:
        """Return a new lease that starts now."""
        self._count += 1
        return Lease(name=f"{self._process}-{self._count}", ends_at=self.now() + self.duration)

    def now(self) -> datetime:
        """Return the wall time, to tell which leases have ended."""
        return self._wall_clock.now()
