"""JSON as it arrives, to values; what cannot be read is refused with 400, in both languages.

A whole number is one value however it is written: 1, 1.0 and 1e0 are read alike.
"""

import math
import re
from typing import TypeVar

import msgspec
from msgspec import Raw

from services.intake.asgi import RequestRefusedError
from services.intake.core import canonical_json
from services.intake.core.problems import RequestProblem, Refusal, Said

Value = TypeVar("Value")

BODY_LABEL = Said(en="the body", vi="nội dung yêu cầu")
BATCH_LABEL = Said(en="the batch", vi="lô sự kiện")

_BYTE = re.compile(r"\(byte \d+\)")


class _OutOfRangeError(Exception):
    """A number is beyond the range of a double; write it as a string."""


def _parse_number(text: str) -> int | float:
    number = canonical_json.parse_number(text)
    if math.isinf(number):
        raise _OutOfRangeError(text[:40])
    return number


_OBJECT = msgspec.json.Decoder(dict[str, object], float_hook=_parse_number)
_ARRAY = msgspec.json.Decoder(list[Raw])
_ANY = msgspec.json.Decoder(float_hook=_parse_number)


def event_label(place: int) -> Said:
    """Say which event of a batch is meant."""
    return Said(en=f"event {place}", vi=f"sự kiện {place}")


def data_label(where: Said) -> Said:
    """Say that the data of an event is meant."""
    return Said(en=f"the data of {where.en}", vi=f"phần data của {where.vi}")


def decode_object(text: bytes | Raw, where: Said) -> dict[str, object]:
    """Return the JSON object that *text* writes."""
    return _decode(_OBJECT, text, where)


def decode_array(text: bytes | Raw, where: Said) -> list[Raw]:
    """Return the members of the JSON array that *text* writes, each as its sender wrote it."""
    return _decode(_ARRAY, text, where)


def decode_value(text: bytes | Raw, where: Said) -> object:
    """Return the JSON value that *text* writes."""
    return _decode(_ANY, text, where)


def unreadable_error(*, en: str, vi: str) -> RequestRefusedError:
    """Return the refusal of what cannot be parsed at all."""
    return RequestRefusedError(Refusal(problem=RequestProblem.UNREADABLE, detail=Said(en=en, vi=vi)))


def _decode(decoder: msgspec.json.Decoder[Value], text: bytes | Raw, where: Said) -> Value:
    try:
        return decoder.decode(text)
    except RecursionError as cause:
        raise unreadable_error(en=f"{where.en} is nested too deeply", vi=f"{where.vi} lồng nhau quá sâu") from cause
    except _OutOfRangeError as cause:
        raise unreadable_error(
            en=f"{where.en}: {cause} is beyond the range of a number; write it as a string",
            vi=f"{where.vi} có số {cause} vượt quá phạm vi; hãy viết dưới dạng chuỗi",
        ) from cause
    except (msgspec.DecodeError, UnicodeDecodeError) as cause:
        reason = f"{where.vi} {_vietnamese(cause, decoder.type)}"
        raise unreadable_error(en=f"{where.en}: {cause}", vi=reason) from cause


def _vietnamese(cause: msgspec.DecodeError | UnicodeDecodeError, wanted: object) -> str:
    """Say what the parser says in English only. Its sentence is asked for nothing but the place, which it has alone."""
    if isinstance(cause, msgspec.ValidationError):
        return "phải là một mảng JSON" if wanted == list[Raw] else "phải là một đối tượng JSON"
    if isinstance(cause, UnicodeDecodeError):
        return "không phải văn bản UTF-8"
    place = _BYTE.search(str(cause))
    return f"không phải JSON hợp lệ {place[0]}" if place else "không phải JSON hợp lệ hoặc bị thiếu phần cuối"
