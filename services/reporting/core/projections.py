"""What reporting remembers of an assessment and of an alert, and which of several revisions stands.

An assessment's revision grows with the log: the newest of any batch, in any order, has the highest revision.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from schemas.events.assessments import Status, StepKind
from schemas.events.deliveries import AttemptOutcome, Channel
from schemas.events.ids import DutyKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """The answer about a duty that holds from `from_at` until the next one begins."""

    from_at: datetime
    status: Status
    due_at: datetime | None = None
    effective_at: datetime | None = None
    submissions: int = 0
    flags: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessed:
    """One revision of what rules concluded of a duty; `event` is the identity of the record that said so."""

    event: str
    key: DutyKey
    plan_version: int
    registry: str
    registry_version: int
    clause: str
    opens_at: datetime | None
    recorded_at: datetime
    revision: int
    timeline: tuple[Standing, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One attempt at one alert, as the notifier told it, about one duty."""

    event: str
    alert: str
    key: DutyKey
    kind: StepKind
    step: str
    due_at: datetime | None
    channel: Channel
    to_agency: str
    outcome: AttemptOutcome
    attempted_at: datetime


def newest(revisions: Iterable[Assessed]) -> dict[DutyKey, Assessed]:
    """Return the revision that stands for each duty, whatever the order and repetition of *revisions*."""
    standing: dict[DutyKey, Assessed] = {}
    for one in revisions:
        known = standing.get(one.key)
        if known is None or (known.revision, known.event) < (one.revision, one.event):
            standing[one.key] = one
    return standing
