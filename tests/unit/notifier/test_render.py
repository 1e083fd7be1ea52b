"""The texts are courteous, name what they are about, and tell what is missing in words."""

from datetime import datetime, timedelta

import pytest

from schemas.events.assessments import StepKind
from schemas.events.deliveries import Channel
from services.notifier.core.scheduling.routing import Language
from tests.support.builders.plans import Json
from tests.unit.notifier.agendas import DUE, days
from tests.unit.notifier.words import EVERYTHING, a_notice, a_telling, all_in, written

THREATS = ("phạt", "xử lý", "kỷ luật", "yêu cầu", "penalt", "sanction", "must ")
UNDATED: Json = {"due_at": None, "step": "incomplete:s-1"}
MATTERS = ("UBND huyện Thọ Xuân", "Kết quả thực hiện Kế hoạch năm 2026", "III.1", "6766/KH-UBND", "09/12/2026")


@pytest.mark.parametrize("kind", StepKind)
def test_every_mail_names_agency_duty_clause_source_and_deadline(kind: StepKind) -> None:
    """In the plain text and in the HTML."""
    text = written(a_notice(a_telling(kind)))
    assert all_in(text.body, *MATTERS, "hạn cuối: hết ngày 09/12/2026") == []
    assert all_in(text.html or "", *MATTERS) == []


@pytest.mark.parametrize("kind", StepKind)
@pytest.mark.parametrize("language", ["vi", "en"])
def test_every_text_requests_and_none_threatens(kind: StepKind, language: Language) -> None:
    """A receiving bank has no power of command: it asks."""
    mail = written(a_notice(a_telling(kind)), language=language)
    assert [word for word in THREATS if word in mail.body.lower()] == []
    assert ("kính đề nghị" if language == "vi" else "respectfully requests") in mail.body.lower()


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
def test_the_subject_says_what_it_is(kind: StepKind, subject: str) -> None:
    """One look at the mailbox is enough."""
    assert subject == written(a_notice(a_telling(kind))).subject


@pytest.mark.parametrize(
    ("now", "words"),
    [
        (days(-6.5), "còn 6 ngày"),
        (days(-0.5), "hôm nay là ngày cuối"),
        (days(0.1), "đã quá hạn 1 ngày"),
        (days(3.2), "đã quá hạn 4 ngày"),
    ],
)
def test_the_distance_to_the_deadline_is_that_of_the_day_of_sending(now: datetime, words: str) -> None:
    """Counted in local days from the last good day."""
    assert words in written(a_notice(), now=now).body


def test_a_due_instant_in_the_middle_of_a_day_is_told_with_its_time() -> None:
    """An extension until five in the afternoon is not the end of that day."""
    due = DUE + timedelta(hours=17)
    assert "trước 17 giờ 00 ngày 10/12/2026" in written(a_notice(a_telling(due_at=due))).body


def test_what_is_missing_is_told_in_words() -> None:
    """Section by its title, figure with unit and range, file, signature, and the plan's own words for a check."""
    text = written(a_notice(a_telling(StepKind.INCOMPLETE, missing=EVERYTHING)))
    wanted = (
        "nội dung phần “Kết quả thực hiện”",
        "chỉ tiêu “Vốn ngân sách địa phương ủy thác” (đơn vị: triệu đồng; từ 0 đến 9.984,2)",
        "ít nhất 1 tệp đính kèm (PDF)",
        "chữ ký của người có thẩm quyền",
        "Tỷ lệ nợ quá hạn sai",
    )
    assert all_in(text.body, *wanted) == []
    assert all_in(text.html or "", *wanted) == []


def test_a_digest_lists_every_duty() -> None:
    """Numbered, each with its own deadline."""
    text = written(a_notice(a_telling(), a_telling(period="2025", due_at=DUE - timedelta(days=365))))
    assert text.subject == "Kính đề nghị quan tâm 2 báo cáo theo 6766/KH-UBND"
    assert all_in(text.body, "1. Nội dung", "2. Nội dung", "hết ngày 09/12/2026", "hết ngày 09/12/2025") == []


@pytest.mark.parametrize(
    ("language", "deadline", "state", "lack"),
    [
        ("vi", "hạn cuối: hết ngày 09/12/2026", "chưa nhận được báo cáo", "còn thiếu chữ ký"),
        ("en", "due by the end of 09/12/2026", "not received yet", "still missing the signature"),
    ],
)
def test_a_long_digest_is_a_list(language: Language, deadline: str, state: str, lack: str) -> None:
    """One line an agency, with its clause, its deadline and what is missing."""
    agencies = [a_telling(StepKind.ESCALATION, agency=f"h-{number}") for number in range(6)]
    others = a_telling(StepKind.ESCALATION, missing=("signed",)), a_telling(StepKind.ESCALATION, **UNDATED)
    text = written(a_notice(*agencies, *others, to="ubnd-tinh"), language=language)
    lines = [line for line in text.body.splitlines() if line.startswith("h-")]
    assert [all_in(line, "III.1", deadline, state) for line in lines] == [[]] * 6
    assert lack in text.body


