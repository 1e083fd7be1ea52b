"""The sentence that explains a status: what it says in both languages, and which events each half-sentence names."""

from datetime import UTC, datetime, timedelta

import pytest

from schemas.events.assessments import Status
from schemas.events.deliveries import AttemptOutcome
from schemas.events.facts import EXEMPTED, EXTENDED, RETURNED, WITHDRAWN
from services.reporting.core.evidence import explanation
from services.reporting.core.evidence.duty_evidence import DutyEvidence
from services.reporting.core.evidence.duty_facts import (
    ExemptionDetails,
    ExtensionDetails,
    ReturnDetails,
    WithdrawalDetails,
)
from services.reporting.core.timeline import StatusSpan
from tests.support.builders.annual_report import AS_OF, DUE, OPENS, a_key, an_attempt
from tests.support.builders.duty_evidence import SOURCE, a_fact, a_report_fact, some_evidence

SENT = datetime(2026, 12, 6, 8, 20, tzinfo=UTC)
PENDING = StatusSpan(from_at=OPENS, status=Status.PENDING, due_at=DUE)


def a_span(status: Status, at: datetime, *evidence: str, **fields: object) -> StatusSpan:
    """Build a span that rests on these events; the last one stands."""
    standing = (SOURCE, evidence[-1]) if evidence else None
    values = {"due_at": DUE, "evidence": evidence, "standing": standing, **fields}
    return StatusSpan(from_at=at, status=status, **values)  # type: ignore[arg-type]


def sentence(evidence: DutyEvidence) -> str:
    """Return the whole sentence."""
    return explanation.join_parts(explanation.explain_status(evidence))


def events(evidence: DutyEvidence) -> list[tuple[str, ...]]:
    """Return the events of each half-sentence behind the lead."""
    return [one.events for one in explanation.explain_status(evidence)[1:]]


def test_a_report_in_time_is_told_with_its_number_its_receipt_and_the_days_that_were_left() -> None:
    """Each half-sentence names the events behind it; what follows from the plan alone names none."""
    spans = [PENDING, a_span(Status.ON_TIME, SENT, "s-1", effective_at=SENT, submissions=1)]
    evidence = some_evidence(spans, [a_report_fact("s-1", at=SENT)], as_of=AS_OF)
    assert sentence(evidence) == (
        "Đúng hạn: báo cáo số s-1/BC đủ nội dung, nhận lúc 15:20 ngày 06/12/2026; "
        "trước hạn (hết ngày 09/12/2026) 3 ngày."
    )
    assert events(evidence) == [("s-1",), ()]
    english = some_evidence(spans, [a_report_fact("s-1", at=SENT)], as_of=AS_OF, language="en")
    assert sentence(english) == (
        "On time: report No. s-1/BC is complete, received at 15:20 on 6 December 2026; "
        "3 days before the deadline (the end of 9 December 2026)."
    )


def test_a_late_correction_is_told_with_what_the_first_version_lacked() -> None:
    """The lead counts whole local days after the last good day."""
    completed = DUE + timedelta(days=2, hours=9, minutes=30)
    first = a_span(Status.INCOMPLETE, SENT, "s-1", missing=("signed",), submissions=1)
    late = a_span(Status.LATE, completed, "s-1", "s-2", effective_at=completed)
    facts = [a_report_fact("s-1", at=SENT), a_report_fact("s-2", at=completed, corrects="s-1")]
    evidence = some_evidence([PENDING, first, late], facts, as_of=AS_OF)
    assert sentence(evidence) == (
        "Trễ hạn 3 ngày: báo cáo số s-2/BC đủ nội dung, nhận lúc 09:30 ngày 12/12/2026; hạn là hết ngày 09/12/2026; "
        "trước đó báo cáo số s-1/BC, nhận lúc 15:20 ngày 06/12/2026, còn thiếu chữ ký."
    )
    assert events(evidence) == [("s-2",), (), ("s-1",)]


