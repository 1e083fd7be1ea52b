"""From the facts known about a duty, its status as a piecewise-constant function of time, the future included.

The assessment depends on the *set* of facts: their order, repetition and the time of asking change nothing. There is
no clock here.
"""

from collections.abc import Iterable
from datetime import datetime

import msgspec

from schemas.events.assessments import Status
from services.rules.core import status_rules
from services.rules.core.duty import Duty
from services.rules.core.facts import Fact, Submission, arrival, identity
from services.rules.core.filing_status import File
from services.rules.core.filings import Filing, filings
from services.rules.core.relief import Reliefs
from services.rules.core.status_rules import Moment

DISCHARGED = frozenset({Status.ON_TIME, Status.LATE, Status.FULFILLED})


class Segment(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True, rename={"starts_at": "from"}):
    """The answer that holds from `starts_at` until the next segment begins (`schemas.events.assessments`)."""

    starts_at: datetime
    status: Status
    due_at: datetime | None = None
    effective_at: datetime | None = None
    submissions: int = 0
    flags: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()

    def says_the_same(self, other: "Segment") -> bool:
        """Whether the two differ in nothing but their beginning."""
        return (
            self.status is other.status
            and self.due_at == other.due_at
            and self.effective_at == other.effective_at
            and self.submissions == other.submissions
            and self.flags == other.flags
            and self.missing == other.missing
            and self.evidence == other.evidence
        )


class Assessment(msgspec.Struct, frozen=True, kw_only=True):
    """The status of one duty as a function of time.

    The timeline starts where the duty starts and is empty where it never binds.
    """

    duty: Duty
    timeline: tuple[Segment, ...]
    filings: tuple[Filing, ...]

    def at(self, instant: datetime) -> Segment:
        """Return the segment in force at *instant*; before the first one the obligation does not bind."""
        for segment in reversed(self.timeline):
            if segment.starts_at <= instant:
                return segment
        return Segment(starts_at=instant, status=Status.NOT_APPLICABLE)


def assess(duty: Duty, facts: Iterable[Fact]) -> Assessment:
    """Assess *duty* from the *facts* of its docket (same plan, agency and obligation), in any order."""
    known = _distinct(facts)
    acts = [one for one in known if not isinstance(one, Submission)]
    filed = filings(duty, [one for one in known if isinstance(one, Submission)], acts)
    return Assessment(duty=duty, timeline=_timeline(duty, filed, Reliefs(duty, acts)), filings=filed)


def _distinct(facts: Iterable[Fact]) -> list[Fact]:
    """Return each fact once, the first recorded where an identity comes with two contents, in order of arrival."""
    first: dict[tuple[str, str], Fact] = {}
    for fact in facts:
        other = first.setdefault(identity(fact), fact)
        if other is not fact and _precedence(fact) < _precedence(other):
            first[identity(fact)] = fact
    return sorted(first.values(), key=arrival) if len(first) > 1 else [*first.values()]


def _precedence(fact: Fact) -> tuple[datetime, datetime, str]:
    return fact.recorded_at, fact.received_at, repr(fact)


def _timeline(duty: Duty, filed: tuple[Filing, ...], reliefs: Reliefs) -> tuple[Segment, ...]:
    if duty.opens_at is None:
        return ()
    file = File(filed, duty.key.agency)
    timeline: list[Segment] = []
    missed: datetime | None = None
    for instant in _turning_points(duty, duty.opens_at, filed, reliefs):
        relief = reliefs.at(instant)
        moment = Moment(duty=duty, at=instant, relief=relief, on_file=file.at(instant, due_at=relief.due_at))
        segment = _segment(moment, file, missed=missed)
        if missed is None and segment.status is Status.OVERDUE:
            missed = segment.due_at
        if not timeline or not timeline[-1].says_the_same(segment):
            timeline.append(segment)
    return tuple(timeline)


def _turning_points(duty: Duty, start: datetime, filed: tuple[Filing, ...], reliefs: Reliefs) -> list[datetime]:
    """Return *start* and the later instants at which the answer may change, in order."""
    points = {duty.due_at, duty.ends_at, duty.left_at, *reliefs.turning_points()}
    for one in filed:
        points.add(one.effective_at)
        points.add(one.ended_at)
    return [start, *sorted([point for point in points if point is not None and point > start])]


def _segment(moment: Moment, file: File, *, missed: datetime | None) -> Segment:
    relief, on_file = moment.relief, moment.on_file
    status = status_rules.status(moment)
    evidence = [*file.evidence_at(moment.at), *relief.evidence]
    return Segment(
        starts_at=moment.at,
        status=status,
        due_at=relief.due_at,
        effective_at=on_file.effective_at,
        submissions=on_file.submissions,
        flags=status_rules.flags(moment, status, missed=missed),
        missing=() if status in DISCHARGED else on_file.missing,
        evidence=tuple(dict.fromkeys(evidence)),
    )
