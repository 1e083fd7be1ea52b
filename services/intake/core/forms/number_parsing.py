"""Figures as people write them: 1.234,5 in Vietnamese, 1234.5 in software. What could mean two numbers is refused.

A wrong guess would be wrong by a thousand and nobody would see it.
"""

import re
from decimal import Decimal

from services.intake.core.problems import Said

_SPACES = re.compile(r"[\s\u00a0\u2009\u202f]")
_PLAIN = re.compile(r"-?\d+")
_GROUPED = re.compile(r"-?[1-9]\d{0,2}(?:[.,]\d{3})+")
_DECIMAL = re.compile(r"(?P<whole>-?[\d.,]*\d)[.,](?P<part>\d+)")
_DIGITS_MAX = 30
"""Digits of a figure: more than any sum of money, few enough to compute with."""


def parse_number(text: str, *, is_percent: bool = False) -> Decimal | Said:
    """Return the number that *text* writes, or why it is none or could be two; a percent may carry its sign."""
    bare = _SPACES.sub("", text).replace("\u2212", "-").removeprefix("+")
    if is_percent:
        bare = bare.removesuffix("%")
    if len(bare) > _DIGITS_MAX:
        return _not_a_number(text)
    if _PLAIN.fullmatch(bare):
        return Decimal(bare)
    if _GROUPED.fullmatch(bare):
        return _parse_groups(bare)
    return _parse_decimal(bare, text)


def _parse_groups(bare: str) -> Decimal | Said:
    """Read whole groups of three: one of them alone could as well be three decimals."""
    signs = {sign for sign in bare if sign in ".,"}
    joined = Decimal(re.sub("[.,]", "", bare))
    if len(signs) > 1:
        return _parse_decimal(bare, bare)
    if len(re.findall("[.,]", bare)) > 1:
        return joined
    return _ambiguous(bare, joined)


def _parse_decimal(bare: str, text: str) -> Decimal | Said:
    found = _DECIMAL.fullmatch(bare)
    if found is None:
        return _not_a_number(text)
    sign = bare[found.end("whole")]
    whole = found["whole"]
    if sign in whole or not _is_whole(whole):
        return _not_a_number(text)
    return Decimal(f"{re.sub('[.,]', '', whole)}.{found['part']}")


def _is_whole(text: str) -> bool:
    return _PLAIN.fullmatch(text) is not None or _GROUPED.fullmatch(text) is not None


def to_json_number(number: Decimal) -> int | str:
    """Return *number* as an event carries it: exactly, whatever reads it."""
    return int(number) if number == number.to_integral_value() else format(number.normalize(), "f")


def render_number(number: float) -> Said:
    """Write *number* for people: 9.984,2 and 9,984.2."""
    english = f"{number:,.10g}"
    return Said(en=english, vi=english.translate(str.maketrans(",.", ".,")))


def _ambiguous(bare: str, joined: Decimal) -> Said:
    whole, _, part = bare.replace(",", ".").partition(".")
    return Said(
        en=f"{bare!r} may mean {joined} or {whole}.{part}; write {joined}, or {whole}.{part}0 for the smaller one",
        vi=f"“{bare}” có thể hiểu là {joined} hoặc {whole},{part}; hãy ghi {joined} không có dấu chấm, dấu phẩy, "
        f"hoặc ghi {whole},{part}0 nếu là số thập phân",
    )


def _not_a_number(text: str) -> Said:
    shown = text[:_DIGITS_MAX]
    return Said(
        en=f"{shown!r} is no number; write for example 1234.5, without words or units",
        vi=f"“{shown}” không phải là số; hãy ghi ví dụ 1234,5, không kèm chữ hoặc đơn vị tính",
    )
