"""The number format of a cell says what its number is."""

from datetime import datetime, time
from decimal import Decimal

import pytest

from services.console.tables import number_formats
from services.console.tables.number_formats import NumberFormat


@pytest.mark.parametrize(
    ("code", "shown"),
    [
        ("General", NumberFormat()),
        ("#,##0.######", NumberFormat()),
        ("0.00E+00", NumberFormat()),
        ('#,##0 "đồng/ngày"', NumberFormat()),
        (r"#,##0\ [$₫-42A]", NumberFormat()),
        ("[Red]#,##0;[Blue]-0%", NumberFormat()),
        ("0%", NumberFormat(is_percent=True)),
        ("0.0#%;[Red]-0.0#%", NumberFormat(is_percent=True)),
        ("dd/mm/yyyy", NumberFormat(is_day=True)),
        ("[$-42A]dd mmmm yyyy", NumberFormat(is_day=True)),
        ('"ngày" dd "tháng" mm "năm" yyyy', NumberFormat(is_day=True)),
        ("dd/mm/yyyy hh:mm", NumberFormat(is_day=True)),
        ("mmm-yy", NumberFormat(is_day=True)),
        ("hh:mm:ss", NumberFormat(is_time=True)),
        ("[h]:mm", NumberFormat(is_time=True)),
        ("#,##0,", NumberFormat(is_scaled=True)),
        ('0.0,,"tr"', NumberFormat(is_scaled=True)),
    ],
)
def test_a_format_is_known_by_its_codes(code: str, shown: NumberFormat) -> None:
    """Text in quotes, colours, languages and currencies do not count, nor does the section of negative numbers."""
    assert number_formats.parse_format(code) == shown


def test_the_formats_without_a_code_are_known_by_their_numbers() -> None:
    """9 and 10 are percentages, 14 is a day, 20 a time of day."""
    assert [number_formats.built_in_format(one).is_percent for one in (0, 9, 10)] == [False, True, True]
    assert [number_formats.built_in_format(one).is_day for one in (4, 14, 20, 22)] == [False, True, False, True]
    assert number_formats.built_in_format(20).is_time


@pytest.mark.parametrize(
    ("serial", "is_1904", "instant"),
    [
        ("46365", False, datetime(2026, 12, 9)),  # noqa: DTZ001 - a cell has no zone
        ("44903", True, datetime(2026, 12, 9)),  # noqa: DTZ001
        ("46365.6875", False, datetime(2026, 12, 9, 16, 30)),  # noqa: DTZ001
        ("46365.35416666666", False, datetime(2026, 12, 9, 8, 30)),  # noqa: DTZ001
        ("1", False, datetime(1900, 1, 1)),  # noqa: DTZ001
        ("61", False, datetime(1900, 3, 1)),  # noqa: DTZ001
        ("-1", False, None),
        ("3000000", False, None),
    ],
)
def test_a_number_is_the_day_that_spreadsheets_show(serial: str, *, is_1904: bool, instant: datetime | None) -> None:
    """Counted from 1900 with its 29 February, or from 1904; to the second."""
    assert number_formats.to_instant(Decimal(serial), is_1904=is_1904) == instant


def test_a_fraction_is_a_time_of_day() -> None:
    """More than a day is none."""
    assert number_formats.to_time(Decimal("0.6875")) == time(16, 30)
    assert number_formats.to_time(Decimal("1.5")) is None
