"""Leases: a process claims alerts and deliveries for a limited time, after which others may take them for lost.

Leases run on the clock of the database, which all processes share. The service's own clock may be steered over a whole
lease while a mail is being sent, and the clock of a machine may be set.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """One claim: a name that no claim had before, and the database's time from which the claim counts as lost."""

    name: str
    ends_at: datetime


class Leases:
    """Hands out the leases of one process. Each lasts for *duration*."""

    def __init__(self, duration: timedelta) -> None:
        self.duration = duration
        self._process = secrets.token_hex(8)
        self._count = 0

    def create_name(self) -> str:
        """Return a name that no claim had before."""
        self._count += 1
        return f"{self._process}-{self._count}"

    def begin(self, database_now: datetime) -> Lease:
        """Return a new lease that starts at *database_now*, the present by the clock of the database."""
        return Lease(name=self.create_name(), ends_at=database_now + self.duration)
