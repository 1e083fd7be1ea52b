"""The alerts in English, for readers who asked for it: the same courtesy as in Vietnamese, sentence by sentence."""

from typing import assert_never

from schemas.events.assessments import StepKind
from schemas.plan.periods import Period, Recurrence
from services.notifier.core.rendering.phrases import Labels, Words
from services.notifier.core.rendering.template_context import Deadline, Matter

WORDS = Words(
    labels=Labels(
        title="Subject",
        agency="Reporting agency",
        basis="Basis",
        deadline="Due by",
        state="State",
        lacks="Still missing",
        form="Send online (for your agency only)",
    ),
    signature="Đôn Đốc reporting calendar",
    reader="your agency",
    closing="Thank you for your kind attention and cooperation.",
    footer=(
        "This message is sent automatically to help keep track of deadlines and does not replace an official letter. "
        "If the report has been sent already, please disregard it."
    ),
    open_form="Open the form",
    clause="clause",
    due="due by",
    undated="the document sets no date",
    nearest="The nearest is due by",
    absent="not received yet",
    early="not due yet, not received yet",
    partial="received, not complete",
    lacking="still missing",
    missing="Missing",
    unsigned="the signature of the responsible person",
    unit="in",
    low="from",
    high="to",
    units={"million_vnd": "million VND", "billion_vnd": "billion VND", "vnd": "VND", "percent": "%"},
    media_types={"application/pdf": "PDF"},
)


class English:
    """The phrases for readers of English."""

    words = WORDS

    def greeting(self, reader: str | None) -> str:
        return f"To: {reader or 'Sir or Madam'}"

    def subject(self, one: Matter, about: str) -> str:
        match one.kind:
            case StepKind.REMINDER:
                return f"Reminder: {about}"
            case StepKind.URGING:
                return f"Kind request: {about}"
            case StepKind.INCOMPLETE:
                return f"Please complete: {about}"
            case StepKind.ESCALATION:
                return f"For information: {one.agency} – {about}"
            case _:
                assert_never(one.kind)

    def subject_of_many(self, count: int, sources: str) -> str:
        return f"Kind request concerning {count} reports under {sources}"

    def opening(self, one: Matter, *, who: str, by: str, reader: str) -> str:
        match one.kind:
            case StepKind.REMINDER:
                return f"{who} respectfully requests {one.agency} to send the report below in time ({by})."
            case StepKind.URGING:
                return (
                    f"{who} has not yet received the {_wanted(one)} below from {one.agency} ({by}), "
                    f"and respectfully requests {one.agency} to send it as soon as possible."
                )
            case StepKind.INCOMPLETE:
                return (
                    f"{who} has received the report below from {one.agency} and respectfully requests {one.agency} "
                    f"to add what is still missing ({by})."
                )
            case StepKind.ESCALATION:
                return (
                    f"{who} wishes to inform you that the {_wanted(one)} below from {one.agency} "
                    f"has not been received yet ({by}), and respectfully requests {reader} to give it attention."
                )
            case _:
                assert_never(one.kind)

    def opening_of_many(self, count: int, *, who: str, reader: str) -> str:
        return f"{who} respectfully requests the attention of {reader} to the {count} matters below."

    def basis(self, one: Matter) -> str:
        dated = f" of {one.source_issued_on:%d/%m/%Y}" if one.source_issued_on else ""
        return f"clause {one.clause}, document {one.source}{dated}"

    def report(self, one: Matter, about: str) -> str:
        return f'the report "{about}" (clause {one.clause}, {one.source})'

    def report_in_brief(self, one: Matter, of_period: str) -> str:
        return f"the report{of_period} under clause {one.clause} of {one.source}"

    def short(self, one: Matter, report: str) -> str:
        match one.kind:
            case StepKind.REMINDER:
                return f"{one.agency} is kindly requested to send {report}"
            case StepKind.URGING:
                return f"{one.agency} is kindly requested to send {report} soon"
            case StepKind.INCOMPLETE:
                return f"{one.agency} is kindly requested to complete {report}"
            case StepKind.ESCALATION:
                return f"For information: {one.agency} has not sent {report}{' in full' if one.lacks else ''}"
            case _:
                assert_never(one.kind)

    def short_of_many(self, count: int, *, sources: str, reader: str) -> str:
        return f"The attention of {reader} is kindly requested to {count} reports under {sources}"

    def section(self, title: str) -> str:
        return f'the section "{title}"'

    def indicator(self, title: str) -> str:
        return f'the indicator "{title}"'

    def attachments(self, least: int) -> str:
        return f"at least {least} attached file(s)"

    def day(self, due: Deadline) -> str:
        if due.before is None:
            return f"the end of {due.last_day:%d/%m/%Y}"
        return f"{due.before:%H:%M} on {due.last_day:%d/%m/%Y}"

    def distance(self, due: Deadline) -> str:
        if due.has_passed:
            return f"{_days(-due.days_left)} overdue" if due.days_left < 0 else "overdue"
        return f"{_days(due.days_left)} left" if due.days_left else "today is the last day"

    def period(self, period: Period) -> str:
        year, month = period.starts_on.year, period.starts_on.month
        match period.recurrence:
            case Recurrence.MONTH:
                return f"for {period.starts_on:%m/%Y}"
            case Recurrence.QUARTER:
                return f"for quarter {month // 3 + 1} of {year}"
            case Recurrence.HALF_YEAR:
                return f"for the {'first' if month == 1 else 'second'} half of {year}"
            case _:
                return f"for {year}"

    def number(self, value: float) -> str:
        return f"{value:,.10g}"


def _wanted(one: Matter) -> str:
    return "complete report" if one.lacks else "report"


def _days(count: int) -> str:
    return "1 day" if count == 1 else f"{count} days"
