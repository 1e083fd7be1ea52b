"""Letters to agencies in the words of the plan that ships: subject, first sentence, and what stands in which order."""

import re
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from schemas.events.assessments import StepKind
from schemas.events.wire import WireNotice
from services.notifier.core.rendering.render import RenderedMessage
from services.notifier.core.scheduling.letter_history import NamedDay
from services.notifier.core.scheduling.scheduled_alert import Correction, DutyAlert
from tests.unit.notifier.digest_builders import a_digest, absent_parts, render_text
from tests.unit.notifier.letters_of_6766 import DUE, a_call, a_history, at, write_letter

BANK = "Chi nhánh Ngân hàng Chính sách xã hội tỉnh Thanh Hóa"
REPORT = "Báo cáo kết quả thực hiện Kế hoạch số 6766/KH-UBND năm 2024"
BASIS = "Căn cứ: mục III.1 Kế hoạch số 6766/KH-UBND ngày 05/5/2016 của UBND tỉnh Thanh Hóa"
REMINDED = a_history(reminded=[at(8, 11), at(26, 11)])
EXTENDED = WireNotice(
    decision="567/NHCS-KHNV", decided_on=date(2024, 12, 2), reason="Chờ số liệu quyết toán", former_due_at=DUE
)
EXEMPT = WireNotice(
    decision="568/QĐ-NHCS",
    decided_on=date(2024, 12, 2),
    reason="Đang giải thể",
    exempt_from=at(1, hour=0, minute=0),
    exempt_until=at(1, 1, hour=0, minute=0, year=2025),
)
PASSED_ON = WireNotice(heirs=("tp-thanh-hoa",))
REASON = "Vốn ủy thác gấp 1.000 lần năm trước;\nđề nghị rà soát <đơn vị tính>."
RETURNED = Correction(submission="s-1", reason=REASON, respond_by=datetime(2024, 12, 21, tzinfo=DUE.tzinfo))
MISSING = ("attachments", "signed")

