"""Decodes JSON from requests; refuses with 400 what is not JSON, and says why in English and Vietnamese.

A whole number is one value however it is written: 1, 1.0 and 1e0 decode alike.
"""

import codecs
import math
import re
from typing import Generic, NamedTuple, TypeVar

import msgspec
from msgspec import Raw

from schemas.plan.values import Bilingual
from schemas.problems import FieldError
from services.intake.asgi import RequestRefusedError
from services.intake.cloudevents import json_bounds, nfc
from services.intake.core import canonical_json
from services.intake.core.problems import Refusal, RequestProblem

Value = TypeVar("Value")

BODY_LABEL = Bilingual.of(en="the body", vi="nội dung yêu cầu")
BATCH_LABEL = Bilingual.of(en="the batch", vi="lô sự kiện")

_BYTE_POSITION = re.compile(r"\(byte \d+\)")


class _OutOfRangeError(Exception):
    """A number is beyond the range of a double; write it as a string."""


def _parse_number(text: str) -> int | float:
    number = canonical_json.parse_number(text)
    if math.isinf(number):
        raise _OutOfRangeError(text[:40])
    return number


# msgspec calls the hook for numbers with a point or an exponent; integers it decodes itself.
_OBJECT = msgspec.json.Decoder(dict[str, object], float_hook=_parse_number)
_ARRAY = msgspec.json.Decoder(list[Raw])
_ANY = msgspec.json.Decoder(float_hook=_parse_number)
_ENCODER = msgspec.json.Encoder()

DATA_PATH = ("data",)
_DATA_LEVELS_MAX = json_bounds.LEVELS_MAX - len(DATA_PATH)
_BATCH_LEVELS_MAX = 1 + json_bounds.LEVELS_MAX


class DecodedJson(NamedTuple, Generic[Value]):
    """A JSON value, its text in Unicode NFC, and where it breaks the bounds of `json_bounds`."""

    value: Value
    text: bytes
    errors: tuple[FieldError, ...]


def event_label(index: int) -> Bilingual:
    """Return the words by which an error message names the event at *index* of a batch."""
    return Bilingual.of(en=f"event {index}", vi=f"sự kiện {index}")


def data_label(label: Bilingual) -> Bilingual:
    """Return the words by which an error message names the data of the event called *label*."""
    return Bilingual.of(en=f"the data of {label.en}", vi=f"phần data của {label.vi}")


def decode_object(text: bytes, label: Bilingual) -> DecodedJson[dict[str, object]]:
    """Return the JSON object in *text*, an event; an error message calls it *label*."""
    return _decode_bounded(_OBJECT, text, label, levels=json_bounds.LEVELS_MAX, path=())


def decode_array(text: bytes, label: Bilingual) -> list[Raw]:
    """Return the members of the JSON array in *text*, undecoded."""
    return _decode(_ARRAY, text, label, levels=_BATCH_LEVELS_MAX, path=())


def decode_data(text: bytes, label: Bilingual) -> DecodedJson[object]:
    """Return the JSON value in *text*, the data of an event."""
    return _decode_bounded(_ANY, text, label, levels=_DATA_LEVELS_MAX, path=DATA_PATH)


def unreadable_error(*, en: str, vi: str, errors: tuple[FieldError, ...] = ()) -> RequestRefusedError:
    """Return the refusal (400) of a request that cannot be decoded."""
    detail = Bilingual.of(en=en, vi=vi)
    return RequestRefusedError(Refusal(problem=RequestProblem.UNREADABLE, detail=detail, errors=errors))


def _decode_bounded(
    decoder: msgspec.json.Decoder[Value], text: bytes, label: Bilingual, *, levels: int, path: json_bounds.Path
) -> DecodedJson[Value]:
    value = _decode(decoder, text, label, levels=levels, path=path)
    encoded = _ENCODER.encode(value)
    if not nfc.is_normalized(encoded):
        text = nfc.normalize_json(text)
        value = _decode(decoder, text, label, levels=levels, path=path)
        encoded = _ENCODER.encode(value)
    return DecodedJson(value, text, json_bounds.find_errors(text, encoded, levels=levels, path=path))


def _decode(
    decoder: msgspec.json.Decoder[Value], text: bytes, label: Bilingual, *, levels: int, path: json_bounds.Path
) -> Value:
    try:
        return decoder.decode(text)
    except RecursionError as cause:
        raise unreadable_error(
            en=f"{label.en} is nested too deeply",
            vi=f"{label.vi} lồng nhau quá sâu",
            errors=json_bounds.find_too_deep(bytes(text), levels=levels, path=path),
        ) from cause
    except _OutOfRangeError as cause:
        raise unreadable_error(
            en=f"{label.en}: {cause} is beyond the range of a number; write it as a string",
            vi=f"{label.vi} có số {cause} vượt quá phạm vi; hãy viết dưới dạng chuỗi",
        ) from cause
    except (msgspec.DecodeError, UnicodeDecodeError) as cause:
        fault = _find_byte_fault(bytes(text))
        if fault is not None:
            raise unreadable_error(en=f"{label.en} {fault.en}", vi=f"{label.vi} {fault.vi}") from cause
        reason = f"{label.vi} {_vietnamese_reason(cause, decoder.type)}"
        raise unreadable_error(en=f"{label.en}: {cause}", vi=reason) from cause


def _vietnamese_reason(cause: Exception, expected: object) -> str:
    """Return in Vietnamese what the parser says in English.

    Only the byte position is taken from the parser's sentence, because nothing else holds it; the rest is our wording.
    """
    if isinstance(cause, msgspec.ValidationError):
        return "phải là một mảng JSON" if expected == list[Raw] else "phải là một đối tượng JSON"
    position = _BYTE_POSITION.search(str(cause))
    return f"không phải JSON hợp lệ {position[0]}" if position else "không phải JSON hợp lệ hoặc bị thiếu phần cuối"


def _find_byte_fault(text: bytes) -> Bilingual | None:
    """Return what is wrong with the bytes of *text*, whatever they mean as JSON; None where nothing is."""
    if not text.strip():
        return Bilingual.of(en="is empty; send JSON", vi="không có gì; hãy gửi JSON")
    if text.startswith((codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return Bilingual.of(
            en="begins with a byte order mark; send UTF-8 without one",
            vi="bắt đầu bằng dấu thứ tự byte (BOM); hãy gửi UTF-8 không có BOM",
        )
    try:
        text.decode()
    except UnicodeDecodeError as fault:
        return Bilingual.of(
            en=f"is not UTF-8 at byte {fault.start}; send it as UTF-8",
            vi=f"không phải UTF-8 ở byte {fault.start}; hãy gửi bằng UTF-8",
        )
    return None
