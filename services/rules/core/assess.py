"""From the facts known of a duty, its status as a piecewise-constant function of time, the future included.

`decide_status` and `decide_flags` give the answer at one instant, from what is on file and the decisions in force then.
`assess` asks for it at each instant at which it may change.

The assessment depends on the *set* of facts: their order, their repetition and the time of asking change nothing. There
is no clock here.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from datetime import datetime
from operator import attrgetter

import msgspec

from schemas.events.assessments import Status
from schemas.events.wire import WireEventReference, WireSegment
from services.rules.core.duty import Duty
from services.rules.core.facts import Decision, Fact, FactIdentity, ReportReturn, Submission, arrival_order, identity
from services.rules.core.relief import ReliefDecisions, ReliefState
from services.rules.core.submissions.filing_status import FilingHistory
from services.rules.core.submissions.filings import Filing, build_filings
from services.rules.core.submissions.reports_in_effect import FilingStatus

DISCHARGED = frozenset({Status.ON_TIME, Status.LATE, Status.FULFILLED})

# Duties with these statuses count in no sum, so neither does what was reported of them while nobody watched.
NOT_COMPARED = frozenset({Status.NOT_APPLICABLE, Status.EXEMPT, Status.SUPERSEDED, Status.ENDED_NO_SUCCESSOR})

# The order in which flags are listed; `inherited_by_ID` comes last.
FLAGS = (
    "dispatch_unproven",
    "returned_and_corrected",
    "accepted",
    "first_sent_on_time",
    "past_due",
    "amended_after_deadline",
    "duplicate",
    "needs_reconciliation",
    "under_extension",
    "was_overdue",
    "withdrawn",
    "voluntary_report",
    "revocation_refused",
    "filed_by_successor",
    "filing_kept",
    "nil_return",
)

_starts_at = attrgetter("starts_at")


class StatusInputs(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that decides about *duty* at an instant."""

    duty: Duty
    at: datetime
    relief: ReliefState
    on_file: FilingStatus

    @property
    def is_past_due(self) -> bool:
        """Whether the due instant then in force has come (ruling 1: due is exclusive)."""
        return self.relief.due_at is not None and self.at >= self.relief.due_at

    @property
    def has_agency_ended(self) -> bool:
        """Whether the agency ended by then and before due; one that ended later keeps its state (ruling 7)."""
        ends_at, due_at = self.duty.agency_ends_at, self.relief.due_at
        return ends_at is not None and self.at >= ends_at and (due_at is None or ends_at < due_at)

    @property
    def is_superseded_by_plan(self) -> bool:
        """Whether another plan has taken the place of the duty's by then, before it was due or at that instant."""
        from_at, due_at = self.duty.superseded_at, self.relief.due_at
        return from_at is not None and self.at >= from_at and (due_at is None or due_at >= from_at)


class EffectiveReturn(msgspec.Struct, frozen=True, kw_only=True):
    """A return that acted on a current version of a report, at the instant `acted_at`."""

    fact: ReportReturn
    acted_at: datetime


class Assessment(msgspec.Struct, frozen=True, kw_only=True):
    """The status of one duty as a function of time.

    The timeline starts where the duty opens. It is empty where the duty never binds. `returns` are in order of time,
    `decisions` in the order in which they take effect.
    """

    duty: Duty
    timeline: tuple[WireSegment, ...]
    filings: tuple[Filing, ...]
    returns: tuple[EffectiveReturn, ...] = ()
    decisions: tuple[Decision, ...] = ()

    def at(self, instant: datetime) -> WireSegment:
        """Return the segment in force at *instant*; before the first one the obligation does not bind (ruling 8)."""
        begun = bisect_right(self.timeline, instant, key=_starts_at)
        return self.timeline[begun - 1] if begun else WireSegment(starts_at=instant, status=Status.NOT_APPLICABLE)


def assess(duty: Duty, facts: Iterable[Fact]) -> Assessment:
    """Assess *duty* from the *facts* of its docket (same plan, agency and obligation), in any order."""
    known = _deduplicate(facts)
    adjustments = [one for one in known if not isinstance(one, Submission)]
    filings = build_filings(duty, [one for one in known if isinstance(one, Submission)], adjustments)
    history = FilingHistory(filings, duty.key.agency)
    decisions = ReliefDecisions(duty, adjustments)
    timeline = _build_timeline(duty, filings, history, decisions)
    returns = [
        EffectiveReturn(fact=one.review, acted_at=one.acts_at)
        for one in history.list_effective_returns()
        if isinstance(one.review, ReportReturn)
    ]
    return Assessment(
        duty=duty, timeline=timeline, filings=filings, returns=tuple(returns), decisions=tuple(decisions.applied)
    )


def has_same_answer(one: WireSegment, other: WireSegment) -> bool:
    """Whether two segments differ in nothing but their beginning."""
    return one == msgspec.structs.replace(other, starts_at=one.starts_at)


def decide_status(inputs: StatusInputs) -> Status:
    """Return the one status that follows from *inputs* (the table of contract section 5; rulings 4, 7, 8 and 10)."""
    duty, on_file = inputs.duty, inputs.on_file
    if duty.left_group_at is not None and inputs.at >= duty.left_group_at:
        return Status.NOT_APPLICABLE
    if inputs.is_superseded_by_plan:
        return Status.SUPERSEDED  # whatever was filed or decided under the old plan
    if inputs.relief.is_exempt:
        return Status.EXEMPT  # ruling 10: a report from an exempt agency does not change this
    if inputs.has_agency_ended and not (on_file.is_complete and _precedes_agency_end(on_file.effective_at, duty)):
        return Status.SUPERSEDED if duty.heirs else Status.ENDED_NO_SUCCESSOR
    if on_file.is_complete:
        return decide_complete_status(on_file.effective_at, inputs.relief.due_at)
    if not on_file.is_empty:
        return Status.INCOMPLETE
    if inputs.relief.due_at is None:
        return Status.OPEN
    return Status.OVERDUE if inputs.is_past_due else Status.PENDING