# Alert, day of sending, what was sent before; subject and first sentence, without the name of the bank.
LETTERS: dict[str, tuple[DutyAlert, dict[str, Any], str, str]] = {
    "first reminder": (
        a_call(StepKind.REMINDER),
        {"now": at(8, 11)},
        "Hạn 09/12/2024, còn 31 ngày – Báo cáo Kế hoạch 6766 năm 2024",
        f"kính đề nghị Quý cơ quan gửi {REPORT} chậm nhất ngày 09/12/2024.",
    ),
    "reminder": (
        a_call(StepKind.REMINDER),
        {"now": at(3), "histories": {"h-tho-xuan": REMINDED}},
        "Hạn 09/12/2024, còn 6 ngày – Báo cáo Kế hoạch 6766 năm 2024",
        f"kính đề nghị Quý cơ quan gửi {REPORT} chậm nhất ngày 09/12/2024; thời hạn còn 06 ngày.",
    ),
    "last day": (
        a_call(StepKind.REMINDER),
        {"now": at(9), "histories": {"h-tho-xuan": REMINDED}},
        "Hạn hôm nay 09/12/2024 – Báo cáo Kế hoạch 6766 năm 2024",
        (
            f"kính đề nghị Quý cơ quan gửi {REPORT} trong hôm nay, thứ Hai, ngày 09/12/2024; đây là ngày cuối của thời "
            "hạn."
        ),
    ),
    "first urging": (
        a_call(StepKind.URGING),
        {"now": at(10, hour=9)},
        "Hạn 09/12/2024 – Đôn đốc lần 1: BC Kế hoạch 6766 năm 2024",
        (
            f"kính đề nghị Quý cơ quan gửi {REPORT} trong thời gian sớm nhất; thời hạn gửi là hết ngày 09/12/2024, đến "
            "09 giờ 30 phút ngày 10/12/2024 Chi nhánh chưa nhận được báo cáo."
        ),
    ),
    "third urging": (
        a_call(StepKind.URGING),
        {"now": at(17), "histories": {"h-tho-xuan": a_history(urged=[at(10), at(13)])}},
        "Hạn 09/12/2024 – Đôn đốc lần 3: BC Kế hoạch 6766 năm 2024",
        (
            f"kính đề nghị Quý cơ quan gửi {REPORT} hoặc hẹn ngày gửi; thời hạn gửi là hết ngày "
            "09/12/2024, đến 07 giờ 30 "
            "phút ngày 17/12/2024 Chi nhánh chưa nhận được báo cáo."
        ),
    ),
    "incomplete": (
        a_call(StepKind.INCOMPLETE, "so-tp", missing=MISSING),
        {"now": at(3)},
        "Hạn 09/12/2024 – Bổ sung Báo cáo Kế hoạch 6766 năm 2024",
        (
            f"đã nhận {REPORT} của Quý cơ quan và kính đề nghị bổ sung 02 nội dung nêu dưới đây, chậm nhất ngày "
            "09/12/2024."
        ),
    ),
    "urging of an incomplete report": (
        a_call(StepKind.URGING, "so-tp", missing=MISSING),
        {"now": at(13), "histories": {"so-tp": a_history(urged=[at(10)])}},
        "Hạn 09/12/2024 – Bổ sung, lần 2: BC Kế hoạch 6766 năm 2024",
        (
            f"kính đề nghị Quý cơ quan bổ sung 02 nội dung còn thiếu của {REPORT} trong thời gian sớm "
            "nhất; thời hạn gửi "
            "là hết ngày 09/12/2024."
        ),
    ),
    "returned": (
        a_call(StepKind.RETURNED, missing=("returned",), correction=RETURNED),
        {"now": at(12)},
        "Hạn 20/12/2024 – Hoàn thiện Báo cáo Kế hoạch 6766 năm 2024",
        (
            f"kính đề nghị Quý cơ quan hoàn thiện {REPORT} theo nội dung nêu dưới đây và gửi bản thay "
            "thế chậm nhất ngày "
            "20/12/2024."
        ),
    ),
    "received": (
        a_call(StepKind.RECEIVED, notice=WireNotice(document="215/BC-STP", effective_at=at(5, hour=15))),
        {"now": at(5, hour=16)},
        "Đã nhận đầy đủ – Báo cáo Kế hoạch 6766 năm 2024",
        f"đã nhận đầy đủ {REPORT} của Quý cơ quan và trân trọng cảm ơn; Quý cơ quan không cần thực hiện thêm việc gì.",
    ),
    "extension": (
        a_call(StepKind.EXTENSION, due_at=DUE + timedelta(days=10), notice=EXTENDED),
        {"now": at(3)},
        "Hạn mới 19/12/2024 – Báo cáo Kế hoạch 6766 năm 2024",
        (
            f"trân trọng thông báo {REPORT} của Quý cơ quan được gia hạn theo văn bản số 567/NHCS-KHNV "
            "ngày 02/12/2024; "
            "kính đề nghị Quý cơ quan gửi báo cáo chậm nhất ngày 19/12/2024."
        ),
    ),
    "exemption": (
        a_call(StepKind.EXEMPTION, notice=EXEMPT),
        {"now": at(3)},
        "Miễn gửi – Báo cáo Kế hoạch 6766 năm 2024",
        f"trân trọng thông báo Quý cơ quan được miễn gửi {REPORT} theo Quyết định số 568/QĐ-NHCS ngày 02/12/2024.",
    ),
    "succession to the heir": (
        a_call(StepKind.SUCCESSION, "h-dong-son", to="tp-thanh-hoa", notice=PASSED_ON, at=at(1, 1, year=2025)),
        {"now": at(2, 1, year=2025), "to": "tp-thanh-hoa"},
        "Hạn 09/12/2024 – Tiếp nhận Báo cáo Kế hoạch 6766 năm 2024",
        (
            f"kính đề nghị Quý cơ quan tiếp nhận nhiệm vụ và gửi {REPORT} chậm nhất ngày 09/12/2024, "
            "thay cho UBND huyện "
            "Đông Sơn từ ngày 01/01/2025."
        ),
    ),
    "succession to who ends": (
        a_call(StepKind.SUCCESSION, "h-dong-son", notice=PASSED_ON, at=at(1, 1, year=2025)),
        {"now": at(2, 1, year=2025)},
        "Thay đổi cơ quan gửi – Báo cáo Kế hoạch 6766 năm 2024",
        (
            f"trân trọng thông báo: từ ngày 01/01/2025, {REPORT} do UBND thành phố Thanh Hóa gửi; UBND huyện Đông Sơn "
            "không phải gửi báo cáo này."
        ),
    ),
    "opening": (
        a_call(StepKind.OPENING),
        {"now": at(2, 1)},
        "Mở kỳ – BC Kế hoạch 6766 năm 2024, hạn 09/12/2024",
        f"kính đề nghị Quý cơ quan chuẩn bị {REPORT}, gửi chậm nhất ngày 09/12/2024.",
    ),
}
THREATS = (
    "phạt",
    "xử lý",
    "kỷ luật",
    "yêu cầu",
    "phải gửi ngay",
    "vi phạm",
    "chậm trễ",
    "khẩn",
    "!",
    "penalt",
    "must ",
)


