"""From the facts known about a duty, its status as a piecewise-constant function of time, the future included.

The assessment depends on the *set* of facts: their order, repetition and the time of asking change nothing. There is
no clock here.
"""

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from schemas.assessments import Status
from services.rules.core.duty import Duty
from services.rules.core.facts import Fact, arrival, identity
from services.rules.core.filings import Filing, filings
from services.rules.core.relief import Reliefs, Relieved
from services.rules.core.standing import Standing, standing

FLAGS = (
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
"""The order in which flags are told; `inherited_by_ID` comes last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """The answer that holds from `starts_at` until the next segment begins."""

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
        return replace(other, starts_at=self.starts_at) == self


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """The status of one duty as a function of time.

    The timeline starts where the duty starts and is empty where it never binds.
    """

    duty: Duty
    timeline: tuple[Segment, ...]
    filings: tuple[Filing, ...]

    def at(self, instant: datetime) -> Segment:
        """Return the segment in force at *instant*; before the first one the obligation does not bind."""
        index = bisect_right(self.timeline, instant, key=lambda one: one.starts_at)
        return self.timeline[index - 1] if index else Segment(starts_at=instant, status=Status.NOT_APPLICABLE)


def assess(duty: Duty, facts: Iterable[Fact]) -> Assessment:
    """Assess *duty* from the *facts* of its docket (same plan, agency and obligation), in any order."""
    known = _distinct(facts)
    filed = filings(duty, known)
    if duty.opens_at is None:
        return Assessment(duty=duty, timeline=(), filings=filed)
    reliefs = Reliefs(duty, known)
    turning = _turning_points(duty, filed, reliefs)
    timeline: list[Segment] = []
    was_overdue = False
    for instant in turning:
        segment = _segment(duty, filed, reliefs.at(instant), instant, was_overdue=was_overdue)
        was_overdue = was_overdue or segment.status is Status.OVERDUE
        if not timeline or not timeline[-1].says_the_same(segment):
            timeline.append(segment)
    return Assessment(duty=duty, timeline=tuple(timeline), filings=filed)


def _distinct(facts: Iterable[Fact]) -> list[Fact]:
    """Return each fact once, the first recorded where an identity comes with two contents, in order of arrival."""
    first: dict[tuple[str, str], Fact] = {}
    for fact in facts:
        name = identity(fact)
        if name not in first or _precedence(fact) < _precedence(first[name]):
            first[name] = fact
    return sorted(first.values(), key=arrival)


def _precedence(fact: Fact) -> tuple[datetime, datetime, str]:
    return fact.recorded_at, fact.received_at, repr(fact)


def _turning_points(duty: Duty, filed: tuple[Filing, ...], reliefs: Reliefs) -> list[datetime]:
    start = duty.opens_at
    if start is None:
        return []
    points = {duty.due_at, duty.ends_at, duty.left_at, *reliefs.turning_points()}
    points |= {one.effective_at for one in filed} | {one.ended_at for one in filed}
    return [start, *sorted(point for point in points if point is not None and point > start)]


def _segment(duty: Duty, filed: tuple[Filing, ...], relief: Relieved, at: datetime, *, was_overdue: bool) -> Segment:
    on_file = standing(filed, at=at, due_at=relief.due_at, agency=duty.key.agency)
    status = _status(duty, on_file, relief, at)
    discharged = status in {Status.ON_TIME, Status.LATE, Status.FULFILLED}
    return Segment(
        starts_at=at,
        status=status,
        due_at=relief.due_at,
        effective_at=on_file.effective_at,
        submissions=on_file.submissions,
        flags=_flags(duty, on_file, relief, at, _Context(status=status, was_overdue=was_overdue)),
        missing=() if discharged else on_file.missing,
        evidence=_evidence(filed, relief, at),
    )


def _status(duty: Duty, on_file: Standing, relief: Relieved, at: datetime) -> Status:
    if duty.left_at is not None and at >= duty.left_at:
        return Status.NOT_APPLICABLE
    if relief.is_exempt:
        return Status.EXEMPT
    if _has_passed_on(duty, relief, at) and not _was_discharged(duty, on_file):
        return Status.SUPERSEDED if duty.heirs else Status.ENDED_NO_SUCCESSOR
    if on_file.is_complete:
        return _discharged(on_file, relief.due_at)
    if not on_file.is_empty:
        return Status.INCOMPLETE
    if relief.due_at is None:
        return Status.OPEN
    return Status.OVERDUE if at >= relief.due_at else Status.PENDING


def _discharged(on_file: Standing, due_at: datetime | None) -> Status:
    if due_at is None or on_file.effective_at is None:
        return Status.FULFILLED
    return Status.ON_TIME if on_file.effective_at < due_at else Status.LATE


def _has_passed_on(duty: Duty, relief: Relieved, at: datetime) -> bool:
    """Whether the agency ended by *at* and before due; one that ended later keeps its state (ruling 7)."""
    if duty.ends_at is None or at < duty.ends_at:
        return False
    return relief.due_at is None or duty.ends_at < relief.due_at


def _was_discharged(duty: Duty, on_file: Standing) -> bool:
    if duty.ends_at is None or on_file.effective_at is None:
        return False
    return on_file.is_complete and on_file.effective_at < duty.ends_at


@dataclass(frozen=True, slots=True, kw_only=True)
class _Context:
    status: Status
    was_overdue: bool


def _flags(duty: Duty, on_file: Standing, relief: Relieved, at: datetime, seen: _Context) -> tuple[str, ...]:
    due_at = relief.due_at
    found = set(on_file.flags)
    is_past_due = due_at is not None and at >= due_at
    unsettled = seen.status is Status.LATE or (seen.status is Status.INCOMPLETE and is_past_due)
    if unsettled and due_at is not None and on_file.first_sent_at is not None and on_file.first_sent_at < due_at:
        found.add("first_sent_on_time")
    if seen.status is Status.INCOMPLETE and is_past_due:
        found.add("past_due")
    if relief.is_extended:
        found.add("under_extension")
    if seen.was_overdue and (relief.is_exempt or due_at != duty.due_at):
        found.add("was_overdue")
    if relief.is_exempt and not on_file.is_empty:
        found.add("voluntary_report")
    if relief.has_refused_revocation:
        found.add("revocation_refused")
    if _has_passed_on(duty, relief, at) and _was_filed_before_end(duty, on_file):
        found.add("filing_kept")
    inherited = [f"inherited_by_{heir}" for heir in duty.heirs] if seen.status is Status.SUPERSEDED else []
    return (*(flag for flag in FLAGS if flag in found), *inherited)


def _was_filed_before_end(duty: Duty, on_file: Standing) -> bool:
    return duty.ends_at is not None and on_file.first_sent_at is not None and on_file.first_sent_at < duty.ends_at


def _evidence(filed: tuple[Filing, ...], relief: Relieved, at: datetime) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*(name for one in filed for name in one.evidence_at(at)), *relief.evidence)))
