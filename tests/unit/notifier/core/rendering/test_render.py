"""The texts are courteous, name what they are about, and say in words what is missing."""

from datetime import datetime, timedelta

import pytest

from schemas.events.assessments import StepKind
from schemas.events.deliveries import Channel
from services.notifier.core.scheduling.routing import Language
from tests.support.builders.plans import Json
from tests.unit.notifier.digest_builders import EVERYTHING, FakeDocuments, a_digest, absent_parts, an_alert, render_text
from tests.unit.notifier.schedule_builders import DUE, days

# What an agency is told without being asked for anything.
TOLD = (StepKind.RECEIVED, StepKind.EXEMPTION, StepKind.SUCCESSION)
ASKING = [kind for kind in StepKind if kind not in TOLD]
THREATS = ("phạt", "xử lý", "kỷ luật", "yêu cầu", "penalt", "sanction", "must ")
UNDATED: Json = {"due_at": None, "step": "incomplete:s-1"}
MATTERS = ("UBND huyện Thọ Xuân", "Kết quả thực hiện Kế hoạch năm 2026", "III.1", "6766/KH-UBND", "09/12/2026")


@pytest.mark.parametrize("kind", ASKING)
def test_every_mail_names_agency_duty_clause_source_and_deadline(kind: StepKind) -> None:
    """The plain text and the HTML name all of them."""
    text = render_text(a_digest(an_alert(kind)))
    assert absent_parts(text.body, *MATTERS, "hạn cuối: hết ngày 09/12/2026") == []
    assert absent_parts(text.html or "", *MATTERS) == []


@pytest.mark.parametrize("kind", StepKind)
@pytest.mark.parametrize("language", ["vi", "en"])
def test_every_text_requests_and_none_threatens(kind: StepKind, language: Language) -> None:
    """The receiving bank has no power of command, so every text asks."""
    mail = render_text(a_digest(an_alert(kind)), language=language)
    assert [word for word in THREATS if word in mail.body.lower()] == []
    asks = ("kính đề nghị" if language == "vi" else "respectfully requests") in mail.body.lower()
    assert asks is (kind in ASKING)


@pytest.mark.parametrize(
    ("kind", "subject"),
    [
        (StepKind.REMINDER, "Nhắc hạn: Kết quả thực hiện Kế hoạch năm 2026 – hạn cuối: hết ngày 09/12/2026"),
        (StepKind.URGING, "Đôn đốc: Kết quả thực hiện Kế hoạch năm 2026 – hạn cuối: hết ngày 09/12/2026"),
        (StepKind.INCOMPLETE, "Đề nghị bổ sung: Kết quả thực hiện Kế hoạch năm 2026 – hạn cuối: hết ngày 09/12/2026"),
        (
            StepKind.ESCALATION,
            f"Thông tin tiến độ: {MATTERS[0]} – Kết quả thực hiện Kế hoạch năm 2026 – hạn cuối: hết ngày 09/12/2026",
        ),
    ],
)
def test_the_subject_says_what_the_mail_is(kind: StepKind, subject: str) -> None:
    """The kind of the alert and the deadline show in the list of a mailbox."""
    assert subject == render_text(a_digest(an_alert(kind))).subject


@pytest.mark.parametrize(
    ("now", "words"),
    [
        (days(-6.5), "còn 6 ngày"),
        (days(-0.5), "hôm nay là ngày cuối"),
        (days(0.1), "đã quá hạn 1 ngày"),
        (days(3.2), "đã quá hạn 4 ngày"),
    ],
)
def test_the_days_left_are_those_of_the_day_of_sending(now: datetime, words: str) -> None:
    """The days are counted in local dates from the last good day."""
    assert words in render_text(a_digest(), now=now).body


def test_a_due_instant_in_the_middle_of_a_day_is_written_with_its_time() -> None:
    """An extension until five in the afternoon is not the end of that day."""
    due = DUE + timedelta(hours=17)
    assert "trước 17 giờ 00 ngày 10/12/2026" in render_text(a_digest(an_alert(due_at=due))).body