def write_case(name: str, **changes: Any) -> RenderedMessage:
    """Write one of the letters above."""
    alert, given, _, _ = LETTERS[name]
    return write_letter(alert, **{**given, **changes})


@pytest.mark.parametrize("name", LETTERS)
def test_the_subject_has_the_deadline_first_and_the_first_sentence_asks(name: str) -> None:
    """Subject and opening are those of the reference texts; the subject is short enough for a phone."""
    _, _, subject, sentence = LETTERS[name]
    mail = write_case(name)
    assert mail.subject == subject
    assert len(mail.subject) <= 60
    assert f"\n\n{BANK} {sentence}\n\n" in mail.body


@pytest.mark.parametrize("language", ["vi", "en"])
@pytest.mark.parametrize("name", LETTERS)
def test_every_letter_says_whom_to_ask_and_threatens_nobody(name: str, language: Any) -> None:
    """Officer, telephone and address stand in text and HTML; the receiving bank has no power of command."""
    mail = write_case(name, language=language)
    words = ("Nguyễn Thị Mẫu, Phòng Kế hoạch - Nghiệp vụ", "02373000000", "mau@bank.example")
    assert absent_parts(mail.body, *words) == []
    assert absent_parts(mail.html or "", *words, 'href="tel:+842373000000"', 'href="mailto:mau@bank.example"') == []
    assert [word for word in THREATS if word in mail.body.lower()] == []
    assert mail.thread is not None
    assert mail.thread.reply_to == "mau@bank.example"


@pytest.mark.parametrize("language", ["vi", "en"])
@pytest.mark.parametrize("name", LETTERS)
def test_text_and_html_say_the_same_in_the_same_order(name: str, language: Any) -> None:
    """Every line of the plain text stands in the HTML, in the same order; the button's link is shown as its words."""
    mail = write_case(name, language=language)
    shown = re.sub(r"<style>.*?</style>|<title>.*?</title>|<[^>]+>", " ", mail.html or "", flags=re.DOTALL)
    shown = " ".join(
        shown.replace("&lt;", "<").replace("&gt;", ">").replace("&#39;", "'").replace("&#34;", '"').split()
    )
    words = [word for word in re.split(r"[\s:,.;()]+", mail.body) if word not in {"", "-", "--"}]
    place = 0
    for word in words:
        found = shown.find(word, place)
        assert found >= 0, f"{word!r} is not in the HTML after {shown[max(place - 80, 0) : place]!r}"
        place = found


@pytest.mark.parametrize("language", ["vi", "en"])
@pytest.mark.parametrize("name", LETTERS)
def test_no_id_of_ours_is_printed(name: str, language: Any) -> None:
    """Agencies, obligations and events have names in letters; ids stand within links alone."""
    mail = write_case(name, language=language)
    ids = ("h-tho-xuan", "so-tp", "nhcsxh-tinh", "annual-results", "6766-KH-UBND", "kh-6766", "tp-thanh-hoa", "s-1")
    assert [one for one in ids if one in f"{mail.subject}{mail.body}"] == []


def test_the_first_reminder_lists_what_the_report_needs_and_later_ones_do_not() -> None:
    """The list, the calendar file and the word of it go with the first reminder of a deadline alone."""
    first, later = write_case("first reminder"), write_case("reminder")
    needed = ("Báo cáo cần có:", "  - phần “Kết quả thực hiện Kế hoạch”", "  - ít nhất 01 tệp PDF", "tệp lịch (.ics)")
    assert absent_parts(first.body, *needed, BASIS) == []
    assert absent_parts(later.body, *needed) == list(needed)
    assert (first.thread and first.thread.calendar) is not None
    assert (later.thread and later.thread.calendar) is None


def test_an_urging_says_what_went_before_and_which_day_was_named() -> None:
    """From the second on the letter names the days of the urgings before it; a named day that passed is told."""
    named = NamedDay(promised_on=date(2024, 12, 16), said_at=at(11))
    history = a_history(urged=[at(10), at(13)], reminded=[at(8, 11)], named=named)
    third = write_case("third urging", histories={"h-tho-xuan": history}).body
    assert "Đã đôn đốc: ngày 10/12/2024 và ngày 13/12/2024; thư này là lần thứ ba" in third
    assert "chưa nhận được báo cáo; theo thông tin ngày 11/12/2024, Quý cơ quan dự kiến gửi ngày 16/12/2024" in third
    first = write_case("first urging", histories={"h-tho-xuan": a_history(reminded=[at(8, 11), at(9)])}).body
    assert "Đã nhắc trước hạn: 02 lần, gần nhất ngày 09/12/2024" in first
    assert "Đã nhắc trước hạn" not in write_case("first urging").body


