"""The sentence that explains the status of a duty, made of half-sentences that each name the events behind them.

For example: "Đúng hạn: báo cáo số 910/BC-UBND đủ nội dung, nhận lúc 15:20 ngày 06/12/2024; trước hạn (hết ngày
09/12/2024) 3 ngày." The status follows from the timeline alone; the facts only tell which documents and decisions it
rests on. So a fact that is not stored yet leaves a half-sentence shorter, and never wrong.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from typing import assert_never

from schemas.events.assessments import Status
from services.reporting.core import labels
from services.reporting.core.duty_lines import INHERITED_BY
from services.reporting.core.evidence import duty_facts
from services.reporting.core.evidence.duty_evidence import DutyEvidence
from services.reporting.core.evidence.duty_facts import DutyFact, ExemptionDetails, ReturnDetails
from services.reporting.core.evidence.half_sentences import ExplanationPart, HalfSentences
from services.reporting.core.evidence.wording import Wording
from services.reporting.core.timeline import StatusSpan

# The part that a returned report lacks before all others (ruling 14).
RETURNED = "returned"

# The beginning of a condition among the missing parts.
CHECKS = "checks."


def explain_status(evidence: DutyEvidence) -> tuple[ExplanationPart, ...]:
    """Return the half-sentences that explain the status of a duty, in the order in which they are read."""
    halves = HalfSentences(evidence)
    parts = list(_explain(halves))
    marks = (*(";" for _ in parts[1:]), ".")
    lead = ExplanationPart(text=_lead(halves), mark=":" if parts else ".")
    return (lead, *(replace(part, mark=mark) for part, mark in zip(parts, marks, strict=False)))


def join_parts(parts: Iterable[ExplanationPart]) -> str:
    """Return the whole sentence."""
    return " ".join(f"{one.text}{one.mark}" for one in parts)


def describe_gaps(evidence: DutyEvidence, missing: Iterable[str], words: Wording) -> str:
    """Return what a report lacks and which conditions it does not meet. A return is told elsewhere."""
    named = [one for one in missing if one != RETURNED]
    parts = ", ".join(evidence.name_part(one) for one in named if not one.startswith(CHECKS))
    checks = ", ".join(evidence.name_part(one) for one in named if one.startswith(CHECKS))
    lacks = [words.choose(vi=f"thiếu {parts}", en=f"lacks {parts}")] if parts else []
    fails = [words.choose(vi=f"chưa đạt {checks}", en=f"fails {checks}")] if checks else []
    return words.choose(vi=" và ", en=" and ").join((*lacks, *fails))


def _lead(halves: HalfSentences) -> str:
    """Return the status in words, with the days that it is late."""
    line, words = halves.evidence.line, halves.words
    label = labels.status_label(line.status, words.language)
    if line.status is not Status.LATE or not line.days_late:
        return label
    days = words.days(line.days_late)
    return words.choose(vi=f"{label} {days}", en=f"{label} by {days}")


def _explain(halves: HalfSentences) -> Iterator[ExplanationPart]:
    status = halves.evidence.line.status
    match status:
        case Status.ON_TIME | Status.LATE | Status.FULFILLED:
            yield from _explain_complete(halves)
        case Status.INCOMPLETE:
            yield from _explain_incomplete(halves)
        case Status.OVERDUE | Status.PENDING | Status.OPEN:
            yield from _explain_nothing_on_file(halves)
        case Status.EXEMPT:
            yield from _explain_exemption(halves)
        case Status.SUPERSEDED:
            yield from _explain_succession(halves)
        case Status.ENDED_NO_SUCCESSOR:
            yield from _explain_end(halves)
        case Status.NOT_APPLICABLE:
            yield _explain_not_applicable(halves)
        case _:
            assert_never(status)


def _explain_complete(halves: HalfSentences) -> Iterator[ExplanationPart]:
    discharging, standing = _find_discharging(halves), halves.standing
    yield _tell_report(halves, discharging)
    if halves.evidence.line.status is Status.ON_TIME:
        yield halves.tell_met_deadline()
    elif halves.evidence.line.due_at is not None:
        yield halves.tell_deadline()
    yield from _tell_earlier_versions(halves)
    if standing is not None and standing != discharging:
        name, at = halves.words.report(standing.report), halves.words.instant(standing.fact.received_at)
        vi, en = f"nội dung đang tính là {name}, nhận lúc {at}", f"what counts is {name}, received at {at}"
        yield halves.say(standing, vi=vi, en=en)
    yield from halves.tell_remarks()


def _tell_report(halves: HalfSentences, discharging: DutyFact | None) -> ExplanationPart:
    """Say which report discharged the duty, and by whose word it counts as sent at that time."""
    words, effective_at = halves.words, halves.evidence.state.span.effective_at
    report = discharging.report if discharging else None
    name = words.report(report)
    if effective_at is None:
        return halves.say(discharging, vi=f"{name} đủ nội dung", en=f"{name} is complete")
    at = words.instant(effective_at)
    if discharging is not None and report is not None and discharging.fact.received_at != effective_at:
        proof, arrived = words.proof(report.proof), words.instant(discharging.fact.received_at)
        return halves.say(
            discharging,
            vi=f"{name} đủ nội dung, gửi lúc {at} theo {proof}, nhận lúc {arrived}",
            en=f"{name} is complete, sent at {at} by {proof}, received at {arrived}",
        )
    vi, en = f"{name} đủ nội dung, nhận lúc {at}", f"{name} is complete, received at {at}"
    return halves.say(discharging, vi=vi, en=en)


def _tell_earlier_versions(halves: HalfSentences) -> Iterator[ExplanationPart]:
    """Say in what way the version before was not complete, if there was one."""
    evidence, words = halves.evidence, halves.words
    earlier = [one for one in evidence.past_spans[:-1] if one.status is Status.INCOMPLETE]
    if not earlier:
        return
    last = earlier[-1]
    report = duty_facts.find_report(evidence.facts, last.standing)
    name = words.report(report.report if report else None)
    if RETURNED in last.missing:
        returned = _find_return(halves, last)
        at = words.instant(returned.fact.received_at if returned else last.from_at)
        vi, en = f"{name} bị trả lại lúc {at}, đã được hoàn thiện", f"{name} was returned at {at}, and was corrected"
        yield halves.say(returned, vi=vi, en=en)
        return
    at = words.instant(report.fact.received_at if report else last.from_at)
    gaps = describe_gaps(evidence, last.missing, words)
    vi, en = (
        f"trước đó {name}, nhận lúc {at}, còn {gaps}",
        f"the version before, {name} received at {at}, was incomplete: it {gaps}",
    )
    yield halves.say(report, vi=vi, en=en)


def _explain_incomplete(halves: HalfSentences) -> Iterator[ExplanationPart]:
    evidence, words, standing = halves.evidence, halves.words, halves.standing
    if RETURNED in evidence.line.missing:
        yield _tell_return(halves)
    elif standing is not None:
        name, at = words.report(standing.report), words.instant(standing.fact.received_at)
        yield halves.say(standing, vi=f"{name} nhận lúc {at}", en=f"{name} was received at {at}")
    gaps = describe_gaps(evidence, evidence.line.missing, words)
    if gaps:
        yield halves.say(standing, vi=f"còn {gaps}", en=f"it {gaps}")
    if evidence.line.due_at is not None:
        yield halves.tell_deadline()
    yield from halves.tell_remarks()
    yield from halves.tell_urging()


def _tell_return(halves: HalfSentences) -> ExplanationPart:
    words, standing = halves.words, halves.standing
    name = words.report(standing.report if standing else None)
    returned = _find_return(halves, halves.evidence.state.span)
    if returned is None or not isinstance(returned.details, ReturnDetails):
        return halves.say(standing, vi=f"{name} bị trả lại", en=f"{name} was returned")
    at, reason, respond_by = (
        words.instant(returned.fact.received_at),
        returned.details.reason,
        returned.details.respond_by,
    )
    vi = f"{name} bị trả lại lúc {at} với lý do “{reason}”"
    en = f"{name} was returned at {at}, for this reason: “{reason}”"
    if respond_by is not None:
        deadline = words.deadline(respond_by)
        vi, en = f"{vi}, hẹn gửi bản hoàn thiện {deadline}", f"{en}, to be corrected by {deadline}"
    return halves.say(returned, vi=vi, en=en)


def _find_return(halves: HalfSentences, span: StatusSpan) -> DutyFact | None:
    """Return the last return that *span* rests on."""
    returns = (one for one in reversed(halves.evidence.facts) if isinstance(one.details, ReturnDetails))
    return next((one for one in returns if one.event in span.evidence), None)


def _explain_nothing_on_file(halves: HalfSentences) -> Iterator[ExplanationPart]:
    line = halves.evidence.line
    if line.due_at is not None:
        yield halves.tell_deadline()
    else:
        yield halves.say(vi="kế hoạch không quy định thời hạn", en="the plan sets no date")
    withdrawn = list(halves.tell_withdrawals())
    yield from withdrawn or [halves.say(vi="chưa nhận được báo cáo nào", en="no report has come")]
    yield from halves.tell_remarks()
    yield from halves.tell_urging()


def _explain_exemption(halves: HalfSentences) -> Iterator[ExplanationPart]:
    words, standing = halves.words, halves.standing
    for one in halves.list_in_force():
        if isinstance(one.details, ExemptionDetails):
            number, reason = one.details.decision, one.details.reason
            vi, en = (
                f"theo quyết định số {number}, lý do: {reason}",
                f"by decision No. {number}, for this reason: {reason}",
            )
            yield halves.say(one, vi=vi, en=en)
    if standing is not None:
        name, at = words.report(standing.report), words.instant(standing.fact.received_at)
        vi, en = f"vẫn gửi {name}, nhận lúc {at}", f"{name} came all the same, received at {at}"
        yield halves.say(standing, vi=vi, en=en)


def _explain_succession(halves: HalfSentences) -> Iterator[ExplanationPart]:
    evidence, words = halves.evidence, halves.words
    heirs = [flag.removeprefix(INHERITED_BY) for flag in evidence.line.flags if flag.startswith(INHERITED_BY)]
    if heirs:
        names = ", ".join(evidence.line.successors)
        yield halves.say(vi=f"nghĩa vụ chuyển cho {names}", en=f"the duty passed to {names}")
    for one in evidence.context.registry.registry.successions:
        if evidence.line.key.agency in one.from_ and not set(heirs).isdisjoint(one.to):
            day, act = words.day(one.on), one.act or ""
            yield halves.say(
                vi=f"từ ngày {day}" + (f" theo {act}" if act else ""), en=f"from {day}" + (f" by {act}" if act else "")
            )


def _explain_end(halves: HalfSentences) -> Iterator[ExplanationPart]:
    agency = halves.evidence.context.registry.agencies.get(halves.evidence.line.key.agency)
    if agency is not None and agency.valid.to is not None:
        day = halves.words.day(agency.valid.to)
        yield halves.say(vi=f"đơn vị chấm dứt hoạt động từ ngày {day}", en=f"the agency ended on {day}")
    yield halves.say(vi="chưa có đơn vị nào kế thừa", en="nobody inherits without a new decision")


def _explain_not_applicable(halves: HalfSentences) -> ExplanationPart:
    opens_at = halves.evidence.state.assessment.opens_at
    if opens_at is not None and halves.evidence.context.as_of < opens_at:
        at = halves.words.instant(opens_at)
        return halves.say(vi=f"kỳ này bắt đầu từ {at}", en=f"the period begins at {at}")
    vi, en = "nghĩa vụ không ràng buộc đơn vị trong kỳ này", "the obligation does not bind the agency in this period"
    return halves.say(vi=vi, en=en)


def _find_discharging(halves: HalfSentences) -> DutyFact | None:
    """Return the submission whose time counts: the one effective at the instant that the timeline names.

    A correction of a complete report keeps the first time (ruling 4), so it need not be the one whose content counts.
    """
    at, standing = halves.evidence.state.span.effective_at, halves.standing
    reports = [one for one in halves.list_in_force() if at is not None and _is_effective_at(one, at)]
    return standing if standing in reports else next(iter(reports), standing)


def _is_effective_at(fact: DutyFact, instant: datetime) -> bool:
    return fact.report is not None and instant in {fact.fact.received_at, fact.report.sent_at}
