"""The notices a duty calls for: what an agency is told besides reminders and urgings, when it has become so.

Missing parts are always told. A return is told where the duty has reminders; what else is told the plan says
(`notices`): that a period has opened, that a report is complete, that a decision moved or lifted the due instant, that
another agency owes the report from now on.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

import msgspec

from schemas.events.assessments import Status, StepKind
from schemas.events.wire import WireNotice, WireReturnedReport, WireSegment, WireStep
from schemas.plan.plan import Notice, Reminders
from services.rules.core import relief
from services.rules.core.assess import DISCHARGED, Assessment
from services.rules.core.facts import Exemption, Extension, Submission
from services.rules.core.submissions.filings import Filing

# An agency is not told of a return where it does not owe the report, or no longer exists to correct it.
NOT_TOLD = frozenset({Status.NOT_APPLICABLE, Status.SUPERSEDED, Status.ENDED_NO_SUCCESSOR})

# A new due instant is news while the report is still to come.
_STILL_OWED = frozenset({Status.PENDING, Status.INCOMPLETE, Status.OVERDUE})
_OPEN = frozenset({Status.PENDING, Status.OPEN})

_INSTANT = timedelta(microseconds=1)


def plan_notices(assessment: Assessment, reminders: Reminders) -> Iterator[WireStep]:
    """Yield the notices that the *assessment* calls for under *reminders*, in no order."""
    yield from _plan_incomplete_notices(assessment)
    if not reminders.is_empty:
        yield from _plan_return_notices(assessment)
    if not reminders.notices or not assessment.timeline:
        return
    if Notice.OPENING in reminders.notices:
        yield from _plan_opening(assessment.timeline[0])
    if Notice.RECEIVED in reminders.notices:
        yield from _plan_received_notices(assessment)
    yield from _plan_decision_notices(assessment, reminders)
    if Notice.SUCCESSION in reminders.notices:
        yield from _plan_succession_notices(assessment)


def plan_received_notice(segment: WireSegment, report: Submission) -> WireStep:
    """Return the notice that *report* discharged the duty, in *segment*; it goes out once the report is here."""
    return WireStep(
        kind=StepKind.RECEIVED,
        step=f"received:{report.id}",
        at=max(report.received_at, segment.starts_at),
        due_at=segment.due_at,
        notice=WireNotice(document=report.report.number, effective_at=segment.effective_at),
    )


def _plan_incomplete_notices(assessment: Assessment) -> Iterator[WireStep]:
    """Yield a notice for each incomplete report, once for the same missing parts."""
    notified: set[tuple[str, ...]] = set()
    for filing in assessment.filings:
        if filing.is_complete or filing.missing in notified:
            continue
        received_at = filing.submission.received_at
        segment = assessment.at(received_at)
        if segment.status is Status.INCOMPLETE:
            notified.add(filing.missing)
            yield WireStep(
                kind=StepKind.INCOMPLETE,
                step=f"incomplete:{filing.submission.id}",
                at=received_at,
                due_at=segment.due_at,
            )


def _plan_return_notices(assessment: Assessment) -> Iterator[WireStep]:
    """Yield a notice for each return that acts on a current version while the agency has the duty."""
    for one in assessment.returns:
        segment = assessment.at(one.acted_at)
        if segment.status not in NOT_TOLD:
            fact = one.fact
            yield WireStep(
                kind=StepKind.RETURNED,
                step=f"returned:{fact.id}",
                at=one.acted_at,
                due_at=segment.due_at,
                returned=WireReturnedReport(submission=fact.submission, reason=fact.reason, respond_by=fact.respond_by),
            )


def _plan_opening(first: WireSegment) -> Iterator[WireStep]:
    if first.status in _OPEN:
        yield WireStep(kind=StepKind.OPENING, step="opening", at=first.starts_at, due_at=first.due_at)


def _plan_received_notices(assessment: Assessment) -> Iterator[WireStep]:
    """Yield a notice each time a report discharges the duty; a correction of a complete report is not told again."""
    filings: dict[tuple[str, str], Filing] = {
        (one.submission.source, one.submission.id): one for one in assessment.filings
    }
    was_discharged = False
    for segment in assessment.timeline:
        is_discharged = segment.status in DISCHARGED
        if is_discharged and not was_discharged and segment.standing is not None:
            filing = filings[segment.standing.source, segment.standing.id]
            yield plan_received_notice(segment, filing.submission)
        was_discharged = is_discharged


def _plan_decision_notices(assessment: Assessment, reminders: Reminders) -> Iterator[WireStep]:
    """Yield a notice for each extension and exemption that the duty stands under once it is known and in effect."""
    opens_at = assessment.timeline[0].starts_at
    for decision in assessment.decisions:
        takes_effect_at = relief.takes_effect_at(decision, assessment.duty)
        at = max(decision.received_at, takes_effect_at)
        match decision:
            case Extension() if Notice.EXTENSION in reminders.notices:
                segment = assessment.at(at)
                if segment.due_at == decision.due_at and segment.status in _STILL_OWED:
                    former = assessment.at(takes_effect_at - _INSTANT).due_at or assessment.duty.due_at
                    notice = WireNotice(decided_on=decision.decided_on, former_due_at=former)
                    yield _tell(StepKind.EXTENSION, f"extension:{decision.id}", at, segment, notice=notice)
            case Exemption() if Notice.EXEMPTION in reminders.notices:
                # Of an undated duty it counts from its own beginning, of a period to come from its opening.
                at = at if assessment.duty.due_at is not None else max(at, decision.from_)
                segment = assessment.at(max(at, opens_at))
                if segment.status is Status.EXEMPT and decision.id in segment.evidence:
                    notice = WireNotice(decided_on=decision.decided_on)
                    yield _tell(StepKind.EXEMPTION, f"exemption:{decision.id}", at, segment, notice=notice)
            case _:
                pass


def _plan_succession_notices(assessment: Assessment) -> Iterator[WireStep]:
    """Yield a notice to the agency that ends and one to each heir, where the open duty passes to them."""
    duty = assessment.duty
    passing = next((one for one in assessment.timeline if one.status is Status.SUPERSEDED), None)
    if passing is None or not duty.heirs or duty.agency_ends_at is None or passing.starts_at < duty.agency_ends_at:
        return
    step = _tell(StepKind.SUCCESSION, "succession", passing.starts_at, passing, notice=WireNotice(heirs=duty.heirs))
    yield step
    yield from (msgspec.structs.replace(step, to=heir) for heir in duty.heirs)


def _tell(kind: StepKind, step: str, at: datetime, segment: WireSegment, *, notice: WireNotice) -> WireStep:
    return WireStep(kind=kind, step=step, at=at, due_at=segment.due_at, notice=notice)
