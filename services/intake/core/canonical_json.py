"""The canonical form of an event: the same for every content mode, order of members and way to write a number.

A receipt id derives from it. So the canonical form of an event must never change: if it did, a sender's retry of an
earlier event would be refused as a conflict.
"""

from collections.abc import Mapping

import msgspec

# Whole numbers below 2^53 have a double of their own. A larger double stands for several whole numbers.
SAFE_INTEGER_BOUND = 2**53

_ENCODER = msgspec.json.Encoder(order="sorted")


def parse_number(text: str) -> int | float:
    """Return the number in *text*, written with a point or an exponent; 1.0 becomes the integer 1 (RFC 8785)."""
    number = float(text)
    return int(number) if number.is_integer() and -SAFE_INTEGER_BOUND < number < SAFE_INTEGER_BOUND else number


def encode_event(attributes: Mapping[str, object], data: object) -> bytes:
    """Return an event in canonical form: `[attributes, data]` in JSON with sorted names.

    The numbers in *data* must have been decoded with `parse_number`.
    """
    texts = {
        name: value if isinstance(value, str) else _attribute_text(value)
        for name, value in attributes.items()
        if name != _DEFAULTED_ATTRIBUTE
    }
    return _ENCODER.encode([texts, data])


# Left out: it is always `application/json`, and only binary mode has to write it.
_DEFAULTED_ATTRIBUTE = "datacontenttype"


def _attribute_text(value: object) -> str:
    """Return an integer or a boolean as text, the only form that it can have in the header of binary mode."""
    return str(value).lower()
