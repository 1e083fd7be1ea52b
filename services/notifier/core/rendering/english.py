"""The phrases of alerts in English, sentence by sentence as courteous as in Vietnamese."""

from datetime import date
from decimal import Decimal
from typing import assert_never

from schemas.content import period_names
from schemas.content.units import UNITS
from schemas.events.assessments import StepKind
from schemas.plan import figures
from schemas.plan.calendar import FiguresWindow
from schemas.plan.periods import Period
from services.notifier.core.rendering import english_notices
from services.notifier.core.rendering.phrases import FixedTexts, RowLabels
from services.notifier.core.rendering.template_context import AlertContext, Deadline, NoticeContext

TEXTS = FixedTexts(
    labels=RowLabels(
        title="Subject",
        agency="Reporting agency",
        receiver="Report goes to",
        basis="Basis",
        deadline="Due by",
        state="State",
        missing="Still missing",
        correction="To be revised",
        respond_by="New version due by",
        form="Send online (for your agency only)",
        dashboard="Dashboard (for your agency only)",
        window="Figures",
        former_deadline="Before",
        decision="Decision",
        heirs="Sent by",
        document="Document",
        recorded_at="Recorded at",
    ),
    default_signature="Đôn Đốc reporting calendar",
    default_reader="your agency",
    closing="Thank you for your kind attention and cooperation.",
    footer=(
        "This message is sent automatically to help keep track of deadlines and does not replace an official letter. "
        "If the report has been sent already, please disregard it."
    ),
    open_form="Open the form",
    open_dashboard="See your agency's reports",
    clause="clause",
    due="due by",
    no_due_date="the document sets no date",
    nearest_due="The nearest is due by",
    not_received="not received yet",
    not_due_yet="not due yet, not received yet",
    incomplete="received, not complete",
    returned="received, to be revised",
    keeps_time="A complete new version sent by then is recorded at the time of your first report.",
    received="received in full",
    exempt="exempt",
    passed_on="passed on to the agency that takes over",
    no_urging="Until then no request will be sent.",
    missing_correction="the new version that was asked for",
    missing_inline="still missing",
    missing_heading="Missing",
    missing_signature="the signature of the responsible person",
    unit="in",
    range_from="from",
    range_to="to",
    whole_number="a whole number",
    units={unit: words.in_language("en") for unit, words in UNITS.items()},
    media_types={"application/pdf": "PDF"},
)


