"""The three content modes of the CloudEvents HTTP binding: what arrived, as events or as faults by pointer.

Knows media types and JSON; refuses to know what an event is about.
"""

import base64
import binascii
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

import msgspec
from msgspec import Raw

from services.intake.asgi import HeaderPairs, RequestRefusedError, too_large_refusal
from services.intake.cloudevents import headers as request_headers
from services.intake.cloudevents import json_decoding
from services.intake.core import canonical_json, cloud_event
from services.intake.core.cloud_event import CloudEvent
from services.intake.core.problems import FieldError, RequestProblem, Refusal, Said

EVENT_BYTES_MAX = 1024 * 1024
BATCH_BYTES_MAX = 8 * EVENT_BYTES_MAX
BATCH_EVENTS_MAX = 1_000

STRUCTURED_TYPE = "application/cloudevents+json"
BATCH_TYPE = "application/cloudevents-batch+json"
BINARY_TYPE = "application/json"
MEDIA_TYPES = (STRUCTURED_TYPE, BATCH_TYPE, BINARY_TYPE)

_CHARSETS = frozenset({"", "utf-8", "utf8", "us-ascii"})


class _EventData(msgspec.Struct):
    """The data in the sender's own writing."""

    data: Raw = Raw(b"null")


_DATA = msgspec.json.Decoder(_EventData)


class ContentMode(Enum):
    """How an HTTP request carries events, and how many bytes it may have."""

    STRUCTURED = "structured"
    BINARY = "binary"
    BATCH = "batch"

    @property
    def bytes_max(self) -> int:
        return BATCH_BYTES_MAX if self is ContentMode.BATCH else EVENT_BYTES_MAX


@dataclass(frozen=True, slots=True, kw_only=True)
class MalformedEvent:
    """An event that breaks the CloudEvents rules. Its type and data are there if they could be made out."""

    errors: tuple[FieldError, ...]
    type: str = ""
    raw_data: bytes = b"null"


ReceivedEvent = CloudEvent | MalformedEvent


def mode_of(headers: HeaderPairs) -> ContentMode:
    """Return the mode that *headers* declare; refuse with 415 what is no CloudEvent."""
    media_type, charset, coding, is_binary = request_headers._content_headers(headers)
    if not _IDENTITY_CODINGS.issuperset(coding.split(", ")):
        raise RequestRefusedError(_unsupported_coding(coding))
    if charset not in _CHARSETS:
        raise RequestRefusedError(_unsupported_refusal(_unsupported_charset(charset)))
    if media_type == STRUCTURED_TYPE:
        return ContentMode.STRUCTURED
    if media_type == BATCH_TYPE:
        return ContentMode.BATCH
    if media_type == BINARY_TYPE and is_binary:
        return ContentMode.BINARY
    raise RequestRefusedError(_unsupported_refusal(_unsupported_type(media_type)))


def split_events(mode: ContentMode, body: bytes) -> Sequence[bytes | Raw]:
    """Return the text of each event in order, in binary mode of its data; refuse with 400 what is no batch."""
    if mode is not ContentMode.BATCH:
        return (body,)
    raws = json_decoding.decode_array(body, json_decoding.BATCH_LABEL)
    if len(raws) > BATCH_EVENTS_MAX:
        raise RequestRefusedError(_too_many_events(len(raws)))
    if len(body) > EVENT_BYTES_MAX:
        _refuse_large_events(raws)
    return raws


def decode_event(mode: ContentMode, headers: HeaderPairs, text: bytes | Raw, place: int = 0) -> ReceivedEvent:
    """Return the event of one of `split_events`, at its *place*; refuse with 400 what cannot be parsed at all."""
    if mode is ContentMode.BINARY:
        return _decode_binary(headers, bytes(text))
    return _decode_structured(bytes(text), json_decoding.event_label(place) if mode is ContentMode.BATCH else json_decoding.BODY_LABEL)


def _refuse_large_events(raws: Sequence[Raw]) -> None:
    for index, raw in enumerate(raws):
        if len(memoryview(raw)) > EVENT_BYTES_MAX:
            error = FieldError(pointer=f"/{index}", detail=Said(en="over 1 MiB", vi="vượt quá 1 MiB"))
            refusal = too_large_refusal(EVENT_BYTES_MAX)
            raise RequestRefusedError(Refusal(problem=refusal.problem, detail=refusal.detail, errors=(error,)))


