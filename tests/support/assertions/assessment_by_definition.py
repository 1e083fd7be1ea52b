"""The timeline of a duty computed anew at every instant, straight from the rulings and without regard to cost.

The product computes the same step by step and must agree with it. What is missing from a report
and the table of statuses are taken from the product; what is written here once more is how
reports and decisions bear on each other, and when a dispatch counts.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TypeVar

from schemas.events.wire import WireSegment
from schemas.plan import calendar
from services.rules.core import assess, completeness
from services.rules.core.assess import DISCHARGED, StatusInputs
from services.rules.core.duty import Duty
from services.rules.core.facts import (
    Exemption,
    Extension,
    Fact,
    Reassignment,
    ReportAcceptance,
    ReportReturn,
    Review,
    Revocation,
    Submission,
    Withdrawal,
    arrival_order,
    identity,
)
from services.rules.core.relief import ReliefState
from services.rules.core.submissions.reports_in_effect import FilingStatus
from tests.support.assertions.report_by_definition import JudgedReport, Report, find_returns, judge

Named = TypeVar("Named", Submission, Exemption)


def timeline_by_definition(duty: Duty, facts: Iterable[Fact]) -> tuple[WireSegment, ...]:
    """Return the timeline of *duty*, asked at every instant that the facts or the duty name."""
    if duty.opens_at is None:
        return ()
    known = _first_recorded(facts)
    reports = _find_reports(duty, known)
    instants = {point for fact in known for point in _name_instants(duty, fact)}
    instants |= {point for point in (duty.due_at, duty.agency_ends_at, duty.left_group_at) if point is not None}
    timeline: list[WireSegment] = []
    missed: datetime | None = None
    for instant in [duty.opens_at, *sorted(point for point in instants if point > duty.opens_at)]:
        relief = _find_relief(duty, known, instant)
        on_file = _find_status(reports, instant, relief.due_at, duty.key.agency)
        inputs = StatusInputs(duty=duty, at=instant, relief=relief, on_file=on_file)
        status = assess.decide_status(inputs)
        evidence = [name for one in reports for name in _find_evidence(one, instant)]
        segment = WireSegment(
            starts_at=instant,
            status=status,
            due_at=relief.due_at,
            effective_at=on_file.effective_at,
            submissions=on_file.submissions,
            flags=assess.decide_flags(inputs, status, missed=missed),
            missing=() if status in DISCHARGED else on_file.missing,
            evidence=tuple(dict.fromkeys([*evidence, *relief.evidence])),
            standing=None if on_file.standing is None else assess.refer_to(on_file.standing),
            returns=on_file.returns,
            respond_by=on_file.respond_by,
        )
        if missed is None and status.value == "overdue":
            missed = segment.due_at
        if not timeline or not assess.has_same_answer(timeline[-1], segment):
            timeline.append(segment)
    return tuple(timeline)


def _first_recorded(facts: Iterable[Fact]) -> list[Fact]:
    first: dict[tuple[str, str], Fact] = {}
    for fact in sorted(facts, key=lambda one: (one.recorded_at, one.received_at, repr(one))):
        first.setdefault(identity(fact), fact)
    return sorted(first.values(), key=arrival_order)


def _proof_of(duty: Duty, submission: Submission) -> bool | None:
    """Return whether the proof of dispatch holds (rulings 2 and 12); None where none is stated, or none would count."""
    basis = "dispatch" if duty.version is None or duty.version.due is None else duty.version.due.basis
    if basis != "dispatch" or submission.proof == "none":
        return None
    if submission.proof not in {"postmark", "exchange-log", "mail-gateway"} or submission.sent_at is None:
        return False
    sent_on = submission.sent_at.astimezone(duty.zone).date()
    is_after_issue = all(sent_on >= day for day in (duty.plan_issued_on, submission.report.issued_on) if day)
    return submission.is_proof_permitted and submission.has_proof_reference and is_after_issue


def _effective_at(duty: Duty, submission: Submission) -> datetime:
    if _proof_of(duty, submission) and submission.sent_at is not None:
        return min(submission.sent_at, submission.received_at)
    return submission.received_at


def _name_instants(duty: Duty, fact: Fact) -> list[datetime]:
    match fact:
        case Submission():
            return [fact.received_at, _effective_at(duty, fact)]
        case Withdrawal() | Reassignment() | ReportReturn() | ReportAcceptance():
            return [fact.received_at]
        case Exemption():
            return [fact.received_at, _takes_effect_at(duty, fact), fact.from_, fact.until]
        case Extension() | Revocation():
            named = [fact.received_at, _takes_effect_at(duty, fact)]
            return named if fact.due_at is None else [*named, fact.due_at]


def _find_named(among: Iterable[Named], event_id: str, source: str) -> Named | None:
    found = [one for one in among if one.id == event_id]
    return next((one for one in found if one.source == source), found[0] if found else None)


def _find_reports(duty: Duty, known: Sequence[Fact]) -> list[Report]:
    submissions = [one for one in known if isinstance(one, Submission)]
    moves: dict[tuple[str, str], list[Reassignment]] = {identity(one): [] for one in submissions}
    periods = {identity(one): one.period for one in submissions}
    for move in known:
        if isinstance(move, Reassignment):
            target = _find_named(submissions, move.submission, move.source)
            if target is not None and periods[identity(target)] == move.from_period:
                moves[identity(target)].append(move)
                periods[identity(target)] = move.to_period
    withdrawals: dict[tuple[str, str], list[Withdrawal]] = {identity(one): [] for one in submissions}
    for one in known:
        if isinstance(one, Withdrawal):
            target = _find_named(submissions, one.withdraws, one.source)
            if target is not None:
                withdrawals[identity(target)].append(one)
    reviews: dict[tuple[str, str], list[Review]] = {identity(one): [] for one in submissions}
    for one in known:
        if isinstance(one, ReportReturn | ReportAcceptance):
            target = _find_named(submissions, one.submission, one.source)
            if target is not None:
                reviews[identity(target)].append(one)
    may_file = {duty.key.agency, *duty.successors}
    filed = [one for one in submissions if one.filed_by in may_file and periods[identity(one)] == duty.key.period]
    return [
        replace(
            _build_report(duty, one, moves[identity(one)], withdrawals[identity(one)]),
            corrects=_follow_corrections(one, filed),
            reviews=tuple(reviews[identity(one)]),
        )
        for one in filed
    ]


def _build_report(
    duty: Duty, submission: Submission, moves: Sequence[Reassignment], withdrawals: Sequence[Withdrawal]
) -> Report:
    since = _effective_at(duty, submission)
    return Report(
        submission=submission,
        corrects=(),
        effective_at=since,
        ended_at=max(since, withdrawals[0].received_at) if withdrawals else None,
        missing=completeness.find_missing(duty.requirements, submission.report),
        moved_by=tuple(move.id for move in moves),
        ended_by=tuple(one.id for one in withdrawals[:1]),
        is_unproven=_proof_of(duty, submission) is False,
    )


def _follow_corrections(one: Submission, filed: Sequence[Submission]) -> tuple[Submission, ...]:
    """Return all that *one* corrects, as far as that is known and is in no circle (ruling 13)."""
    found: list[Submission] = []
    while (target := _find_target(one, filed)) is not None and not _is_in_circle(one, filed):
        found.append(target)
        one = target
    return tuple(found)


def _find_target(one: Submission, filed: Sequence[Submission]) -> Submission | None:
    return None if one.corrects is None else _find_named(filed, one.corrects, one.source)


def _is_in_circle(one: Submission, filed: Sequence[Submission]) -> bool:
    target = _find_target(one, filed)
    for _ in filed:
        if target is None or target is one:
            break
        target = _find_target(target, filed)
    return target is one


def _group_reports(reports: Sequence[Report]) -> list[list[Report]]:
    """Return the groups joined by correction or by being copies, each in order of arrival."""
    groups = [[one] for one in reports]

    def are_joined(one: Report, other: Report) -> bool:
        return one.is_copy_of(other) or one.submission in other.corrects or other.submission in one.corrects

    while True:
        joined = next(
            (
                (group, other)
                for group in groups
                for other in groups
                if group is not other and any(are_joined(one, two) for one in group for two in other)
            ),
            None,
        )
        if joined is None:
            return sorted(
                [sorted(group, key=lambda one: arrival_order(one.submission)) for group in groups],
                key=lambda group: arrival_order(group[0].submission),
            )
        joined[0].extend(joined[1])
        groups.remove(joined[1])


def _find_status(reports: Sequence[Report], instant: datetime, due_at: datetime | None, agency: str) -> FilingStatus:
    in_effect = [one for one in reports if one.is_in_effect(instant)]
    was_withdrawn = any(one.ended_at is not None and one.ended_at <= instant for one in reports)
    withdrawn = {"withdrawn"} if was_withdrawn else set()
    if not in_effect:
        returns = sum(len(find_returns(group, instant)) for group in _group_reports(reports))
        return FilingStatus(flags=frozenset(withdrawn), returns=returns)
    # Reports stay in one group, whether or not what joins them is in effect.
    whole = _group_reports(reports)
    found = [(group, judge(group, instant)) for group in whole]
    judged = sorted(
        [(arrival_order(_in_effect_of(group, instant)[0].submission), group, one) for group, one in found if one],
        key=lambda entry: entry[0],
    )
    groups = [_in_effect_of(group, instant) for _, group, _ in judged]
    current = [one for _, _, one in judged]
    complete = [one for one in current if one.counts_at is not None]
    first_sent_at = min(one.effective_at for one in in_effect)
    if complete:
        deciding = min(complete, key=lambda one: one.counts_at or instant)
    else:
        deciding = max(current, key=lambda one: one.current.effective_at)
    held_by = [] if complete else [one.held_by for one in current if one.held_by is not None]
    last_return = max(held_by, key=arrival_order, default=None)
    flags = _find_flags(groups, deciding.current, due_at, agency)
    flags |= {"accepted"} if any(one.is_accepted for one in current) else set()
    flags |= {"returned_and_corrected"} if deciding.is_given_back else set()
    return FilingStatus(
        submissions=len(groups),
        is_complete=bool(complete),
        effective_at=deciding.counts_at or first_sent_at,
        first_sent_at=first_sent_at,
        missing=(*(["returned"] if last_return else []), *deciding.current.missing),
        standing=_find_standing(current).submission,
        flags=frozenset(withdrawn | flags),
        returns=sum(len(find_returns(group, instant)) for group in whole),
        respond_by=last_return.respond_by if last_return else None,
    )


def _in_effect_of(group: Sequence[Report], instant: datetime) -> list[Report]:
    return [one for one in group if one.is_in_effect(instant)]


def _find_standing(judged: Sequence[JudgedReport]) -> Report:
    """Return the current report of the complete document that took effect last, else of the last incomplete one."""
    complete = [(one.counts_at, place, one.current) for place, one in enumerate(judged) if one.counts_at is not None]
    if complete:
        return max(complete, key=lambda entry: entry[:2])[2]
    # Of several that took effect at one instant the first received stands, as it also decides.
    return max(enumerate(judged), key=lambda entry: (entry[1].current.effective_at, -entry[0]))[1].current


def _find_flags(groups: Sequence[Sequence[Report]], deciding: Report, due_at: datetime | None, agency: str) -> set[str]:
    in_effect = [one for group in groups for one in group]
    found = {
        "duplicate": any(one.is_copy_of(other) for one in in_effect for other in in_effect),
        "needs_reconciliation": len(groups) > 1,
        "filed_by_successor": any(one.submission.filed_by != agency for one in in_effect),
        "dispatch_unproven": any(one.is_unproven for one in in_effect),
        "nil_return": deciding.submission.report.is_nil_return,
        "amended_after_deadline": due_at is not None
        and any(
            later.effective_at >= due_at and not earlier.missing and len(earlier.corrects) < len(later.corrects)
            for group in groups
            for later in group
            for earlier in group
        ),
    }
    return {flag for flag, is_raised in found.items() if is_raised}


def _find_evidence(one: Report, instant: datetime) -> tuple[str, ...]:
    if one.effective_at > instant:
        return ()
    reviews = sorted(one.reviews, key=one.acts_at)
    return (
        one.submission.id,
        *one.moved_by,
        *[each.id for each in reviews if one.acts_at(each) <= instant],
        *(one.ended_by if one.is_withdrawn(instant) else ()),
    )


def _takes_effect_at(duty: Duty, decision: Extension | Exemption | Revocation) -> datetime:
    return calendar.midnight(decision.decided_on, duty.zone)


def _find_relief(duty: Duty, known: Sequence[Fact], instant: datetime) -> ReliefState:
    """Return what the decisions that have taken effect make of the duty, applied one after the other (ruling 9)."""
    decisions = [one for one in known if isinstance(one, Extension | Exemption | Revocation)]
    decisions.sort(key=lambda one: (_takes_effect_at(duty, one), isinstance(one, Revocation), one.source, one.id))
    relief = Relief(duty=duty, instant=instant, due_at=duty.due_at)
    for one in decisions:
        if _takes_effect_at(duty, one) > instant:
            break
        match one:
            case Exemption():
                relief.exemptions.append(one)
            case Extension():
                relief.extend(one)
            case Revocation():
                relief.revoke(
                    one, _find_named([e for e in known if isinstance(e, Exemption)], one.exemption, one.source)
                )
    releasing = [one.id for one in relief.exemptions if relief.is_released_by(one)]
    return ReliefState(
        due_at=relief.due_at,
        is_exempt=bool(releasing),
        is_extended=relief.is_extended,
        has_refused_revocation=relief.has_refused,
        evidence=(*relief.evidence, *releasing),
    )


@dataclass(kw_only=True)
class Relief:
    """The decisions applied so far, as of an instant."""

    duty: Duty
    instant: datetime
    due_at: datetime | None
    is_extended: bool = False
    has_refused: bool = False
    evidence: list[str] = field(default_factory=list)
    exemptions: list[Exemption] = field(default_factory=list)

    def is_released_by(self, exemption: Exemption) -> bool:
        """Whether the due instant, or for an undated duty the instant, lies inside the exemption."""
        return exemption.from_ <= (self.due_at or self.instant) < exemption.until

    def extend(self, extension: Extension) -> None:
        """Move the due instant on."""
        if extension.period == self.duty.key.period and self.due_at is not None and extension.due_at > self.due_at:
            self.due_at, self.is_extended = extension.due_at, True
            self.evidence.append(extension.id)

    def revoke(self, revocation: Revocation, exemption: Exemption | None) -> None:
        """End the exemption, or refuse the revocation because it comes too late."""
        since, due_at = _takes_effect_at(self.duty, revocation), self.duty.due_at
        is_too_late = due_at is not None and since >= self.duty.one_period_after(due_at)
        if is_too_late or exemption is None or exemption not in self.exemptions:
            return
        was_released = self.is_released_by(exemption)
        if was_released:
            self.evidence.append(revocation.id)
        if revocation.due_at is None or revocation.due_at <= max(since, revocation.received_at):
            self.has_refused = self.has_refused or was_released
            return
        self.exemptions.remove(exemption)
        if was_released and self.due_at is not None:
            self.due_at = max(self.due_at, revocation.due_at)
