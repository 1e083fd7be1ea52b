"""The form in which text from people is kept: Unicode NFC, without letters that nobody sees, and with the Đ of Vietnam.

Events of other systems are brought to NFC only (`services/intake/cloudevents/nfc.py`): what a system has written is
compared without regard to its form, but not changed further.
"""

import json
import re
import unicodedata

UNSEEN_CHARACTERS = (
    "\x00-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    "\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\uffff\U000e0000-\U000e0fff"
)
"""Characters that a reader does not see, or that reverse or join text (Unicode Technical Report 36, section 3.4), as
part of a regular expression's class, in Python as in JSON Schema. Vietnamese and English are written without them."""

_UNSEEN = re.compile(f"[{UNSEEN_CHARACTERS}]")

# Line ends and tabs are kept in text. U+2028 and U+2029, which some editors write for them, become line feeds.
# A surrogate without its other half is no character at all.
_DROPPED = re.compile(rf"(?![\t\n\r\ufffd])[{UNSEEN_CHARACTERS}\ud800-\udfff]")
_LINE_ENDS = str.maketrans({"\u2028": "\n", "\u2029": "\n", "\x85": "\n", "\x0b": "\n", "\x0c": "\n"})

# The letter Đ of Vietnamese, and the letters of Icelandic (Ð) and Ewe (Ɖ), which look the same.
LIKE_D = str.maketrans({"Ð": "Đ", "Ɖ": "Đ", "ð": "đ", "ɖ": "đ"})


def normalize(text: str) -> str:
    """Return *text* in Unicode NFC, in which every letter of Vietnamese is one character."""
    return unicodedata.normalize("NFC", text)


def repair_text(text: str) -> str:
    """Return *text* in NFC without unseen characters and with Đ for the letters that look like it."""
    if text.isascii() and text.isprintable():
        return text
    return drop_unseen(unicodedata.normalize("NFC", text.translate(_LINE_ENDS))).translate(LIKE_D)


def drop_unseen(text: str) -> str:
    """Return *text* as it is shown: without the characters that nobody sees, that reverse it, or that end it early.

    What is left can stand in XML 1.0 (section 2.2), and so in the files of Word and Excel.
    """
    return text if text.isascii() and text.isprintable() else _DROPPED.sub("", text)


def escape_unseen(text: str) -> str:
    r"""Return JSON *text* with each character that nobody sees as its escape, such as `\u202e`: the same JSON."""
    return _DROPPED.sub(lambda found: json.dumps(found[0])[1:-1], text)


def find_unseen(text: str) -> str | None:
    """Return the name of the first unseen character in *text*, such as `U+202E`; None if there is none."""
    found = _UNSEEN.search(text)
    return None if found is None else f"U+{ord(found[0]):04X}"
