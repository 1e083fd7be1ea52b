"""What stands in letters: days and hours, missing parts in words, periods, titles, and hostile names."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from schemas.events.assessments import StepKind
from schemas.events.deliveries import Channel
from tests.unit.notifier.digest_builders import EVERYTHING, FakeDocuments, a_digest, absent_parts, an_alert, render_text
from tests.unit.notifier.schedule_builders import days


@pytest.mark.parametrize(
    ("now", "words"),
    [
        (days(-6.5), "còn 06 ngày"),
        (days(-0.5), "hôm nay là ngày cuối"),
        (days(0.1), "quá hạn 01 ngày"),
        (days(3.2), "quá hạn 04 ngày"),
    ],
)
def test_the_days_left_are_those_of_the_day_of_sending(now: datetime, words: str) -> None:
    """The days are counted in local dates from the last good day."""
    assert words in render_text(a_digest(), now=now).body


def test_a_due_instant_in_the_middle_of_a_day_is_written_with_its_hour() -> None:
    """A deadline at five in the afternoon is before that hour, and the day of an extension is not its end."""
    due = days(0) + timedelta(hours=17)
    assert "trước 17 giờ ngày 10/12/2026" in render_text(a_digest(an_alert(due_at=due))).body
    half = due + timedelta(minutes=30)
    assert "trước 17 giờ 30 phút ngày 10/12/2026" in render_text(a_digest(an_alert(due_at=half))).body
    passed = render_text(a_digest(an_alert(due_at=due)), now=due + timedelta(hours=1)).body
    assert "(đã quá hạn)" in passed


def test_what_is_missing_is_written_in_words() -> None:
    """A section has its title, a figure its unit and range, and a check the text of the plan."""
    text = render_text(a_digest(an_alert(StepKind.INCOMPLETE, missing=EVERYTHING)))
    expected = (
        "phần “Kết quả thực hiện”",
        "chỉ tiêu “Vốn ngân sách địa phương ủy thác” (triệu đồng, từ 0 đến 9.984,2)",
        "ít nhất 01 tệp PDF",
        "chữ ký của người có thẩm quyền",
        "Tỷ lệ nợ quá hạn sai.",
    )
    assert absent_parts(text.body, *expected) == []
    assert absent_parts(text.html or "", *expected) == []


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("vi", "chỉ tiêu “Số khách hàng” (khách hàng, từ 0, số nguyên)"),
        ("en", 'the indicator "Customers" (in customers, from 0, a whole number)'),
    ],
)
def test_an_accepted_figure_that_breaks_its_limits_has_its_words(language: Any, expected: str) -> None:
    """What the plan declares gives it a title, a unit, a range and a form, though nothing requires it."""
    digest = a_digest(an_alert(StepKind.INCOMPLETE, missing=("indicators.customers",)))
    assert expected in render_text(digest, language=language).body


@pytest.mark.parametrize("language", ["vi", "en"])
def test_a_missing_part_that_the_plan_does_not_describe_is_named_by_its_id(language: Any) -> None:
    """Sections, figures and checks of another plan version are named by their ids, so that nothing is left out."""
    missing = ("sections.proposals", "sections.old", "indicators.unknown", "checks.gone", "annex")
    text = render_text(a_digest(an_alert(StepKind.INCOMPLETE, missing=missing)), language=language)
    assert absent_parts(text.body, "proposals", "old", "unknown", "gone", "annex") == []


@pytest.mark.parametrize(
    ("period", "words"),
    [("2026-07", "tháng 7 năm 2026"), ("2026-Q3", "quý III năm 2026"), ("2026-H2", "6 tháng cuối năm 2026")],
)
def test_a_period_is_written_as_people_say_it(period: str, words: str) -> None:
    """A month, a quarter and a half-year have their Vietnamese names."""
    assert words in render_text(a_digest(an_alert(period=period))).body


@pytest.mark.parametrize("kind", StepKind)
@pytest.mark.parametrize("language", ["vi", "en"])
def test_a_duty_without_a_due_date_is_written_without_one(kind: StepKind, language: Any) -> None:
    """No letter gives a date that the plan does not give, nor a row without a value."""
    undated: dict[str, Any] = {"due_at": None, "step": "incomplete:s-1", "period": None}
    text = render_text(a_digest(an_alert(kind, **undated)), language=language)
    assert [word for word in ("Thời hạn", "Due:", "Hạn ", "Due ") if word in f"{text.subject}{text.body}"] == []


def test_an_obligation_that_the_plan_version_lacks_is_a_missing_document() -> None:
    """The attempt is made again when the right plan version has come."""
    with pytest.raises(LookupError, match="has no obligation gone"):
        render_text(a_digest(an_alert(obligation="gone")))


def test_a_report_without_a_title_of_its_own_is_named_by_the_duty_in_quotation_marks() -> None:
    """A duty's verb phrase is never used as a noun; a title that is one stands as it is."""
    phrase = render_text(a_digest(), documents=FakeDocuments("Gửi kết quả thực hiện Kế hoạch về Ngân hàng")).body
    assert "gửi báo cáo “Gửi kết quả thực hiện Kế hoạch về Ngân hàng năm 2026” chậm nhất" in phrase
    noun = render_text(a_digest(), documents=FakeDocuments("Báo cáo quý")).body
    assert "gửi Báo cáo năm 2026 chậm nhất" in noun
    own = render_text(a_digest(), documents=FakeDocuments("x", report_title="Báo cáo tín dụng {period} của huyện")).body
    assert "gửi Báo cáo tín dụng năm 2026 của huyện chậm nhất" in own


@pytest.mark.parametrize("hostile", ["<b>x</b>", "a\r\nBcc: b@x.example", "{{ 7 * 7 }}", "x" * 3000, "\u202etài"])
def test_what_a_plan_calls_itself_becomes_neither_markup_nor_a_header(hostile: str) -> None:
    """Names are escaped in HTML, are not templates, and stay on one line of the subject."""
    mail = render_text(a_digest(), documents=FakeDocuments(hostile))
    assert "<b>x" not in (mail.html or "")
    assert "\n" not in str(mail.subject)
    assert "49" not in mail.body.replace(hostile, "")


@pytest.mark.parametrize(
    ("short", "subject"),
    [
        ("Báo cáo giao thông {period}", "Hạn 06/12/2026 – BC giao thông của UBND huyện Thọ Xuân"),
        ("Báo cáo {period}", "Hạn 06/12/2026 – Báo cáo năm 2026 của UBND huyện Thọ Xuân"),
        ("Báo cáo quý, {period}", "Hạn 06/12/2026 – BC quý, năm 2026 của UBND huyện Thọ Xuân"),
    ],
)
def test_no_mark_of_ours_stands_where_a_short_name_has_its_period(short: str, subject: str) -> None:
    """The shortest name leaves the period out, but where nothing would be left without it."""
    documents = FakeDocuments("Báo cáo", report_title="Báo cáo", report_short=short)
    alert = an_alert(StepKind.ESCALATION, to="parent", due_at=days(-3), at=days(-2))
    mail = render_text(a_digest(alert, to="ubnd-tinh"), documents=documents)
    messages = [
        render_text(a_digest(alert, to="ubnd-tinh", channel=Channel.SMS), documents=documents).body,
        render_text(a_digest(channel=Channel.SMS), documents=documents).body,
    ]
    assert mail.subject == subject
    assert "{" not in "".join([mail.body, *messages])
