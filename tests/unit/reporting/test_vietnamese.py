"""Vietnamese numbers, dates, order and search."""

from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from services.reporting.core import vietnamese
from tests.support.builders.annual_report import DUE

VIETNAM = ZoneInfo("Asia/Ho_Chi_Minh")


@pytest.mark.parametrize(
    "value, places, written",
    [(9984, 0, "9.984"), (Decimal("9984.2"), 1, "9.984,2"), (Decimal("0.25"), 1, "0,3"), (1234567, 0, "1.234.567")],
)
def test_a_number_has_a_decimal_comma_and_dots_between_thousands(
    value: int | Decimal, places: int, written: str
) -> None:
    """9.984,2 is how a Vietnamese reader writes 9984.2."""
    assert vietnamese.number(value, places) == written


def test_a_percentage_of_nothing_is_a_dash() -> None:
    """Where nothing was expected there is no rate, not zero."""
    assert vietnamese.percent(None) == "–"
    assert vietnamese.percent(Decimal("0.7714")) == "77,1%"


def test_a_deadline_is_said_by_its_last_good_day() -> None:
    """Before 10 December means until the end of the ninth."""
    assert vietnamese.deadline(DUE, VIETNAM) == "hết ngày 09/12/2026"
    assert vietnamese.deadline(datetime(2026, 12, 9, 10, tzinfo=UTC), VIETNAM) == "trước 17:00 ngày 09/12/2026"
    assert vietnamese.moment(DUE, VIETNAM) == "00:00 ngày 10/12/2026"


def test_names_sort_letters_first_and_tones_last() -> None:
    """Đ comes after D, ă and â after a, and tones only part what letters leave equal."""
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
    assert sorted(names, key=vietnamese.collation_key) == [
        "Ba Đình", "Bá Thước", "Cẩm Thủy", "Dân tộc", "Đông Sơn", "Quan Hóa", "Quảng Xương", "Thanh Hóa", "Thọ Xuân",
    ]  # fmt: skip
    tones = ["ma", "mà", "mả", "mã", "má", "mạ"]
    assert sorted(["mạ", "má", "mã", "mả", "mà", "ma"], key=vietnamese.collation_key) == tones


def test_a_search_ignores_accents_case_and_tone_placement_and_reads_d_for_its_stroked_twin() -> None:
    """`hoa`, `Hóa` and `Hoá` find each other, `don doc` finds Đôn Đốc."""
    assert vietnamese.searchable("Quan  HÓA") == vietnamese.searchable("quan hoá") == "quan hoa"
    assert vietnamese.searchable("Đôn Đốc") == "don doc"