def test_what_is_missing_is_told_apart_from_conditions_that_do_not_hold() -> None:
    """A part is lacking; a condition is not met, and is told with its message or its id."""
    missing = ("sections.results", "signed", "checks.ratio")
    spans = [PENDING, a_span(Status.INCOMPLETE, SENT, "s-1", missing=missing)]
    evidence = some_evidence(spans, [a_report_fact("s-1", at=SENT)], as_of=SENT)
    assert "còn thiếu mục “Kết quả thực hiện”, chữ ký và chưa đạt điều kiện ratio" in sentence(evidence)
    english = some_evidence(spans, [a_report_fact("s-1", at=SENT)], as_of=SENT, language="en")
    assert "it lacks section “Kết quả thực hiện”, signature and fails check ratio" in sentence(english)


def test_a_posted_report_counts_from_its_postmark_also_before_it_arrived() -> None:
    """The sentence says who proves the dispatch, and when the report came."""
    arrived = SENT + timedelta(days=5)
    spans = [PENDING, a_span(Status.ON_TIME, SENT, "s-1", effective_at=SENT)]
    facts = [a_report_fact("s-1", at=arrived, sent_at=SENT, proof="postmark")]
    evidence = some_evidence(spans, facts, as_of=SENT + timedelta(days=1))
    assert "gửi lúc 15:20 ngày 06/12/2026 theo dấu bưu điện, nhận lúc 15:20 ngày 11/12/2026" in sentence(evidence)


def test_a_correction_of_a_complete_report_keeps_the_time_of_the_first() -> None:
    """Both are named: the one whose time counts, and the one whose content does."""
    corrected = SENT + timedelta(days=10)
    spans = [PENDING, a_span(Status.ON_TIME, SENT, "s-1", "s-2", effective_at=SENT)]
    facts = [a_report_fact("s-1", at=SENT), a_report_fact("s-2", at=corrected, corrects="s-1")]
    evidence = some_evidence(spans, facts, as_of=AS_OF)
    assert "báo cáo số s-1/BC đủ nội dung, nhận lúc 15:20 ngày 06/12/2026" in sentence(evidence)
    assert "nội dung đang tính là báo cáo số s-2/BC, nhận lúc 15:20 ngày 16/12/2026" in sentence(evidence)


def test_a_returned_report_is_told_with_reason_and_term() -> None:
    """The words of the recipient stand in the sentence, which names the return."""
    returned_at, respond_by = SENT + timedelta(days=1), datetime(2026, 12, 13, 17, tzinfo=UTC)
    spans = [
        PENDING,
        a_span(Status.ON_TIME, SENT, "s-1", effective_at=SENT),
        a_span(Status.INCOMPLETE, returned_at, "r-1", "s-1", missing=("returned",)),
    ]
    details = ReturnDetails(reason="Sai đơn vị tính", respond_by=respond_by)
    facts = [
        a_report_fact("s-1", at=SENT),
        a_fact("r-1", at=returned_at, details=details, type=RETURNED, names="s-1"),
    ]
    evidence = some_evidence(spans, facts, as_of=returned_at + timedelta(hours=1))
    assert sentence(evidence) == (
        "Chưa đầy đủ: báo cáo số s-1/BC bị trả lại lúc 15:20 ngày 07/12/2026 với lý do “Sai đơn vị tính”, "
        "hẹn gửi bản hoàn thiện hết ngày 13/12/2026; hạn là hết ngày 09/12/2026, còn 2 ngày."
    )
    assert events(evidence)[0] == ("r-1",)


def test_a_silent_agency_is_told_with_the_deadline_and_every_alert_that_reached_it() -> None:
    """Alerts to others are not counted among those to the agency; one that reached nobody is told apart."""
    attempts = [
        an_attempt(at=DUE - timedelta(days=7)),
        an_attempt(at=DUE + timedelta(hours=2)),
        an_attempt(at=DUE + timedelta(days=3), outcome=AttemptOutcome.PERMANENT_FAILURE),
    ]
    spans = [PENDING, a_span(Status.OVERDUE, DUE)]
    evidence = some_evidence(spans, as_of=AS_OF, attempts=attempts)
    assert sentence(evidence) == (
        "Quá hạn, chưa gửi: hạn là hết ngày 09/12/2026, đã qua 13 ngày; chưa nhận được báo cáo nào; "
        "đã nhắc, đôn đốc 2 lần, lần cuối lúc 02:00 ngày 10/12/2026; 1 lần không gửi được đến đơn vị."
    )
    assert events(evidence)[2:] == [(attempts[0].event, attempts[1].event), (attempts[2].event,)]


