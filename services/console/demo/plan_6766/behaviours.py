"""The behaviours an agency can have in the scenario: what it posts when, and the outcome that must follow from it."""

from dataclasses import dataclass, replace
from datetime import date, datetime

from schemas.events.assessments import Status
from services.console.demo.plan_6766 import reported_content
from services.console.demo.plan_6766.events import (
    EMAIL,
    EXCHANGE,
    YEAR,
    ZONE,
    ReportDraft,
    build_exemption,
    build_extension,
    build_reassignment,
    build_return,
    build_withdrawal,
)
from services.console.demo.plan_6766.expected import (
    DUE_AT,
    OPENINGS,
    AlertCounts,
    ExpectedDuty,
    count_alerts,
    span_from,
)
from services.console.demo.scenario import ScheduledPost

SIGNATURE_AND_FILE = ("attachments", "signed")


@dataclass(frozen=True, slots=True, kw_only=True)
class AgencyBehaviour:
    """What one agency posts, and the state in which its duty must be at the end."""

    posts: tuple[ScheduledPost, ...] = ()
    expected: ExpectedDuty


def instant(month: int, day: int, clock: str = "09:00", *, year: int = 2024) -> datetime:
    """Return an instant of the scenario in local time, for example `instant(12, 9, "23:59")`."""
    return datetime.fromisoformat(f"{year}-{month:02d}-{day:02d}T{clock}").replace(tzinfo=ZONE)


def send_report(report: ReportDraft) -> AgencyBehaviour:
    """Send one complete report, on time or late.

    The dispatch instant counts where somebody other than the sender can prove it, else the instant of receipt.
    """
    has_proof = report.upstream.proof != "none"
    post = report.to_post()
    effective_at = datetime.fromisoformat(post.event["data"]["dispatch"]["sent_at"]) if has_proof else report.at
    expected = ExpectedDuty(
        agency=report.agency,
        status=Status.ON_TIME if effective_at < DUE_AT else Status.LATE,
        effective_at=effective_at,
        alerts=count_alerts(span_from(report.at), told=1),
        standing=report,
    )
    return AgencyBehaviour(posts=(post,), expected=expected)


def stay_silent(agency: str) -> AgencyBehaviour:
    """Send nothing at all."""
    expected = ExpectedDuty(agency=agency, status=Status.OVERDUE, submissions=0, alerts=count_alerts())
    return AgencyBehaviour(expected=expected)


def be_unreachable(agency: str) -> AgencyBehaviour:
    """Send nothing and have no contact, so that only the escalations to the superiors go out."""
    silent = stay_silent(agency)
    alerts = AlertCounts(escalations=silent.expected.alerts.escalations)
    return replace(silent, expected=replace(silent.expected, alerts=alerts))


def complete_later(agency: str, first_at: datetime, completed_at: datetime) -> AgencyBehaviour:
    """Send an unsigned report without its file and complete it later: it counts from its completion."""
    draft = ReportDraft(agency=agency, at=first_at, is_signed=False, has_file=False)
    complete = ReportDraft(agency=agency, at=completed_at, serial=2, corrects=draft.id)
    is_late = completed_at >= DUE_AT
    expected = ExpectedDuty(
        agency=agency,
        status=Status.LATE if is_late else Status.ON_TIME,
        effective_at=completed_at,
        flags=frozenset({"first_sent_on_time"}) if is_late else frozenset(),
        alerts=count_alerts(span_from(completed_at), about_incomplete=1, told=1),
        standing=complete,
    )
    return AgencyBehaviour(posts=(draft.to_post(), complete.to_post()), expected=expected)


