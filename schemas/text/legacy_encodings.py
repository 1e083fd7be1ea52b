"""Recognises Vietnamese in the encodings from before Unicode, and converts it: TCVN3 (ABC), VNI and Windows-1258.

Offices have files of twenty years in these. Their texts look like `Së Tµi chÝnh` (TCVN3) or `Sôû Taøi chính` (VNI):
letters of Western Europe that only a certain font shows as Vietnamese. So they cannot be told by their bytes, only by
what comes out: a text is converted if it cannot be Vietnamese as it stands and every word is a syllable afterwards.

Sources: TCVN 5712:1993 (VN3), the table of the VNI fonts for Windows, Microsoft's code page 1258. UTF-8 that was read
as Windows-1252 (`Thá» Xuân`) is mended as well.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator

from schemas.text import syllables

_ENCODED = "ĂÂÊÔƠƯĐăâêôơưđ"
_TONED = {
    0xB5: "àảãáạ", 0xBB: "ằẳẵắ", 0xC6: "ặầẩẫấậè", 0xCE: "ẻẽéẹềểễếệìỉ", 0xDC: "ĩíịò", 0xE1: "ỏõóọồổỗốộờởỡớợù",
    0xF1: "ủũúụừửữứựỳỷỹýỵ",
}  # fmt: skip

# The letters of Windows-1252 where Latin-1 has control characters; programs read its five undefined bytes as these.
_WESTERN = {byte: letter for byte in range(0x80, 0xA0) if (letter := bytes([byte]).decode("cp1252", "ignore"))}
_WESTERN_BYTES = {ord(letter): byte for byte, letter in _WESTERN.items()}

_TCVN3 = (
    _WESTERN
    | {0xA1 + place: letter for place, letter in enumerate(_ENCODED)}
    | {first + place: letter for first, letters in _TONED.items() for place, letter in enumerate(letters)}
)
"""TCVN3 by byte. It has no capitals with tones: a font of capitals draws the small ones as such."""

# VNI writes a letter and then its marks as a second letter; ơ, ư, đ and the toned i stand alone.
_TONES = "\u0301\u0300\u0309\u0303\u0323"
_VNI_MARKS = {
    **dict(zip("ùøûõï", _TONES, strict=True)),
    **{"â": "\u0302"} | {letter: f"\u0302{tone}" for letter, tone in zip("áàåãä", _TONES, strict=True)},
    **{"ê": "\u0306"} | {letter: f"\u0306{tone}" for letter, tone in zip("éèúüë", _TONES, strict=True)},
}
_VNI_LETTERS = {"ô": "ơ", "ö": "ư", "ñ": "đ", "æ": "ỉ", "ó": "ĩ", "ò": "ị", "î": "ỵ"}
_VNI = re.compile(rf"(?P<letter>[aeouyôö])(?P<mark>[{''.join(_VNI_MARKS)}])|[{''.join(_VNI_LETTERS)}]", re.IGNORECASE)

_SAMPLE = 64 * 1024  # bytes by which the encoding of a file is decided
_WORD_MAX = 40  # characters; the longest syllable has seven letters, an abbreviation a few more

# A word as people write it; «» and “” belong to TCVN3's letters, so they are words only with a letter beside them.
_WORD = re.compile(r"[^\s!-@\[-`{-~‘’“”–…]+")
_NO_LETTERS = re.compile(r"[\W\d_]+")
_UNITS = frozenset({"µm", "µg", "µl", "µs"})

# A letter that was lost on the way: U+FFFD, or a question mark inside a word (`Nguy?n`) that is not a web address.
_LOST = re.compile(
    r"\ufffd|(?<![/.\w&=?])[^\W\d_]+\?(?:(?![A-ZĐÀ-Ỹ])[^\W\d_]|(?<=[A-Z]\?)[^\W\d_])[^\W\d_]*(?![=/.\w])"
)


def convert(text: str) -> str:
    """Return *text* in Unicode if it is Vietnamese in an older encoding, else unchanged."""
    if text.isascii():
        return text
    # That text of a code page is UTF-8 by chance hardly ever happens, so nothing else needs to speak for it.
    unicode = _read_as_utf8(text)
    if unicode is not None:
        return unicode
    if _is_plausible(text):
        return text
    readings = (one(text) for one in (_read_as_tcvn3, _read_as_vni, _read_as_1258))
    return next((one for one in readings if one is not None and one != text and _is_plausible(one)), text)


def decode(content: bytes) -> str | None:
    """Return the text of *content*, which is not UTF-8, in whichever encoding makes Vietnamese of it; None if none.

    Text of Western Europe without a Vietnamese word is no case for guessing.
    """
    sample = _decode_western(content[:_SAMPLE])
    readings: tuple[Callable[[str], str | None], ...] = (str, _read_as_1258, _read_as_tcvn3, _read_as_vni)
    best = max(readings, key=lambda one: _count_balance(one(sample) or ""))
    if _count_balance(best(sample) or "") <= 0:
        return None
    return best(_decode_western(content))


def has_lost_letters(text: str) -> bool:
    """Whether letters of *text* were replaced when somebody saved it in an encoding that lacks them."""
    return _LOST.search(text) is not None


def _is_plausible(text: str) -> bool:
    """Whether each word of *text* with a letter beyond ASCII can be Vietnamese as it stands."""
    return all(_is_word(one) for one in _foreign_words(text))


def _count_balance(text: str) -> int:
    """Return by how many words of *text* beyond ASCII the Vietnamese ones outnumber all others."""
    return sum(1 if _is_word(one) else -1 for one in _foreign_words(text))


def _foreign_words(text: str) -> Iterator[str]:
    words = (found[0].strip("«»‹›•·") for found in _WORD.finditer(text))
    return (one for one in words if not one.isascii() and not _NO_LETTERS.fullmatch(one) and one not in _UNITS)


def _is_word(word: str) -> bool:
    return len(word) <= _WORD_MAX and (syllables.is_syllable(word) or syllables.is_abbreviation(word))


def _read_as_utf8(text: str) -> str | None:
    content = _encode_western(text)
    try:
        return None if content is None else content.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _read_as_1258(text: str) -> str | None:
    """Return *text* as Windows-1258 has it: a letter and then its tone mark."""
    content = _encode_western(text)
    return None if content is None else unicodedata.normalize("NFC", content.decode("cp1258", "replace"))


def _read_as_tcvn3(text: str) -> str | None:
    content = _encode_western(text) or _encode_1258(text)
    return None if content is None else _restore_capitals(text, content.decode("latin-1").translate(_TCVN3))


def _read_as_vni(text: str) -> str | None:
    return None if _encode_western(text) is None else _VNI.sub(_compose_vni, text)


def _compose_vni(found: re.Match[str]) -> str:
    letter, mark = found["letter"] or found[0], found["mark"]
    base = _VNI_LETTERS.get(letter.lower(), letter.lower())
    composed = unicodedata.normalize("NFC", base + (_VNI_MARKS[mark.lower()] if mark else ""))
    return composed.upper() if letter.isupper() else composed


def _restore_capitals(text: str, converted: str) -> str:
    """Return *converted* with the toned letters in capitals where all the plain ones of the word or the text are."""
    if _is_in_capitals(text):
        return converted.upper()
    return _WORD.sub(
        lambda word: word[0].upper() if _is_in_capitals(text[word.start() : word.end()]) else word[0], converted
    )


def _is_in_capitals(text: str) -> bool:
    plain = [one for one in text if one.isascii() and one.isalpha()]
    return len(plain) > 1 and all(map(str.isupper, plain))


def _encode_western(text: str) -> bytes | None:
    """Return the bytes that *text* was in Windows-1252; None if it has a letter that this does not have."""
    try:
        return text.translate(_WESTERN_BYTES).encode("latin-1")
    except UnicodeEncodeError:
        return None


def _encode_1258(text: str) -> bytes | None:
    """Return the bytes that *text* was on a Vietnamese Windows, which reads older encodings as its own."""
    try:
        return text.encode("cp1258")
    except UnicodeEncodeError:
        return None


def _decode_western(content: bytes) -> str:
    return content.decode("latin-1").translate(_WESTERN)