def test_what_is_missing_is_written_in_words() -> None:
    """A section has its title, a figure its unit and range, and a check the text of the plan."""
    text = render_text(a_digest(an_alert(StepKind.INCOMPLETE, missing=EVERYTHING)))
    expected = (
        "nội dung phần “Kết quả thực hiện”",
        "chỉ tiêu “Vốn ngân sách địa phương ủy thác” (đơn vị: triệu đồng; từ 0 đến 9.984,2)",
        "ít nhất 1 tệp đính kèm (PDF)",
        "chữ ký của người có thẩm quyền",
        "Tỷ lệ nợ quá hạn sai",
    )
    assert absent_parts(text.body, *expected) == []
    assert absent_parts(text.html or "", *expected) == []


@pytest.mark.parametrize(
    "language, expected",
    [
        ("vi", "chỉ tiêu “Số khách hàng” (đơn vị: khách hàng; từ 0; số nguyên)"),
        ("en", 'the indicator "Customers" (in customers; from 0; a whole number)'),
    ],
)
def test_an_accepted_figure_that_breaks_its_limits_has_its_words(language: Language, expected: str) -> None:
    """What the plan declares gives it a title, a unit, a range and a form, though nothing requires it."""
    digest = a_digest(an_alert(StepKind.INCOMPLETE, missing=("indicators.customers",)))
    assert expected in render_text(digest, language=language).body


def test_a_digest_lists_every_duty() -> None:
    """The duties are numbered, each with its own deadline."""
    text = render_text(a_digest(an_alert(), an_alert(period="2025", due_at=DUE - timedelta(days=365))))
    assert text.subject == "Kính đề nghị quan tâm 2 báo cáo theo 6766/KH-UBND"
    assert absent_parts(text.body, "1. Nội dung", "2. Nội dung", "hết ngày 09/12/2026", "hết ngày 09/12/2025") == []


@pytest.mark.parametrize(
    ("language", "deadline", "state", "lack"),
    [
        ("vi", "hạn cuối: hết ngày 09/12/2026", "chưa nhận được báo cáo", "còn thiếu chữ ký"),
        ("en", "due by the end of 09/12/2026", "not received yet", "still missing the signature"),
    ],
)
def test_a_long_digest_is_a_list(language: Language, deadline: str, state: str, lack: str) -> None:
    """Each agency has one line with the clause, the deadline and what is missing."""
    agencies = [an_alert(StepKind.ESCALATION, agency=f"h-{number}") for number in range(6)]
    others = an_alert(StepKind.ESCALATION, missing=("signed",)), an_alert(StepKind.ESCALATION, **UNDATED)
    text = render_text(a_digest(*agencies, *others, to="ubnd-tinh"), language=language)
    lines = [line for line in text.body.splitlines() if line.startswith("h-")]
    assert [absent_parts(line, "III.1", deadline, state) for line in lines] == [[]] * 6
    assert lack in text.body


def test_an_escalation_speaks_to_its_reader_about_the_agency() -> None:
    """The province is greeted, and the district is named."""
    text = render_text(a_digest(an_alert(StepKind.ESCALATION), to="ubnd-tinh"))
    assert text.body.startswith("Kính gửi: UBND tỉnh Thanh Hóa")
    assert "Kính đề nghị UBND tỉnh Thanh Hóa quan tâm" in text.body
    assert "Kính gửi: Quý cơ quan" in render_text(a_digest(an_alert(StepKind.ESCALATION), to="chairman-list")).body


def test_html_shows_a_name_as_it_is_written() -> None:
    """What the author of a plan typed cannot become markup."""
    alert = an_alert(StepKind.INCOMPLETE, missing=("sections.<b>x</b>",))
    assert "&lt;b&gt;x&lt;/b&gt;" in (render_text(a_digest(alert)).html or "")