def correct_figures(agency: str) -> AgencyBehaviour:
    """Send a figure that the plan's check refuses, and correct it on time.

    The report first claims that more money was entrusted within the year than altogether.
    """
    figures = reported_content.draw_figures(agency, int(YEAR))
    wrong = {**figures, "entrusted_added_in_year": figures["entrusted_local_budget"] + 500}
    draft = ReportDraft(agency=agency, at=instant(11, 29, "16:20"), indicators=wrong)
    correction = ReportDraft(agency=agency, at=instant(12, 6, "15:20"), serial=2, corrects=draft.id)
    expected = ExpectedDuty(
        agency=agency,
        status=Status.ON_TIME,
        effective_at=correction.at,
        alerts=count_alerts(span_from(correction.at), about_incomplete=1, told=1),
        standing=correction,
    )
    return AgencyBehaviour(posts=(draft.to_post(), correction.to_post()), expected=expected)


def correct_returned_slip(agency: str) -> AgencyBehaviour:
    """Report loans in thousands of đồng in place of millions; the bank returns the report, and it is corrected in time.

    The correction gives the report back the instant at which it was first sent.
    """
    draft = ReportDraft(agency=agency, at=instant(11, 26, "09:40"))
    slip = {**draft.figures, "outstanding_loans": draft.figures["outstanding_loans"] * 1000}
    report = replace(draft, indicators=slip)
    returned = build_return(
        report,
        instant(12, 3, "10:15"),
        reason="Tổng dư nợ gấp 1.000 lần năm trước; đề nghị kiểm tra đơn vị tính (triệu đồng).",
        respond_by=instant(12, 9, "00:00"),
    )
    correction = replace(draft, at=instant(12, 6, "14:20"), serial=2, corrects=report.id)
    expected = ExpectedDuty(
        agency=agency,
        status=Status.ON_TIME,
        effective_at=report.at,
        flags=frozenset({"returned_and_corrected"}),
        # Nobody is reminded while there is time to correct a report.
        alerts=replace(count_alerts(span_from(report.at), told=2), about_returned=1),
        standing=correction,
    )
    return AgencyBehaviour(posts=(report.to_post(), returned, correction.to_post()), expected=expected)


def ignore_return(agency: str) -> AgencyBehaviour:
    """Report last year's figures anew; the bank returns the report, and nothing comes after it."""
    last_year = reported_content.draw_figures(agency, int(YEAR) - 1)
    report = ReportDraft(agency=agency, at=instant(11, 25, "15:10"), indicators=last_year)
    respond_by = instant(12, 13, "00:00")
    returned = build_return(
        report,
        instant(12, 4, "08:50"),
        reason="Số liệu trùng hoàn toàn với báo cáo năm trước; đề nghị cập nhật số liệu đến 30/11/2024.",
        respond_by=respond_by,
    )
    expected = ExpectedDuty(
        agency=agency,
        status=Status.INCOMPLETE,
        effective_at=report.at,
        flags=frozenset({"first_sent_on_time", "past_due"}),
        missing=("returned",),
        # Urging begins when the time to correct the report is over.
        alerts=replace(count_alerts(((report.at, respond_by),), told=1), about_returned=1),
        standing=report,
    )
    return AgencyBehaviour(posts=(report.to_post(), returned), expected=expected)


def stay_incomplete(agency: str) -> AgencyBehaviour:
    """Send an unsigned report without its file, and nothing after it."""
    draft = ReportDraft(agency=agency, at=instant(12, 3, "14:05"), is_signed=False, has_file=False)
    expected = ExpectedDuty(
        agency=agency,
        status=Status.INCOMPLETE,
        effective_at=draft.at,
        flags=frozenset({"first_sent_on_time", "past_due"}),
        missing=SIGNATURE_AND_FILE,
        alerts=count_alerts(about_incomplete=1),
        standing=draft,
    )
    return AgencyBehaviour(posts=(draft.to_post(),), expected=expected)


