"""A line of words for each fact and each alert of a duty, as a timeline shows them."""

from collections.abc import Iterable
from datetime import timedelta
from typing import assert_never

from schemas.events.assessments import StepKind
from schemas.events.deliveries import AttemptOutcome, Channel
from schemas.plan import values
from schemas.plan.values import Bilingual
from services.reporting.core import labels
from services.reporting.core.evidence.duty_facts import (
    AcceptanceDetails,
    DutyFact,
    ExemptionDetails,
    ExtensionDetails,
    ReassignmentDetails,
    ReportDetails,
    ReturnDetails,
    RevocationDetails,
    UnknownDetails,
    WithdrawalDetails,
)
from services.reporting.core.evidence.wording import Wording
from services.reporting.core.urging import AlertAttempt

_OUTCOMES = {
    AttemptOutcome.TEMPORARY_FAILURE: Bilingual(vi="chưa gửi được, sẽ thử lại", en="not sent yet, to be tried again"),
    AttemptOutcome.PERMANENT_FAILURE: Bilingual(vi="nơi nhận không nhận", en="refused by the recipient's server"),
    AttemptOutcome.TECHNICAL_FAILURE: Bilingual(
        vi="không gửi được do lỗi kỹ thuật", en="failed for a technical reason"
    ),
    AttemptOutcome.UNKNOWN: Bilingual(vi="không rõ đã đến nơi chưa", en="it is not known whether it arrived"),
    AttemptOutcome.CANCELLED: Bilingual(vi="không gửi vì không còn cần", en="not sent, as it was no longer called for"),
    AttemptOutcome.CONFIRMED: Bilingual(vi="đã đến hộp thư hoặc máy của đơn vị", en="reported to have arrived"),
    AttemptOutcome.BOUNCED: Bilingual(vi="bị trả về, không đến được đơn vị", en="sent back, it did not arrive"),
    AttemptOutcome.COMPLAINED: Bilingual(vi="nơi nhận báo là thư không mong muốn", en="reported as unwanted"),
    AttemptOutcome.EXPIRED: Bilingual(vi="quá thời gian gửi mà chưa ai nhận", en="nobody took it in time"),
    AttemptOutcome.UNREACHABLE: Bilingual(vi="không có địa chỉ liên hệ", en="there is no address to send it to"),
}
# Why an alert was cancelled, where the notifier says more than that nothing called for it any longer.
_CANCELLED = {
    "day_named": Bilingual(
        vi="không gửi vì đơn vị đã hẹn ngày gửi", en="not sent, as the agency had named the day of its report"
    ),
}
_TAKEN = {
    Channel.EMAIL: Bilingual(vi="máy chủ thư đã nhận để chuyển", en="accepted by a mail server, to be passed on"),
    Channel.SMS: Bilingual(vi="nhà mạng đã nhận", en="accepted by the operator"),
}
_KINDS = {
    StepKind.INCOMPLETE: Bilingual(vi="Đề nghị bổ sung", en="Asked for what is missing"),
    StepKind.RETURNED: Bilingual(vi="Báo bản gửi bị trả lại", en="Told that the report is returned"),
    StepKind.RECEIVED: Bilingual(vi="Báo đã nhận báo cáo", en="Told that the report has come"),
    StepKind.EXTENSION: Bilingual(vi="Báo được gia hạn", en="Told of the extension"),
    StepKind.EXEMPTION: Bilingual(vi="Báo được miễn", en="Told of the exemption"),
    StepKind.SUCCESSION: Bilingual(vi="Báo việc kế thừa nghĩa vụ", en="Told of the succession"),
    StepKind.OPENING: Bilingual(vi="Báo bắt đầu kỳ báo cáo", en="Told that the period has begun"),
}


