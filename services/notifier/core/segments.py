"""SMS parts: what a text costs. GSM 03.38 letters in 160 (153) septets a part, anything else UCS-2 in 70 (67) units.

The basic letters and the extension table are those of 3GPP TS 23.038, section 6.2.1; operators bill by part.
"""

from dataclasses import dataclass

BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENSION = frozenset("^{}\\[~]|€\f")
SEPTETS_ALONE, SEPTETS_IN_PART = 160, 153
UNITS_ALONE, UNITS_IN_PART = 70, 67
_SURROGATES_FROM = 0x10000


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """How a text travels: in GSM-7 or UCS-2, in how many parts."""

    is_gsm7: bool
    parts: int


def cost(text: str) -> Cost:
    """Return what *text* costs. A letter of two units is never cut in half by a part's end."""
    is_gsm7 = all(letter in BASIC or letter in EXTENSION for letter in text)
    widths = [_septets(letter) if is_gsm7 else _units(letter) for letter in text]
    alone, in_part = (SEPTETS_ALONE, SEPTETS_IN_PART) if is_gsm7 else (UNITS_ALONE, UNITS_IN_PART)
    return Cost(is_gsm7=is_gsm7, parts=1 if sum(widths) <= alone else _parts(widths, in_part))


def _septets(letter: str) -> int:
    return 2 if letter in EXTENSION else 1


def _units(letter: str) -> int:
    return 2 if ord(letter) >= _SURROGATES_FROM else 1


def _parts(widths: list[int], size: int) -> int:
    parts, filled = 1, 0
    for width in widths:
        if filled + width > size:
            parts, filled = parts + 1, 0
        filled += width
    return parts