def withdraw(agency: str) -> AgencyBehaviour:
    """Withdraw a report before the due instant, and send nothing after it."""
    report = ReportDraft(agency=agency, at=instant(12, 2, "10:10"))
    withdrawal = build_withdrawal(report, instant(12, 6, "16:40"), "Số liệu chưa đối chiếu với ngân hàng")
    expected = ExpectedDuty(
        agency=agency,
        status=Status.OVERDUE,
        submissions=0,
        flags=frozenset({"withdrawn"}),
        alerts=count_alerts(((report.at, withdrawal.at),), told=1),
    )
    return AgencyBehaviour(posts=(report.to_post(), withdrawal), expected=expected)


def withdraw_and_resend(agency: str) -> AgencyBehaviour:
    """Withdraw a report, and send another one on time."""
    report = ReportDraft(agency=agency, at=instant(11, 15))
    withdrawal = build_withdrawal(report, instant(11, 25, "11:00"), "Gửi nhầm bản dự thảo")
    resubmission = ReportDraft(agency=agency, at=instant(12, 3, "08:45"), serial=2)
    expected = ExpectedDuty(
        agency=agency,
        status=Status.ON_TIME,
        effective_at=resubmission.at,
        flags=frozenset({"withdrawn"}),
        alerts=count_alerts(((report.at, withdrawal.at), *span_from(resubmission.at)), told=2),
        standing=resubmission,
    )
    return AgencyBehaviour(posts=(report.to_post(), withdrawal, resubmission.to_post()), expected=expected)


def send_duplicate(agency: str) -> AgencyBehaviour:
    """Send one document by e-mail and by the document exchange: it counts once, from the earlier dispatch.

    The exchange dispatched it first, though its copy arrives second.
    """
    mailed = ReportDraft(
        agency=agency,
        at=instant(11, 28, "09:02"),
        upstream=EMAIL,
        sent_at=instant(11, 28, "09:01"),
        number="877/BC-STC",
    )
    dispatched_at = instant(11, 28, "08:55")
    exchanged = replace(mailed, at=instant(11, 28, "09:30"), upstream=EXCHANGE, sent_at=dispatched_at, serial=2)
    expected = ExpectedDuty(
        agency=agency,
        status=Status.ON_TIME,
        effective_at=dispatched_at,
        flags=frozenset({"duplicate"}),
        alerts=count_alerts(span_from(mailed.at), told=1),
        standing=mailed,
    )
    return AgencyBehaviour(posts=(mailed.to_post(), exchanged.to_post()), expected=expected)


def send_two_documents(agency: str) -> AgencyBehaviour:
    """Send two different complete reports: both stay on file, to be reconciled; the figures of the second count."""
    first = ReportDraft(agency=agency, at=instant(11, 18, "10:00"))
    counted_anew = {**first.figures, "inspections": first.figures["inspections"] + 1}
    second = ReportDraft(agency=agency, at=instant(12, 4, "10:30"), serial=2, indicators=counted_anew)
    expected = ExpectedDuty(
        agency=agency,
        status=Status.ON_TIME,
        effective_at=first.at,
        submissions=2,
        flags=frozenset({"needs_reconciliation"}),
        alerts=count_alerts(span_from(first.at), told=1),
        standing=second,
    )
    return AgencyBehaviour(posts=(first.to_post(), second.to_post()), expected=expected)


def amend_after_deadline(agency: str) -> AgencyBehaviour:
    """Send a complete report on time and correct it after the due instant: it keeps its effective instant."""
    report = ReportDraft(agency=agency, at=instant(11, 26, "08:20"))
    amended = {**report.figures, "publicity_items": report.figures["publicity_items"] + 2}
    correction = replace(report, at=instant(12, 16, "10:15"), serial=2, corrects=report.id, indicators=amended)
    expected = ExpectedDuty(
        agency=agency,
        status=Status.ON_TIME,
        effective_at=report.at,
        flags=frozenset({"amended_after_deadline"}),
        alerts=count_alerts(span_from(report.at), told=1),
        standing=correction,
    )
    return AgencyBehaviour(posts=(report.to_post(), correction.to_post()), expected=expected)


