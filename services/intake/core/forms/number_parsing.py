"""Parses figures as people write them: 1.234,5 in Vietnamese, 1234.5 in software.

A figure that could mean two numbers (1.234) is refused: a wrong guess would be wrong by a factor of a thousand, and
nobody would notice.
"""

import re
from decimal import Decimal

from schemas.plan import figures
from schemas.plan.values import Bilingual
from schemas.text import normal_form

_SPACES = re.compile(r"[\s\u00a0\u2009\u202f]")
_PLAIN = re.compile(r"-?\d+")
_GROUPED = re.compile(r"-?[1-9]\d{0,2}(?:[.,]\d{3})+")
_DECIMAL = re.compile(r"(?P<whole>-?[\d.,]*\d)[.,](?P<part>\d+)")

# Characters of a figure: more than any sum of money has, few enough to compute with.
_DIGITS_MAX = 30


def parse_number(text: str, *, is_percent: bool = False) -> Decimal | Bilingual:
    """Return the number in *text*; or a sentence saying why it is not a number, or which two it could mean.

    With *is_percent* it may end in a percent sign.
    """
    # U+2212 is the minus sign that word processors write.
    bare = _SPACES.sub("", normal_form.repair_text(text)).replace("\u2212", "-").removeprefix("+")
    if is_percent:
        bare = bare.removesuffix("%")
    if len(bare) > _DIGITS_MAX:
        return _not_a_number(text)
    if _PLAIN.fullmatch(bare):
        return Decimal(bare)
    if _GROUPED.fullmatch(bare):
        return _parse_groups(bare)
    return _parse_decimal(bare, text)


def _parse_groups(bare: str) -> Decimal | Bilingual:
    """Return the number in groups of three digits. A single separator is ambiguous: 1.234 is 1234 or 1,234."""
    separators = {sign for sign in bare if sign in ".,"}
    joined = Decimal(re.sub("[.,]", "", bare))
    # 1.234,567 has a separator of thousands and a decimal sign; 1.234.567 has separators of thousands only.
    if len(separators) > 1:
        return _parse_decimal(bare, bare)
    if len(re.findall("[.,]", bare)) > 1:
        return joined
    return _ambiguous_number(bare, joined)


def _parse_decimal(bare: str, text: str) -> Decimal | Bilingual:
    found = _DECIMAL.fullmatch(bare)
    if found is None:
        return _not_a_number(text)
    separator = bare[found.end("whole")]
    whole = found["whole"]
    if separator in whole or not _is_whole(whole):
        return _not_a_number(text)
    return Decimal(f"{re.sub('[.,]', '', whole)}.{found['part']}")


def _is_whole(text: str) -> bool:
    return _PLAIN.fullmatch(text) is not None or _GROUPED.fullmatch(text) is not None


def to_json_number(number: Decimal) -> int | str:
    """Return *number* as it stands in an event, with the digits it was written with (12,50 stays `12.50`).

    It is an integer or, with a decimal sign, a string, which no parser rounds.
    """
    written = format(number, "f")
    return written if "." in written else int(written)


def render_number(number: Decimal) -> Bilingual:
    """Return *number* for people to read: 9.984,2 in Vietnamese and 9,984.2 in English."""
    return Bilingual.of(en=figures.write_for_people(number, "en"), vi=figures.write_for_people(number, "vi"))


def _ambiguous_number(bare: str, joined: Decimal) -> Bilingual:
    whole, _, part = bare.replace(",", ".").partition(".")
    return Bilingual.of(
        en=f"{bare!r} may mean {joined} or {whole}.{part}; write {joined}, or {whole}.{part}0 for the smaller one",
        vi=f"“{bare}” có thể hiểu là {joined} hoặc {whole},{part}; hãy ghi {joined} không có dấu chấm, dấu phẩy, "
        f"hoặc ghi {whole},{part}0 nếu là số thập phân",
    )


def _not_a_number(text: str) -> Bilingual:
    shown = text[:_DIGITS_MAX]
    return Bilingual.of(
        en=f"{shown!r} is no number; write for example 1234.5, without words or units",
        vi=f"“{shown}” không phải là số; hãy ghi ví dụ 1234,5, không kèm chữ hoặc đơn vị tính",
    )
