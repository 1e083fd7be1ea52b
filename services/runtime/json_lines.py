"""Encodes an object as one line of JSON that no text inside it can break, for commands and for answers over HTTP."""

import json
from collections.abc import Mapping
from typing import Any

# Characters that JSON allows in a string but that many readers take for the end of a line, with their escapes.
LINE_BREAKS = {one: f"\\u{ord(one):04x}" for one in "\x85\u2028\u2029"}


def encode_line(row: Mapping[str, Any]) -> bytes:
    """Return *row* as a line of UTF-8 with its line feed; half of a surrogate pair is written as its escape."""
    text = json.dumps(row, ensure_ascii=False)
    for one, escape in LINE_BREAKS.items():
        text = text.replace(one, escape)  # seldom there: looking for three characters is faster than translating all
    return text.encode("utf-8", "backslashreplace") + b"\n"
