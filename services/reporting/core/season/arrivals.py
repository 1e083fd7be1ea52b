"""How many agencies have reported completely by when: a curve over the timelines of a season's duties.

It is read from the timelines and not counted as reports come in, so it is right for any past instant as well. It falls
where a report is withdrawn or returned.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate

from services.reporting.core.duty_counts import EXPECTED_STATUSES
from services.reporting.core.duty_lines import COMPLETE_STATUSES
from services.reporting.core.timeline import DutyState


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrivals:
    """The numbers of complete reports: `counts[i]` of them from `instants[i]` on; `expected` agencies owe one."""

    expected: int
    instants: tuple[datetime, ...]
    counts: tuple[int, ...]

    def count_at(self, instant: datetime) -> int:
        """Return how many agencies had reported completely at *instant*."""
        index = bisect_right(self.instants, instant)
        return self.counts[index - 1] if index else 0

    def shift(self, distance: timedelta) -> "Arrivals":
        """Return the same curve, later by *distance*."""
        return Arrivals(
            expected=self.expected, instants=tuple(one + distance for one in self.instants), counts=self.counts
        )

    def latest_before(self, instant: datetime) -> datetime | None:
        """Return the last instant up to *instant* at which the number rose; None before the first report."""
        rises = [
            at
            for at, before, count in zip(self.instants, (0, *self.counts), self.counts, strict=False)
            if count > before and at <= instant
        ]
        return rises[-1] if rises else None


@dataclass(frozen=True, slots=True, kw_only=True)
class ArrivalTally:
    """Some agencies that owe a report: how many they are, and by how much the number of complete ones changes when."""

    expected: int
    changes: Mapping[datetime, int]


def tally_arrivals(states: Iterable[DutyState]) -> ArrivalTally:
    """Return what those of *states* that are expected add to the curve, at every instant of their timelines."""
    expected = [state for state in states if state.status in EXPECTED_STATUSES]
    changes: Counter[datetime] = Counter()
    for state in expected:
        was_complete = False
        for span in state.assessment.timeline:
            is_complete = span.status in COMPLETE_STATUSES
            changes[span.from_at] += is_complete - was_complete
            was_complete = is_complete
    return ArrivalTally(expected=len(expected), changes=changes)


def add_arrivals(tallies: Sequence[ArrivalTally]) -> Arrivals:
    """Return the curve of all agencies of *tallies*."""
    changes: Counter[datetime] = Counter()
    for one in tallies:
        changes.update(one.changes)
    instants = tuple(sorted(at for at, change in changes.items() if change))
    return Arrivals(
        expected=sum(one.expected for one in tallies),
        instants=instants,
        counts=tuple(accumulate(changes[one] for one in instants)),
    )
