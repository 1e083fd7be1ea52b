"""The alerts in Vietnamese. A courtesy between agencies: it requests ("kính đề nghị") and never threatens."""

from collections.abc import Sequence
from typing import assert_never

from schemas import periods
from schemas.assessments import StepKind
from schemas.periods import Recurrence
from services.notifier.core.lacks import (
    FailedCheck,
    Lack,
    LackingAttachments,
    LackingIndicator,
    LackingSection,
    LackingSignature,
)
from services.notifier.core.matters import Deadline, Matter
from services.notifier.core.wording import Prose, Row, is_list

UNITS = {
    "million_vnd": "triệu đồng",
    "billion_vnd": "tỷ đồng",
    "vnd": "đồng",
    "percent": "%",
    "household": "hộ",
    "households": "hộ",
}
FILES = {"application/pdf": "PDF"}
SIGNATURE = "Hệ thống Đôn Đốc"
READER = "Quý cơ quan"
FOOTER = (
    "Thư này được gửi tự động để hỗ trợ theo dõi thời hạn, không thay thế công văn. "
    "Nếu Quý cơ quan đã gửi báo cáo, kính mong bỏ qua thư này."
)


class Vietnamese:
    """The wording for readers of Vietnamese."""

    def prose(self, matters: Sequence[Matter], reader: str | None) -> Prose:
        first = matters[0]
        return Prose(
            subject=_subject(matters),
            greeting=f"Kính gửi: {reader or READER}",
            opening=_opening(first, reader) if len(matters) == 1 else _opening_of_many(matters, reader),
            items=(tuple(map(_line, matters)),) if is_list(matters) else tuple(map(_rows, matters)),
            closing=("Trân trọng cảm ơn sự quan tâm, phối hợp của Quý cơ quan.",),
            signature=first.receiver or SIGNATURE,
            footer=FOOTER,
        )

    def short(self, matters: Sequence[Matter], reader: str | None) -> tuple[str, ...]:
        if len(matters) > 1:
            return _short_of_many(matters, reader)
        one = matters[0]
        full = f"báo cáo “{one.title}{_of_period(one)}” (mục {one.clause}, {one.source})"
        terse = f"báo cáo{_of_period(one)} theo mục {one.clause}, {one.source}"
        return _short(one, full), _short(one, terse)


def _subject(matters: Sequence[Matter]) -> str:
    first = matters[0]
    if len(matters) > 1:
        return f"Kính đề nghị quan tâm {len(matters)} báo cáo theo {_sources(matters)}"
    about = f"{first.title}{_of_period(first)}"
    ending = f" – hạn cuối: {_day(first.deadline)}" if first.deadline else ""
    match first.kind:
        case StepKind.REMINDER:
            return f"Nhắc hạn: {about}{ending}"
        case StepKind.URGING:
            return f"Đôn đốc: {about}{ending}"
        case StepKind.INCOMPLETE:
            return f"Đề nghị bổ sung: {about}{ending}"
        case StepKind.ESCALATION:
            return f"Thông tin tiến độ: {first.agency} – {about}{ending}"
        case _:
            assert_never(first.kind)


def _opening(one: Matter, reader: str | None) -> str:
    who = one.receiver or SIGNATURE
    by = f"hạn cuối: {_day(one.deadline)}" if one.deadline else "văn bản không quy định thời hạn cụ thể"
    match one.kind:
        case StepKind.REMINDER:
            return f"{who} trân trọng kính đề nghị {one.agency} quan tâm, gửi báo cáo dưới đây đúng thời hạn ({by})."
        case StepKind.URGING:
            return (
                f"Đến nay, {who} chưa nhận được {_wanted(one)} dưới đây của {one.agency} ({by}). "
                f"Kính đề nghị {one.agency} quan tâm, gửi trong thời gian sớm nhất."
            )
        case StepKind.INCOMPLETE:
            return (
                f"{who} đã nhận được báo cáo dưới đây của {one.agency} và kính đề nghị {one.agency} "
                f"bổ sung các nội dung còn thiếu ({by})."
            )
        case StepKind.ESCALATION:
            return (
                f"{who} xin thông tin: đến nay chưa nhận được {_wanted(one)} dưới đây của {one.agency} ({by}). "
                f"Kính đề nghị {reader or READER} quan tâm, chỉ đạo."
            )
        case _:
            assert_never(one.kind)


def _opening_of_many(matters: Sequence[Matter], reader: str | None) -> str:
    who = matters[0].receiver or SIGNATURE
    return f"{who} trân trọng kính đề nghị {reader or READER} quan tâm {len(matters)} nội dung dưới đây."


def _wanted(one: Matter) -> str:
    return "đầy đủ báo cáo" if one.lacks else "báo cáo"


def _rows(one: Matter) -> tuple[Row, ...]:
    dated = f" ngày {one.source_issued_on:%d/%m/%Y}" if one.source_issued_on else ""
    rows = [
        Row(label="Nội dung", values=(f"{one.title}{_of_period(one)}",)),
        Row(label="Cơ quan báo cáo", values=(one.agency,)),
        Row(label="Căn cứ", values=(f"mục {one.clause}, văn bản số {one.source}{dated}",)),
    ]
    if one.deadline:
        rows.append(Row(label="Hạn cuối", values=(f"{_day(one.deadline)} ({_distance(one.deadline)})",)))
    rows.append(Row(label="Tình trạng", values=(_state(one),)))
    if one.lacks:
        rows.append(Row(label="Còn thiếu", values=tuple(_lack(lack) for lack in one.lacks)))
    if one.link:
        rows.append(Row(label="Gửi trực tuyến (dành riêng cho Quý cơ quan)", values=("Mở biểu mẫu",), link=one.link))
    return tuple(rows)


