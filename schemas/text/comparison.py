"""The keys by which names, numbers of documents and searched words are compared, and the known name nearest to a word.

Two texts that a reader takes for the same have the same key, however they were typed. Used wherever such texts meet:
ids and aliases of agencies, duplicates of documents (ruling 15), search, columns of tables, suggestions.
"""

import re
import unicodedata
from collections.abc import Iterable
from difflib import get_close_matches
from functools import lru_cache

from schemas.text.normal_form import LIKE_D

_LEADING_WORD = re.compile(r"^số[:.]?")
_LEADING_ZEROS = re.compile(r"^0+(?=[0-9])")
_TONE_MARKS = "\u0300\u0301\u0303\u0309\u0323"  # of hòa, hóa, hõa, hỏa, họa
_VOWEL_MARKS = "\u0302\u0306\u031b"  # of ê, ă, ơ
_SYLLABLE = re.compile(rf"(?:[^\W\d_]|[{_VOWEL_MARKS}{_TONE_MARKS}])+")
_MINUS = "\u2212"
_SPACES = frozenset({"Zs", "Zl", "Zp"})
_UNSEEN = frozenset({"Cc", "Cf"})


def make_name_key(name: str) -> str:
    """Return *name* in the form in which names are compared.

    Case, Unicode form, repeated spaces, unseen characters, the length of dashes, Ð for Đ and the place of the tone mark
    make no difference: `UBND  huyện Hoằng Hoá` is `UBND huyện Hoằng Hóa`.
    """
    if name.isascii() and name.isprintable():  # nearly every id; the same at a fraction of the cost
        return " ".join(name.casefold().split())
    return _move_tone_marks(" ".join(_fold(name).split()))


def make_number_key(number: str) -> str:
    """Return the number of a document in the form in which numbers are compared (ruling 15); empty if it names nothing.

    People and programs write `Số: 08/BC-LĐTBXH` in many ways: with a longer dash, with Ð for Đ, with the tone mark on
    the other vowel, with a zero-width character from a web page. All of them name the same document.
    """
    if number.isascii() and number.isprintable():  # nearly every number; the same at a tenth of the cost
        return _LEADING_ZEROS.sub("", number.replace(" ", "").casefold())
    text = _LEADING_WORD.sub("", "".join(_fold(number).split()))
    return _move_tone_marks(_LEADING_ZEROS.sub("", text))


def make_search_key(text: str) -> str:
    """Return *text* as a search compares it: as a name, and without accents (`Hoá`, `Hóa` and `hoa` agree)."""
    return " ".join("".join(map(_make_bare, unicodedata.normalize("NFC", text))).split())


def find_nearest(word: str, known: Iterable[str]) -> str | None:
    """Return the one of *known* most like *word*; None if none is similar.

    Accents count little, for they are what is typed wrongly most often: `Tho Xuan` is nearest to `Thọ Xuân`.
    """
    by_key: dict[str, str] = {}
    for one in sorted(known):
        by_key.setdefault(make_search_key(one), one)
    near = get_close_matches(make_search_key(word), by_key, n=1)
    return by_key[near[0]] if near else None


def _fold(text: str) -> str:
    """Return *text* in NFC and lower case with plain spaces and dashes, without unseen characters."""
    composed = unicodedata.normalize("NFC", text)
    return "".join(map(_fold_character, composed)).casefold().translate(LIKE_D)


# Names are made of a few hundred letters, and a list searches ten thousand names.
@lru_cache(maxsize=4_096)
def _make_bare(character: str) -> str:
    """Return a composed letter folded, without its marks and the stroke of đ."""
    folded = unicodedata.normalize("NFD", _fold(character))
    return "".join(one for one in folded if not unicodedata.combining(one)).replace("đ", "d")


def _fold_character(character: str) -> str:
    category = unicodedata.category(character)
    if category == "Pd" or character == _MINUS:
        return "-"
    if category in _SPACES or character.isspace():
        return " "
    # Control and format characters such as the zero-width joiner and the soft hyphen are not seen.
    return "" if category in _UNSEEN else character


def _move_tone_marks(text: str) -> str:
    """Return *text* decomposed, with the tone marks of each syllable at its end: `hoà` and `hòa` become one."""
    return _SYLLABLE.sub(_move_tone_mark, unicodedata.normalize("NFD", text))


def _move_tone_mark(syllable: re.Match[str]) -> str:
    letters = "".join(one for one in syllable[0] if one not in _TONE_MARKS)
    return letters + "".join(sorted(one for one in syllable[0] if one in _TONE_MARKS))
