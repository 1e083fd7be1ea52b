"""Normalises the text of events to Unicode NFC, the form in which a letter is one character wherever there is one.

Systems write "ệ" as one character or as "e" with two marks. Both look alike, but they differ in names, numbers and
digests. macOS and some spreadsheets write the latter (NFD). From intake on all text is NFC (contract section 3).
"""

import re
import unicodedata

import msgspec

from schemas.text import normal_form

ASCII = bytes(range(128))

# Matches text of Latin letters and punctuation beyond ASCII: all letters of Vietnamese as one character each, none of
# them a combining mark. Such text is NFC whatever stands beside it.
match_latin = re.compile("[\u00a0-\u02ff\u1e00-\u1eff\u2010-\u2027]*").fullmatch

_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)


def is_normalized(encoded: bytes) -> bool:
    """Whether all strings in *encoded* surely are NFC: JSON in UTF-8 that writes letters as they are, as msgspec does.

    False says little: a combining mark behind an escaped line break looks as if it belonged to the "n" of the escape.
    """
    # Nearly all text is Latin; to look only at what is not ASCII takes half of the time of the general test.
    return match_latin(encoded.translate(None, ASCII).decode()) is not None or unicodedata.is_normalized(
        "NFC", encoded.decode()
    )


def normalize_json(text: bytes) -> bytes:
    """Return valid JSON with its strings in NFC. Numbers and strings that are NFC already stay as they were written."""
    # The strings are normalised one by one. Normalising the whole text would join the letter of an escape sequence
    # with a mark behind it: a line break (backslash, n) and U+0303 would become a backslash and "ñ".
    return _STRING.sub(_normalize_string, text)


def _normalize_string(match: re.Match[bytes]) -> bytes:
    token = match[0]
    if token.isascii() and b"\\u" not in token:
        return token
    text = msgspec.json.decode(token, type=str)
    return token if unicodedata.is_normalized("NFC", text) else msgspec.json.encode(normal_form.normalize(text))