def _line(one: Matter) -> Row:
    parts = [f"{one.title}{_of_period(one)} (mục {one.clause}, {one.source})"]
    if one.deadline:
        parts.append(f"hạn cuối: {_day(one.deadline)} ({_distance(one.deadline)})")
    parts.append(f"còn thiếu {'; '.join(map(_lack, one.lacks))}" if one.lacks else "chưa nhận được báo cáo")
    return Row(label=one.agency, values=("; ".join(parts),))


def _state(one: Matter) -> str:
    if one.lacks:
        return "đã nhận, chưa đầy đủ"
    is_early = one.deadline is not None and not one.deadline.has_passed
    return "chưa đến hạn, chưa nhận được báo cáo" if is_early else "chưa nhận được báo cáo"


def _day(due: Deadline) -> str:
    if due.before is None:
        return f"hết ngày {due.last_day:%d/%m/%Y}"
    return f"trước {due.before.hour} giờ {due.before:%M} ngày {due.last_day:%d/%m/%Y}"


def _distance(due: Deadline) -> str:
    if due.has_passed:
        return f"đã quá hạn {-due.days_left} ngày" if due.days_left < 0 else "đã quá hạn"
    return f"còn {due.days_left} ngày" if due.days_left else "hôm nay là ngày cuối"


def _of_period(one: Matter) -> str:
    return f" {period_in_words(one.period)}" if one.period else ""


def period_in_words(text: str) -> str:
    """Return a period as people write it: `2026-Q3` is "quý III năm 2026"."""
    period = periods.parse(text)
    year, month = period.starts_on.year, period.starts_on.month
    match period.recurrence:
        case Recurrence.MONTH:
            return f"tháng {month} năm {year}"
        case Recurrence.QUARTER:
            return f"quý {('I', 'II', 'III', 'IV')[month // 3]} năm {year}"
        case Recurrence.HALF_YEAR:
            return f"6 tháng {'đầu' if month == 1 else 'cuối'} năm {year}"
        case _:
            return f"năm {year}"


def _lack(lack: Lack) -> str:
    match lack:
        case LackingSection():
            return f"nội dung phần “{lack.name}”"
        case LackingIndicator():
            return f"chỉ tiêu “{lack.title}”{_measure(lack)}"
        case LackingAttachments():
            kinds = ", ".join(FILES.get(one, one) for one in lack.media_types)
            return f"ít nhất {lack.least} tệp đính kèm{f' ({kinds})' if kinds else ''}"
        case LackingSignature():
            return "chữ ký của người có thẩm quyền"
        case FailedCheck():
            return lack.message
        case _:
            assert_never(lack)


def _measure(lack: LackingIndicator) -> str:
    unit = f"đơn vị: {UNITS.get(lack.unit, lack.unit)}" if lack.unit else ""
    low = f"từ {_number(lack.low)}" if lack.low is not None else ""
    high = f"đến {_number(lack.high)}" if lack.high is not None else ""
    told = "; ".join(part for part in (unit, f"{low} {high}".strip()) if part)
    return f" ({told})" if told else ""


def _number(value: float) -> str:
    """Write a number the Vietnamese way: 9.984,2."""
    return f"{value:,.10g}".translate(str.maketrans(",.", ".,"))


def _short(one: Matter, name: str) -> str:
    by = f" Hạn cuối: {_day(one.deadline)}." if one.deadline else ""
    lacking = f" Còn thiếu: {'; '.join(_lack(lack) for lack in one.lacks)}." if one.lacks else ""
    match one.kind:
        case StepKind.REMINDER:
            return f"Kính đề nghị {one.agency} gửi {name}.{by}{lacking}"
        case StepKind.URGING:
            return f"Kính đề nghị {one.agency} sớm gửi {name}.{by}{lacking}"
        case StepKind.INCOMPLETE:
            return f"Kính đề nghị {one.agency} bổ sung {name}.{by}{lacking}"
        case StepKind.ESCALATION:
            return f"Xin thông tin: {one.agency} chưa gửi{' đầy đủ' if one.lacks else ''} {name}.{by}"
        case _:
            assert_never(one.kind)


def _short_of_many(matters: Sequence[Matter], reader: str | None) -> tuple[str, ...]:
    ask = f"Kính đề nghị {reader or READER} quan tâm {len(matters)} báo cáo theo {_sources(matters)}"
    clauses = ", ".join(dict.fromkeys(f"mục {one.clause}" for one in matters))
    dated = [one.deadline for one in matters if one.deadline]
    nearest = f" Hạn gần nhất: {_day(min(dated, key=lambda due: due.last_day))}." if dated else ""
    return f"{ask} ({clauses}).{nearest}", f"{ask}.{nearest}"


def _sources(matters: Sequence[Matter]) -> str:
    return ", ".join(dict.fromkeys(one.source for one in matters))
