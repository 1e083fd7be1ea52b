"""The number of a document in the form in which numbers are compared (ruling 15)."""

import re
import unicodedata

_LEADING_WORD = re.compile(r"^số[:.]?")
_LEADING_ZEROS = re.compile(r"^0+(?=[0-9])")
_TONE_MARKS = "\u0300\u0301\u0303\u0309\u0323"  # of hòa, hóa, hõa, hỏa, họa
_VOWEL_MARKS = "\u0302\u0306\u031b"  # of ê, ă, ơ
_SYLLABLE = re.compile(rf"(?:[^\W\d_]|[{_VOWEL_MARKS}{_TONE_MARKS}])+")

# The letter Đ of Vietnamese, and the letters of Icelandic (Ð) and Ewe (Ɖ) that look the same; all in lower case.
_LIKE_D = str.maketrans({"ð": "đ", "ɖ": "đ"})
_MINUS = "\u2212"


def normalize_number(number: str) -> str:
    """Return *number* in the form in which numbers are compared (ruling 15); an empty text if it names nothing.

    People and programs write `Số: 08/BC-LĐTBXH` in many ways: with a longer dash, with Ð for Đ, with the tone mark on
    the other vowel, with a zero-width character from a web page. All of them name the same document.
    """
    if number.isascii() and number.isprintable():  # nearly every number; the same at a tenth of the cost
        return _LEADING_ZEROS.sub("", number.replace(" ", "").casefold())
    text = "".join(_normalize_character(one) for one in unicodedata.normalize("NFC", number).casefold())
    text = _LEADING_WORD.sub("", text.translate(_LIKE_D))
    text = _LEADING_ZEROS.sub("", text)
    return _SYLLABLE.sub(_move_tone_marks, unicodedata.normalize("NFD", text))


def _normalize_character(character: str) -> str:
    category = unicodedata.category(character)
    if category == "Pd" or character == _MINUS:
        return "-"
    # Spaces, and what is not seen: control and format characters such as the zero-width joiner and the soft hyphen.
    return "" if category in {"Zs", "Zl", "Zp", "Cc", "Cf"} else character


def _move_tone_marks(syllable: re.Match[str]) -> str:
    """Return a syllable with its tone marks at its end: `hoà` and `hòa` become one."""
    letters = "".join(one for one in syllable[0] if one not in _TONE_MARKS)
    return letters + "".join(sorted(one for one in syllable[0] if one in _TONE_MARKS))
