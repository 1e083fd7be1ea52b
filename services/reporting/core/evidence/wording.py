"""Words that explanations are made of, in both languages: instants, deadlines, spans of days, names of reports."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from schemas.plan.values import Bilingual
from services.reporting.core import vietnamese_locale
from services.reporting.core.evidence.duty_facts import ReportDetails

_PROOFS = {
    "postmark": Bilingual(vi="dấu bưu điện", en="the postmark"),
    "exchange-log": Bilingual(vi="nhật ký trục liên thông văn bản", en="the log of the document exchange"),
    "mail-gateway": Bilingual(vi="máy chủ thư", en="the mail gateway"),
}
_HOURS_SHOWN = timedelta(days=1)  # less than a day before the due instant, hours say more than "0 days"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """Writes in one language and one time zone."""

    zone: ZoneInfo
    language: str

    def choose(self, *, vi: str, en: str) -> str:
        """Return the text of the language."""
        return vi if self.language == "vi" else en

    def day(self, day: date) -> str:
        """Return a date: `09/12/2024`."""
        return self.choose(vi=vietnamese_locale.format_date(day), en=f"{day.day} {day:%B %Y}")

    def instant(self, instant: datetime) -> str:
        """Return an instant to the minute: `15:20 ngày 06/12/2024`."""
        local = instant.astimezone(self.zone)
        return self.choose(
            vi=vietnamese_locale.format_instant(instant, self.zone),
            en=f"{local:%H:%M} on {self.day(local.date())}",
        )

    def deadline(self, due_at: datetime) -> str:
        """Return an exclusive instant as the last day that still counts: `hết ngày 09/12/2024`."""
        local = due_at.astimezone(self.zone)
        last = vietnamese_locale.last_day_on_time(due_at, self.zone)
        if local.hour or local.minute or local.second:
            at = self.instant(due_at)
            return self.choose(vi=f"trước {at}", en=f"before {at}")
        return self.choose(vi=vietnamese_locale.format_deadline(due_at, self.zone), en=f"the end of {self.day(last)}")

    def days(self, count: int) -> str:
        """Return a number of days."""
        return self.choose(vi=f"{count} ngày", en="1 day" if count == 1 else f"{count} days")

    def times(self, count: int) -> str:
        """Return how often something happened."""
        return self.choose(vi=f"{count} lần", en="once" if count == 1 else f"{count} times")

    def time_left(self, due_at: datetime, as_of: datetime) -> str:
        """Return how much time is left at *as_of*: whole days up to the last good day, on that day the hours."""
        left = due_at - as_of
        if left < _HOURS_SHOWN:
            hours = int(left.total_seconds() // 3600)
            few = self.choose(vi="chưa đầy 1 giờ", en="less than an hour")
            return self.choose(vi=f"{hours} giờ", en="1 hour" if hours == 1 else f"{hours} hours") if hours else few
        return self.days((vietnamese_locale.last_day_on_time(due_at, self.zone) - self._local_date(as_of)).days)

    def days_between(self, earlier: datetime, due_at: datetime) -> int:
        """Return the whole local days from *earlier* to the last good day before *due_at*."""
        return (vietnamese_locale.last_day_on_time(due_at, self.zone) - self._local_date(earlier)).days

    def report(self, report: ReportDetails | None) -> str:
        """Return how a report is called: by its number, where it has one."""
        if report is None:
            return self.choose(vi="báo cáo", en="a report")
        kind = self.choose(vi="báo cáo", en="report")
        if report.is_nil_return:
            kind = self.choose(vi="báo cáo “không phát sinh”", en="nil return")
        return self.choose(vi=f"{kind} số {report.number}", en=f"{kind} No. {report.number}") if report.number else kind

    def proof(self, proof: str) -> str:
        """Return who proves a time of dispatch."""
        return _PROOFS[proof].in_language(self.language) if proof in _PROOFS else proof

    def _local_date(self, instant: datetime) -> date:
        return instant.astimezone(self.zone).date()
