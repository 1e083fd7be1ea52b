"""Log lines of refused requests: one a request, until somebody sends so many that the log would hold nothing else.

Who was refused what is asked one by one afterwards. Whoever tries secrets, or runs a program whose key has ended, is
refused by the thousand: from there on requests are counted, and one line at the end of the minute tells how many there
were, for which reasons. The metric counts every one.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Generic, TypeVar

PERIOD_SECONDS = 60.0

# Origins told apart in one period, and so the lines that a minute of attacks from everywhere can write; the others are
# counted together.
ORIGINS_MAX = 100
OTHER_ORIGINS = "others"

# Keys that the line of a period names.
KEYS_MAX = 10

log = logging.getLogger(__name__)

Reason = TypeVar("Reason", bound=StrEnum)


@dataclass(slots=True)
class _OriginTally:
    """How many lines tell of one origin in this period, and what was only counted since."""

    lines: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    keys: set[str] = field(default_factory=set)


class RefusalLog(Generic[Reason]):
    """The refusals of the current period by origin, of which each may have *lines_max* lines.

    *action* is the member by which the lines are found; that of a period has `_repeatedly` behind it. *count* is called
    with the reason of each refusal, for the metric.
    """

    def __init__(self, action: str, *, lines_max: int, count: Callable[[Reason], None]) -> None:
        self._action = action
        self._lines_max = lines_max
        self._count = count
        self._tallies: dict[str, _OriginTally] = {}

    def record(self, reason: Reason, *, origin: str | None, key: str | None, details: Mapping[str, object]) -> None:
        """Record a refusal of *origin*, an address or a reader, as far as it is known.

        *key* is the id of an existing key that the request named, never one that somebody invented: they would fill the
        log. *details* are further members of the line; they hold no secret.
        """
        self._count(reason)
        origin = origin or OTHER_ORIGINS
        if origin not in self._tallies and len(self._tallies) >= ORIGINS_MAX:
            origin = OTHER_ORIGINS
        tally = self._tallies.setdefault(origin, _OriginTally())
        if tally.lines >= self._lines_max:
            tally.reasons[reason.value] += 1
            if key is not None and len(tally.keys) < KEYS_MAX:
                tally.keys.add(key)
            return
        tally.lines += 1
        known = {"action": self._action, "reason": reason.value, "origin": origin, "key": key}
        log.warning("a request was refused", extra={**known, **details})

    def end_period(self) -> None:
        """Log what was only counted, and begin to count anew."""
        for origin, tally in self._tallies.items():
            if tally.reasons:
                known = {"reasons": dict(tally.reasons), "count": tally.reasons.total(), "keys": sorted(tally.keys)}
                extra = {"action": f"{self._action}_repeatedly", "origin": origin, **known}
                log.warning("more requests were refused", extra=extra)
        self._tallies.clear()

    async def run(self) -> None:
        """End a period every minute, and the last one when cancelled."""
        try:
            while True:
                await asyncio.sleep(PERIOD_SECONDS)
                self.end_period()
        finally:
            self.end_period()
