"""The evidence sheet of a duty: who was told what, when, in which words, and what came of it. In Vietnamese.

It never says more than is known: a server's acceptance is no arrival, and an attempt of unknown outcome is told as one.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from schemas.content import citations
from schemas.events.deliveries import AttemptOutcome, Channel
from schemas.events.ids import DutyKey
from schemas.plan import periods
from schemas.plan.plan import Obligation, Plan
from schemas.plan.registry import Registry
from services.notifier.core.rendering import letter_facts, officer_words
from services.notifier.core.rendering.vietnamese import Vietnamese
from services.notifier.history.notice_store import NoticeOutcome, SentNotice
from services.runtime import typst

SOURCE = Path(__file__).parent / "sheet.typ"
_WORDS = Vietnamese()

_OUTCOMES: Mapping[AttemptOutcome, str] = {
    AttemptOutcome.ACCEPTED: "máy chủ đã nhận để chuyển",
    AttemptOutcome.DELIVERED: "máy chủ đã nhận để chuyển",
    AttemptOutcome.CONFIRMED: "có xác nhận đã đến nơi nhận",
    AttemptOutcome.BOUNCED: "bị trả về, không đến nơi nhận",
    AttemptOutcome.COMPLAINED: "đã đến, người nhận phản hồi không muốn nhận",
    AttemptOutcome.EXPIRED: "hết thời gian chuyển, không đến nơi nhận",
    AttemptOutcome.UNKNOWN: "chưa xác định được có đến hay không",
    AttemptOutcome.TEMPORARY_FAILURE: "chưa gửi được, sẽ gửi lại",
    AttemptOutcome.TECHNICAL_FAILURE: "chưa gửi được do lỗi kỹ thuật",
    AttemptOutcome.PERMANENT_FAILURE: "không gửi được",
    AttemptOutcome.UNREACHABLE: "không gửi: chưa có đầu mối nhận",
    AttemptOutcome.CANCELLED: "không gửi: không còn cần thiết",
}
_CANCELLATIONS = {"day_named": "không gửi: cơ quan đã hẹn ngày gửi"}  # by the reason that the notifier gives
_NOTE = (
    "Phiếu này do hệ thống theo dõi báo cáo lập tự động từ sổ ghi các lần gửi. Nội dung in nguyên văn, trừ mã riêng của"
    " đường dẫn; không ghi địa chỉ, số điện thoại của người nhận. Thời điểm theo đồng hồ của hệ thống."
)
_TEXT_GONE = "Nội dung không còn lưu (hết thời hạn lưu) hoặc thư chưa được gửi đi."


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetSubject:
    """The duty that a sheet is about, the documents in which it is named, and when the sheet is made."""

    duty: DutyKey
    plan: Plan
    registry: Registry
    obligation: Obligation
    made_at: datetime


def render_sheet(subject: SheetSubject, notices: Sequence[SentNotice]) -> bytes:
    """Return the sheet as a PDF. The same notices give the same bytes."""
    return typst.render_pdf(SOURCE, {"content": describe_sheet(subject, notices)}, dated=subject.made_at)


def describe_sheet(subject: SheetSubject, notices: Sequence[SentNotice]) -> dict[str, Any]:
    """Return everything that `sheet.typ` prints, as texts."""
    zone, duty = ZoneInfo(subject.plan.zone), subject.duty
    title = subject.obligation.letter_title.in_language("vi")
    due = max((one.due_at for one in notices if one.due_at), default=None)
    rows = (
        ("Cơ quan báo cáo", _name_reader(duty.agency, subject, subject.made_at)),
        ("Báo cáo", periods.add_period(title, duty.period, "vi")),
        ("Căn cứ", citations.name_clause(subject.obligation.citation.clause).vi + f", {subject.plan.title.vi}"),
        ("Thời hạn", _WORDS.due(letter_facts.describe_deadline(due, zone, subject.made_at)) if due else ""),
        ("Số thông báo", _WORDS.count(len(notices))),
        ("Lập lúc", _say(subject.made_at, zone)),
    )
    return {
        "title": "PHIẾU CHỨNG CỨ NHẮC, ĐÔN ĐỐC BÁO CÁO",
        "rows": [[label, value] for label, value in rows if value],
        "note": _NOTE,
        "notices": [_describe_notice(one, number, subject, zone) for number, one in enumerate(notices, start=1)],
        "labels": {"to": "Nơi nhận", "chain": "Diễn biến", "text": "Nội dung", "digest": "Mã băm nội dung (SHA-256)"},
    }


def _describe_notice(one: SentNotice, number: int, subject: SheetSubject, zone: ZoneInfo) -> dict[str, Any]:
    first, kind = one.outcomes[0].at, officer_words.VI_KINDS[one.kind]
    channel = officer_words.VI_CHANNELS[one.channel]
    return {
        "heading": f"{number}. {kind[:1].upper()}{kind[1:]}, {channel}, {_say(first, zone)}",
        "to": _name_reader(one.to_agency, subject, first),
        "chain": list(_describe_chain(one, zone)),
        "subject": one.text.subject or "" if one.text else "",
        "body": one.text.body.strip() if one.text else _TEXT_GONE,
        "digest": one.text.digest if one.text else "",
        "delivery": one.delivery,
    }


def _describe_chain(one: SentNotice, zone: ZoneInfo) -> Iterable[str]:
    if one.instead_of is not None:
        yield f"gửi thay cho thông báo {one.instead_of}, không đến được nơi nhận vì địa chỉ không còn dùng"
    for each in one.outcomes:
        yield _describe_outcome(each, zone) + _quote_answer(each.answer, one.channel)
    if one.read_at is not None:
        promised = f", hẹn gửi ngày {_WORDS.full_date(one.promised_on)}" if one.promised_on else ""
        yield f"{_say(one.read_at, zone)}: cơ quan xác nhận đã nhận thư{promised}"
    for author in one.resent_by:
        yield f"gửi lại theo yêu cầu của {author}"


def _describe_outcome(one: NoticeOutcome, zone: ZoneInfo) -> str:
    known = one.outcome in {each.value for each in AttemptOutcome}
    said = _OUTCOMES[AttemptOutcome(one.outcome)] if known else "đang gửi, chưa có kết quả"
    if one.outcome == AttemptOutcome.CANCELLED:
        return f"{_say(one.at, zone)}: {_CANCELLATIONS.get(one.reason or '', said)}"
    details = ", ".join(filter(None, (f"lần gửi {one.attempt}" if one.attempt else "", one.reason or "")))
    return f"{_say(one.at, zone)}: {said}{f' ({details})' if details else ''}"


def _quote_answer(answer: str | None, channel: Channel) -> str:
    """Return what the mail server answered word for word, or the id by which the SMS centre knows the message."""
    if not answer:
        return ""
    return f"; máy chủ trả lời “{answer}”" if channel is Channel.EMAIL else f"; mã tin của tổng đài: {answer}"


def _name_reader(reader: str, subject: SheetSubject, at: datetime) -> str:
    """Return the name that an agency bore at that instant; a contact list is that of the report's addressee."""
    if subject.registry.agency(reader) is None:
        return subject.plan.report.addressee or reader
    day = at.astimezone(ZoneInfo(subject.plan.zone)).date()
    return letter_facts.name_agency(reader, subject.registry, day, "vi").full


def _say(at: datetime, zone: ZoneInfo) -> str:
    local = at.astimezone(zone)
    return f"{local:%H:%M:%S} ngày {_WORDS.full_date(local.date())}"