@pytest.mark.parametrize(
    ("left", "words"),
    [
        (timedelta(days=9), "còn 8 ngày"),
        (timedelta(hours=7), "còn 7 giờ"),
        (timedelta(minutes=5), "còn chưa đầy 1 giờ"),
    ],
)
def test_before_the_deadline_the_sentence_says_how_much_time_is_left(left: timedelta, words: str) -> None:
    """Whole days up to the last good day, and hours on that day: never that anything is missing or late."""
    evidence = some_evidence([PENDING, a_span(Status.OVERDUE, DUE)], as_of=DUE - left)
    assert sentence(evidence) == f"Chưa đến hạn: hạn là hết ngày 09/12/2026, {words}; chưa nhận được báo cáo nào."


def test_a_withdrawn_report_is_told_and_not_that_nothing_came() -> None:
    """What was taken back had come."""
    withdrawn_at = SENT + timedelta(days=1)
    spans = [
        PENDING,
        a_span(Status.ON_TIME, SENT, "s-1", effective_at=SENT),
        a_span(Status.PENDING, withdrawn_at, "s-1", "w-1", standing=None, flags=("withdrawn",)),
    ]
    facts = [
        a_report_fact("s-1", at=SENT),
        a_fact("w-1", at=withdrawn_at, details=WithdrawalDetails(reason="Sai"), type=WITHDRAWN, names="s-1"),
    ]
    evidence = some_evidence(spans, facts, as_of=withdrawn_at)
    assert "báo cáo số s-1/BC đã được rút lại lúc 15:20 ngày 07/12/2026." in sentence(evidence)
    assert "chưa nhận được" not in sentence(evidence)
    assert events(evidence)[-1] == ("w-1",)


def test_a_moved_deadline_names_the_decision() -> None:
    """The half-sentence about the deadline rests on the extension."""
    details = ExtensionDetails(decision="12/QĐ", due_at=DUE + timedelta(days=10), reason="Bão")
    extended = a_fact("e-1", at=SENT, details=details, type=EXTENDED)
    span = a_span(Status.PENDING, SENT, "e-1", standing=None, due_at=DUE + timedelta(days=10))
    evidence = some_evidence([PENDING, span], [extended], as_of=SENT)
    assert "hạn là hết ngày 19/12/2026, còn 13 ngày, theo quyết định số 12/QĐ" in sentence(evidence)
    assert events(evidence)[0] == ("e-1",)


def test_an_exemption_names_its_decision_and_reason() -> None:
    """A decision names no period: it belongs to the duty whose timeline rests on it."""
    details = ExemptionDetails(decision="5/QĐ", from_at=OPENS, until=AS_OF, reason="Sáp nhập")
    exempted = a_fact("x-1", at=OPENS, details=details, type=EXEMPTED, period=None)
    other = a_fact("x-2", at=OPENS, details=details, type=EXEMPTED, period=None)
    span = a_span(Status.EXEMPT, OPENS, "x-1", standing=None)
    evidence = some_evidence([span], [exempted, other], as_of=AS_OF)
    assert sentence(evidence) == "Được miễn: theo quyết định số 5/QĐ, lý do: Sáp nhập."
    assert [one.event for one in evidence.facts] == ["x-1"]


def test_a_fact_that_happened_later_is_no_part_of_the_past() -> None:
    """Neither the facts nor the sentence tell of what came after the instant asked about."""
    spans = [PENDING, a_span(Status.ON_TIME, SENT, "s-1", effective_at=SENT)]
    evidence = some_evidence(spans, [a_report_fact("s-1", at=SENT)], as_of=SENT - timedelta(days=1))
    assert evidence.facts == ()
    assert "còn 4 ngày" in sentence(evidence)


@pytest.mark.parametrize("status", list(Status))
@pytest.mark.parametrize("language", ["vi", "en"])
def test_every_status_is_explained_without_any_fact(status: Status, language: str) -> None:
    """Facts and verdicts are stored side by side; until a fact is there, the sentence is shorter and still one."""
    span = a_span(status, OPENS, "s-1", flags=("inherited_by_h-19", "accepted", "dispatch_unproven"))
    text = sentence(some_evidence([span], as_of=AS_OF, language=language))
    assert text.endswith(".")
    assert "None" not in text
    assert a_key().obligation not in text
