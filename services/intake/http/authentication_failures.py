"""Counts failed authentications, and writes one log line an address and period instead of one a request.

Whoever tries secrets, or has forgotten to renew a key, sends such requests by the thousand. The first of an address is
logged at once; those that follow are counted, and logged together at the end of the period.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from services.intake.core.problems import AuthenticationFailure

PERIOD_SECONDS = 60.0

# Addresses counted apart in one period, and so the lines that a minute of attacks from everywhere can write; the others
# are counted together.
ADDRESSES_MAX = 100

# Keys that a line names. Only ids of existing keys are named, so that a log cannot be filled with invented ones.
KEYS_MAX = 10

OTHER_ADDRESSES = "others"

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Tally:
    """The failures of one address that no line has told yet, and whose keys they named."""

    failures: dict[str, int] = field(default_factory=dict)
    keys: set[str] = field(default_factory=set)


class AuthenticationFailures:
    """The failures of the current period, by address. *count* is called with each, for the metric."""

    def __init__(self, count: Callable[[AuthenticationFailure], None]) -> None:
        self._count = count
        self._tallies: dict[str, _Tally] = {}

    def record(self, failure: AuthenticationFailure, *, address: str, key_id: str | None) -> None:
        """Count a failure of *address*; *key_id* is that of an existing key, if the request named one."""
        self._count(failure)
        if address not in self._tallies and len(self._tallies) >= ADDRESSES_MAX:
            address = OTHER_ADDRESSES
        tally = self._tallies.get(address)
        if tally is None:
            self._tallies[address] = _Tally()
            _log_failures(address, {failure.value: 1}, () if key_id is None else (key_id,))
            return
        tally.failures[failure.value] = tally.failures.get(failure.value, 0) + 1
        if key_id is not None and len(tally.keys) < KEYS_MAX:
            tally.keys.add(key_id)

    def end_period(self) -> None:
        """Log what was only counted, and begin to count anew."""
        for address, tally in self._tallies.items():
            if tally.failures:
                _log_failures(address, tally.failures, tuple(sorted(tally.keys)))
        self._tallies.clear()

    async def run(self) -> None:
        """End a period every minute, and the last one when cancelled."""
        try:
            while True:
                await asyncio.sleep(PERIOD_SECONDS)
                self.end_period()
        finally:
            self.end_period()


def _log_failures(address: str, failures: Mapping[str, int], keys: tuple[str, ...]) -> None:
    known = {"address": address, "failures": dict(failures), "count": sum(failures.values()), "keys": list(keys)}
    log.warning("requests were not authenticated", extra={"action": "unauthenticated", **known})
