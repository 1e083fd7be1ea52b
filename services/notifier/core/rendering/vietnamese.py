"""The alerts in Vietnamese. A courtesy between agencies: it requests ("kính đề nghị") and never threatens."""

from typing import assert_never

from schemas.events.assessments import StepKind
from schemas.plan.periods import Period, Recurrence
from services.notifier.core.rendering.phrases import Labels, Words
from services.notifier.core.rendering.template_context import Deadline, Matter

WORDS = Words(
    labels=Labels(
        title="Nội dung",
        agency="Cơ quan báo cáo",
        basis="Căn cứ",
        deadline="Hạn cuối",
        state="Tình trạng",
        lacks="Còn thiếu",
        form="Gửi trực tuyến (dành riêng cho Quý cơ quan)",
    ),
    signature="Hệ thống Đôn Đốc",
    reader="Quý cơ quan",
    closing="Trân trọng cảm ơn sự quan tâm, phối hợp của Quý cơ quan.",
    footer=(
        "Thư này được gửi tự động để hỗ trợ theo dõi thời hạn, không thay thế công văn. "
        "Nếu Quý cơ quan đã gửi báo cáo, kính mong bỏ qua thư này."
    ),
    open_form="Mở biểu mẫu",
    clause="mục",
    due="hạn cuối:",
    undated="văn bản không quy định thời hạn cụ thể",
    nearest="Hạn gần nhất:",
    absent="chưa nhận được báo cáo",
    early="chưa đến hạn, chưa nhận được báo cáo",
    partial="đã nhận, chưa đầy đủ",
    lacking="còn thiếu",
    missing="Còn thiếu",
    unsigned="chữ ký của người có thẩm quyền",
    unit="đơn vị:",
    low="từ",
    high="đến",
    units={
        "million_vnd": "triệu đồng",
        "billion_vnd": "tỷ đồng",
        "vnd": "đồng",
        "percent": "%",
        "household": "hộ",
        "households": "hộ",
    },
    media_types={"application/pdf": "PDF"},
)


class Vietnamese:
    """The phrases for readers of Vietnamese."""

    words = WORDS

    def greeting(self, reader: str | None) -> str:
        return f"Kính gửi: {reader or WORDS.reader}"

    def subject(self, one: Matter, about: str) -> str:
        match one.kind:
            case StepKind.REMINDER:
                return f"Nhắc hạn: {about}"
            case StepKind.URGING:
                return f"Đôn đốc: {about}"
            case StepKind.INCOMPLETE:
                return f"Đề nghị bổ sung: {about}"
            case StepKind.ESCALATION:
                return f"Thông tin tiến độ: {one.agency} – {about}"
            case _:
                assert_never(one.kind)

    def subject_of_many(self, count: int, sources: str) -> str:
        return f"Kính đề nghị quan tâm {count} báo cáo theo {sources}"

    def opening(self, one: Matter, *, who: str, by: str, reader: str) -> str:
        match one.kind:
            case StepKind.REMINDER:
                return (
                    f"{who} trân trọng kính đề nghị {one.agency} quan tâm, gửi báo cáo dưới đây đúng thời hạn ({by})."
                )
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
                    f"Kính đề nghị {reader} quan tâm, chỉ đạo."
                )
            case _:
                assert_never(one.kind)

    def opening_of_many(self, count: int, *, who: str, reader: str) -> str:
        return f"{who} trân trọng kính đề nghị {reader} quan tâm {count} nội dung dưới đây."

    def basis(self, one: Matter) -> str:
        dated = f" ngày {one.source_issued_on:%d/%m/%Y}" if one.source_issued_on else ""
        return f"mục {one.clause}, văn bản số {one.source}{dated}"

    def report(self, one: Matter, about: str) -> str:
        return f"báo cáo “{about}” (mục {one.clause}, {one.source})"

    def report_in_brief(self, one: Matter, of_period: str) -> str:
        return f"báo cáo{of_period} theo mục {one.clause}, {one.source}"

    def short(self, one: Matter, report: str) -> str:
        match one.kind:
            case StepKind.REMINDER:
                return f"Kính đề nghị {one.agency} gửi {report}"
            case StepKind.URGING:
                return f"Kính đề nghị {one.agency} sớm gửi {report}"
            case StepKind.INCOMPLETE:
                return f"Kính đề nghị {one.agency} bổ sung {report}"
            case StepKind.ESCALATION:
                return f"Xin thông tin: {one.agency} chưa gửi{' đầy đủ' if one.lacks else ''} {report}"
            case _:
                assert_never(one.kind)

    def short_of_many(self, count: int, *, sources: str, reader: str) -> str:
        return f"Kính đề nghị {reader} quan tâm {count} báo cáo theo {sources}"

    def section(self, title: str) -> str:
        return f"nội dung phần “{title}”"

    def indicator(self, title: str) -> str:
        return f"chỉ tiêu “{title}”"

    def attachments(self, least: int) -> str:
        return f"ít nhất {least} tệp đính kèm"

    def day(self, due: Deadline) -> str:
        if due.before is None:
            return f"hết ngày {due.last_day:%d/%m/%Y}"
        return f"trước {due.before.hour} giờ {due.before:%M} ngày {due.last_day:%d/%m/%Y}"

    def distance(self, due: Deadline) -> str:
        if due.has_passed:
            return f"đã quá hạn {-due.days_left} ngày" if due.days_left < 0 else "đã quá hạn"
        return f"còn {due.days_left} ngày" if due.days_left else "hôm nay là ngày cuối"

    def period(self, period: Period) -> str:
        """Return a period as people write it: `2026-Q3` is "quý III năm 2026"."""
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

    def number(self, value: float) -> str:
        """Write a number the Vietnamese way: 9.984,2."""
        return f"{value:,.10g}".translate(str.maketrans(",.", ".,"))


def _wanted(one: Matter) -> str:
    return "đầy đủ báo cáo" if one.lacks else "báo cáo"
