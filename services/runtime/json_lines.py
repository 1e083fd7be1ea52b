"""Encodes an object as one line of JSON that no text inside it can break, for commands and for answers over HTTP."""

import json
from collections.abc import Mapping
from typing import Any

# Characters that JSON allows in a string but that many readers take for the end of a line, with their escapes.
LINE_BREAKS = {one: f"\\u{ord(one):04x}" for one in "\x85\u2028\u2029"}
_PORTION = 500  # items of a list, which are encoded in about two milliseconds


def encode_line(row: Mapping[str, Any]) -> bytes:
    """Return *row* as a line of UTF-8 with its line feed; half of a surrogate pair is written as its escape."""
    return encode_value(row) + b"\n"


def encode_value(value: object) -> bytes:
    """Return *value* as a line without its line feed."""
    text = json.dumps(value, ensure_ascii=False)
    for one, escape in LINE_BREAKS.items():
        text = text.replace(one, escape)  # seldom there: looking for three characters is faster than translating all
    return text.encode("utf-8", "backslashreplace")


def encode_gradually(value: object) -> bytes:
    """Return what `encode_value` does, in portions: one call for a value of megabytes would hold up all threads.

    The encoder is written in C, and gives way to no other thread before its end.
    """
    match value:
        case dict():
            members = (b"%b: %b" % (encode_value(name), encode_gradually(one)) for name, one in value.items())
            return b"{%b}" % b", ".join(members)
        case list() if len(value) > _PORTION:
            portions = (value[start : start + _PORTION] for start in range(0, len(value), _PORTION))
            return b"[%b]" % b", ".join(encode_value(portion)[1:-1] for portion in portions)
        case list():
            return b"[%b]" % b", ".join(map(encode_gradually, value))
        case _:
            return encode_value(value)


def append_member(row: Mapping[str, Any], name: str, encoded: bytes) -> bytes:
    """Return the line of *row* with one more member, whose value is *encoded* already."""
    return b"%b, %b: %b}\n" % (encode_value(row)[:-1], encode_value(name), encoded)
