"""The evidence sheet: each notice with its text, its times and what came of it, and never more than is known."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from schemas.events.assessments import StepKind
from schemas.events.deliveries import AttemptOutcome, Channel
from schemas.events.ids import DutyKey
from services.console.evidence import sheet
from services.console.evidence.sheet import SheetSubject
from services.notifier.history.notice_store import NoticeOutcome, NoticeText, SentNotice
from tests.unit.notifier.letters_of_6766 import DUE, OBLIGATION, PERIOD, PLAN, at, load_documents

BODY = "Kính gửi: UBND huyện Đông Sơn\n\nChi nhánh kính đề nghị Quý cơ quan gửi báo cáo.\n"


def a_subject() -> SheetSubject:
    """Return the report of a district for 2024, on the last day of that year."""
    catalogue = load_documents().catalogues[PLAN]
    obligation = catalogue.plan.obligation(OBLIGATION)
    assert obligation is not None
    return SheetSubject(
        duty=DutyKey(plan=PLAN, agency="h-dong-son", obligation=OBLIGATION, period=PERIOD),
        plan=catalogue.plan,
        registry=catalogue.registry,
        obligation=obligation,
        made_at=at(31),
    )


def an_outcome(outcome: str, instant: datetime, **changes: Any) -> NoticeOutcome:
    """Return what came of the first attempt."""
    given: dict[str, Any] = {"attempt": 1, "reason": None, "route": "email", **changes}
    return NoticeOutcome(at=instant, outcome=outcome, **given)


def a_notice(*outcomes: NoticeOutcome, **changes: Any) -> SentNotice:
    """Return an urging by mail, by default accepted by a server."""
    given: dict[str, Any] = {
        "delivery": "a" * 40,
        "kind": StepKind.URGING,
        "step": "P3D",
        "due_at": DUE,
        "channel": Channel.EMAIL,
        "to_agency": "h-dong-son",
        "created_at": at(13),
        "outcomes": outcomes or (an_outcome("accepted", at(13)),),
        "text": NoticeText(subject="Đôn đốc lần 2", body=BODY, template="vi/urging@1", digest="d" * 64),
    }
    return SentNotice(**(given | changes))


def describe(*notices: SentNotice) -> dict[str, Any]:
    """Return what the sheet prints."""
    return sheet.describe_sheet(a_subject(), notices)


def test_a_notice_stands_with_its_text_its_reader_and_the_chain_of_outcomes() -> None:
    """Accepted, confirmed, read, with the day that the agency named: in order, to the second."""
    chain = (an_outcome("accepted", at(13)), an_outcome("confirmed", at(13) + timedelta(minutes=2)))
    told = describe(a_notice(*chain, read_at=at(14), promised_on=date(2024, 12, 20), resent_by=("Lê Thị B",)))
    (notice,) = told["notices"]
    assert notice["heading"] == "1. Đôn đốc, thư điện tử, 07:30:00 ngày 13/12/2024"
    assert notice["to"] == "UBND huyện Đông Sơn"
    assert notice["chain"] == [
        "07:30:00 ngày 13/12/2024: máy chủ đã nhận để chuyển (lần gửi 1)",
        "07:32:00 ngày 13/12/2024: có xác nhận đã đến nơi nhận (lần gửi 1)",
        "07:30:00 ngày 14/12/2024: cơ quan xác nhận đã nhận thư, hẹn gửi ngày 20/12/2024",
        "gửi lại theo yêu cầu của Lê Thị B",
    ]
    assert (notice["subject"], notice["body"], notice["digest"]) == ("Đôn đốc lần 2", BODY.strip(), "d" * 64)


def test_what_the_other_side_answered_is_quoted() -> None:
    """The reply of a mail server with its queue id, the id of a text message at its centre, the state of a report."""
    taken = an_outcome("accepted", at(13), answer="250 2.0.0 Ok: queued as 4Xy1Kq3zWz")
    confirmed = an_outcome("confirmed", at(13) + timedelta(minutes=2), reason="dsn_2.0.0")
    by_sms = an_outcome("accepted", at(13), answer="0A1B, 0A1C", route="smpp")
    mail, sms = describe(a_notice(taken, confirmed), a_notice(by_sms, channel=Channel.SMS))["notices"]
    assert mail["chain"] == [
        (
            "07:30:00 ngày 13/12/2024: máy chủ đã nhận để chuyển (lần gửi 1);"
            " máy chủ trả lời “250 2.0.0 Ok: queued as 4Xy1Kq3zWz”"
        ),
        "07:32:00 ngày 13/12/2024: có xác nhận đã đến nơi nhận (lần gửi 1, dsn_2.0.0)",
    ]
    assert sms["chain"] == [
        "07:30:00 ngày 13/12/2024: máy chủ đã nhận để chuyển (lần gửi 1); mã tin của tổng đài: 0A1B, 0A1C"
    ]


@pytest.mark.parametrize("outcome", AttemptOutcome)
def test_every_outcome_has_words_and_none_claims_an_arrival_that_is_not_known(outcome: AttemptOutcome) -> None:
    """Only a confirmation and a complaint say that something arrived."""
    (notice,) = describe(a_notice(an_outcome(outcome.value, at(13))))["notices"]
    says_arrived = "đã đến" in notice["chain"][0]
    assert says_arrived == (outcome in {AttemptOutcome.CONFIRMED, AttemptOutcome.COMPLAINED})


def test_a_letter_that_a_named_day_held_back_says_so() -> None:
    """An agency that has named a day is not told that its report had come."""
    held = an_outcome("cancelled", at(13), reason="day_named")
    (notice,) = describe(a_notice(held))["notices"]
    assert notice["chain"] == ["07:30:00 ngày 13/12/2024: không gửi: cơ quan đã hẹn ngày gửi"]


def test_a_text_whose_retention_has_ended_is_said_to_be_gone() -> None:
    """The sheet invents none."""
    (notice,) = describe(a_notice(text=None))["notices"]
    assert (notice["subject"], notice["digest"]) == ("", "")
    assert "không còn lưu" in notice["body"]


def test_the_head_names_the_report_its_basis_and_its_deadline() -> None:
    """As it was told last."""
    rows = dict(describe(a_notice())["rows"])
    assert rows["Cơ quan báo cáo"] == "UBND huyện Đông Sơn"
    assert rows["Báo cáo"].startswith("Báo cáo kết quả")
    assert rows["Thời hạn"] == "hết ngày 09/12/2024"
    assert rows["Số thông báo"] == "01"


def test_a_letter_to_a_list_names_the_office_behind_it() -> None:
    """The id of a contact list is nobody's name."""
    (notice,) = describe(a_notice(kind=StepKind.ESCALATION, to_agency="chairman-list"))["notices"]
    assert notice["heading"].startswith("1. Thư đề nghị cơ quan cấp trên chỉ đạo, thư điện tử")
    assert notice["to"] == "Chủ tịch Ủy ban nhân dân tỉnh Thanh Hóa"


@pytest.mark.parametrize("kind", StepKind)
def test_every_kind_of_notice_has_a_name(kind: StepKind) -> None:
    """A sheet about a kind without one could not be made."""
    (notice,) = describe(a_notice(kind=kind))["notices"]
    assert notice["heading"].startswith("1. ")


def test_the_same_notices_give_the_same_bytes() -> None:
    """So that a signature over them can be made again."""
    notices = [a_notice(), a_notice(channel=Channel.SMS, text=None)]
    first = sheet.render_sheet(a_subject(), notices)
    assert first.startswith(b"%PDF-")
    assert first == sheet.render_sheet(a_subject(), notices)
