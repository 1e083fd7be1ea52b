"""How days, times, deadlines and periods are read and said."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

from services.intake.core.forms import date_parsing
from services.intake.core.problems import Said

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
DUE = datetime(2026, 12, 10, tzinfo=ZONE)


@pytest.mark.parametrize("text", ["09/12/2026", "9/12/2026", "9-12-2026", "9.12.2026", "2026-12-09", " 09/12/2026 "])
def test_a_day_is_read_day_first(text: str) -> None:
    """The day comes before the month, whatever stands between them; ISO 8601 is understood too."""
    assert date_parsing.parse_day(text) == date(2026, 12, 9)


@pytest.mark.parametrize("text", ["31/11/2026", "12/2026", "9/12/26", "mai", "2026-13-01", "01/01/0001", ""])
def test_what_is_no_day_is_refused(text: str) -> None:
    """A day that the calendar does not have is not moved to the next one."""
    assert isinstance(date_parsing.parse_day(text), Said)


@pytest.mark.parametrize(
    "text", ["09/12/2026 16:30", "09/12/2026 16h30", "2026-12-09T16:30", "9/12/2026 16 giờ 30 phút"]
)
def test_a_time_is_read_in_the_zone_of_the_plan(text: str) -> None:
    """Nobody writes an offset on paper: the plan's zone gives it."""
    assert date_parsing.parse_instant(text, ZONE) == datetime(2026, 12, 9, 16, 30, tzinfo=ZONE)


@pytest.mark.parametrize("text", ["09/12/2026", "16:30", "09/12/2026 25:00", "09/12/2026 4:30 chiều"])
def test_what_is_no_time_is_refused(text: str) -> None:
    """A day alone is no moment, and an afternoon is not guessed."""
    assert isinstance(date_parsing.parse_instant(text, ZONE), Said)


def test_a_deadline_at_midnight_is_the_end_of_the_day_before() -> None:
    """Due before the 10th reads "hết ngày 09/12/2026"."""
    assert date_parsing.render_deadline(DUE, ZONE).vi == "hết ngày 09/12/2026 (thứ Tư)"
    assert (
        date_parsing.render_deadline(DUE.replace(day=9, hour=16, minute=30), ZONE).vi
        == "trước 16 giờ 30 ngày 09/12/2026 (thứ Tư)"
    )


@pytest.mark.parametrize(
    "now,said",
    [
        (DUE.replace(day=1, hour=9), "còn 8 ngày"),
        (DUE.replace(day=9, hour=23), "hôm nay là ngày cuối"),
        (DUE, "đã quá hạn 1 ngày"),
        (DUE.replace(day=12), "đã quá hạn 3 ngày"),
    ],
)
def test_the_distance_is_counted_in_days_of_the_zone(now: datetime, said: str) -> None:
    """The last day is today until it ends; the first instant after it is a day late."""
    assert date_parsing.render_time_left(DUE, ZONE, now).vi == said


@pytest.mark.parametrize(
    "period,said",
    [
        ("2026", "năm 2026"),
        ("2026-H1", "6 tháng đầu năm 2026"),
        ("2026-Q3", "quý III năm 2026"),
        ("2026-07", "tháng 7 năm 2026"),
    ],
)
def test_a_period_is_said_as_people_say_it(period: str, said: str) -> None:
    """Quarters are counted in Roman numerals, half-years in months."""
    assert date_parsing.render_period(period).vi == said


def test_a_receipt_tells_the_second() -> None:
    """The instant of reception is said in full, in the zone of the plan."""
    said = date_parsing.render_instant(DUE.replace(day=9, hour=8, minute=5, second=7), ZONE)
    assert (said.vi, said.en) == ("8 giờ 05 phút 07 giây, ngày 09/12/2026", "08:05:07 on 09/12/2026")
