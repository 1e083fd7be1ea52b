"""SMS parts: what a text costs. GSM 03.38 letters in 160 (153) septets a part, anything else UCS-2 in 70 (67) units.

The basic letters and the extension table are those of 3GPP TS 23.038, section 6.2.1; operators bill by part.
"""

from collections.abc import Iterator
from dataclasses import dataclass

ESCAPE = "\x1b"
_ALPHABET = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_BASIC = {letter: code for code, letter in enumerate(_ALPHABET) if letter != ESCAPE}
_EXTENSION = {
    "\f": 0x0A, "^": 0x14, "{": 0x28, "}": 0x29, "\\": 0x2F, "[": 0x3C, "~": 0x3D, "]": 0x3E, "|": 0x40, "€": 0x65,
}  # fmt: skip
SEPTETS_ALONE, SEPTETS_IN_PART = 160, 153
UNITS_ALONE, UNITS_IN_PART = 70, 67
_SURROGATES_FROM = 0x10000


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """How a text travels: in GSM-7 or UCS-2, in how many parts."""

    is_gsm7: bool
    parts: int


def is_gsm7(letter: str) -> bool:
    """Whether *letter* is one of GSM 03.38, its extension included."""
    return letter in _BASIC or letter in _EXTENSION


def cost(text: str) -> Cost:
    """Return what *text* costs."""
    return Cost(is_gsm7=all(map(is_gsm7, text)), parts=len(split(text)))


def split(text: str) -> tuple[str, ...]:
    """Return *text* in its parts. A letter of two units is never cut in half by a part's end."""
    in_gsm7 = all(map(is_gsm7, text))
    alone, in_part = (SEPTETS_ALONE, SEPTETS_IN_PART) if in_gsm7 else (UNITS_ALONE, UNITS_IN_PART)
    widths = [_septets(letter) if in_gsm7 else _units(letter) for letter in text]
    return (text,) if sum(widths) <= alone else tuple(_filled(text, widths, in_part))


def encoded(part: str, *, in_gsm7: bool) -> bytes:
    """Return *part* as octets: one septet an octet, as SMPP carries them, or UCS-2."""
    if not in_gsm7:
        return part.encode("utf-16-be")
    return b"".join(
        bytes([_BASIC[letter]]) if letter in _BASIC else bytes([ord(ESCAPE), _EXTENSION[letter]]) for letter in part
    )


def _filled(text: str, widths: list[int], size: int) -> Iterator[str]:
    start, used = 0, 0
    for place, width in enumerate(widths):
        if used + width > size:
            yield text[start:place]
            start, used = place, 0
        used += width
    yield text[start:]


def _septets(letter: str) -> int:
    return 1 if letter in _BASIC else 2


def _units(letter: str) -> int:
    return 2 if ord(letter) >= _SURROGATES_FROM else 1
