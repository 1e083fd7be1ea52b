"""Letters to those above: what is overdue, how often each agency was urged, and what is asked, as a table."""

from datetime import date
from typing import Any

import pytest

from schemas.events.assessments import StepKind
from services.notifier.core.rendering.render import RenderedMessage
from services.notifier.core.scheduling.letter_history import NamedDay, ReportTally
from tests.unit.notifier.digest_builders import absent_parts
from tests.unit.notifier.letters_of_6766 import a_call, a_history, at, write_letter, write_sms

URGED = a_history(urged=[at(10), at(13), at(17)])
ABSENT = ("so-ct", "h-ba-thuoc", "h-thuong-xuan", "so-tttt")
HISTORIES = {
    "so-ct": URGED,
    "h-ba-thuoc": URGED,
    "h-thuong-xuan": a_history(
        urged=[at(10), at(13), at(17)], named=NamedDay(promised_on=date(2024, 12, 26), said_at=at(18))
    ),
    "so-tttt": a_history(urged=[at(10)], failed=[at(13)]),
    "so-ldtbxh": URGED,
}
COUNTS = ReportTally(expected=44, complete=37, extended=1, exempt=1)


def list_overdue(to: str = "chairman-list", **given: Any) -> RenderedMessage:
    """Write the list of five agencies of 24 December."""
    alerts = [a_call(StepKind.ESCALATION, one, to=to) for one in ABSENT]
    alerts.append(a_call(StepKind.ESCALATION, "so-ldtbxh", to=to, missing=("attachments", "signed")))
    return write_letter(*alerts, now=at(24), to=to, histories=HISTORIES, counts=COUNTS, **given)


def test_the_chairman_reads_how_many_of_how_many_who_and_how_often() -> None:
    """Sums, two numbered groups, days and times with the last day, and the basis of the bank's task."""
    mail = list_overdue()
    assert mail.subject == "Hạn 09/12/2024 – 5/44 báo cáo Kế hoạch 6766 chưa nhận đủ"
    lines = (
        "Kính gửi: Chủ tịch Ủy ban nhân dân tỉnh Thanh Hóa",
        "kính đề nghị Chủ tịch UBND tỉnh Thanh Hóa xem xét, chỉ đạo 05 cơ quan, địa phương",
        "Chi nhánh đã nhận đầy đủ 37/44 báo cáo; 04 báo cáo chưa nhận được; 01 báo cáo đã nhận, còn thiếu nội dung.",
        "TT | Cơ quan, địa phương | Quá hạn (ngày) | Đôn đốc (lần; gần nhất)",
        "I. Chưa nhận được báo cáo (04)",
        "1 | Sở Công Thương | 15 | 3; 17/12",
        "2 | Sở Thông tin và Truyền thông | 15 | 1; 10/12 | từ ngày 13/12, thư của Chi nhánh chưa đến được đơn vị",
        "4 | UBND huyện Thường Xuân | 15 | 3; 17/12 | hẹn gửi ngày 26/12/2024",
        "II. Đã nhận, còn thiếu nội dung (01)",
        "5 | Sở Lao động - Thương binh và Xã hội | 15 | 3; 17/12 | còn thiếu: ít nhất 01 tệp PDF; chữ ký",
        "Cơ quan được gia hạn (01) hoặc được miễn (01) không nêu trong danh sách.",
        "Căn cứ: mục III.2 Kế hoạch số 6766/KH-UBND ngày 05/5/2016 của UBND tỉnh Thanh Hóa.",
        "Kính báo cáo Chủ tịch UBND tỉnh Thanh Hóa.",
    )
    assert absent_parts(mail.body, *lines) == []


def test_the_list_is_a_table_with_heads_and_says_the_title_once() -> None:
    """A screen reader finds caption, column, row and group heads; the title is not repeated in every row."""
    html = list_overdue().html or ""
    expected = ("<table", "<caption", 'scope="col"', 'scope="row"', 'scope="rowgroup"')
    assert absent_parts(html, *expected) == []
    assert html.count("Báo cáo kết quả thực hiện") == 1


def test_several_reports_of_one_agency_are_told_by_its_name() -> None:
    """The subject and the request name it, where a number of offices would say nothing."""
    alerts = [a_call(StepKind.ESCALATION, "so-ct", to="parent", period=one) for one in ("2023", "2024")]
    mail = write_letter(*alerts, now=at(24), to="ubnd-tinh")
    assert mail.subject == "2 báo cáo của Sở Công Thương chưa nhận đủ"
    assert "chỉ đạo Sở Công Thương gửi, bổ sung các báo cáo còn thiếu." in mail.body


