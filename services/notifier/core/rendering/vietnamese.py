"""The phrases of alerts in Vietnamese. They are courteous: they request ("kính đề nghị") and never threaten."""

from datetime import date
from decimal import Decimal
from typing import assert_never

from schemas.content import period_names
from schemas.content.units import UNITS
from schemas.events.assessments import StepKind
from schemas.plan import figures
from schemas.plan.calendar import FiguresWindow
from schemas.plan.periods import Period
from services.notifier.core.rendering import vietnamese_notices
from services.notifier.core.rendering.phrases import FixedTexts, RowLabels
from services.notifier.core.rendering.template_context import AlertContext, Deadline, NoticeContext

TEXTS = FixedTexts(
    labels=RowLabels(
        title="Nội dung",
        agency="Cơ quan báo cáo",
        receiver="Nơi nhận báo cáo",
        basis="Căn cứ",
        deadline="Hạn cuối",
        state="Tình trạng",
        missing="Còn thiếu",
        correction="Nội dung đề nghị hoàn thiện",
        respond_by="Thời hạn gửi bản thay thế",
        form="Gửi trực tuyến (dành riêng cho Quý cơ quan)",
        dashboard="Trang theo dõi (dành riêng cho Quý cơ quan)",
        window="Số liệu",
        former_deadline="Thời hạn trước",
        decision="Văn bản",
        heirs="Cơ quan gửi",
        document="Văn bản",
        recorded_at="Thời điểm ghi nhận",
    ),
    default_signature="Hệ thống Đôn Đốc",
    default_reader="Quý cơ quan",
    closing="Trân trọng cảm ơn sự quan tâm, phối hợp của Quý cơ quan.",
    footer=(
        "Thư này được gửi tự động để hỗ trợ theo dõi thời hạn, không thay thế công văn. "
        "Nếu Quý cơ quan đã gửi báo cáo, kính mong bỏ qua thư này."
    ),
    open_form="Mở biểu mẫu",
    open_dashboard="Xem các báo cáo của Quý cơ quan",
    clause="mục",
    due="hạn cuối:",
    no_due_date="văn bản không quy định thời hạn cụ thể",
    nearest_due="Hạn gần nhất:",
    not_received="chưa nhận được báo cáo",
    not_due_yet="chưa đến hạn, chưa nhận được báo cáo",
    incomplete="đã nhận, chưa đầy đủ",
    returned="đã nhận, đề nghị hoàn thiện",
    keeps_time=(
        "Bản thay thế đầy đủ gửi trong thời hạn trên được ghi nhận theo thời điểm Quý cơ quan đã gửi báo cáo lần đầu."
    ),
    received="đã nhận đầy đủ",
    exempt="được miễn gửi",
    passed_on="nhiệm vụ đã chuyển cho cơ quan tiếp nhận",
    no_urging="Trong thời gian này không có thư đôn đốc.",
    missing_correction="bản thay thế theo nội dung đề nghị hoàn thiện",
    missing_inline="còn thiếu",
    missing_heading="Còn thiếu",
    missing_signature="chữ ký của người có thẩm quyền",
    unit="đơn vị:",
    range_from="từ",
    range_to="đến",
    whole_number="số nguyên",
    units={unit: words.vi for unit, words in UNITS.items()},
    media_types={"application/pdf": "PDF"},
)