def receive_extension(agency: str, *, granted_at: datetime, due_at: datetime, sent_at: datetime) -> AgencyBehaviour:
    """Have the due instant moved to *due_at* by a decision; the report is measured against the new one."""
    report = ReportDraft(agency=agency, at=sent_at)
    # Reminders of the old due instant go out until the decision; reminders and urgings of the new one from then on.
    before = count_alerts(span_from(granted_at))
    after = count_alerts((*span_from(sent_at), (datetime.min.replace(tzinfo=ZONE), granted_at)), due_at=due_at, told=2)
    alerts = AlertCounts(
        reminders=before.reminders + after.reminders,
        urgings=after.urgings,
        escalations=after.escalations,
        notices=after.notices,
    )
    expected = ExpectedDuty(
        agency=agency,
        status=Status.ON_TIME if sent_at < due_at else Status.LATE,
        due_at=due_at,
        effective_at=sent_at,
        flags=frozenset({"under_extension"}),
        alerts=alerts,
        standing=report,
    )
    return AgencyBehaviour(posts=(build_extension(agency, granted_at, due_at), report.to_post()), expected=expected)


def receive_exemption(agency: str) -> AgencyBehaviour:
    """Be exempted from this year's report by a decision."""
    decision = build_exemption(agency, instant(10, 16), instant(1, 1, "00:00", year=2025))
    expected = ExpectedDuty(
        agency=agency, status=Status.EXEMPT, submissions=0, alerts=AlertCounts(notices=OPENINGS + 1)
    )
    return AgencyBehaviour(posts=(decision,), expected=expected)


def send_nil_return(agency: str) -> AgencyBehaviour:
    """Send a nil return: a report that there is nothing to report."""
    behaviour = send_report(ReportDraft(agency=agency, at=instant(11, 29, "14:30"), is_nil=True))
    return replace(behaviour, expected=replace(behaviour.expected, flags=frozenset({"nil_return"})))


def report_wrong_year(agency: str) -> AgencyBehaviour:
    """File the report under last year; a decision after the due instant reassigns it to the right one."""
    report = ReportDraft(agency=agency, at=instant(12, 3, "14:30"), period="2023", about=YEAR, serial=2)
    reassignment = build_reassignment(report, instant(12, 11, "09:20"), "2024")
    expected = ExpectedDuty(
        agency=agency,
        status=Status.ON_TIME,
        effective_at=report.at,
        alerts=count_alerts(span_from(reassignment.at), told=1),
        standing=report,
    )
    return AgencyBehaviour(posts=(report.to_post(), reassignment), expected=expected)


def report_by_successor(agency: str) -> AgencyBehaviour:
    """Send nothing until *agency* is merged on 1 January 2025; its successor files the report late.

    Its figures are of the end of the year, and so compare with nobody else's.
    """
    filed_at = instant(1, 6, "09:15", year=2025)
    report = ReportDraft(
        agency="tp-thanh-hoa", at=filed_at, serial=2, on_behalf_of=agency, figures_as_of=date(int(YEAR), 12, 31)
    )
    expected = ExpectedDuty(
        agency=agency,
        status=Status.LATE,
        effective_at=filed_at,
        flags=frozenset({"filed_by_successor"}),
        # The agency has ended when the year 2025 opens and when its report comes, of which its successor is told.
        alerts=replace(count_alerts(span_from(filed_at)), notices=1),
        standing=report,
    )
    return AgencyBehaviour(posts=(report.to_post(),), expected=expected)


def be_told_of_predecessor(behaviour: AgencyBehaviour) -> AgencyBehaviour:
    """Return *behaviour* of the successor that files for an agency that has ended: its receipt is told as well."""
    alerts = behaviour.expected.alerts
    return replace(behaviour, expected=replace(behaviour.expected, alerts=replace(alerts, notices=alerts.notices + 1)))
