"""The Vietnamese locale: numbers, dates, collation and search."""

from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from services.reporting.core import vietnamese_locale
from tests.support.builders.annual_report import DUE

VIETNAM = ZoneInfo("Asia/Ho_Chi_Minh")


@pytest.mark.parametrize(
    "value, places, text",
    [(9984, 0, "9.984"), (Decimal("9984.2"), 1, "9.984,2"), (Decimal("0.25"), 1, "0,3"), (1234567, 0, "1.234.567")],
)
def test_a_number_has_a_decimal_comma_and_dots_between_thousands(value: int | Decimal, places: int, text: str) -> None:
    """The number 9984.2 is written 9.984,2, and halves are rounded up."""
    assert vietnamese_locale.format_number(value, places) == text


def test_a_percentage_of_nothing_is_a_dash() -> None:
    """Where no report was expected there is no rate, which is shown as a dash and not as zero."""
    assert vietnamese_locale.format_percent(None) == "–"
    assert vietnamese_locale.format_percent(Decimal("0.7714")) == "77,1%"


def test_a_deadline_is_named_by_its_last_day_on_time() -> None:
    """A duty due before 10 December, 00:00, is due by the end of the ninth; any other time of day is named."""
    assert vietnamese_locale.format_deadline(DUE, VIETNAM) == "hết ngày 09/12/2026"
    assert (
        vietnamese_locale.format_deadline(datetime(2026, 12, 9, 10, tzinfo=UTC), VIETNAM)
        == "trước 17:00 ngày 09/12/2026"
    )
    assert vietnamese_locale.format_instant(DUE, VIETNAM) == "00:00 ngày 10/12/2026"


def test_names_sort_letters_first_and_tones_last() -> None:
    """Đ sorts after D, and ă and â after a; tones decide only between texts with the same letters."""
    names = [
        "Đông Sơn",
        "Thọ Xuân",
        "Thanh Hóa",
        "Quảng Xương",
        "Quan Hóa",
        "Dân tộc",
        "Bá Thước",
        "Ba Đình",
        "Cẩm Thủy",
    ]
    assert sorted(names, key=vietnamese_locale.collation_key) == [
        "Ba Đình", "Bá Thước", "Cẩm Thủy", "Dân tộc", "Đông Sơn", "Quan Hóa", "Quảng Xương", "Thanh Hóa", "Thọ Xuân",
    ]  # fmt: skip
    tones = ["ma", "mà", "mả", "mã", "má", "mạ"]
    assert sorted(["mạ", "má", "mã", "mả", "mà", "ma"], key=vietnamese_locale.collation_key) == tones
