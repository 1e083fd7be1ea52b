"""A line of words for each fact and each alert."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from schemas.events.assessments import StepKind
from schemas.events.deliveries import AttemptOutcome, Channel
from services.reporting.core.evidence import duty_evidence, fact_words
from services.reporting.core.evidence.duty_facts import (
    AcceptanceDetails,
    ExemptionDetails,
    ExtensionDetails,
    FactDetails,
    ReassignmentDetails,
    ReturnDetails,
    RevocationDetails,
    UnknownDetails,
    WithdrawalDetails,
)
from services.reporting.core.evidence.wording import Wording
from tests.support.builders.annual_report import DUE, an_attempt
from tests.support.builders.duty_evidence import a_fact, a_report_fact

AT = datetime(2026, 12, 6, 8, 20, tzinfo=UTC)
VI = Wording(zone=ZoneInfo("Asia/Ho_Chi_Minh"), language="vi")
EN = Wording(zone=ZoneInfo("Asia/Ho_Chi_Minh"), language="en")
REPORT = a_report_fact("s-1", at=AT)


@pytest.mark.parametrize(
    ("details", "vi", "en"),
    [
        (WithdrawalDetails(reason="Sai"), "Rút lại báo cáo số s-1/BC: Sai", "Withdrew report No. s-1/BC: Sai"),
        (
            ReassignmentDetails(from_period="2025", to_period="2026", reason="Nhầm"),
            "Chuyển báo cáo số s-1/BC từ kỳ 2025 sang kỳ 2026: Nhầm",
            "Moved report No. s-1/BC from 2025 to 2026: Nhầm",
        ),
        (
            ReturnDetails(reason="Sai", respond_by=DUE),
            "Trả lại báo cáo số s-1/BC, hẹn hết ngày 09/12/2026: Sai",
            "Returned report No. s-1/BC, to be answered by the end of 9 December 2026: Sai",
        ),
        (AcceptanceDetails(), "Tiếp nhận báo cáo số s-1/BC", "Accepted report No. s-1/BC"),
        (
            ExtensionDetails(decision="1/QĐ", due_at=DUE, reason="Bão"),
            "Gia hạn hết ngày 09/12/2026, quyết định số 1/QĐ: Bão",
            "Extended to the end of 9 December 2026, decision No. 1/QĐ: Bão",
        ),
        (
            ExemptionDetails(decision="1/QĐ", reason="Bão"),
            "Miễn báo cáo, quyết định số 1/QĐ: Bão",
            "Exempted, decision No. 1/QĐ: Bão",
        ),
        (
            RevocationDetails(decision="1/QĐ", due_at=DUE, reason="Bão"),
            "Bãi bỏ việc miễn, quyết định số 1/QĐ, hạn mới hết ngày 09/12/2026: Bão",
            "Exemption revoked, decision No. 1/QĐ, due the end of 9 December 2026: Bão",
        ),
        (UnknownDetails(), "vn.dondoc.report.submitted.v1", "vn.dondoc.report.submitted.v1"),
    ],
)
def test_a_fact_is_told_in_one_line(details: FactDetails, vi: str, en: str) -> None:
    """With the report that it names, and the words of whoever decided."""
    fact = a_fact("f-1", at=AT, details=details, names="s-1")
    assert fact_words.describe_fact(fact, [REPORT, fact], VI) == vi
    assert fact_words.describe_fact(fact, [REPORT, fact], EN) == en


def test_a_correction_names_what_it_replaces() -> None:
    """A first report does not."""
    correction = a_report_fact("s-2", at=AT, corrects="s-1", is_nil_return=True)
    assert fact_words.describe_fact(REPORT, [REPORT], VI) == "Nhận báo cáo số s-1/BC"
    assert fact_words.describe_fact(correction, [REPORT, correction], VI) == (
        "Nhận báo cáo “không phát sinh” số s-2/BC, thay báo cáo số s-1/BC"
    )


@pytest.mark.parametrize(
    ("kind", "step", "words"),
    [
        (StepKind.REMINDER, "P7D", "Nhắc trước hạn 7 ngày"),
        (StepKind.REMINDER, "P1M", "Nhắc trước hạn P1M"),
        (StepKind.URGING, "PT0S", "Đôn đốc khi hết hạn"),
        (StepKind.URGING, "P3D", "Đôn đốc sau hạn 3 ngày"),
        (StepKind.ESCALATION, "P7D", "Báo cho UBND tỉnh về việc quá hạn"),
        (StepKind.INCOMPLETE, "incomplete:s-1", "Đề nghị bổ sung"),
        (StepKind.RETURNED, "returned:r-1", "Báo bản gửi bị trả lại"),
    ],
)
def test_an_alert_is_told_by_its_step(kind: StepKind, step: str, words: str) -> None:
    """Before the deadline an agency is reminded, after it urged."""
    attempt = an_attempt(kind=kind, step=step, to_agency="ubnd-tinh")
    assert fact_words.describe_alert(attempt, "UBND tỉnh", VI) == words


def test_an_urging_of_a_successor_names_it() -> None:
    """The report is that of an office which has ended, so who was urged is another one."""
    attempt = an_attempt(kind=StepKind.URGING, step="P3D", to_agency="h-hai", as_successor=True)
    assert fact_words.describe_alert(attempt, "UBND huyện Hai", VI).endswith(
        "3 ngày, gửi UBND huyện Hai là đơn vị kế thừa"
    )


@pytest.mark.parametrize("kind", list(StepKind))
def test_every_alert_has_words_in_both_languages(kind: StepKind) -> None:
    """A reader sees what was told, and never the identifier of its kind."""
    told = [fact_words.describe_alert(an_attempt(kind=kind), "UBND tỉnh", words) for words in (VI, EN)]
    assert kind.value not in told[0]
    assert kind.value not in {told[1], told[1].lower()}


@pytest.mark.parametrize("outcome", list(AttemptOutcome))
@pytest.mark.parametrize("channel", list(Channel))
def test_an_outcome_says_what_is_known(outcome: AttemptOutcome, channel: Channel) -> None:
    """Never that a mail was read."""
    attempt = an_attempt(outcome=outcome, channel=channel)
    for words in (VI, EN):
        assert "_" not in fact_words.describe_outcome(attempt, words)
        assert "đọc" not in fact_words.describe_outcome(attempt, words)
    assert outcome.value not in fact_words.describe_outcome(attempt, VI)


def test_an_urging_that_a_named_day_held_back_says_so() -> None:
    """Nothing has come yet, so it is not told as one that was no longer called for."""
    held = an_attempt(outcome=AttemptOutcome.CANCELLED, reason="day_named")
    assert fact_words.describe_outcome(held, VI).endswith("không gửi vì đơn vị đã hẹn ngày gửi")


def test_the_attempts_at_one_alert_are_told_together() -> None:
    """A refused mail that later arrived has arrived."""
    refused = an_attempt(alert="a", outcome=AttemptOutcome.TEMPORARY_FAILURE)
    arrived = an_attempt(alert="a", at=DUE - timedelta(days=6))
    (alert,) = duty_evidence.group_alerts([arrived, refused])
    assert alert.attempts == (refused, arrived)
    assert alert.final == arrived


def test_a_copy_for_another_agency_is_an_alert_about_the_duty_as_well() -> None:
    """It is no urging of the agency that owes the report, and still stands in the course of events."""
    copy = an_attempt(alert="b", to_agency="so-khdt")
    (alert,) = duty_evidence.group_alerts([copy])
    assert alert.final == copy
