"""Normalises the text of events to Unicode NFC, the form in which a letter is one character wherever there is one.

Systems write "ệ" as one character or as "e" with two marks. Both look alike, but they differ in names, numbers and
digests. macOS and some spreadsheets write the latter (NFD). From intake on all text is NFC (contract section 3).
"""

import re
import unicodedata

import msgspec

_ASCII = bytes(range(128))

# All letters of Vietnamese as one character each, and the usual punctuation. None of them is a combining mark.
_LATIN = re.compile("[\u00a0-\u02ff\u1e00-\u1eff\u2010-\u2027]*")

_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)


def is_normalized(encoded: bytes) -> bool:
    """Whether all strings in *encoded* surely are NFC: JSON in UTF-8 that writes letters as they are, as msgspec does.

    False says little: a combining mark behind an escaped line break looks as if it belonged to the "n" of the escape.
    """
    # Nearly all text is Latin. To look only at what is not ASCII takes half of the time of the general test.
    return is_latin(encoded.translate(None, _ASCII).decode()) or unicodedata.is_normalized("NFC", encoded.decode())


def is_latin(text: str) -> bool:
    """Whether *text* has only Latin letters and punctuation beyond ASCII that are NFC whatever stands beside them."""
    return _LATIN.fullmatch(text) is not None


def normalize_text(text: str) -> str:
    """Return *text* in NFC."""
    return unicodedata.normalize("NFC", text)


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
    return token if unicodedata.is_normalized("NFC", text) else msgspec.json.encode(normalize_text(text))
