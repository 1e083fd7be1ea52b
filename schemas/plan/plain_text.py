"""Characters that no name may hold, because a reader does not see them or sees something else.

They are the control characters, the format characters that reverse or join text (Unicode Technical Report 36, section
3.4), and the separators of lines. Vietnamese and English are written without any of them.
"""

import re

UNSEEN_CHARACTERS = (
    "\x00-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    "\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\uffff\U000e0000-\U000e0fff"
)
"""The characters as part of a regular expression's class, in Python as in JSON Schema."""

_UNSEEN = re.compile(f"[{UNSEEN_CHARACTERS}]")


def find_unseen(text: str) -> str | None:
    """Return the name of the first such character in *text*, such as `U+202E`; None if there is none."""
    found = _UNSEEN.search(text)
    return None if found is None else f"U+{ord(found[0]):04X}"
