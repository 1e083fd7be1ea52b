"""From the facts known of a duty, its status as a piecewise-constant function of time, the future included.

The assessment depends on the *set* of facts: their order, their repetition and the time of asking change nothing. There
is no clock here.
"""

from bisect import bisect_right
from collections.abc import Iterable
from datetime import datetime
from operator import attrgetter

import msgspec

from schemas.events.assessments import Status
from services.rules.core import status_rules
from services.rules.core.duty import Duty
from services.rules.core.facts import Fact, FactIdentity, Submission, arrival_order, identity
from services.rules.core.filing_status import FilingHistory
from services.rules.core.filings import Filing, build_filings
from services.rules.core.relief import ReliefDecisions
from services.rules.core.status_rules import StatusInputs

DISCHARGED = frozenset({Status.ON_TIME, Status.LATE, Status.FULFILLED})

_starts_at = attrgetter("starts_at")


class StatusSegment(
    msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True, rename={"starts_at": "from"}
):
    """The answer that holds from `starts_at` until the next segment begins (`schemas.events.assessments`)."""

    starts_at: datetime
    status: Status
    due_at: datetime | None = None
    effective_at: datetime | None = None
    submissions: int = 0
    flags: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()

    def has_same_answer(self, other: "StatusSegment") -> bool:
        """Whether the two segments differ in nothing but their beginning."""
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

    The timeline starts where the duty opens. It is empty where the duty never binds.
    """

    duty: Duty
    timeline: tuple[StatusSegment, ...]
    filings: tuple[Filing, ...]

    def at(self, instant: datetime) -> StatusSegment:
        """Return the segment in force at *instant*; before the first one the obligation does not bind (ruling 8)."""
        begun = bisect_right(self.timeline, instant, key=_starts_at)
        return self.timeline[begun - 1] if begun else StatusSegment(starts_at=instant, status=Status.NOT_APPLICABLE)


def assess(duty: Duty, facts: Iterable[Fact]) -> Assessment:
    """Assess *duty* from the *facts* of its docket (same plan, agency and obligation), in any order."""
    known = _deduplicate(facts)
    adjustments = [one for one in known if not isinstance(one, Submission)]
    filings = build_filings(duty, [one for one in known if isinstance(one, Submission)], adjustments)
    timeline = _build_timeline(duty, filings, ReliefDecisions(duty, adjustments))
    return Assessment(duty=duty, timeline=timeline, filings=filings)


def _deduplicate(facts: Iterable[Fact]) -> list[Fact]:
    """Return each fact once in order of arrival; of one identity with two contents the first recorded counts."""
    first: dict[FactIdentity, Fact] = {}
    for fact in facts:
        other = first.setdefault(identity(fact), fact)
        if other is not fact and _recording_order(fact) < _recording_order(other):
            first[identity(fact)] = fact
    return sorted(first.values(), key=arrival_order) if len(first) > 1 else [*first.values()]


def _recording_order(fact: Fact) -> tuple[datetime, datetime, str]:
    # The content comes last, so that the choice between two facts of the same instants does not depend on their order.
    return fact.recorded_at, fact.received_at, repr(fact)


def _build_timeline(duty: Duty, filings: tuple[Filing, ...], decisions: ReliefDecisions) -> tuple[StatusSegment, ...]:
    if duty.opens_at is None:
        return ()
    history = FilingHistory(filings, duty.key.agency)
    timeline: list[StatusSegment] = []
    missed: datetime | None = None
    for instant in _list_change_points(duty, duty.opens_at, filings, decisions):
        relief = decisions.state_at(instant)
        on_file = history.status_at(instant, due_at=relief.due_at)
        inputs = StatusInputs(duty=duty, at=instant, relief=relief, on_file=on_file)
        segment = _build_segment(inputs, history, missed=missed)
        # The first missed due instant is kept, for the flag `was_overdue` of what a later decision covers.
        if missed is None and segment.status is Status.OVERDUE:
            missed = segment.due_at
        if not timeline or not timeline[-1].has_same_answer(segment):
            timeline.append(segment)
    return tuple(timeline)


def _list_change_points(
    duty: Duty, start: datetime, filings: tuple[Filing, ...], decisions: ReliefDecisions
) -> list[datetime]:
    """Return *start* and the later instants at which the answer may change, in order."""
    # A set, because instants often coincide: a decision of the day on which a report came, a withdrawal at due.
    points = {duty.due_at, duty.agency_ends_at, duty.left_group_at, *decisions.change_points()}
    for one in filings:
        points.add(one.effective_at)
        points.add(one.ended_at)
    return [start, *sorted([point for point in points if point is not None and point > start])]


def _build_segment(inputs: StatusInputs, history: FilingHistory, *, missed: datetime | None) -> StatusSegment:
    relief, on_file = inputs.relief, inputs.on_file
    status = status_rules.decide_status(inputs)
    evidence = [*history.evidence_at(inputs.at), *relief.evidence]
    return StatusSegment(
        starts_at=inputs.at,
        status=status,
        due_at=relief.due_at,
        effective_at=on_file.effective_at,
        submissions=on_file.submissions,
        flags=status_rules.decide_flags(inputs, status, missed=missed),
        missing=() if status in DISCHARGED else on_file.missing,
        evidence=tuple(dict.fromkeys(evidence)),
    )
