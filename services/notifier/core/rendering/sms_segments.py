"""SMS segments: into how many parts a text is split, and how a part is encoded.

A text of GSM 03.38 letters has 160 septets (153 in each part of several); any other text is UCS-2 with 70 (67) units.
The basic letters and the extension table are those of 3GPP TS 23.038, section 6.2.1. Operators bill by part.
"""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from anyascii import anyascii

ESCAPE = "\x1b"
_ALPHABET = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_BASIC = {letter: code for code, letter in enumerate(_ALPHABET) if letter != ESCAPE}
_EXTENSION = {
    "\f": 0x0A, "^": 0x14, "{": 0x28, "}": 0x29, "\\": 0x2F, "[": 0x3C, "~": 0x3D, "]": 0x3E, "|": 0x40, "€": 0x65,
}  # fmt: skip
_REPLACEMENTS = str.maketrans(
    {
        "đ": "d", "Đ": "D", "₫": "d",
        "“": '"', "”": '"', "„": '"', "«": '"', "»": '"', "‘": "'", "’": "'", "`": "'", "´": "'",
        "–": "-", "—": "-", "‐": "-", "‑": "-", "−": "-", "•": "-", "·": "-",
        "…": "...", "×": "x", "°": "o", "\t": " ",
    }
)  # fmt: skip
_UNSEEN = frozenset({"Cc", "Cf", "Cn", "Co", "Cs"})
_FIRST_SHAPE, _LAST_SHAPE = "\u2500", "\u25ff"  # lines, blocks and bullets
_FIRST_PICTURE = "\U0001f000"  # of emoji, which would be spelt out

# Parts of a longer text carry a user data header of 6 octets (7 septets or 3 units), so each holds less.
SEPTETS_ALONE, SEPTETS_IN_PART = 160, 153
UNITS_ALONE, UNITS_IN_PART = 70, 67
_FIRST_SURROGATE_PAIR = 0x10000  # from here on a letter takes two UTF-16 units


@dataclass(frozen=True, slots=True, kw_only=True)
class SmsLength:
    """The length of a text as an SMS: in GSM-7 or in UCS-2, and the number of parts."""

    is_gsm7: bool
    parts: int


def is_gsm7(letter: str) -> bool:
    """Whether *letter* is in the GSM 03.38 alphabet or its extension table."""
    return letter in _BASIC or letter in _EXTENSION


def measure(text: str) -> SmsLength:
    """Return the length of *text* as an SMS."""
    return SmsLength(is_gsm7=all(map(is_gsm7, text)), parts=len(split(text)))


def split(text: str) -> tuple[str, ...]:
    """Return *text* in its parts. A letter of two septets or units is never cut in half by the end of a part."""
    in_gsm7 = all(map(is_gsm7, text))
    alone, in_part = (SEPTETS_ALONE, SEPTETS_IN_PART) if in_gsm7 else (UNITS_ALONE, UNITS_IN_PART)
    widths = [_count_septets(letter) if in_gsm7 else _count_units(letter) for letter in text]
    return (text,) if sum(widths) <= alone else tuple(_fill_parts(text, widths, in_part))


def encode(part: str, *, in_gsm7: bool) -> bytes:
    """Return *part* as octets: one septet in each octet, as SMPP carries them, or UCS-2."""
    if not in_gsm7:
        return part.encode("utf-16-be")
    return b"".join(
        bytes([_BASIC[letter]]) if letter in _BASIC else bytes([ord(ESCAPE), _EXTENSION[letter]]) for letter in part
    )


def strip_accents(text: str) -> str:
    """Return Vietnamese *text* without marks ("không dấu"), in GSM 03.38 letters only.

    Every other letter is transliterated (Ð to D, Щ to Shch); what is not seen and pictures are left out. A "?" stands
    only where the text has one. Without marks words become ambiguous ("dư nợ" and "đủ nợ" are both "du no"), so SMS
    texts are short and put the numbers first.
    """
    decomposed = unicodedata.normalize("NFKD", text.translate(_REPLACEMENTS))
    bare = "".join(letter for letter in decomposed if not unicodedata.combining(letter))
    # The replacements come twice. Before NFKD, because it takes "´" apart into a space and a mark; after it, because it
    # makes such signs out of others, for example an em dash out of U+FE58.
    return "".join(map(_transliterate, bare.translate(_REPLACEMENTS)))


def _transliterate(letter: str) -> str:
    if is_gsm7(letter):
        return letter
    if letter.isspace():
        return " "
    category = unicodedata.category(letter)
    if category in _UNSEEN or letter >= _FIRST_PICTURE:
        return ""
    if category == "Pd" or "ARROW" in unicodedata.name(letter, "") or _FIRST_SHAPE <= letter <= _LAST_SHAPE:
        return "-"
    # Of a sign that it does not know (U+FFFD) the library makes a question mark; a full-width one is none after NFKD.
    return "".join(one for one in anyascii(letter) if is_gsm7(one) and one != "?")


def _fill_parts(text: str, widths: list[int], size: int) -> Iterator[str]:
    start, used = 0, 0
    for place, width in enumerate(widths):
        if used + width > size:
            yield text[start:place]
            start, used = place, 0
        used += width
    yield text[start:]


def _count_septets(letter: str) -> int:
    return 1 if letter in _BASIC else 2


def _count_units(letter: str) -> int:
    return 2 if ord(letter) >= _FIRST_SURROGATE_PAIR else 1
