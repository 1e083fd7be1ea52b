"""How an agency may behave, told act by act, and the truth that its acts plant."""

from dataclasses import dataclass, replace
from datetime import datetime

from schemas.events.assessments import Status
from services.console.demo.events import (
    EXCHANGE,
    MAIL,
    ZONE,
    Post,
    Report,
    exemption,
    extension,
    figures,
    reassignment,
    withdrawal,
)
from services.console.demo.expected import DUE_AT, Told, Truth, from_, told

SIGNATURE_AND_FILE = ("attachments", "signed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What one agency does, and how its duty stands at the end."""

    posts: tuple[Post, ...] = ()
    truth: Truth


def at(month: int, day: int, clock: str = "09:00", *, year: int = 2024) -> datetime:
    """Return an instant of the story in local time."""
    return datetime.fromisoformat(f"{year}-{month:02d}-{day:02d}T{clock}").replace(tzinfo=ZONE)


def sends(report: Report) -> Part:
    """Send one complete report, in time or not: its dispatch counts where somebody else can prove it."""
    proven = report.way.proof != "none"
    post = report.post()
    sent_at = datetime.fromisoformat(post.event["data"]["dispatch"]["sent_at"]) if proven else report.at
    status = Status.ON_TIME if sent_at < DUE_AT else Status.LATE
    truth = Truth(agency=report.agency, status=status, effective_at=sent_at, told=told(from_(report.at)))
    return Part(posts=(post,), truth=truth)


def silent(agency: str) -> Part:
    """Send nothing at all."""
    return Part(truth=Truth(agency=agency, status=Status.OVERDUE, submissions=0, told=told()))


def unreachable(agency: str) -> Part:
    """Send nothing, where nobody can be told; those above can."""
    part = silent(agency)
    return replace(part, truth=replace(part.truth, told=Told(escalations=part.truth.told.escalations)))


def completes(agency: str, first: datetime, then: datetime) -> Part:
    """Send an unsigned report without its file, completed later: it counts from its completion."""
    draft = Report(agency=agency, at=first, is_signed=False, has_file=False)
    whole = Report(agency=agency, at=then, serial=2, corrects=draft.id)
    is_late = then >= DUE_AT
    truth = Truth(
        agency=agency,
        status=Status.LATE if is_late else Status.ON_TIME,
        effective_at=then,
        flags=frozenset({"first_sent_on_time"}) if is_late else frozenset(),
        told=told(from_(then), about_incomplete=1),
    )
    return Part(posts=(draft.post(), whole.post()), truth=truth)


def corrects_figures(agency: str) -> Part:
    """Claim more entrusted in the year than altogether: the plan's check catches it, the agency mends it in time."""
    wrong = {**figures(agency), "entrusted_added_in_year": figures(agency)["entrusted_local_budget"] + 500}
    draft = Report(agency=agency, at=at(11, 29, "16:20"), indicators=wrong)
    mended = Report(agency=agency, at=at(12, 6, "15:20"), serial=2, corrects=draft.id)
    truth = Truth(
        agency=agency,
        status=Status.ON_TIME,
        effective_at=mended.at,
        told=told(from_(mended.at), about_incomplete=1),
    )
    return Part(posts=(draft.post(), mended.post()), truth=truth)


def stays_incomplete(agency: str) -> Part:
    """Send an unsigned report without its file, and nothing after it."""
    draft = Report(agency=agency, at=at(12, 3, "14:05"), is_signed=False, has_file=False)
    truth = Truth(
        agency=agency,
        status=Status.INCOMPLETE,
        effective_at=draft.at,
        flags=frozenset({"first_sent_on_time", "past_due"}),
        missing=SIGNATURE_AND_FILE,
        told=told(about_incomplete=1),
    )
    return Part(posts=(draft.post(),), truth=truth)


def withdraws(agency: str) -> Part:
    """Take a report back in time, and send nothing after it."""
    report = Report(agency=agency, at=at(12, 2, "10:10"))
    back = withdrawal(report, at(12, 6, "16:40"), "Số liệu chưa đối chiếu với ngân hàng")
    flags = frozenset({"withdrawn"})
    heard = told(((report.at, back.at),))
    truth = Truth(agency=agency, status=Status.OVERDUE, submissions=0, flags=flags, told=heard)
    return Part(posts=(report.post(), back), truth=truth)


def withdraws_and_sends_again(agency: str) -> Part:
    """Take a report back, and send another one in time."""
    report = Report(agency=agency, at=at(11, 15))
    back = withdrawal(report, at(11, 25, "11:00"), "Gửi nhầm bản dự thảo")
    again = Report(agency=agency, at=at(12, 3, "08:45"), serial=2)
    flags = frozenset({"withdrawn"})
    heard = told(((report.at, back.at), *from_(again.at)))
    truth = Truth(agency=agency, status=Status.ON_TIME, effective_at=again.at, flags=flags, told=heard)
    return Part(posts=(report.post(), back, again.post()), truth=truth)


def sends_twice(agency: str) -> Part:
    """Send one document by mail and, earlier but here later, by the exchange: it counts once, from the first."""
    number = "877/BC-STC"
    mailed = Report(agency=agency, at=at(11, 28, "09:02"), way=MAIL, sent_at=at(11, 28, "09:01"), number=number)
    exchanged = replace(mailed, at=at(11, 28, "09:30"), way=EXCHANGE, sent_at=at(11, 28, "08:55"), serial=2)
    truth = Truth(
        agency=agency,
        status=Status.ON_TIME,
        effective_at=at(11, 28, "08:55"),
        flags=frozenset({"duplicate"}),
        told=told(from_(mailed.at)),
    )
    return Part(posts=(mailed.post(), exchanged.post()), truth=truth)


def sends_two_documents(agency: str) -> Part:
    """Send two different complete reports: both stay, to be reconciled."""
    first = Report(agency=agency, at=at(11, 18, "10:00"))
    second = Report(agency=agency, at=at(12, 4, "10:30"), serial=2)
    truth = Truth(
        agency=agency,
        status=Status.ON_TIME,
        effective_at=first.at,
        submissions=2,
        flags=frozenset({"needs_reconciliation"}),
        told=told(from_(first.at)),
    )
    return Part(posts=(first.post(), second.post()), truth=truth)


def amends(agency: str) -> Part:
    """Send a complete report in time, corrected after the deadline: it keeps its time."""
    report = Report(agency=agency, at=at(11, 26, "08:20"))
    amended = Report(agency=agency, at=at(12, 16, "10:15"), serial=2, corrects=report.id)
    flags = frozenset({"amended_after_deadline"})
    heard = told(from_(report.at))
    truth = Truth(agency=agency, status=Status.ON_TIME, effective_at=report.at, flags=flags, told=heard)
    return Part(posts=(report.post(), amended.post()), truth=truth)


def is_given_time(agency: str, *, decided: datetime, due_at: datetime, sent: datetime) -> Part:
    """Have the deadline moved by a decision; the report is measured by the new one."""
    report = Report(agency=agency, at=sent)
    before = told(from_(decided))
    after = told((*from_(sent), (datetime.min.replace(tzinfo=ZONE), decided)), due_at=due_at)
    truth = Truth(
        agency=agency,
        status=Status.ON_TIME if sent < due_at else Status.LATE,
        due_at=due_at,
        effective_at=sent,
        flags=frozenset({"under_extension"}),
        told=Told(reminders=before.reminders + after.reminders, urgings=after.urgings, escalations=after.escalations),
    )
    return Part(posts=(extension(agency, decided, due_at), report.post()), truth=truth)


def is_released(agency: str) -> Part:
    """Be released from this year's report by a decision."""
    decision = exemption(agency, at(10, 16), at(1, 1, "00:00", year=2025))
    return Part(posts=(decision,), truth=Truth(agency=agency, status=Status.EXEMPT, submissions=0))


def has_nothing_to_report(agency: str) -> Part:
    """Send a nil return."""
    part = sends(Report(agency=agency, at=at(11, 29, "14:30"), is_nil=True))
    return replace(part, truth=replace(part.truth, flags=frozenset({"nil_return"})))


def mistakes_the_year(agency: str) -> Part:
    """File in time under last year; a decision after the deadline puts the report where it belongs."""
    report = Report(agency=agency, at=at(12, 3, "14:30"), period="2023", serial=2)
    moved = reassignment(report, at(12, 11, "09:20"), "2024")
    truth = Truth(agency=agency, status=Status.ON_TIME, effective_at=report.at, told=told(from_(moved.at)))
    return Part(posts=(report.post(), moved), truth=truth)


def is_answered_for(agency: str) -> Part:
    """Be silent until merged on 1 January; the successor files."""
    filed = at(1, 6, "09:15", year=2025)
    report = Report(agency="tp-thanh-hoa", at=filed, serial=2, on_behalf_of=agency)
    flags = frozenset({"filed_by_successor"})
    truth = Truth(agency=agency, status=Status.LATE, effective_at=filed, flags=flags, told=told(from_(filed)))
    return Part(posts=(report.post(),), truth=truth)