def test_an_urging_counts_what_was_taken_for_this_deadline_once_a_round() -> None:
    """Bounced mails, other channels of the same step and the urgings of an earlier deadline do not count."""
    history = a_history(urged=[at(10)], failed=[at(13)])
    assert "lần 2" in str(write_case("third urging", histories={"h-tho-xuan": history}).subject)
    later = a_call(StepKind.URGING, due_at=DUE + timedelta(days=10))
    mail = write_letter(later, now=at(22), histories={"h-tho-xuan": history})
    assert "lần 1" in str(mail.subject)


def test_a_return_keeps_the_words_of_the_officer_and_promises_what_ruling_14_gives() -> None:
    """The reason stands in quotation marks with its line breaks; a report that was complete keeps its time."""
    mail = write_case("returned")
    assert f"Nội dung đề nghị hoàn thiện: “{REASON}”" in mail.body
    assert "&lt;đơn vị tính&gt;" in (mail.html or "")
    assert "được ghi nhận theo thời điểm Quý cơ quan đã gửi báo cáo lần đầu." in mail.body
    assert "Trong thời gian này Chi nhánh không gửi thư đôn đốc." in mail.body
    lacking = a_call(StepKind.RETURNED, missing=("returned", "signed"), correction=RETURNED)
    body = write_letter(lacking, now=at(12)).body
    assert "theo thời điểm Quý cơ quan đã gửi" not in body
    assert "Cần bổ sung:\n  - chữ ký của người có thẩm quyền" in body
    untimed = a_call(StepKind.RETURNED, missing=("returned",), correction=Correction(submission="s-1", reason="x"))
    untimed_mail = write_letter(untimed, now=at(12))
    assert untimed_mail.subject == "Đề nghị hoàn thiện – Báo cáo Kế hoạch 6766 năm 2024"
    assert absent_parts(untimed_mail.body, "Thời hạn gửi bản thay thế", "đôn đốc") != []


def test_notices_cite_the_decision_by_its_number() -> None:
    """Extension and exemption name kind, number and day of the decision, its reason, and what it covers."""
    extension, exemption = write_case("extension").body, write_case("exemption").body
    expected = ("Thời hạn trước: hết ngày 09/12/2024", "Lý do: Chờ số liệu quyết toán", "567/NHCS-KHNV")
    assert absent_parts(extension, *expected) == []
    covered = ("báo cáo có thời hạn từ 01/12/2024 đến 31/12/2024", "Văn bản miễn: Quyết định số 568/QĐ-NHCS")
    assert absent_parts(exemption, *covered) == []


def test_what_was_received_says_when_it_counts() -> None:
    """Document, instant and result; one that is late asks for proof of an earlier dispatch, without blame."""
    body = write_case("received").body
    expected = (
        "Văn bản: 215/BC-STP",
        "Thời điểm ghi nhận: 15 giờ 30 phút ngày 05/12/2024",
        "Kết quả: trong thời hạn (thời hạn: hết ngày 09/12/2024)",
    )
    assert absent_parts(body, *expected) == []
    late = a_call(StepKind.RECEIVED, notice=WireNotice(document="215/BC-STP", effective_at=at(12)))
    told = write_letter(late, now=at(12, hour=9)).body
    assert "Kết quả: sau thời hạn 03 ngày" in told
    assert "dấu bưu điện" in told


def test_without_a_telephone_the_letter_names_the_recipient_alone() -> None:
    """Where no officer is set nobody is named, no number is printed and no reply is promised."""
    mail = render_text(a_digest())
    assert "Nơi giải đáp: Chi nhánh NHCSXH tỉnh Thanh Hóa" in mail.body
    assert absent_parts(mail.body, "Điện thoại", "Thư trả lời") == ["Điện thoại", "Thư trả lời"]
    assert mail.thread is not None
    assert mail.thread.reply_to == ""


def test_the_mails_of_a_duty_belong_to_one_conversation_and_no_two_duties_to_the_same() -> None:
    """Reminder, urging and the word of receipt refer to one message id, whatever their subjects."""
    own = {one.thread.references for one in map(write_case, LETTERS) if one.thread and one.subject}
    assert len(own) == 3  # of the three agencies above
    assert len({write_case(name).subject for name in LETTERS}) == len(LETTERS)
