"""What a duty's status was, is or will be: a lookup in a timeline, never a computation.

A revision recorded after `known_at` does not exist for the question. Before its first segment a duty does not bind.
"""

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from schemas.events.assessments import Status
from schemas.events.ids import DutyKey
from services.reporting.core.projections import Assessed, Standing, newest


@dataclass(frozen=True, slots=True, kw_only=True)
class DutyState:
    """The answer about one duty at one instant, and the revision that gives it."""

    assessed: Assessed
    standing: Standing

    @property
    def key(self) -> DutyKey:
        """The duty."""
        return self.assessed.key

    @property
    def status(self) -> Status:
        """The status asked for."""
        return self.standing.status


def standing_at(timeline: tuple[Standing, ...], instant: datetime) -> Standing:
    """Return the answer that holds at *instant*; before the timeline begins the duty does not apply."""
    index = bisect_right(timeline, instant, key=lambda segment: segment.from_at)
    if index == 0:
        return Standing(from_at=instant, status=Status.NOT_APPLICABLE)
    return timeline[index - 1]


def state_at(assessed: Assessed, instant: datetime) -> DutyState:
    """Return the state of one duty at *instant* by this revision."""
    return DutyState(assessed=assessed, standing=standing_at(assessed.timeline, instant))


def known_by(revisions: Iterable[Assessed], known_at: datetime) -> Iterable[Assessed]:
    """Return the newest revision of each duty among those recorded by *known_at*."""
    return newest(one for one in revisions if one.recorded_at <= known_at).values()
