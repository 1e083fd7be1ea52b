"""Reading JSON into a type, of which a name may stand twice in an object: the last value counts, as in most parsers."""

from typing import TypeVar

import msgspec

Value = TypeVar("Value")


def decode(decoder: msgspec.json.Decoder[Value], text: bytes | msgspec.Raw) -> Value:
    """Return what *text* writes; raise `msgspec.DecodeError`. A typed decoder alone judges overruled values, too."""
    try:
        return decoder.decode(text)
    except msgspec.ValidationError:
        return msgspec.convert(msgspec.json.decode(text), decoder.type)