@pytest.mark.parametrize(
    ("language", "opening"),
    [("vi", "\nKính đề nghị Chi nhánh "), ("en", "is respectfully requested to ")],
)
def test_an_office_that_is_recipient_and_superior_is_not_asked_by_itself(language: Any, opening: str) -> None:
    """As in the two levels of a district: its communes report to it, and it is their superior."""
    alert = a_call(StepKind.ESCALATION, "h-ba-thuoc", to="parent")
    one = write_letter(alert, now=at(17), to="nhcsxh-tinh", language=language)
    listed = list_overdue(to="nhcsxh-tinh", language=language)
    assert [opening in mail.body for mail in (one, listed)] == [True, True], one.body
    thanks, signer = {
        "vi": ("Trân trọng cảm ơn", "\n\nHệ thống theo dõi báo cáo\n"),
        "en": ("Thank you", "\n\nReport monitoring system\n"),
    }[language]
    assert [(thanks in mail.body, signer in mail.body) for mail in (one, listed)] == [(False, True)] * 2, one.body


@pytest.mark.parametrize("language", ["vi", "en"])
def test_no_letter_to_a_superior_speaks_to_an_owing_agency(language: Any) -> None:
    """Neither "Quý cơ quan" nor a link, nor the word that a report which was sent may be disregarded."""
    one = write_letter(
        a_call(StepKind.ESCALATION, "h-ba-thuoc", to="parent"), now=at(17), to="ubnd-tinh", language=language
    )
    for mail in (one, list_overdue(language=language)):
        found = [word for word in ("Quý cơ quan", "your agency", "https://", "bỏ qua") if word in mail.body]
        assert found == []


def test_one_agency_stands_in_the_first_sentence_and_in_the_subject() -> None:
    """The body above one agency is asked to direct it, with the days on which the bank urged."""
    history = {"h-ba-thuoc": a_history(urged=[at(10), at(13)])}
    alert = a_call(StepKind.ESCALATION, "h-ba-thuoc", to="parent")
    mail = write_letter(alert, now=at(17), to="ubnd-tinh", histories=history)
    assert mail.subject == "Hạn 09/12/2024 – BC Kế hoạch 6766 của UBND huyện Bá Thước"
    expected = (
        "Kính gửi: UBND tỉnh Thanh Hóa",
        "quan tâm, chỉ đạo UBND huyện Bá Thước gửi Báo cáo kết quả",
        "Đã đôn đốc: ngày 10/12/2024 và ngày 13/12/2024",
        "Tình trạng: chưa nhận được báo cáo",
        "Cán bộ cung cấp thông tin: Nguyễn Thị Mẫu",
    )
    assert absent_parts(mail.body, *expected) == []
    incomplete = a_call(StepKind.ESCALATION, "h-ba-thuoc", to="parent", missing=("signed",))
    body = write_letter(incomplete, now=at(17), to="ubnd-tinh").body
    assert "chỉ đạo UBND huyện Bá Thước bổ sung" in body
    assert "đã nhận, còn thiếu: chữ ký của người có thẩm quyền" in body


def test_the_parent_of_several_gets_a_list_without_sums() -> None:
    """What the parent's agencies are of all agencies is not its concern; the closing thanks and does not report."""
    mail = list_overdue("parent")
    assert mail.subject == "Hạn 09/12/2024 – 5 báo cáo Kế hoạch 6766 chưa nhận đủ"
    assert "quan tâm, chỉ đạo 05 cơ quan" in mail.body
    assert absent_parts(mail.body, "37/44", "Kính báo cáo") == ["37/44", "Kính báo cáo"]


def test_a_list_that_no_plan_names_a_head_of_is_greeted_as_leaders() -> None:
    """The name of a contact list is an id of ours and is not printed."""
    assert "chairman-list" not in list_overdue().body


def test_text_messages_to_superiors_say_overdue() -> None:
    """One report names agency and days; a list counts."""
    one = a_call(StepKind.ESCALATION, "h-ba-thuoc", to="parent")
    assert write_sms(one, now=at(17), to="ubnd-tinh").body == (
        "NHCSXH Thanh Hoa: Kinh de nghi UBND tinh Thanh Hoa quan tam, chi dao UBND huyen Ba Thuoc gui bao cao Ke hoach "
        "6766 nam 2024, qua han gui 8 ngay. LH 02373000000"
    )
    several = [a_call(StepKind.ESCALATION, agency, to="parent") for agency in ABSENT]
    text = write_sms(*several, now=at(17), to="ubnd-tinh").body
    assert absent_parts(text, "4 co quan", "qua han gui 8 ngay", "(xem thu)") == []
