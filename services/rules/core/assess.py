"""From the facts known of a duty, its status as a piecewise-constant function of time, the future included.

The assessment depends on the *set* of facts: their order, their repetition and the time of asking change nothing. There
is no clock here.
"""

from collections.abc import Iterable
from datetime import datetime

import msgspec

from schemas.events.assessments import Status
from schemas.events.wire import WireSegment
from services.rules.core import status_rules
from services.rules.core.duty import Duty
from services.rules.core.facts import Fact, FactIdentity, Submission, arrival_order, identity
from services.rules.core.filing_status import FilingHistory
from services.rules.core.filings import Filing, build_filings
from services.rules.core.relief import ReliefDecisions
from services.rules.core.status_rules import StatusInputs

DISCHARGED = frozenset({Status.ON_TIME, Status.LATE, Status.FULFILLED})


class Assessment(msgspec.Struct, frozen=True, kw_only=True):
    """The status of one duty as a function of time.

    The timeline starts where the duty opens. It is empty where the duty never binds.
    """

    duty: Duty
    timeline: tuple[WireSegment, ...]
    filings: tuple[Filing, ...]

    def at(self, instant: datetime) -> WireSegment:
        """Return the segment in force at *instant*; before the first one the obligation does not bind (ruling 8)."""
        for segment in reversed(self.timeline):
            if segment.starts_at <= instant:
                return segment
        return WireSegment(starts_at=instant, status=Status.NOT_APPLICABLE)


def assess(duty: Duty, facts: Iterable[Fact]) -> Assessment:
    """Assess *duty* from the *facts* of its docket (same plan, agency and obligation), in any order."""
    known = _deduplicate(facts)
    adjustments = [one for one in known if not isinstance(one, Submission)]
    filings = build_filings(duty, [one for one in known if isinstance(one, Submission)], adjustments)
    timeline = _build_timeline(duty, filings, ReliefDecisions(duty, adjustments))
    return Assessment(duty=duty, timeline=timeline, filings=filings)


def has_same_answer(one: WireSegment, other: WireSegment) -> bool:
    """Whether two segments differ in nothing but their beginning."""
    return (
        one.status is other.status
        and one.due_at == other.due_at
        and one.effective_at == other.effective_at
        and one.submissions == other.submissions
        and one.flags == other.flags
        and one.missing == other.missing
        and one.evidence == other.evidence
    )


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


def _build_timeline(duty: Duty, filings: tuple[Filing, ...], decisions: ReliefDecisions) -> tuple[WireSegment, ...]:
    if duty.opens_at is None:
        return ()
    history = FilingHistory(filings, duty.key.agency)
    timeline: list[WireSegment] = []
    missed: datetime | None = None
    for instant in _list_change_points(duty, duty.opens_at, filings, decisions):
        relief = decisions.state_at(instant)
        on_file = history.status_at(instant, due_at=relief.due_at)
        inputs = StatusInputs(duty=duty, at=instant, relief=relief, on_file=on_file)
        segment = _build_segment(inputs, history, missed=missed)
        # The first missed due instant is kept, for the flag `was_overdue` of what a later decision covers.
        if missed is None and segment.status is Status.OVERDUE:
            missed = segment.due_at
        if not timeline or not has_same_answer(timeline[-1], segment):
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


def _build_segment(inputs: StatusInputs, history: FilingHistory, *, missed: datetime | None) -> WireSegment:
    relief, on_file = inputs.relief, inputs.on_file
    status = status_rules.decide_status(inputs)
    evidence = [*history.evidence_at(inputs.at), *relief.evidence]
    return WireSegment(
        starts_at=inputs.at,
        status=status,
        due_at=relief.due_at,
        effective_at=on_file.effective_at,
        submissions=on_file.submissions,
        flags=status_rules.decide_flags(inputs, status, missed=missed),
        missing=() if status in DISCHARGED else on_file.missing,
        evidence=tuple(dict.fromkeys(evidence)),
    )