@pytest.mark.parametrize(
    ("period", "words"),
    [("2026-07", "tháng 7 năm 2026"), ("2026-Q3", "quý III năm 2026"), ("2026-H2", "6 tháng cuối năm 2026")],
)
def test_a_period_is_written_as_people_say_it(period: str, words: str) -> None:
    """A month, a quarter and a half-year have their Vietnamese names."""
    assert words in render_text(a_digest(an_alert(period=period))).body


@pytest.mark.parametrize("kind", StepKind)
@pytest.mark.parametrize("language", ["vi", "en"])
@pytest.mark.parametrize("channel", Channel)
def test_a_duty_without_a_due_date_is_written_without_one(kind: StepKind, language: Language, channel: Channel) -> None:
    """No text gives a date that the plan does not give."""
    text = render_text(a_digest(an_alert(kind, period=None, **UNDATED), channel=channel), language=language)
    assert [word for word in ("Hạn cuối:", "Han cuoi", "Due by", "2026") if word in text.body] == []


@pytest.mark.parametrize("language", ["vi", "en"])
def test_an_incomplete_report_is_not_called_missing(language: Language) -> None:
    """A mail, and an SMS to the superior agency, say that a report is there but not complete."""
    lacking = {"missing": ("sections.results",)}
    mail = render_text(a_digest(an_alert(StepKind.URGING, **lacking)), language=language)
    sms = render_text(a_digest(an_alert(StepKind.ESCALATION, **lacking), channel=Channel.SMS), language=language)
    assert ("đã nhận, chưa đầy đủ" if language == "vi" else "received, not complete") in mail.body
    assert ("chua gui day du" if language == "vi" else "in full") in sms.body


@pytest.mark.parametrize("language", ["vi", "en"])
def test_a_due_instant_that_passed_today_is_overdue_by_no_day(language: Language) -> None:
    """A report due at five is overdue at six, without a count of days."""
    due = DUE + timedelta(hours=17)
    text = render_text(a_digest(an_alert(due_at=due)), language=language, now=due + timedelta(hours=1))
    assert ("(đã quá hạn)" if language == "vi" else "(overdue)") in text.body


@pytest.mark.parametrize("language", ["vi", "en"])
def test_a_missing_part_that_the_plan_does_not_describe_is_named_by_its_id(language: Language) -> None:
    """Sections, figures and checks of another plan version are named by their ids."""
    missing = ("sections.proposals", "sections.old", "indicators.unknown", "checks.gone", "annex")
    text = render_text(a_digest(an_alert(StepKind.INCOMPLETE, missing=missing)), language=language)
    assert absent_parts(text.body, "proposals", "old", "unknown", "gone", "annex") == []


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("vi", 'Con thieu: noi dung phan "Ket qua thuc hien"; Ty le no qua han sai.'),
        ("en", 'Missing: the section "Results"; The ratio is wrong.'),
    ],
)
def test_an_sms_names_what_is_missing_in_one_sentence(language: Language, words: str) -> None:
    """The full stop of a check's own text does not end the sentence twice."""
    alert = an_alert(StepKind.INCOMPLETE, missing=("sections.results", "checks.ratio"))
    assert render_text(a_digest(alert, channel=Channel.SMS), language=language).body.endswith(f" {words}")


def test_an_obligation_that_the_plan_version_lacks_is_a_missing_document() -> None:
    """The attempt is made again when the right plan version has come."""
    with pytest.raises(LookupError, match="has no obligation gone"):
        render_text(a_digest(an_alert(obligation="gone")))


def test_a_letter_calls_the_report_by_its_own_title() -> None:
    """A plan may name the report as a noun, with the period where it says; the duty's verb phrase is for lists."""
    documents = FakeDocuments(report_title="Báo cáo {period} về tín dụng chính sách")
    text = render_text(a_digest(an_alert()), documents=documents)
    assert (text.subject or "").startswith("Nhắc hạn: Báo cáo năm 2026 về tín dụng chính sách")
