"""Values in Vietnamese: dates as Decree 30/2020 writes them, deadlines, distances, counts and missing parts."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal

from schemas.content import citations
from schemas.content.citations import find_kind
from schemas.content.units import UNITS
from schemas.plan import figures, periods
from schemas.plan.calendar import FiguresWindow
from services.notifier.core.rendering.letter_facts import CitedDecision, CitedSource, Deadline, Request
from services.notifier.core.scheduling.routing import Language

_WEEKDAYS = ("thứ Hai", "thứ Ba", "thứ Tư", "thứ Năm", "thứ Sáu", "thứ Bảy", "Chủ nhật")
_ORDINALS = ("thứ nhất", "thứ hai", "thứ ba", "thứ tư", "thứ năm")
_FIRST_MONTHS = 2  # their number takes a zero, as every day below ten does
_UNPADDED = 10  # counts below it take a zero in prose


class Vietnamese:
    """The values of a letter for readers of Vietnamese."""

    language: Language = "vi"
    reader = "Quý cơ quan"
    telephone = "LH"
    superior = "Quý Lãnh đạo"
    soon = "trong thời gian sớm nhất"
    missing_signature = "chữ ký của người có thẩm quyền"
    # What is asked of a report in a list of several, and the words of its link.
    requests: Mapping[Request, tuple[str, str]] = {
        "send": ("cần gửi", "Gửi báo cáo"),
        "complete": ("cần bổ sung", "Bổ sung báo cáo"),
        "revise": ("cần hoàn thiện", "Gửi bản hoàn thiện"),
        "prepare": ("chuẩn bị gửi", "Mở biểu mẫu"),
        "extended": ("được gia hạn", "Gửi báo cáo"),
        "take-over": ("tiếp nhận và gửi", "Gửi báo cáo"),
        "join": ("phối hợp", ""),
        "received": ("đã nhận đầy đủ", ""),
        "exempt": ("được miễn gửi", ""),
        "passed": ("không phải gửi", ""),
    }
    missing_correction = "bản thay thế theo nội dung đề nghị hoàn thiện"

    def full_date(self, day: date) -> str:
        month = f"{day.month:02}" if day.month <= _FIRST_MONTHS else str(day.month)
        return f"{day.day:02}/{month}/{day.year}"

    def short_date(self, day: date) -> str:
        return self.full_date(day)

    def day_and_month(self, day: date) -> str:
        return self.full_date(day).rpartition("/")[0]

    def weekday(self, day: date) -> str:
        return _WEEKDAYS[day.weekday()]

    def instant(self, at: datetime) -> str:
        return f"{at:%H} giờ {at:%M} phút ngày {self.full_date(at.date())}"

    def due(self, deadline: Deadline) -> str:
        if deadline.before is None:
            return f"hết ngày {self.full_date(deadline.last_day)}"
        minutes = f" {deadline.before:%M} phút" if deadline.before.minute else ""
        return f"trước {deadline.before:%H} giờ{minutes} ngày {self.full_date(deadline.last_day)}"

    def due_by(self, deadline: Deadline) -> str:
        return f"chậm nhất ngày {self.full_date(deadline.last_day)}" if deadline.before is None else self.due(deadline)

    def due_by_in_sms(self, deadline: Deadline) -> str:
        return self.due_by(deadline).replace("ngày ", "", 1)

    def due_end(self, deadline: Deadline) -> str:
        if deadline.before is None:
            return f"24 giờ ngày {self.full_date(deadline.last_day)}"
        return self.due(deadline).removeprefix("trước ")

    def distance(self, deadline: Deadline) -> str:
        if deadline.has_passed:
            return f"quá hạn {self.count(-deadline.days_left)} ngày" if deadline.days_left < 0 else "đã quá hạn"
        return f"còn {self.count(deadline.days_left)} ngày" if deadline.days_left else "hôm nay là ngày cuối"

    def overdue_in_sms(self, deadline: Deadline) -> str:
        return f"quá hạn gửi {-deadline.days_left} ngày" if deadline.days_left < 0 else "đã quá hạn gửi"

    def count(self, number: int) -> str:
        return f"{number:02}" if 0 < number < _UNPADDED else str(number)

    def lack_count(self, number: int) -> str:
        return self.count(number)

    def ordinal(self, number: int) -> str:
        return _ORDINALS[number - 1] if number <= len(_ORDINALS) else f"thứ {number}"

    def short_ordinal(self, number: int) -> str:
        return str(number)

    def join(self, names: Sequence[str]) -> str:
        *others, last = names or ("",)
        return f"{', '.join(others)} và {last}" if others else last

    def days(self, days: Sequence[date]) -> str:
        return self.join([f"ngày {self.full_date(day)}" for day in days])

    def reminders_sent(self, count: int, last: date) -> str:
        return f"{self.count(count)} lần, gần nhất ngày {self.full_date(last)}"

    def named_day(self, promised_on: date, said_on: date) -> str:
        said, promised = self.full_date(said_on), self.full_date(promised_on)
        return f"; theo thông tin ngày {said}, Quý cơ quan dự kiến gửi ngày {promised}"

    def urged_before(self, ordinal: int) -> str:
        return f", đôn đốc lần {ordinal}"

    def recorded_as(self, days_late: int) -> str:
        return f"sau thời hạn {self.count(days_late)} ngày" if days_late else "trong thời hạn"

    def title(self, title: str, period: str | None) -> str:
        return periods.add_period(title, period, "vi")

    def report(self, title: str, period: str | None, *, is_noun: bool) -> str:
        named = self.title(title, period)
        return named if is_noun or title.casefold().startswith("báo cáo") else f"báo cáo “{named}”"

    def short_report(self, source: CitedSource) -> str:
        return f"Báo cáo {find_kind(source.number, source.title) or 'văn bản'} {source.number}"

    def abbreviate(self, report: str) -> str:
        return f"BC{report.removeprefix('Báo cáo')}" if report.startswith("Báo cáo") else report

    def within_sentence(self, report: str) -> str:
        return f"báo cáo{report.removeprefix('Báo cáo')}" if report.startswith("Báo cáo") else report

    def basis(self, clause: str, source: CitedSource) -> str:
        named = citations.name_clause(clause).vi
        dated = f" ngày {self.full_date(source.issued_on)}" if source.issued_on else ""
        if not source.number:
            return f"{named} {source.title}{dated}"
        issued = f" của {source.issuer}" if source.issuer else ""
        return f"{named} {find_kind(source.number, source.title) or 'văn bản'} số {source.number}{dated}{issued}"

    def decision(self, decision: CitedDecision) -> str:
        kind = find_kind(decision.number) or "văn bản"
        number = f" số {decision.number}" if decision.number else ""
        return f"{kind}{number}{f' ngày {self.full_date(decision.issued_on)}' if decision.issued_on else ''}"

    def exempt_span(self, first: date, last: date | None) -> str:
        end = f" đến {self.full_date(last)}" if last else " trở đi"
        return f"thời hạn từ {self.full_date(first)}{end}"

    def window(self, window: FiguresWindow) -> str:
        return f"từ {self.full_date(window.starts_on)} đến {self.full_date(window.ends_on)}"

    def cut_off(self, day: date) -> str:
        return f"đến {self.full_date(day)}"

    def left_out(self, extended: int, exempt: int) -> str:
        parts = (
            f"được gia hạn ({self.count(extended)})" if extended else "",
            f"được miễn ({self.count(exempt)})" if exempt else "",
        )
        return " hoặc ".join(filter(None, parts))

    def name_newer(self, agency: str) -> str:
        return f"{agency} (mới)"

    def of_agency(self, report: str, agency: str) -> str:
        return f"{report} của {agency}"

    def listed_in_sms(self, reports: Sequence[tuple[str, date]]) -> str:
        *others, (last, day) = reports
        listed = [f"{name} (hạn {self.day_and_month(one)})" for name, one in others]
        return ", ".join([*listed, f"{last} (hạn {self.full_date(day)})"])

    def absent_reports(self, count: int) -> str:
        return f"Chưa nhận được báo cáo ({self.count(count)})"

    def partial_reports(self, count: int) -> str:
        return f"Đã nhận, còn thiếu nội dung ({self.count(count)})"

    def note_of_row(self, lacks: str, promised_on: date | None, unreached_since: date | None, receiver: str) -> str:
        parts = (
            f"còn thiếu: {lacks}" if lacks else "",
            f"hẹn gửi ngày {self.full_date(promised_on)}" if promised_on else "",
            f"từ ngày {self.day_and_month(unreached_since)}, thư của {receiver} chưa đến được đơn vị"
            if unreached_since
            else "",
        )
        return "; ".join(filter(None, parts))

    def section(self, title: str) -> str:
        return f"phần “{title}”"

    def indicator(self, title: str, *, unit: str, low: Decimal | None, high: Decimal | None, is_whole: bool) -> str:
        bounds = (
            f"từ {self._number(low)}" if low is not None else "",
            f"đến {self._number(high)}" if high is not None else "",
        )
        parts = (
            UNITS[unit].vi if unit in UNITS else unit,
            " ".join(filter(None, bounds)),
            "số nguyên" if is_whole else "",
        )
        said = ", ".join(filter(None, parts))
        return f"chỉ tiêu “{title}”{f' ({said})' if said else ''}"

    def attachments(self, least: int, kinds: str) -> str:
        return f"ít nhất {self.count(least)} tệp{f' {kinds}' if kinds else ' đính kèm'}"

    def report_of(self, agency: str) -> str:
        return f"báo cáo của {agency}"

    def _number(self, value: Decimal) -> str:
        return figures.write_for_people(value, "vi")
