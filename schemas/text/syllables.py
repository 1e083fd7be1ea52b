"""Tells whether a word can be Vietnamese: by its letters, the structure of its syllable, and the tone that it allows.

Used to find out in which encoding a text was written. It knows no dictionary: `Thổ` and `Thỗ` are both syllables.
"""

import re
import unicodedata

_TONES = "\u0300\u0301\u0303\u0309\u0323"
_STOP_TONES = "\u0301\u0323"  # a syllable that ends in a stop has the tone sắc or nặng
_ABBREVIATION = re.compile("[A-ZĐĂÂÊÔƠƯ]+")
_TWO_VOWELS = re.compile("[AEIOUYĂÂÊÔƠƯ]{2}")

_ONSET = "(?:ngh|ng|nh|ch|gh|gi|kh|ph|qu|th|tr|[bcdđghklmnprstvx])?"
_OPEN = (
    "(?:oai|oao|oay|oeo|uao|uây|uôi|uya|uyu|uêu|iêu|yêu|ươi|ươu|ai|ao|au|ay|âu|ây|eo|êu|ia|iu|oa|oe|oi|ôi|ơi|"
    "ua|uê|ui|uơ|uy|ưa|ưi|ưu|ya|[aeêioôơuưy])"
)
_NASAL = "(?:oa|oă|oe|uâ|uê|iê|yê|uô|ươ|uyê|uy|oo|[aăâeêioôơuưy])(?:ng|nh|[mn])"
_STOPPED = "(?:oa|oă|oe|uâ|uê|iê|yê|uô|ươ|uyê|uy|oo|[aăâeêioôơuưy])(?:ch|[ckpt])"  # k of Đắk Lắk
_SYLLABLE = re.compile(f"{_ONSET}(?:(?P<stopped>{_STOPPED})|{_NASAL}|{_OPEN})")


def is_syllable(word: str) -> bool:
    """Whether *word* can be one syllable of Vietnamese."""
    decomposed = unicodedata.normalize("NFD", word.lower())
    tones = [one for one in decomposed if one in _TONES]
    bare = unicodedata.normalize("NFC", "".join(one for one in decomposed if one not in _TONES))
    found = _SYLLABLE.fullmatch(bare)
    return found is not None and len(tones) <= 1 and (not found["stopped"] or "".join(tones) in {*_STOP_TONES, ""})


def is_abbreviation(word: str) -> bool:
    """Whether *word* can be an abbreviation such as LĐTBXH: capitals without tones, no two vowels side by side."""
    return _ABBREVIATION.fullmatch(word) is not None and _TWO_VOWELS.search(word) is None
