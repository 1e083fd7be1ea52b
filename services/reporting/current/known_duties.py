"""What is known of some duties, whatever the instant asked about: their assessments, and the alerts about them."""

from bisect import bisect_right
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from schemas.events.ids import DutyKey
from services.reporting.core.timeline import AssessmentRevision, UnreadableRecord
from services.reporting.core.urging import AlertAttempt


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownDuties:
    """The newest assessments that count, the attempts at alerts by duty, and what of either cannot be read.

    `boundaries` are the instants at which any line changes, in order: between two of them only the day does.
    `recorded_at` is when the last of the assessments was recorded. `version` stands for all of this; None for what
    nobody should keep.
    """

    assessments: tuple[AssessmentRevision, ...]
    attempts: Mapping[DutyKey, tuple[AlertAttempt, ...]]
    unreadable: tuple[UnreadableRecord, ...] = ()
    boundaries: tuple[datetime, ...] = ()
    recorded_at: datetime | None = None
    version: Hashable | None = None

    def find_epoch(self, instant: datetime) -> int:
        """Return between which of the boundaries *instant* lies: two of one epoch have the same answers."""
        return bisect_right(self.boundaries, instant)

    def list_attempts(self, until: datetime) -> Mapping[DutyKey, tuple[AlertAttempt, ...]]:
        """Return the attempts that were made by *until*, by duty."""
        if self.boundaries and self.boundaries[-1] <= until:
            return self.attempts
        chosen = {key: tuple(one for one in found if one.attempted_at <= until) for key, found in self.attempts.items()}
        return {key: found for key, found in chosen.items() if found}


def find_boundaries(
    assessments: Iterable[AssessmentRevision], attempts: Iterable[tuple[AlertAttempt, ...]]
) -> tuple[datetime, ...]:
    """Return the instants at which a status begins, a report falls due or an alert was tried, each once, in order."""
    instants = {
        at for one in assessments for span in one.timeline for at in (span.from_at, span.due_at) if at is not None
    }
    instants.update(one.attempted_at for several in attempts for one in several)
    return tuple(sorted(instants))
