"""What a cell's number format says of its value: a day, a percentage, or a number shown in thousands.

The format codes are those of ISO/IEC 29500-1, section 18.8.30. Every spreadsheet program writes them.
"""

import re
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from decimal import Decimal

# The formats that have a number and no code in the file. Those from 27 on are dates in the languages of East Asia.
_BUILT_IN_DAYS = frozenset({*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)})
_BUILT_IN_TIMES = frozenset({18, 19, 20, 21, 45, 46, 47})
_BUILT_IN_PERCENTS = frozenset({9, 10})

# Text in quotes, one character that is written as it is, padding, and what stands in brackets: colour, language.
_LITERAL = re.compile(r'"[^"]*"|\\.|[_*].|\[(?!h+\]|m+\]|s+\])[^\]]*\]', re.IGNORECASE)
# An m alone is a month; beside hours or seconds it may be minutes.
_DAY_CODES = re.compile(r"[dy]|^[^hs]*m[^hs]*$", re.IGNORECASE)
_TIME_CODES = re.compile(r"[hs]", re.IGNORECASE)
_GENERAL = re.compile(r"general|standard|e[+-]", re.IGNORECASE)

# A comma behind the last digit divides what is shown by a thousand.
_SCALED = re.compile(r"[0#?.],+(?![0#?,])")

_FIRST_DAY_1900 = datetime(1899, 12, 30)  # noqa: DTZ001 - a cell has no zone
_FIRST_DAY_1904 = datetime(1904, 1, 1)  # noqa: DTZ001

# Excel counts a 29 February 1900, which there was not; days before it lie one further back.
_LEAP_DAY_1900 = 60
_SERIAL_MAX = 2_958_465  # 31 December 9999


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberFormat:
    """How the number in a cell is shown."""

    is_day: bool = False
    is_time: bool = False
    is_percent: bool = False
    is_scaled: bool = False


PLAIN = NumberFormat()


def built_in_format(number: int) -> NumberFormat:
    """Return the format that has this number in every workbook."""
    return NumberFormat(
        is_day=number in _BUILT_IN_DAYS and number not in _BUILT_IN_TIMES,
        is_time=number in _BUILT_IN_TIMES,
        is_percent=number in _BUILT_IN_PERCENTS,
    )


def parse_format(code: str) -> NumberFormat:
    """Return what the format *code* says of a positive number, of which its first section speaks."""
    bare = _GENERAL.sub("", _LITERAL.sub("", code).split(";")[0])
    is_day = _DAY_CODES.search(bare) is not None
    return NumberFormat(
        is_day=is_day,
        is_time=not is_day and _TIME_CODES.search(bare) is not None,
        is_percent="%" in bare,
        is_scaled=_SCALED.search(bare) is not None,
    )


def to_instant(serial: Decimal, *, is_1904: bool) -> datetime | None:
    """Return the local instant with the number *serial*; None if it lies outside of the calendar."""
    if not 0 <= serial < _SERIAL_MAX:
        return None
    # To the second: the fraction of a day has been rounded by the program that computed it.
    seconds = int((serial * 86_400).to_integral_value())
    if is_1904:
        return _FIRST_DAY_1904 + timedelta(seconds=seconds)
    return _FIRST_DAY_1900 + timedelta(seconds=seconds, days=1 if serial < _LEAP_DAY_1900 else 0)


def to_time(serial: Decimal) -> time | None:
    """Return the time of day with the number *serial*; None if it is longer than a day."""
    instant = to_instant(serial, is_1904=True) if serial < 1 else None
    return None if instant is None else instant.time()