class English:
    """The phrases for readers of English."""

    texts = TEXTS

    def greeting(self, reader: str | None) -> str:
        return f"To: {reader or 'Sir or Madam'}"

    def subject(self, alert: AlertContext, title: str) -> str:
        to_co_operate = " (for co-operation)" if alert.is_copy else ""
        match alert.kind:
            case StepKind.REMINDER:
                return f"Reminder{to_co_operate}: {title}"
            case StepKind.URGING:
                return f"Kind request{to_co_operate}: {title}"
            case StepKind.INCOMPLETE:
                return f"Please complete: {title}"
            case StepKind.RETURNED:
                return f"Please revise: {title}"
            case StepKind.ESCALATION:
                return f"For information: {alert.agency} – {title}"
            case StepKind.RECEIVED | StepKind.EXTENSION | StepKind.EXEMPTION | StepKind.SUCCESSION | StepKind.OPENING:
                return english_notices.write_subject(alert, title)
            case _:
                assert_never(alert.kind)

    def subject_of_many(self, count: int, sources: str) -> str:
        return f"Kind request concerning {count} reports under {sources}"

    def opening(self, alert: AlertContext, *, speaker: str, due: str, reader: str) -> str:
        if alert.is_copy:
            return self._opening_of_copy(alert, speaker=speaker, due=due, reader=reader)
        match alert.kind:
            case StepKind.REMINDER:
                return f"{speaker} respectfully requests {alert.agency} to send the report below in time ({due})."
            case StepKind.URGING:
                return (
                    f"{speaker} has not yet received the {_report_noun(alert)} below from {alert.agency} ({due}), "
                    f"and respectfully requests {alert.agency} to send it as soon as possible."
                )
            case StepKind.INCOMPLETE:
                return (
                    f"{speaker} has received the report below from {alert.agency} and respectfully requests "
                    f"{alert.agency} to add what is still missing ({due})."
                )
            case StepKind.RETURNED:
                term = f" ({due})" if alert.next_deadline else " as soon as possible"
                return (
                    f"{speaker} respectfully requests {alert.agency} to revise the report as set out below "
                    f"and to send the new version{term}."
                )
            case StepKind.ESCALATION:
                return (
                    f"{speaker} wishes to inform you that the {_report_noun(alert)} below from {alert.agency} "
                    f"has not been received yet ({due}), and respectfully requests {reader} to give it attention."
                )
            case StepKind.RECEIVED | StepKind.EXTENSION | StepKind.EXEMPTION | StepKind.SUCCESSION | StepKind.OPENING:
                return english_notices.write_opening(alert, speaker=speaker, due=due, reader=reader)
            case _:
                assert_never(alert.kind)

    def _opening_of_copy(self, alert: AlertContext, *, speaker: str, due: str, reader: str) -> str:
        if alert.kind is StepKind.REMINDER:
            return (
                f"{speaker} respectfully requests {reader} to co-operate with {alert.agency}, which leads, "
                f"so that the report below is sent in time ({due})."
            )
        return (
            f"{speaker} has not yet received the {_report_noun(alert)} below from {alert.agency} ({due}), and "
            f"respectfully requests {reader} to co-operate with {alert.agency}, which leads, "
            "so that it is sent as soon as possible."
        )

    def opening_of_many(self, count: int, *, speaker: str, reader: str) -> str:
        return f"{speaker} respectfully requests the attention of {reader} to the {count} matters below."

    def basis(self, alert: AlertContext) -> str:
        dated = f" of {alert.source_issued_on:%d/%m/%Y}" if alert.source_issued_on else ""
        document = "document " if alert.has_number else ""
        return f"clause {alert.clause}, {document}{alert.source}{dated}"

    def report(self, alert: AlertContext, title: str) -> str:
        return f'the report "{title}" (clause {alert.clause}, {alert.source})'

    def report_in_brief(self, alert: AlertContext, of_period: str) -> str:
        return f"the report{of_period} under clause {alert.clause} of {alert.source}"

    def sms(self, alert: AlertContext, report: str) -> str:
        if alert.is_copy:
            return f"Please co-operate with {alert.agency} to send {report}"
        match alert.kind:
            case StepKind.REMINDER:
                return f"{alert.agency} is kindly requested to send {report}"
            case StepKind.URGING:
                return f"{alert.agency} is kindly requested to send {report} soon"
            case StepKind.INCOMPLETE:
                return f"{alert.agency} is kindly requested to complete {report}"
            case StepKind.RETURNED:
                return f"{alert.agency} is kindly requested to revise {report}; see e-mail"
            case StepKind.ESCALATION:
                return f"For information: {alert.agency} has not sent {report}{' in full' if alert.missing else ''}"
            case StepKind.RECEIVED | StepKind.EXTENSION | StepKind.EXEMPTION | StepKind.SUCCESSION | StepKind.OPENING:
                return english_notices.write_sms(alert, report)
            case _:
                assert_never(alert.kind)

    def sms_of_many(self, count: int, *, sources: str, reader: str) -> str:
        return f"The attention of {reader} is kindly requested to {count} reports under {sources}"

    def section(self, title: str) -> str:
        return f'the section "{title}"'

    def indicator(self, title: str) -> str:
        return f'the indicator "{title}"'

    def attachments(self, least: int) -> str:
        return f"at least {least} attached file(s)"

    def window(self, window: FiguresWindow) -> str:
        return f"from {window.starts_on:%d/%m/%Y} to {window.ends_on:%d/%m/%Y}"

    def day(self, day: date) -> str:
        return f"of {day:%d/%m/%Y}"

    def recorded_at(self, notice: NoticeContext) -> str:
        if notice.recorded_at is None:
            return ""
        late = f"{_count_days(notice.days_late)} after the deadline" if notice.days_late else "in time"
        return f"{notice.recorded_at:%H:%M on %d/%m/%Y} ({late})"

    def report_of(self, agency: str) -> str:
        return f"the report of {agency}"

    def last_day(self, deadline: Deadline) -> str:
        if deadline.before is None:
            return f"the end of {deadline.last_day:%d/%m/%Y}"
        return f"{deadline.before:%H:%M} on {deadline.last_day:%d/%m/%Y}"

    def days_left(self, deadline: Deadline) -> str:
        if deadline.has_passed:
            return f"{_count_days(-deadline.days_left)} overdue" if deadline.days_left < 0 else "overdue"
        return f"{_count_days(deadline.days_left)} left" if deadline.days_left else "today is the last day"

    def period(self, period: Period) -> str:
        return f"for {period_names.name_period(period).en}"

    def title(self, title: str, period: str | None) -> str:
        return period_names.add_period(title, period, "en")

    def number(self, value: Decimal) -> str:
        return figures.write_for_people(value, "en")


def _report_noun(alert: AlertContext) -> str:
    return "complete report" if alert.missing else "report"


def _count_days(count: int) -> str:
    return "1 day" if count == 1 else f"{count} days"
