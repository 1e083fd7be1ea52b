"""The timeline of an assessment, the revision of it that counts, and the status of a duty at any instant.

A status is looked up, never computed: rules publishes a duty's status as a function of time, the future included. For
example, a timeline of `pending` from 1 January and `overdue` from 10 December answers `pending` for every instant in
between. Before its first span a duty does not apply. A revision that was recorded after the query's `known_at` does not
exist for that query.

What is kept of every duty is of types that the garbage collector passes over (`gc=False`): they refer to nothing that
refers back. With a hundred thousand duties in memory a full collection would stop all answers for seconds.
"""

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import msgspec

from schemas.events.assessments import Status
from schemas.events.ids import DutyKey

# Source and id of an event.
EventIdentity = tuple[str, str]


class StatusSpan(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The status of a duty from `from_at` until the next span begins, with what led to it.

    `standing` is the submission whose content counts meanwhile, where anything is on file; `returns` counts how often
    its recipient returned a report for the duty.
    """

    from_at: datetime
    status: Status
    due_at: datetime | None = None
    effective_at: datetime | None = None
    submissions: int = 0
    flags: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()
    standing: EventIdentity | None = None
    returns: int = 0


class AssessmentRevision(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One revision of the assessment of a duty; `event` is the id of the event that published it.

    The revision number grows with the log: of two revisions of a duty the later one has the higher number.
    """

    event: str
    key: DutyKey
    plan_version: int
    registry: str
    registry_version: int
    clause: str
    opens_at: datetime | None
    recorded_at: datetime
    revision: int
    timeline: tuple[StatusSpan, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class UnreadableRecord:
    """A stored record that cannot be read, and why. Its id is that of its event, or begins with its duty.

    What it would tell is not known. It is listed beside what is known, so that nobody takes the rest for the whole.
    """

    id: str
    reason: str


class DutyState(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The state of one duty at one instant, and the assessment revision that it was read from."""

    assessment: AssessmentRevision
    span: StatusSpan

    @property
    def key(self) -> DutyKey:
        """The duty."""
        return self.assessment.key

    @property
    def status(self) -> Status:
        """The status at the instant asked about."""
        return self.span.status


def span_at(timeline: tuple[StatusSpan, ...], instant: datetime) -> StatusSpan:
    """Return the span that holds at *instant*; before the timeline begins the duty is `not_applicable`."""
    # To the right: the instant at which a span begins belongs to that span.
    index = bisect_right(timeline, instant, key=lambda span: span.from_at)
    if index == 0:
        return StatusSpan(from_at=instant, status=Status.NOT_APPLICABLE)
    return timeline[index - 1]


def state_at(assessment: AssessmentRevision, instant: datetime) -> DutyState:
    """Return the state of one duty at *instant* according to this revision."""
    return DutyState(assessment=assessment, span=span_at(assessment.timeline, instant))


def states_at(assessments: Iterable[AssessmentRevision], instant: datetime) -> list[DutyState]:
    """Return the state of each duty at *instant*."""
    return [state_at(one, instant) for one in assessments]