class Vietnamese:
    """The phrases for readers of Vietnamese."""

    texts = TEXTS

    def greeting(self, reader: str | None) -> str:
        return f"Kính gửi: {reader or TEXTS.default_reader}"

    def subject(self, alert: AlertContext, title: str) -> str:
        to_co_operate = " (để phối hợp)" if alert.is_copy else ""
        match alert.kind:
            case StepKind.REMINDER:
                return f"Nhắc hạn{to_co_operate}: {title}"
            case StepKind.URGING:
                return f"Đôn đốc{to_co_operate}: {title}"
            case StepKind.INCOMPLETE:
                return f"Đề nghị bổ sung: {title}"
            case StepKind.RETURNED:
                return f"Đề nghị hoàn thiện: {title}"
            case StepKind.ESCALATION:
                return f"Thông tin tiến độ: {alert.agency} – {title}"
            case StepKind.RECEIVED | StepKind.EXTENSION | StepKind.EXEMPTION | StepKind.SUCCESSION | StepKind.OPENING:
                return vietnamese_notices.write_subject(alert, title)
            case _:
                assert_never(alert.kind)

    def subject_of_many(self, count: int, sources: str) -> str:
        return f"Kính đề nghị quan tâm {count} báo cáo theo {sources}"

    def opening(self, alert: AlertContext, *, speaker: str, due: str, reader: str) -> str:
        if alert.is_copy:
            return self._opening_of_copy(alert, speaker=speaker, due=due, reader=reader)
        match alert.kind:
            case StepKind.REMINDER:
                return (
                    f"{speaker} trân trọng kính đề nghị {alert.agency} quan tâm, "
                    f"gửi báo cáo dưới đây đúng thời hạn ({due})."
                )
            case StepKind.URGING:
                return (
                    f"Đến nay, {speaker} chưa nhận được {_report_noun(alert)} dưới đây của {alert.agency} ({due}). "
                    f"Kính đề nghị {alert.agency} quan tâm, gửi trong thời gian sớm nhất."
                )
            case StepKind.INCOMPLETE:
                return (
                    f"{speaker} đã nhận được báo cáo dưới đây của {alert.agency} và kính đề nghị {alert.agency} "
                    f"bổ sung các nội dung còn thiếu ({due})."
                )
            case StepKind.RETURNED:
                term = f" ({due})" if alert.next_deadline else " trong thời gian sớm nhất"
                return (
                    f"{speaker} kính đề nghị {alert.agency} hoàn thiện báo cáo theo nội dung nêu dưới đây "
                    f"và gửi bản thay thế{term}."
                )
            case StepKind.ESCALATION:
                return (
                    f"{speaker} xin thông tin: đến nay chưa nhận được {_report_noun(alert)} dưới đây "
                    f"của {alert.agency} ({due}). Kính đề nghị {reader} quan tâm, chỉ đạo."
                )
            case StepKind.RECEIVED | StepKind.EXTENSION | StepKind.EXEMPTION | StepKind.SUCCESSION | StepKind.OPENING:
                return vietnamese_notices.write_opening(alert, speaker=speaker, due=due, reader=reader)
            case _:
                assert_never(alert.kind)

    def _opening_of_copy(self, alert: AlertContext, *, speaker: str, due: str, reader: str) -> str:
        if alert.kind is StepKind.REMINDER:
            return (
                f"{speaker} trân trọng kính đề nghị {reader} phối hợp với {alert.agency} (cơ quan chủ trì) "
                f"để báo cáo dưới đây được gửi đúng thời hạn ({due})."
            )
        return (
            f"Đến nay, {speaker} chưa nhận được {_report_noun(alert)} dưới đây của {alert.agency} ({due}). "
            f"Kính đề nghị {reader} phối hợp với {alert.agency} (cơ quan chủ trì) để gửi trong thời gian sớm nhất."
        )

    def opening_of_many(self, count: int, *, speaker: str, reader: str) -> str:
        return f"{speaker} trân trọng kính đề nghị {reader} quan tâm {count} nội dung dưới đây."

    def basis(self, alert: AlertContext) -> str:
        dated = f" ngày {alert.source_issued_on:%d/%m/%Y}" if alert.source_issued_on else ""
        number = "văn bản số " if alert.has_number else ""
        return f"mục {alert.clause}, {number}{alert.source}{dated}"

    def report(self, alert: AlertContext, title: str) -> str:
        return f"báo cáo “{title}” (mục {alert.clause}, {alert.source})"

    def report_in_brief(self, alert: AlertContext, of_period: str) -> str:
        return f"báo cáo{of_period} theo mục {alert.clause}, {alert.source}"

    def sms(self, alert: AlertContext, report: str) -> str:
        if alert.is_copy:
            return f"Kính đề nghị phối hợp với {alert.agency} để gửi {report}"
        match alert.kind:
            case StepKind.REMINDER:
                return f"Kính đề nghị {alert.agency} gửi {report}"
            case StepKind.URGING:
                return f"Kính đề nghị {alert.agency} sớm gửi {report}"
            case StepKind.INCOMPLETE:
                return f"Kính đề nghị {alert.agency} bổ sung {report}"
            case StepKind.RETURNED:
                return f"Kính đề nghị {alert.agency} hoàn thiện {report}, lý do tại thư điện tử"
            case StepKind.ESCALATION:
                return f"Xin thông tin: {alert.agency} chưa gửi{' đầy đủ' if alert.missing else ''} {report}"
            case StepKind.RECEIVED | StepKind.EXTENSION | StepKind.EXEMPTION | StepKind.SUCCESSION | StepKind.OPENING:
                return vietnamese_notices.write_sms(alert, report)
            case _:
                assert_never(alert.kind)

    def sms_of_many(self, count: int, *, sources: str, reader: str) -> str:
        return f"Kính đề nghị {reader} quan tâm {count} báo cáo theo {sources}"

    def section(self, title: str) -> str:
        return f"nội dung phần “{title}”"

    def indicator(self, title: str) -> str:
        return f"chỉ tiêu “{title}”"

    def attachments(self, least: int) -> str:
        return f"ít nhất {least} tệp đính kèm"

    def window(self, window: FiguresWindow) -> str:
        return f"từ {window.starts_on:%d/%m/%Y} đến {window.ends_on:%d/%m/%Y}"

    def day(self, day: date) -> str:
        return f"ngày {day:%d/%m/%Y}"

    def recorded_at(self, notice: NoticeContext) -> str:
        if notice.recorded_at is None:
            return ""
        late = f"sau thời hạn {notice.days_late} ngày" if notice.days_late else "trong thời hạn"
        return f"{notice.recorded_at:%H} giờ {notice.recorded_at:%M} phút ngày {notice.recorded_at:%d/%m/%Y} ({late})"

    def report_of(self, agency: str) -> str:
        return f"báo cáo của {agency}"

    def last_day(self, deadline: Deadline) -> str:
        if deadline.before is None:
            return f"hết ngày {deadline.last_day:%d/%m/%Y}"
        return f"trước {deadline.before.hour} giờ {deadline.before:%M} ngày {deadline.last_day:%d/%m/%Y}"

    def days_left(self, deadline: Deadline) -> str:
        if deadline.has_passed:
            return f"đã quá hạn {-deadline.days_left} ngày" if deadline.days_left < 0 else "đã quá hạn"
        return f"còn {deadline.days_left} ngày" if deadline.days_left else "hôm nay là ngày cuối"

    def period(self, period: Period) -> str:
        return period_names.name_period(period).vi

    def title(self, title: str, period: str | None) -> str:
        return period_names.add_period(title, period, "vi")

    def number(self, value: Decimal) -> str:
        return figures.write_for_people(value, "vi")


def _report_noun(alert: AlertContext) -> str:
    return "đầy đủ báo cáo" if alert.missing else "báo cáo"
