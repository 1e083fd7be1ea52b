"""Parsing of days and times, and rendering of due dates and periods."""

import unicodedata
from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

from schemas.plan.values import Bilingual
from services.intake.core.forms import date_parsing

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
DUE = datetime(2026, 12, 10, tzinfo=ZONE)


@pytest.mark.parametrize(
    "text",
    [
        *("09/12/2026", "9/12/2026", "9-12-2026", "9.12.2026", "9 / 12 / 2026", " 09/12/2026 ", "09/12/2026."),
        *("2026-12-09", "2026/12/09", "09/12/2026 00:00:00", "2026-12-09 00:00:00", "2026-12-09T00:00:00"),
        *("ngày 09 tháng 12 năm 2026", "Ngày 9 tháng 12 năm 2026", "09 tháng 12 năm 2026", "ngày 09/12/2026"),
        *("Thanh Hóa, ngày 09 tháng 12 năm 2026", "thứ Tư, ngày 09/12/2026", "Ngày 09 tháng 12, năm 2026"),
        unicodedata.normalize("NFD", "ngày 09\u00a0tháng 12  năm 2026"),
    ],
)
def test_a_day_is_parsed_day_first(text: str) -> None:
    """Taken are the day before the month with any usual separator, ISO 8601, and the words of documents."""
    assert date_parsing.parse_day(text) == date(2026, 12, 9)


@pytest.mark.parametrize(
    "text",
    [
        *("31/11/2026", "12/2026", "9/12/26", "mai", "2026-13-01", "01/01/0001", "", "ngày 9", "09/12/2026 16:30"),
        *("ngày 31 tháng 02 năm 2026", "ngày 09 tháng 12", "từ 09/12/2026 đến 10/12/2026", "46365"),
    ],
)
def test_text_that_is_no_day_is_refused(text: str) -> None:
    """A day that does not exist is refused and not moved to the next day."""
    assert isinstance(date_parsing.parse_day(text), Bilingual)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "09/12/2026 16:30",
            "09/12/2026 16h30",
            "2026-12-09T16:30",
            "9/12/2026 16 giờ 30 phút",
            "9/12/2026, 16:30:00",
        ),
        *("16 giờ 30 phút, ngày 09 tháng 12 năm 2026", "16h30 ngày 09/12/2026", "Lúc 16:30 ngày 9/12/2026"),
        *("ngày 09 tháng 12 năm 2026 lúc 16h30", "16 giờ 30 ngày 09/12/2026"),
    ],
)
def test_a_time_is_parsed_in_the_zone_of_the_plan(text: str) -> None:
    """People write times without an offset; they are in the zone of the plan."""
    assert date_parsing.parse_instant(text, ZONE) == datetime(2026, 12, 9, 16, 30, tzinfo=ZONE)


@pytest.mark.parametrize("text", ["09/12/2026", "16:30", "09/12/2026 25:00", "09/12/2026 4:30 chiều"])
def test_text_that_is_no_time_is_refused(text: str) -> None:
    """A day without a time is refused, and so is a time with words such as "chiều"."""
    assert isinstance(date_parsing.parse_instant(text, ZONE), Bilingual)


def test_a_due_date_at_midnight_is_the_end_of_the_day_before() -> None:
    """An instant at midnight of the 10th is rendered as "hết ngày 09/12/2026"."""
    assert date_parsing.render_deadline(DUE, ZONE).vi == "hết ngày 09/12/2026 (thứ Tư)"
    assert (
        date_parsing.render_deadline(DUE.replace(day=9, hour=16, minute=30), ZONE).vi
        == "trước 16 giờ 30 ngày 09/12/2026 (thứ Tư)"
    )


@pytest.mark.parametrize(
    "now,text",
    [
        (DUE.replace(day=1, hour=9), "còn 8 ngày"),
        (DUE.replace(day=9, hour=23), "hôm nay là ngày cuối"),
        (DUE, "đã quá hạn 1 ngày"),
        (DUE.replace(day=12), "đã quá hạn 3 ngày"),
    ],
)
def test_the_time_left_is_counted_in_days_of_the_zone(now: datetime, text: str) -> None:
    """The last day counts as today until it ends; the first instant after it is a day late."""
    assert date_parsing.render_time_left(DUE, ZONE, now).vi == text


@pytest.mark.parametrize(
    "period,text",
    [
        ("2026", "năm 2026"),
        ("2026-H1", "6 tháng đầu năm 2026"),
        ("2026-Q3", "quý III năm 2026"),
        ("2026-07", "tháng 7 năm 2026"),
    ],
)
def test_a_period_is_rendered_in_words(period: str, text: str) -> None:
    """A quarter has a Roman numeral, and a half-year is six months."""
    assert date_parsing.render_period(period).vi == text


def test_an_instant_is_rendered_to_the_second() -> None:
    """The time of receipt is rendered in full, in the zone of the plan."""
    text = date_parsing.render_instant(DUE.replace(day=9, hour=8, minute=5, second=7), ZONE)
    assert (text.vi, text.en) == ("8 giờ 05 phút 07 giây, ngày 09/12/2026", "08:05:07 on 09/12/2026")