def decide_complete_status(effective_at: datetime | None, due_at: datetime | None) -> Status:
    """Return the status of a duty that a complete report discharges: on time iff effective before due (ruling 1)."""
    if due_at is None or effective_at is None:
        return Status.FULFILLED
    return Status.ON_TIME if effective_at < due_at else Status.LATE


def decide_flags(inputs: StatusInputs, status: Status, *, missed: datetime | None) -> tuple[str, ...]:
    """Return the flags that belong to *status*, in the order of `FLAGS`.

    *missed* is the first due instant that came with nothing on file, if there was one.
    """
    raised = {*inputs.on_file.flags, *_find_flags(inputs, status, missed=missed)}
    flags = tuple(flag for flag in FLAGS if flag in raised) if raised else ()
    if status is Status.SUPERSEDED and not inputs.is_superseded_by_plan:
        return (*flags, *(f"inherited_by_{heir}" for heir in inputs.duty.heirs))
    return flags


def _deduplicate(facts: Iterable[Fact]) -> list[Fact]:
    """Return each fact once in order of arrival; of one identity with two contents the first recorded counts."""
    first: dict[FactIdentity, Fact] = {}
    for fact in facts:
        other = first.setdefault(identity(fact), fact)
        if other is not fact and recording_order(fact) < recording_order(other):
            first[identity(fact)] = fact
    return sorted(first.values(), key=arrival_order) if len(first) > 1 else [*first.values()]


def recording_order(fact: Fact) -> tuple[datetime, datetime, str]:
    """Return the sort key by which the first of several facts of one identity counts."""
    # The content comes last, so that the choice between two facts of the same instants does not depend on their order.
    return fact.recorded_at, fact.received_at, repr(fact)


def _build_timeline(
    duty: Duty, filings: tuple[Filing, ...], history: FilingHistory, decisions: ReliefDecisions
) -> tuple[WireSegment, ...]:
    if duty.opens_at is None:
        return ()
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
        if duty.is_untracked:
            segment = _hide_untracked(segment)
        if not timeline or not has_same_answer(timeline[-1], segment):
            timeline.append(segment)
    return tuple(timeline)


def _hide_untracked(segment: WireSegment) -> WireSegment:
    """Return what an untracked duty says of itself: it does not apply, and what was reported serves comparisons."""
    return WireSegment(
        starts_at=segment.starts_at,
        status=Status.NOT_APPLICABLE,
        submissions=segment.submissions,
        evidence=segment.evidence,
        standing=None if segment.status in NOT_COMPARED else segment.standing,
    )


def _list_change_points(
    duty: Duty, start: datetime, filings: tuple[Filing, ...], decisions: ReliefDecisions
) -> list[datetime]:
    """Return *start* and the later instants at which the answer may change, in order."""
    # A set, because instants often coincide: a decision of the day on which a report came, a withdrawal at due.
    points = {
        duty.due_at,
        duty.agency_ends_at,
        duty.left_group_at,
        duty.superseded_at,
        *decisions.change_points(),
    }
    for one in filings:
        points.add(one.effective_at)
        points.add(one.ended_at)
        points.update([review.acts_at for review in one.reviews])
    return [start, *sorted([point for point in points if point is not None and point > start])]


def _build_segment(inputs: StatusInputs, history: FilingHistory, *, missed: datetime | None) -> WireSegment:
    relief, on_file = inputs.relief, inputs.on_file
    status = decide_status(inputs)
    evidence = [*history.evidence_at(inputs.at), *relief.evidence]
    return WireSegment(
        starts_at=inputs.at,
        status=status,
        due_at=relief.due_at,
        effective_at=on_file.effective_at,
        submissions=on_file.submissions,
        flags=decide_flags(inputs, status, missed=missed),
        missing=() if status in DISCHARGED else on_file.missing,
        evidence=tuple(dict.fromkeys(evidence)),
        standing=None if on_file.standing is None else refer_to(on_file.standing),
        returns=on_file.returns,
        respond_by=on_file.respond_by,
    )


def refer_to(submission: Submission) -> WireEventReference:
    """Return the identity of *submission* as a segment names it."""
    return WireEventReference(source=submission.source, id=submission.id)


def _find_flags(inputs: StatusInputs, status: Status, *, missed: datetime | None) -> Iterator[str]:
    on_file, relief = inputs.on_file, inputs.relief
    is_incomplete_past_due = status is Status.INCOMPLETE and inputs.is_past_due
    if is_incomplete_past_due:
        yield "past_due"
    due_at, sent_at = relief.due_at, on_file.first_sent_at
    was_sent_on_time = due_at is not None and sent_at is not None and sent_at < due_at
    if was_sent_on_time and (is_incomplete_past_due or status is Status.LATE):
        yield "first_sent_on_time"
    if relief.is_extended:
        yield "under_extension"
    # A late report is simply late; the flag tells of an overdue stretch that a later decision covered (ruling 9).
    if missed is not None and (relief.is_exempt or relief.due_at != missed):
        yield "was_overdue"
    if relief.is_exempt and not on_file.is_empty:
        yield "voluntary_report"
    if relief.has_refused_revocation:
        yield "revocation_refused"
    if inputs.has_agency_ended and _precedes_agency_end(on_file.first_sent_at, inputs.duty):
        yield "filing_kept"


def _precedes_agency_end(filed_at: datetime | None, duty: Duty) -> bool:
    return filed_at is not None and duty.agency_ends_at is not None and filed_at < duty.agency_ends_at