def describe_fact(fact: DutyFact, facts: Iterable[DutyFact], words: Wording) -> str:
    """Return what happened, in one line; *facts* are those among which the submission that it names is looked up."""
    named = next((one for one in facts if one.event == fact.fact.names and one.report is not None), None)
    name = words.report(named.report if named else None)
    match fact.details:
        case ReportDetails() as report:
            return _describe_report(report, name if fact.fact.names else "", words)
        case WithdrawalDetails(reason=reason):
            return words.choose(vi=f"Rút lại {name}: {reason}", en=f"Withdrew {name}: {reason}")
        case ReassignmentDetails(from_period=before, to_period=after, reason=reason):
            return words.choose(
                vi=f"Chuyển {name} từ kỳ {before} sang kỳ {after}: {reason}",
                en=f"Moved {name} from {before} to {after}: {reason}",
            )
        case ReturnDetails(reason=reason, respond_by=respond_by):
            until = "" if respond_by is None else words.deadline(respond_by)
            vi, en = (f", hẹn {until}", f", to be answered by {until}") if until else ("", "")
            return words.choose(vi=f"Trả lại {name}{vi}: {reason}", en=f"Returned {name}{en}: {reason}")
        case AcceptanceDetails(note=note):
            said = f": {note}" if note else ""
            return words.choose(vi=f"Tiếp nhận {name}{said}", en=f"Accepted {name}{said}")
        case ExtensionDetails() | ExemptionDetails() | RevocationDetails() as decision:
            return _describe_decision(decision, words)
        case UnknownDetails():
            return fact.fact.type
        case _:
            assert_never(fact.details)


def _describe_report(report: ReportDetails, corrected: str, words: Wording) -> str:
    name = words.report(report)
    text = words.choose(vi=f"Nhận {name}", en=f"Received {name}")
    return text + (words.choose(vi=f", thay {corrected}", en=f", in place of {corrected}") if corrected else "")


def _describe_decision(decision: ExtensionDetails | ExemptionDetails | RevocationDetails, words: Wording) -> str:
    number, reason = decision.decision, decision.reason
    match decision:
        case ExtensionDetails(due_at=due_at):
            until = "" if due_at is None else f" {words.deadline(due_at)}"
            return words.choose(
                vi=f"Gia hạn{until}, quyết định số {number}: {reason}",
                en=f"Extended to{until}, decision No. {number}: {reason}",
            )
        case ExemptionDetails():
            return words.choose(
                vi=f"Miễn báo cáo, quyết định số {number}: {reason}", en=f"Exempted, decision No. {number}: {reason}"
            )
        case RevocationDetails(due_at=due_at):
            vi, en = (
                ("", "")
                if due_at is None
                else (f", hạn mới {words.deadline(due_at)}", f", due {words.deadline(due_at)}")
            )
            return words.choose(
                vi=f"Bãi bỏ việc miễn, quyết định số {number}{vi}: {reason}",
                en=f"Exemption revoked, decision No. {number}{en}: {reason}",
            )
        case _:
            assert_never(decision)


def describe_alert(attempt: AlertAttempt, told: str, words: Wording) -> str:
    """Return what was told to whom, in one line; *told* is the name of the agency that the alert went to."""
    kind, step = attempt.kind, _describe_step(attempt, words)
    if kind is StepKind.REMINDER:
        return words.choose(vi=f"Nhắc trước hạn {step}", en=f"Reminded {step} before the deadline")
    if kind is StepKind.URGING:
        urged = words.choose(
            vi=f"Đôn đốc sau hạn {step}" if step else "Đôn đốc khi hết hạn",
            en=f"Urged {step} after the deadline" if step else "Urged at the deadline",
        )
        heir = words.choose(vi=f", gửi {told} là đơn vị kế thừa", en=f", sent to {told} as the successor")
        return urged + (heir if attempt.as_successor else "")
    if kind is StepKind.ESCALATION:
        return words.choose(vi=f"Báo cho {told} về việc quá hạn", en=f"Told {told} that the report is overdue")
    return _KINDS[kind].in_language(words.language) if kind in _KINDS else kind.value


def describe_outcome(attempt: AlertAttempt, words: Wording) -> str:
    """Return by which channel an attempt was made, and what is known of its end, which never is that it was read."""
    channel = labels.CHANNEL_LABELS[attempt.channel].in_language(words.language)
    is_taken = attempt.outcome in {AttemptOutcome.ACCEPTED, AttemptOutcome.DELIVERED}
    label = _TAKEN[attempt.channel] if is_taken else _OUTCOMES.get(attempt.outcome)
    if attempt.outcome is AttemptOutcome.CANCELLED:
        label = _CANCELLED.get(attempt.reason or "", label)
    return f"{channel}: {attempt.outcome.value if label is None else label.in_language(words.language)}"


def _describe_step(attempt: AlertAttempt, words: Wording) -> str:
    """Return the distance of a step from the due instant, in days where it can; empty at that instant itself."""
    try:
        distance = values.parse_duration(attempt.step)
    except ValueError:
        return attempt.step
    if not isinstance(distance, timedelta) or distance % timedelta(days=1):
        return attempt.step
    return words.days(distance.days) if distance else ""
