"""The two clocks of the notifier. It refuses to read either by itself."""

from dataclasses import dataclass

from services.runtime.clock import Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Clocks:
    """The service's clock, and the wall's for leases: a steered clock may jump over one while a mail is under way."""

    service: Clock
    wall: Clock
