"""The notices a duty calls for: what an agency is told besides reminders and urgings, when it has become so.

Missing parts are always told. A return is told where the duty has reminders; what else is told the plan says
(`notices`): that a period has opened, that a report is complete, that a decision moved or lifted the due instant, that
another agency owes the report from now on.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import zip_longest

import msgspec

from schemas.events.assessments import Status, StepKind
from schemas.events.wire import WireNotice, WireReturnedReport, WireSegment, WireStep
from schemas.plan.plan import Notice, Reminders
from services.rules.core import relief
from services.rules.core.assess import DISCHARGED, Assessment
from services.rules.core.facts import Exemption, Extension, Submission, arrival_order
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


def plan_received_notice(
    report: Submission, *, starts_at: datetime, due_at: datetime | None, effective_at: datetime | None
) -> WireStep:
    """Return the notice that *report* discharged the duty from *starts_at* on; it goes out once the report is here.

    It goes to whoever filed it: the agency whose duty it is may have ended.
    """
    return WireStep(
        kind=StepKind.RECEIVED,
        step=f"received:{report.id}",
        at=max(report.received_at, starts_at),
        due_at=due_at,
        to="self" if report.filed_by == report.agency else report.filed_by,
        notice=WireNotice(document=report.report.number, effective_at=effective_at),
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
    """Yield a notice each time a report discharges the duty; copies and corrections of it are not told again."""
    complete = sorted(
        (one for one in assessment.filings if one.is_complete), key=lambda one: arrival_order(one.submission)
    )
    begun: WireSegment | None = None
    for segment, following in zip_longest(assessment.timeline, assessment.timeline[1:]):
        if segment.status not in DISCHARGED:
            begun = None
            continue
        begun = begun or segment
        if following is None or following.status not in DISCHARGED:
            yield from _tell_first_received(assessment, begun, complete, until=following)


def _tell_first_received(
    assessment: Assessment, begun: WireSegment, complete: Sequence[Filing], *, until: WireSegment | None
) -> Iterator[WireStep]:
    """Yield the notice of the first report that came of those that discharged the duty from *begun* on.

    The first one to come is the same whatever arrives later. A copy that was dispatched earlier only moves the time.
    """
    is_first = begun.starts_at == assessment.timeline[0].starts_at
    for filing in complete:
        is_late_enough = is_first or begun.starts_at <= filing.effective_at
        if is_late_enough and (until is None or filing.effective_at < until.starts_at):
            yield plan_received_notice(
                filing.submission, starts_at=begun.starts_at, due_at=begun.due_at, effective_at=begun.effective_at
            )
            return


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
                    notice = WireNotice(
                        decided_on=decision.decided_on,
                        decision=decision.decision,
                        reason=decision.reason,
                        former_due_at=former,
                    )
                    yield _tell(StepKind.EXTENSION, f"extension:{decision.id}", at, segment, notice=notice)
            case Exemption() if Notice.EXEMPTION in reminders.notices:
                # Of an undated duty it counts from its own beginning, of a period to come from its opening.
                at = at if assessment.duty.due_at is not None else max(at, decision.from_)
                segment = assessment.at(max(at, opens_at))
                if segment.status is Status.EXEMPT and decision.id in segment.evidence:
                    notice = WireNotice(
                        decided_on=decision.decided_on,
                        decision=decision.decision,
                        reason=decision.reason,
                        exempt_from=decision.from_,
                        exempt_until=decision.until,
                    )
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