def _decode_structured(body: bytes, where: Said) -> ReceivedEvent:
    attributes = json_decoding.decode_object(body, where)
    encoded = attributes.pop("data_base64", None)
    has_data = "data" in attributes
    data = attributes.pop("data", None)
    if None in attributes.values():
        attributes = {name: value for name, value in attributes.items() if value is not None}
    if encoded is None:
        return _build_event(attributes, data, written=bytes(_DATA.decode(body).data), arrived=body)
    written = None if has_data else _decode_base64(encoded)
    if written is None:
        error = FieldError(pointer="/data_base64", detail=_ONE_OF_TWO if has_data else _NOT_BASE64)
        return MalformedEvent(errors=(*_attribute_errors(attributes), error))
    return _build_event(
        attributes, json_decoding.decode_value(written, json_decoding.data_label(where)), written=written, arrived=body
    )


def _decode_binary(headers: HeaderPairs, body: bytes) -> ReceivedEvent:
    attributes = {"datacontenttype": BINARY_TYPE, **request_headers._attributes_of_headers(headers)}
    return _build_event(attributes, json_decoding.decode_value(body, json_decoding.BODY_LABEL), written=body, arrived=body)


def _build_event(attributes: dict[str, object], data: object, *, written: bytes, arrived: bytes) -> ReceivedEvent:
    faults = _attribute_errors(attributes)
    if faults:
        return MalformedEvent(errors=faults, type=str(attributes.get("type")), raw_data=written)
    return CloudEvent(
        attributes=attributes,
        raw_data=written,
        content=canonical_json.encode_event(attributes, data),
        sha256=hashlib.sha256(arrived).hexdigest(),
    )


def _attribute_errors(attributes: dict[str, object]) -> tuple[FieldError, ...]:
    """Return what is wrong with *attributes*, ours dropped from them."""
    for name in cloud_event.RESERVED_ATTRIBUTES:
        attributes.pop(name, None)
    return tuple(cloud_event.attribute_errors(attributes))


def _decode_base64(encoded: object) -> bytes | None:
    if not isinstance(encoded, str):
        return None
    try:
        return base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        return None


_ONE_OF_TWO = Said(en="give data or data_base64, not both", vi="chỉ ghi một trong hai: data hoặc data_base64")
_NOT_BASE64 = Said(en="must be a base64 string (RFC 4648)", vi="phải là chuỗi base64 (RFC 4648)")
_IDENTITY_CODINGS = frozenset({"", "identity"})


def _unsupported_coding(coding: str) -> Refusal:
    return Refusal(
        problem=RequestProblem.UNSUPPORTED_MEDIA_TYPE,
        detail=Said(
            en=f"content-encoding {coding} is not taken; send the body as it is",
            vi=f"không nhận content-encoding {coding}; hãy gửi nội dung không nén",
        ),
        accepted_codings=("identity",),
    )


def _unsupported_charset(charset: str) -> Said:
    return Said(en=f"charset {charset} is not taken", vi=f"không nhận bảng mã {charset}")


def _unsupported_type(media_type: str) -> Said:
    if not media_type:
        return Said(en="there is no content type", vi="yêu cầu không có content-type")
    return Said(en=f"{media_type} is not taken", vi=f"không nhận {media_type}")


def _unsupported_refusal(what: Said) -> Refusal:
    forms = f"{STRUCTURED_TYPE}, {BATCH_TYPE}"
    return Refusal(
        problem=RequestProblem.UNSUPPORTED_MEDIA_TYPE,
        detail=Said(
            en=f"{what.en}; send {forms}, or {BINARY_TYPE} with ce- headers, in UTF-8",
            vi=f"{what.vi}; hãy gửi {forms}, hoặc {BINARY_TYPE} kèm các trường tiêu đề ce-, bằng UTF-8",
        ),
        accepted_media_types=MEDIA_TYPES,
    )


def _too_many_events(count: int) -> Refusal:
    return Refusal(
        problem=RequestProblem.TOO_LARGE,
        detail=Said(
            en=f"{count} events in one batch; send at most {BATCH_EVENTS_MAX}",
            vi=f"{count} sự kiện trong một lần gửi; tối đa {BATCH_EVENTS_MAX}",
        ),
    )
