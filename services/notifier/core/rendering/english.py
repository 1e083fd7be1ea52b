"""Values in English: dates that nobody misreads (9 Dec 2024), deadlines, distances, counts and missing parts."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal

from schemas.content.units import UNITS
from schemas.plan import figures, periods
from schemas.plan.calendar import FiguresWindow
from services.notifier.core.rendering.letter_facts import CitedDecision, CitedSource, Deadline, Request
from services.notifier.core.scheduling.routing import Language

_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_ORDINALS = ("first", "second", "third", "fourth", "fifth")
_ENDINGS = {1: "st", 2: "nd", 3: "rd"}
_TEENS = range(11, 14)


class English:
    """The values of a letter for readers of English."""

    language: Language = "en"
    reader = "your agency"
    telephone = "Tel"
    superior = "the leadership"
    soon = "as soon as possible"
    missing_signature = "the signature of the responsible person"
    # What is asked of a report in a list of several, and the words of its link.
    requests: Mapping[Request, tuple[str, str]] = {
        "send": ("to be sent", "Send the report"),
        "complete": ("to be completed", "Complete the report"),
        "revise": ("to be revised", "Send the revised report"),
        "prepare": ("to be prepared", "Open the form"),
        "extended": ("deadline extended", "Send the report"),
        "take-over": ("to be taken over and sent", "Send the report"),
        "join": ("co-operation asked", ""),
        "received": ("received in full", ""),
        "exempt": ("exempt", ""),
        "passed": ("need not be sent by you", ""),
    }
    missing_correction = "the new version that was asked for"

    def full_date(self, day: date) -> str:
        return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"

    def short_date(self, day: date) -> str:
        return f"{day.day} {_MONTHS[day.month - 1][:3]} {day.year}"

    def day_and_month(self, day: date) -> str:
        return f"{day.day} {_MONTHS[day.month - 1][:3]}"

    def weekday(self, day: date) -> str:
        return _WEEKDAYS[day.weekday()]

    def instant(self, at: datetime) -> str:
        return f"{at:%H:%M} on {self.full_date(at.date())}"

    def due(self, deadline: Deadline) -> str:
        return self.due_by(deadline).removeprefix("by the ")

    def due_by(self, deadline: Deadline) -> str:
        if deadline.before is None:
            return f"by the end of {self.full_date(deadline.last_day)}"
        return f"before {deadline.before:%H:%M} on {self.full_date(deadline.last_day)}"

    def due_by_in_sms(self, deadline: Deadline) -> str:
        hour = f"before {deadline.before:%H:%M} on" if deadline.before else "by"
        return f"{hour} {self.short_date(deadline.last_day)}"

    def due_end(self, deadline: Deadline) -> str:
        return f"{f'{deadline.before:%H:%M}' if deadline.before else 'midnight'} on {self.full_date(deadline.last_day)}"

    def distance(self, deadline: Deadline) -> str:
        if deadline.has_passed:
            return f"{_count_days(-deadline.days_left)} overdue" if deadline.days_left < 0 else "overdue"
        return f"{_count_days(deadline.days_left)} left" if deadline.days_left else "today is the last day"

    def overdue_in_sms(self, deadline: Deadline) -> str:
        return self.distance(deadline)

    def count(self, number: int) -> str:
        return str(number)

    def lack_count(self, number: int) -> str:
        return "1 part" if number == 1 else f"{number} parts"

    def ordinal(self, number: int) -> str:
        return _ORDINALS[number - 1] if number <= len(_ORDINALS) else self.short_ordinal(number)

    def short_ordinal(self, number: int) -> str:
        ending = "th" if number % 100 in _TEENS else _ENDINGS.get(number % 10, "th")
        return f"{number}{ending}"

    def join(self, names: Sequence[str]) -> str:
        *others, last = names or ("",)
        return f"{', '.join(others)} and {last}" if others else last

    def days(self, days: Sequence[date]) -> str:
        return self.join([self.full_date(day) for day in days])

    def reminders_sent(self, count: int, last: date) -> str:
        return f"{count}, the last on {self.full_date(last)}"

    def named_day(self, promised_on: date, said_on: date) -> str:
        return f"; on {self.full_date(said_on)} your agency named {self.full_date(promised_on)}"

    def urged_before(self, ordinal: int) -> str:
        return f", {self.short_ordinal(ordinal)} request"

    def recorded_as(self, days_late: int) -> str:
        return f"{_count_days(days_late)} after the deadline" if days_late else "in time"

    def title(self, title: str, period: str | None) -> str:
        return periods.add_period(title, period, "en")

    def report(self, title: str, period: str | None, *, is_noun: bool) -> str:
        named = self.title(title, period)
        return named if is_noun or "report" in title.casefold() else f'report "{named}"'

    def short_report(self, source: CitedSource) -> str:
        return f"report under {source.number}"

    def abbreviate(self, report: str) -> str:
        return report

    def within_sentence(self, report: str) -> str:
        return report

    def basis(self, clause: str, source: CitedSource) -> str:
        dated = f" of {self.full_date(source.issued_on)}" if source.issued_on else ""
        issued = f", {source.issuer}" if source.issuer and source.number else ""
        named = f"document {source.number}" if source.number else source.title
        return f"clause {clause}, {named}{dated}{issued}"

    def decision(self, decision: CitedDecision) -> str:
        number = f" {decision.number}" if decision.number else ""
        return f"decision{number}{f' of {self.full_date(decision.issued_on)}' if decision.issued_on else ''}"

    def exempt_span(self, first: date, last: date | None) -> str:
        end = f" to {self.full_date(last)}" if last else " on"
        return f"deadlines from {self.full_date(first)}{end}"

    def window(self, window: FiguresWindow) -> str:
        return f"from {self.full_date(window.starts_on)} to {self.full_date(window.ends_on)}"

    def cut_off(self, day: date) -> str:
        return f"up to {self.full_date(day)}"

    def left_out(self, extended: int, exempt: int) -> str:
        parts = (
            f"with an extension ({extended})" if extended else "",
            f"with an exemption ({exempt})" if exempt else "",
        )
        return " or ".join(filter(None, parts))

    def name_newer(self, agency: str) -> str:
        return f"{agency} (new)"

    def of_agency(self, report: str, agency: str) -> str:
        return f"{report} of {agency}"

    def listed_in_sms(self, reports: Sequence[tuple[str, date]]) -> str:
        *others, (last, day) = reports
        listed = [f"{name} (by {self.day_and_month(one)})" for name, one in others]
        return ", ".join([*listed, f"{last} (by {self.short_date(day)})"])

    def absent_reports(self, count: int) -> str:
        return f"Not received ({count})"

    def partial_reports(self, count: int) -> str:
        return f"Received, parts missing ({count})"

    def note_of_row(self, lacks: str, promised_on: date | None, unreached_since: date | None, receiver: str) -> str:
        del receiver
        parts = (
            f"missing: {lacks}" if lacks else "",
            f"named {self.full_date(promised_on)} as the day" if promised_on else "",
            f"since {self.day_and_month(unreached_since)} our mail has not reached it" if unreached_since else "",
        )
        return "; ".join(filter(None, parts))

    def section(self, title: str) -> str:
        return f'the section "{title}"'

    def indicator(self, title: str, *, unit: str, low: Decimal | None, high: Decimal | None, is_whole: bool) -> str:
        bounds = (
            f"from {self._number(low)}" if low is not None else "",
            f"to {self._number(high)}" if high is not None else "",
        )
        parts = (
            f"in {UNITS[unit].in_language('en') if unit in UNITS else unit}" if unit else "",
            " ".join(filter(None, bounds)),
            "a whole number" if is_whole else "",
        )
        said = ", ".join(filter(None, parts))
        return f'the indicator "{title}"{f" ({said})" if said else ""}'

    def attachments(self, least: int, kinds: str) -> str:
        return f"at least {least}{f' {kinds}' if kinds else ' attached'} file{'' if least == 1 else 's'}"

    def report_of(self, agency: str) -> str:
        return f"the report of {agency}"

    def _number(self, value: Decimal) -> str:
        return figures.write_for_people(value, "en")


def _count_days(count: int) -> str:
    return "1 day" if count == 1 else f"{count} days"
