"""The officer's weekly digest as it reads: what is to be done first, then what goes out and what is held back."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import msgspec
import pytest

from schemas.events.assessments import StepKind
from schemas.events.deliveries import Channel
from services.notifier.core.rendering import officer_letter
from services.notifier.core.rendering.officer_letter import OfficerReading
from services.notifier.core.rendering.officer_words import EnglishOfficerWords, VietnameseOfficerWords
from services.notifier.core.rendering.render import RenderedMessage, RenderOptions, SmsLetters
from services.notifier.core.scheduling.holds import HoldScope, SendingHold
from services.notifier.core.scheduling.letter_history import LetterHistory, NamedDay
from services.notifier.core.scheduling.officer_digest import (
    OfficerDigest,
    PlannedSending,
    ReviewedReport,
    Unreached,
    UnreachedAgency,
)
from services.notifier.core.scheduling.routing import OfficerWeek
from tests.unit.notifier.digest_builders import absent_parts
from tests.unit.notifier.letters_of_6766 import OFFICER, PLAN, a_call, a_history, at, load_documents

MONDAY = date(2024, 12, 23)
WEEK = OfficerWeek(plan=PLAN, monday=MONDAY)


def a_duty(agency: str, **changes: Any) -> Any:
    """Return what stands for the open report of *agency* in a digest."""
    return a_call(StepKind.URGING, agency, step="", **changes)


def a_digest(**changes: Any) -> OfficerDigest:
    """Return the digest of the week before Christmas, with one matter of each kind."""
    urged = a_history(urged=[at(10), at(13), at(17)], named=NamedDay(promised_on=date(2024, 12, 26), said_at=at(18)))
    overdue = a_duty("h-thuong-xuan")
    given: dict[str, Any] = {
        "week": WEEK,
        "lead": overdue,
        "unreached": [
            UnreachedAgency(one=a_duty("so-tttt"), reason=Unreached.SUSPENDED, channel=Channel.EMAIL, since=at(13))
        ],
        "to_review": [ReviewedReport(one=a_duty("so-tp"), received_at=at(20), is_replacement=True)],
        "overdue": [overdue],
        "incomplete": [a_duty("so-ldtbxh", missing=("attachments", "signed"))],
        "planned": [
            PlannedSending(day=date(2024, 12, 24), kind=StepKind.ESCALATION, to="chairman-list", ordinal=0, count=7),
            PlannedSending(day=date(2024, 12, 24), kind=StepKind.URGING, to="self", ordinal=4, count=6),
        ],
        "holds": [
            SendingHold(
                id="1",
                scope=HoldScope.AGENCY,
                target="h-quan-hoa",
                author="Lê Thị B",
                reason="đã trao đổi qua điện thoại",
                starts_at=at(20),
                until=at(27, hour=17),
            )
        ],
        "history": LetterHistory(duties={str(overdue.duty): urged}, counts={}),
    }
    return OfficerDigest(**(given | changes))


def write(digest: OfficerDigest, channel: Channel = Channel.EMAIL, **given: Any) -> RenderedMessage:
    """Render *digest* on its Monday morning."""
    letters = given.pop("letters", SmsLetters.UNACCENTED)
    reading = OfficerReading(officer=OFFICER, now=at(23), watch_link="https://dondoc.example/", **given)
    options = RenderOptions(letters=letters)
    return officer_letter.render_officer_digest(digest, load_documents(), reading, channel=channel, options=options)


def test_the_officer_reads_what_to_do_first_and_what_goes_out() -> None:
    """The sections in the order in which a person is needed, each row with the days, the times and the day named."""
    mail = write(a_digest())
    assert mail.subject == "Tuần 23/12–27/12/2024: 4 việc cần xử lý"
    lines = (
        "Kính gửi: Nguyễn Thị Mẫu",
        "Đề nghị đồng chí xử lý 04 việc nêu dưới đây trong tuần từ ngày 23/12/2024 đến ngày 27/12/2024.",
        "Mở trang theo dõi:\nhttps://dondoc.example/",
        "1. Không gửi được thư, tin nhắn: cần gọi điện, cập nhật đầu mối (01)",
        "1 | Sở Thông tin và Truyền thông | thư điện tử; địa chỉ không còn nhận được; từ ngày 13/12/2024",
        "2. Chờ xem xét: cần chấp nhận hoặc đề nghị hoàn thiện (01)",
        "1 | Sở Tư pháp | nhận ngày 20/12/2024; bản thay thế sau khi đề nghị hoàn thiện",
        "1 | UBND huyện Thường Xuân | quá hạn 14 ngày; đôn đốc 3 lần; hẹn gửi ngày 26/12/2024",
        "quá hạn 14 ngày; còn thiếu: ít nhất 01 tệp PDF; chữ ký của người có thẩm quyền",
        "thứ Ba, 24/12/2024: danh sách báo cáo Chủ tịch UBND tỉnh Thanh Hóa (07), đôn đốc lần 4 (06)",
        "Đang tạm dừng: UBND huyện Quan Hóa, đến 17 giờ 30 phút ngày 27/12/2024 (Lê Thị B, lý do: đã trao đổi qua",
        "chỉ lưu hành nội bộ.",
    )
    assert absent_parts(mail.body, *lines) == []
    assert absent_parts(mail.html or "", "<table", 'scope="rowgroup"', 'href="https://dondoc.example/"') == []


def test_no_address_is_told() -> None:
    """The digest names the channel and the reason alone."""
    mail = write(a_digest())
    assert "@" not in mail.body.replace("mau@bank.example", "")


def test_a_week_with_nothing_to_do_says_so() -> None:
    """Sections without content are left out, and so is the table."""
    quiet = a_digest(unreached=(), to_review=(), overdue=(), incomplete=(), planned=(), holds=())
    mail = write(quiet)
    assert mail.subject == "Tuần 23/12–27/12/2024: không có việc cần xử lý"
    assert "Danh sách" not in mail.body
    assert "<table style" not in (mail.html or "")
    assert "nothing to handle" in (write(quiet, language="en").subject or "")


def test_the_text_message_counts() -> None:
    """One part without marks, one with; the names stand in the mail."""
    plain = write(a_digest(), Channel.SMS)
    assert plain.body == (
        "NHCSXH Thanh Hoa: Tuan 23/12-27/12/2024, bao cao Ke hoach 6766: 2 qua han gui, 1 cho xem xet,"
        " 1 noi khong gui duoc thu. Xem thu dien tu."
    )
    assert plain.segments == 1
    assert write(a_digest(), Channel.SMS, letters=SmsLetters.ACCENTED_SHORT).segments == 1


def test_a_long_section_is_cut_and_says_how_many_are_left_out() -> None:
    """A plan of ten thousand agencies makes no mail of a megabyte."""
    mail = write(a_digest(overdue=[a_duty("h-thuong-xuan")] * 130))
    assert "Chưa nhận được, đã quá hạn (130)" in mail.body
    assert "Chưa nhận được, đã quá hạn: còn 30 mục không nêu ở đây" in mail.body
    assert len(mail.body) < 20_000


def test_rows_name_the_report_where_there_are_several() -> None:
    """Otherwise the plan above the table says enough."""
    last_year = a_duty("so-tp", at=at(23))
    one = write(a_digest(overdue=[a_duty("h-thuong-xuan")], incomplete=()))
    assert "Thường Xuân | quá hạn" in one.body
    other = a_digest(overdue=[a_duty("h-thuong-xuan"), _of_period(last_year, "2023")], incomplete=())
    assert "Thường Xuân | Báo cáo Kế hoạch 6766 năm 2024; quá hạn" in write(other).body


def _of_period(one: Any, period: str) -> Any:
    return replace(one, duty=msgspec.structs.replace(one.duty, period=period))


@pytest.mark.parametrize(
    ("monday", "vietnamese", "english"),
    [
        (date(2024, 12, 23), "23/12-27/12/2024", "23-27 Dec 2024"),
        (date(2024, 4, 29), "29/4-03/5/2024", "29 Apr-3 May 2024"),
        (date(2024, 12, 30), "30/12/2024-03/01/2025", "30 Dec 2024-3 Jan 2025"),
    ],
)
def test_a_week_is_named_with_each_year_once(monday: date, vietnamese: str, english: str) -> None:
    """Across months and years, as each language writes dates."""
    friday = monday + timedelta(days=4)
    assert VietnameseOfficerWords().name_week(monday, friday) == vietnamese
    assert EnglishOfficerWords().name_week(monday, friday) == english


def test_it_is_written_as_of_its_instant() -> None:
    """The days are counted to the morning on which it goes out."""
    later = officer_letter.render_officer_digest(
        a_digest(),
        load_documents(),
        OfficerReading(officer=OFFICER, now=datetime.fromisoformat("2024-12-24T07:30:00+07:00")),
        channel=Channel.EMAIL,
        options=RenderOptions(),
    )
    assert "quá hạn 15 ngày" in later.body
