"""The one canonical writing of an event: the same for every mode, order of names and writing of a number.

What a receipt id derives from. It must never become another for an event that had one, or a retry is a conflict.
"""

from collections.abc import Mapping

import msgspec

WHOLE_BELOW = 2**53
"""Whole numbers below are each one double; a larger double stands for several, and who knows which was meant."""

_ENCODER = msgspec.json.Encoder(order="sorted")


def number_of(text: str) -> int | float:
    """Return the number that *text* writes with a point or an exponent; a whole one is its integer (RFC 8785)."""
    number = float(text)
    return int(number) if number.is_integer() and -WHOLE_BELOW < number < WHOLE_BELOW else number


def content_of(attributes: Mapping[str, object], data: object) -> bytes:
    """Return an event in its canonical writing; the numbers of *data* are as `number_of` has them."""
    said = {
        name: value if isinstance(value, str) else _text_of(value)
        for name, value in attributes.items()
        if name != _UNSAID
    }
    return _ENCODER.encode([said, data])


_UNSAID = "datacontenttype"
"""Says nothing: the default content type, which only one of the modes spells out."""


def _text_of(value: object) -> str:
    """Return an integer or a boolean as the one thing that it can be in a header: its CloudEvents text."""
    return str(value).lower()
