"""What is known of some duties, whatever the instant asked about: their assessments, and the alerts about them."""

from bisect import bisect_left, bisect_right
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
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

    `boundaries` are the instants at which any line changes, in order: between two of them only the day does. There may
    be more of them than that. `recorded_at` is when the last of the assessments was recorded, `attempted_at` when the
    last alert was tried, and `cited` what is cited. `version` stands for all of this; None for what nobody should keep.
    """

    assessments: tuple[AssessmentRevision, ...]
    attempts: Mapping[DutyKey, tuple[AlertAttempt, ...]]
    unreadable: tuple[UnreadableRecord, ...] = ()
    boundaries: tuple[datetime, ...] = ()
    recorded_at: datetime | None = None
    attempted_at: datetime | None = None
    cited: CitedVersions | None = None
    version: Hashable | None = None

    def find_epoch(self, instant: datetime) -> datetime | None:
        """Return the last boundary up to *instant*, None before the first: two of one epoch have the same answers.

        It is an instant and no number, because the same duties may be known with more or with fewer boundaries.
        """
        index = bisect_right(self.boundaries, instant)
        return self.boundaries[index - 1] if index else None

    def narrow(self, obligation: str) -> "KnownDuties":
        """Return what is known of the duties of one *obligation*. Its boundaries are those of all, which are more."""
        assessments = tuple([one for one in self.assessments if one.key.obligation == obligation])
        keys = {one.key for one in assessments} if len(assessments) < len(self.assessments) else None
        return KnownDuties(
            assessments=assessments,
            attempts=self.attempts if keys is None else {k: one for k, one in self.attempts.items() if k in keys},
            unreadable=tuple(one for one in self.unreadable if f"|{obligation}|" in one.id),
            boundaries=self.boundaries,
            recorded_at=max((one.recorded_at for one in assessments), default=self.recorded_at),
            attempted_at=self.attempted_at,
            cited=find_cited(assessments),
            version=self.version,
        )

    def list_attempts(self, until: datetime) -> Mapping[DutyKey, tuple[AlertAttempt, ...]]:
        """Return the attempts that were made by *until*, by duty."""
        if self.attempted_at is not None and self.attempted_at <= until:
            return self.attempts
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
    newest = max(found, key=attrgetter("plan_version"))
    return CitedVersions(
        plan_version=newest.plan_version,
        registry=newest.registry,
        registry_version=max(map(attrgetter("registry_version"), found)),
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


def add_boundaries(boundaries: tuple[datetime, ...], more: Iterable[datetime]) -> tuple[datetime, ...]:
    """Return *boundaries* with *more*, which are few, each once, in order."""
    added = list(boundaries)
    for instant in more:
        place = bisect_left(added, instant)
        if place == len(added) or added[place] != instant:
            added.insert(place, instant)
    return tuple(added)
