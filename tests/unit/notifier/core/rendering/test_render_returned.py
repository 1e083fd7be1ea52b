"""The letter and the SMS of a returned report: what is asked, why in the recipient's words, and until when."""

from datetime import datetime
from typing import Any

import pytest

from schemas.events.assessments import StepKind
from schemas.events.deliveries import Channel
from services.notifier.core.scheduling.routing import Language
from services.notifier.core.scheduling.scheduled_alert import Correction, DutyAlert
from tests.unit.notifier.digest_builders import a_digest, absent_parts, an_alert, render_text
from tests.unit.notifier.schedule_builders import days

REASON = "Vốn ủy thác gấp 1.000 lần năm trước;\nđề nghị rà soát <đơn vị tính>."


def a_return_alert(respond_by: datetime | None = None, **changes: Any) -> DutyAlert:
    """Build the alert of a returned report that lacks nothing else."""
    correction = Correction(submission="s-1", reason=REASON, respond_by=respond_by)
    given: dict[str, Any] = {"missing": ("returned",), "correction": correction, "step": "returned:b-1"}
    return an_alert(StepKind.RETURNED, **(given | changes))


@pytest.mark.parametrize(
    ("language", "parts"),
    [
        ("vi", ("Đề nghị hoàn thiện: ", "hết ngày 14/12/2026", "được ghi nhận theo thời điểm", "không có thư đôn đốc")),
        ("en", ("Please revise: ", "the end of 14/12/2026", "recorded at the time of your first report", "no request")),
    ],
)
def test_the_mail_asks_for_the_new_version_with_reason_and_term(language: Language, parts: tuple[str, ...]) -> None:
    """Subject and rows name the term; the reason stands in the words of the recipient with its line breaks."""
    mail = render_text(a_digest(a_return_alert(days(5))), language=language)
    assert absent_parts(f"{mail.subject}\n{mail.body}", *parts, f"“{REASON}”") == []
    assert "&lt;đơn vị tính&gt;" in (mail.html or "")


def test_without_a_term_it_asks_soon_and_promises_nothing() -> None:
    """No row of a term, and no word about urging."""
    body = render_text(a_digest(a_return_alert())).body
    assert "trong thời gian sớm nhất" in body
    assert not any(word in body for word in ("Thời hạn gửi bản thay thế", "đôn đốc"))


def test_a_report_that_lacked_something_is_promised_no_time() -> None:
    """Only a report that was complete is given its time back; what is lacking is listed besides."""
    body = render_text(a_digest(a_return_alert(days(5), missing=("returned", "signed")))).body
    assert "được ghi nhận theo thời điểm" not in body
    assert "Còn thiếu: chữ ký" in body


def test_the_sms_says_neither_the_reason_nor_words_of_a_loan() -> None:
    """It names report and term; "trả lại" and "gửi lại" would be read as about interest."""
    text = render_text(a_digest(a_return_alert(days(5)), channel=Channel.SMS)).body
    assert "hoan thien" in text
    assert "14/12/2026" in text
    assert not any(word in text for word in ("tra lai", "gui lai", "1.000", "don vi tinh"))


def test_an_urging_after_the_term_names_the_new_version_as_missing() -> None:
    """Once `respond_by` has passed, the urging lists the new version among what is missing."""
    body = render_text(a_digest(an_alert(StepKind.URGING, missing=("returned",))), now=days(20)).body
    assert "bản thay thế theo nội dung đề nghị hoàn thiện" in body
    assert "đã nhận, đề nghị hoàn thiện" in body
