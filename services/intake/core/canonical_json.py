"""The one canonical writing of an event: the same for every mode, order of names and writing of a number.

What a receipt id derives from. It must never become another for an event that had one, or a retry is a conflict.
"""

from collections.abc import Mapping

import msgspec

SAFE_INTEGER_BOUND = 2**53
"""Whole numbers below are each one double; a larger double stands for several, and who knows which was meant."""

_ENCODER = msgspec.json.Encoder(order="sorted")


def parse_number(text: str) -> int | float:
    """Return the number that *text* writes with a point or an exponent; a whole one is its integer (RFC 8785)."""
    number = float(text)
    return int(number) if number.is_integer() and -SAFE_INTEGER_BOUND < number < SAFE_INTEGER_BOUND else number


def encode_event(attributes: Mapping[str, object], data: object) -> bytes:
    """Return an event in its canonical writing; the numbers of *data* are as `parse_number` has them."""
    said = {
        name: value if isinstance(value, str) else _attribute_text(value)
        for name, value in attributes.items()
        if name != _DEFAULTED_ATTRIBUTE
    }
    return _ENCODER.encode([said, data])


_DEFAULTED_ATTRIBUTE = "datacontenttype"
"""Says nothing: the default content type, which only one of the modes spells out."""


def _attribute_text(value: object) -> str:
    """Return an integer or a boolean as the one thing that it can be in a header: its CloudEvents text."""
    return str(value).lower()