def test_an_escalation_speaks_to_its_reader_about_the_agency() -> None:
    """The province is greeted, the district is named."""
    text = written(a_notice(a_telling(StepKind.ESCALATION), to="ubnd-tinh"))
    assert text.body.startswith("Kính gửi: UBND tỉnh Thanh Hóa")
    assert "Kính đề nghị UBND tỉnh Thanh Hóa quan tâm" in text.body
    assert "Kính gửi: Quý cơ quan" in written(a_notice(a_telling(StepKind.ESCALATION), to="chairman-list")).body


def test_html_shows_a_name_as_it_is_written() -> None:
    """What a plan's author typed cannot become markup."""
    telling = a_telling(StepKind.INCOMPLETE, missing=("sections.<b>x</b>",))
    assert "&lt;b&gt;x&lt;/b&gt;" in (written(a_notice(telling)).html or "")


@pytest.mark.parametrize(
    ("period", "words"),
    [("2026-07", "tháng 7 năm 2026"), ("2026-Q3", "quý III năm 2026"), ("2026-H2", "6 tháng cuối năm 2026")],
)
def test_a_period_is_told_as_people_say_it(period: str, words: str) -> None:
    """Month, quarter and half-year."""
    assert words in written(a_notice(a_telling(period=period))).body


@pytest.mark.parametrize("kind", StepKind)
@pytest.mark.parametrize("language", ["vi", "en"])
@pytest.mark.parametrize("channel", Channel)
def test_a_duty_without_a_date_is_told_without_one(kind: StepKind, language: Language, channel: Channel) -> None:
    """No date that the plan does not give."""
    text = written(a_notice(a_telling(kind, period=None, **UNDATED), channel=channel), language=language)
    assert [word for word in ("Hạn cuối:", "Han cuoi", "Due by", "2026") if word in text.body] == []


@pytest.mark.parametrize("language", ["vi", "en"])
def test_an_incomplete_report_is_not_called_absent(language: Language) -> None:
    """An urging to complete says that something is there, by mail and to the superior by SMS."""
    lacking = {"missing": ("sections.results",)}
    mail = written(a_notice(a_telling(StepKind.URGING, **lacking)), language=language)
    sms = written(a_notice(a_telling(StepKind.ESCALATION, **lacking), channel=Channel.SMS), language=language)
    assert ("đã nhận, chưa đầy đủ" if language == "vi" else "received, not complete") in mail.body
    assert ("chua gui day du" if language == "vi" else "in full") in sms.body


@pytest.mark.parametrize("language", ["vi", "en"])
def test_a_due_instant_of_this_very_day_that_has_passed(language: Language) -> None:
    """Due at five, told at six: overdue, and by no whole day."""
    due = DUE + timedelta(hours=17)
    text = written(a_notice(a_telling(due_at=due)), language=language, now=due + timedelta(hours=1))
    assert ("(đã quá hạn)" if language == "vi" else "(overdue)") in text.body


@pytest.mark.parametrize("language", ["vi", "en"])
def test_what_the_plan_does_not_describe_is_told_by_its_name(language: Language) -> None:
    """A section without a title, a section, figure or check of another version, a part not known here."""
    missing = ("sections.proposals", "sections.old", "indicators.unknown", "checks.gone", "annex")
    text = written(a_notice(a_telling(StepKind.INCOMPLETE, missing=missing)), language=language)
    assert all_in(text.body, "proposals", "old", "unknown", "gone", "annex") == []


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("vi", 'Con thieu: noi dung phan "Ket qua thuc hien"; Ty le no qua han sai.'),
        ("en", 'Missing: the section "Results"; The ratio is wrong.'),
    ],
)
def test_an_sms_tells_what_is_missing_in_one_sentence(language: Language, words: str) -> None:
    """A section by its title, without marks; a check in the plan's words, whose full stop is the sentence's."""
    telling = a_telling(StepKind.INCOMPLETE, missing=("sections.results", "checks.ratio"))
    assert written(a_notice(telling, channel=Channel.SMS), language=language).body.endswith(f" {words}")


def test_an_obligation_that_the_plan_version_lacks_is_a_missing_document() -> None:
    """The attempt is made again when the right version has come."""
    with pytest.raises(LookupError, match="has no obligation gone"):
        written(a_notice(a_telling(obligation="gone")))
