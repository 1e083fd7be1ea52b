"""What is known of some duties, whatever the instant asked about: their assessments, and the alerts about them."""

from bisect import bisect_right
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from schemas.events.ids import DutyKey
from services.reporting.core.timeline import AssessmentRevision, UnreadableRecord
from services.reporting.core.urging import AlertAttempt


class CitesVersions(Protocol):
    """An assessment, or the newest versions of several."""

    @property
    def plan_version(self) -> int: ...
    @property
    def registry(self) -> str: ...
    @property
    def registry_version(self) -> int: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class CitedVersions:
    """The newest versions of plan and registry that some assessments cite."""

    plan_version: int
    registry: str
    registry_version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownDuties:
    """The newest assessments that count, the attempts at alerts by duty, and what of either cannot be read.

    `boundaries` are the instants at which any line changes, in order: between two of them only the day does.
    `recorded_at` is when the last of the assessments was recorded, and `cited` what they cite. Two values with one
    `version` are equal, so an answer may be stored under it; with None it may not.
    """

    assessments: tuple[AssessmentRevision, ...]
    attempts: Mapping[DutyKey, tuple[AlertAttempt, ...]]
    unreadable: tuple[UnreadableRecord, ...] = ()
    boundaries: tuple[datetime, ...] = ()
    recorded_at: datetime | None = None
    cited: CitedVersions | None = None
    version: Hashable | None = None

    def find_epoch(self, instant: datetime) -> int:
        """Return between which of the boundaries *instant* lies: two of one epoch have the same answers."""
        return bisect_right(self.boundaries, instant)

    def list_attempts(self, until: datetime) -> Mapping[DutyKey, tuple[AlertAttempt, ...]]:
        """Return the attempts that were made by *until*, by duty."""
        chosen = {}
        for key, found in self.attempts.items():
            made = tuple(one for one in found if one.attempted_at <= until)
            # The same tuple where all count, so that whoever has worked with it sees that nothing has changed.
            if made:
                chosen[key] = found if len(made) == len(found) else made
        return chosen


def find_cited(citing: Iterable[CitesVersions]) -> CitedVersions | None:
    """Return the newest versions that assessments, or groups of assessments, cite; None if there are none."""
    found = list(citing)
    if not found:
        return None
    newest = max(found, key=lambda one: one.plan_version)
    return CitedVersions(
        plan_version=newest.plan_version,
        registry=newest.registry,
        registry_version=max(one.registry_version for one in found),
    )


def find_boundaries(
    assessments: Iterable[AssessmentRevision], attempts: Iterable[tuple[AlertAttempt, ...]]
) -> tuple[datetime, ...]:
    """Return the instants at which a status begins, a report falls due or an alert was tried, each once, in order."""
    instants = {
        at for one in assessments for span in one.timeline for at in (span.from_at, span.due_at) if at is not None
    }
    instants.update(one.attempted_at for several in attempts for one in several)
    return tuple(sorted(instants))
