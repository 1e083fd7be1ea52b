"""Audit lines of refusals: one line a request, until somebody sends so many that the log would hold nothing else.

Readers are people and a few programs, and who was refused what is asked one by one afterwards. Whoever tries secrets,
or runs a program without its key, is refused by the thousand: from there on requests are counted, and one line at the
end of the minute tells how many there were, of which reasons. The metric counts every one.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from services.reporting.core.access.decisions import RefusalReason

PERIOD_SECONDS = 60.0

# Lines of one reader, or of one address that shows no key, in one period. A person who looks around makes a dozen.
LINES_MAX = 60

# Readers and addresses that are told apart in one period; more, which an attack from everywhere has, count together.
ORIGINS_MAX = 100
OTHER_ORIGINS = "others"

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _OriginTally:
    """How many lines told of one origin in this period, and what was only counted since."""

    lines: int = 0
    uncounted: Counter[str] = field(default_factory=Counter)


class RefusalAudit:
    """Writes the audit lines. *count* is called with the reason of each refusal, for the metric."""

    def __init__(self, count: Callable[[RefusalReason], None]) -> None:
        self._count = count
        self._tallies: dict[str, _OriginTally] = {}

    def record(
        self, reason: RefusalReason, *, reader: str | None, address: str | None, details: Mapping[str, str]
    ) -> None:
        """Record a refusal: whom it met, as far as that is known, and what was asked."""
        self._count(reason)
        origin = reader or address or OTHER_ORIGINS
        if origin not in self._tallies and len(self._tallies) >= ORIGINS_MAX:
            origin = OTHER_ORIGINS
        tally = self._tallies.setdefault(origin, _OriginTally())
        if tally.lines >= LINES_MAX:
            tally.uncounted[reason.value] += 1
            return
        tally.lines += 1
        known = {"action": "read_refused", "reason": reason.value, "reader": reader, "address": address}
        log.warning("a request was refused", extra={**known, **details})

    def end_period(self) -> None:
        """Tell of what was only counted, and begin anew."""
        for origin, tally in self._tallies.items():
            if tally.uncounted:
                known = {"origin": origin, "refusals": dict(tally.uncounted), "count": tally.uncounted.total()}
                log.warning("more requests were refused", extra={"action": "reads_refused", **known})
        self._tallies.clear()

    async def run(self) -> None:
        """End a period every minute, and the last one when cancelled."""
        try:
            while True:
                await asyncio.sleep(PERIOD_SECONDS)
                self.end_period()
        finally:
            self.end_period()
