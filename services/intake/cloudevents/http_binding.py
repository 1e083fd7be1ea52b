"""The CloudEvents HTTP binding: decodes requests in structured, binary and batch mode into events.

Implements "HTTP Protocol Binding for CloudEvents" 1.0. Knows media types, headers and JSON; knows nothing of what an
event is about.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

import msgspec
from msgspec import Raw

from schemas.plan.values import Bilingual
from schemas.problems import FieldError
from schemas.text import normal_form
from services.intake.asgi import HeaderPairs, RequestRefusedError, too_large_refusal
from services.intake.cloudevents import json_decoding
from services.intake.core import canonical_json, cloud_event
from services.intake.core.cloud_event import BATCH_EVENTS_MAX, CloudEvent
from services.intake.core.problems import Refusal, RequestProblem

EVENT_BYTES_MAX = 1024 * 1024
BATCH_BYTES_MAX = 8 * EVENT_BYTES_MAX

STRUCTURED_TYPE = "application/cloudevents+json"
BATCH_TYPE = "application/cloudevents-batch+json"
BINARY_TYPE = "application/json"
MEDIA_TYPES = (STRUCTURED_TYPE, BATCH_TYPE, BINARY_TYPE)

# JSON is UTF-8 (RFC 8259 section 8.1); US-ASCII is a subset of it.
_CHARSETS = frozenset({"", "utf-8", "utf8", "us-ascii"})
_IDENTITY_CODINGS = frozenset({"identity"})

_PREFIX = b"ce-"

# One of these headers suffices to make a request binary mode: a missing other one is then reported by its name.
_REQUIRED_HEADERS = frozenset(_PREFIX + name.encode() for name in cloud_event.REQUIRED_ATTRIBUTES)

# Attributes that in binary mode stand in the body and its content type, not in `ce-` headers.
_BODY_ATTRIBUTES = frozenset({"data", "data_base64", "datacontenttype"})

_QUOTED_PAIR = re.compile(rb"\\(.)", re.DOTALL)


class ContentMode(Enum):
    """How an HTTP request carries events (CloudEvents HTTP binding, section 3)."""

    STRUCTURED = "structured"
    BINARY = "binary"
    BATCH = "batch"

    def __init__(self, name: str) -> None:
        self.bytes_max = BATCH_BYTES_MAX if name == "batch" else EVENT_BYTES_MAX
        """The largest body in bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MalformedEvent:
    """An event that breaks the CloudEvents rules, with its type and its data if those could be decoded."""

    errors: tuple[FieldError, ...]
    type: str = ""
    raw_data: bytes = b"null"


ReceivedEvent = CloudEvent | MalformedEvent


class _ContentHeaders(NamedTuple):
    """What the headers say of the body; an absent value is empty."""

    media_type: str
    charset: str
    coding: str
    is_binary: bool


class _EventData(msgspec.Struct):
    """The data of an event in structured mode, as the sender wrote it."""

    data: Raw = Raw(b"null")


_DATA = msgspec.json.Decoder(_EventData)


def mode_of(headers: HeaderPairs) -> ContentMode:
    """Return the content mode that *headers* declare; refuse with 415 what is not a CloudEvent in JSON and UTF-8."""
    media_type, charset, coding, is_binary = _parse_content_headers(headers)
    if coding and not _IDENTITY_CODINGS.issuperset(coding.split(", ")):
        raise RequestRefusedError(_coding_refusal(coding))
    if charset not in _CHARSETS:
        raise RequestRefusedError(_media_type_refusal(_charset_reason(charset)))
    if media_type == STRUCTURED_TYPE:
        return ContentMode.STRUCTURED
    if media_type == BATCH_TYPE:
        return ContentMode.BATCH
    if media_type == BINARY_TYPE and is_binary:
        return ContentMode.BINARY
    raise RequestRefusedError(_media_type_refusal(_media_type_reason(media_type)))


def split_events(mode: ContentMode, body: bytes) -> Sequence[bytes | Raw]:
    """Return the text of each event in order; in binary mode that is the text of its data.

    Refuses with 400 a batch that is not a JSON array, with 413 a batch of too many or too large events.
    """
    if mode is not ContentMode.BATCH:
        return (body,)
    raws = json_decoding.decode_array(body, json_decoding.BATCH_LABEL)
    if len(raws) > BATCH_EVENTS_MAX:
        raise RequestRefusedError(_too_many_events(len(raws)))
    # In a batch that is no larger than one event may be, no event can be too large.
    if len(body) > EVENT_BYTES_MAX:
        _refuse_large_events(raws)
    return raws


def decode_event(mode: ContentMode, headers: HeaderPairs, text: bytes | Raw, index: int = 0) -> ReceivedEvent:
    """Return the event of one of `split_events`, at *index* in the request; refuse with 400 what cannot be decoded."""
    if mode is ContentMode.BINARY:
        return _decode_binary(headers, bytes(text))
    if mode is ContentMode.STRUCTURED:
        return _decode_structured(bytes(text), json_decoding.BODY_LABEL)
    try:
        return _decode_structured(bytes(text), json_decoding.event_label(index))
    except RequestRefusedError as error:
        errors = tuple(one.within(f"/{index}") for one in error.refusal.errors)
        raise RequestRefusedError(replace(error.refusal, errors=errors)) from error


def _parse_content_headers(headers: HeaderPairs) -> _ContentHeaders:
    """Return what *headers* say of the body. Repeated lines of a list are one list (RFC 9110 section 5.3)."""
    media_type = charset = ""
    codings: list[str] = []
    is_binary = False
    for name, value in headers:
        if name == b"content-type":
            media_type, charset = _parse_content_type(value)
        elif name == b"content-encoding":
            codings += value.decode("latin-1").lower().split(",")
        elif name in _REQUIRED_HEADERS:
            is_binary = True
    coding = ", ".join(filter(None, map(str.strip, codings))) if codings else ""
    return _ContentHeaders(media_type, charset, coding, is_binary)


@lru_cache(maxsize=64)  # nearly every client sends one of three values
def _parse_content_type(value: bytes) -> tuple[str, str]:
    """Return the media type and the charset, in lower case."""
    media_type, *parameters = value.decode("latin-1").lower().split(";")
    for parameter in parameters:
        name, _, charset = parameter.partition("=")
        if name.strip() == "charset":
            return media_type.strip(), charset.strip().strip('"')
    return media_type.strip(), ""


def _decode_attributes(headers: HeaderPairs) -> dict[str, object]:
    """Return the attributes of an event in binary mode; refuse with 400 what cannot be decoded."""
    attributes: dict[str, object] = {}
    for name, value in headers:
        if not name.startswith(_PREFIX):
            continue
        attribute = name[len(_PREFIX) :].decode("latin-1")
        if attribute in attributes or attribute in _BODY_ATTRIBUTES:
            raise json_decoding.unreadable_error(
                en=f"the header ce-{attribute} must not stand here, or not twice",
                vi=f"trường tiêu đề ce-{attribute} không được có ở đây hoặc không được lặp lại",
            )
        attributes[attribute] = _decode_header(attribute, value)
    return attributes


def _decode_header(attribute: str, value: bytes) -> str:
    """Decode a header value as section 3.1.3.2 of the binding says: remove quotes, then percent-decode UTF-8.

    The SDKs of Go and Java send letters beyond ASCII as they are, in UTF-8, so these are taken as well.
    """
    text = value.strip()
    if len(text) > 1 and text.startswith(b'"') and text.endswith(b'"'):
        text = _QUOTED_PAIR.sub(rb"\1", text[1:-1])
    try:
        return normal_form.normalize(unquote_to_bytes(text).decode("utf-8"))
    except UnicodeDecodeError as cause:
        raise json_decoding.unreadable_error(
            en=f"the header ce-{attribute} is neither UTF-8 nor percent-encoded UTF-8",
            vi=f"trường tiêu đề ce-{attribute} không phải UTF-8, cũng không phải UTF-8 mã hóa dạng %XX",
        ) from cause


def _refuse_large_events(raws: Sequence[Raw]) -> None:
    for index, raw in enumerate(raws):
        if len(memoryview(raw)) > EVENT_BYTES_MAX:
            error = FieldError(pointer=f"/{index}", detail=Bilingual.of(en="over 1 MiB", vi="vượt quá 1 MiB"))
            refusal = too_large_refusal(EVENT_BYTES_MAX)
            raise RequestRefusedError(Refusal(problem=refusal.problem, detail=refusal.detail, errors=(error,)))


def _decode_structured(body: bytes, label: Bilingual) -> ReceivedEvent:
    decoded = json_decoding.decode_object(body, label)
    if decoded.errors:
        return MalformedEvent(errors=decoded.errors)
    attributes = decoded.value
    encoded = attributes.pop("data_base64", None)
    has_data = "data" in attributes
    data = attributes.pop("data", None)
    # In the JSON format an attribute that is null counts as absent (CloudEvents JSON format, section 2.2).
    if None in attributes.values():
        attributes = {name: value for name, value in attributes.items() if value is not None}
    if encoded is None:
        return _build_event(attributes, data, raw_data=bytes(_DATA.decode(decoded.text).data), text=body)
    data_text = None if has_data else _decode_base64(encoded)
    if data_text is None:
        error = FieldError(pointer="/data_base64", detail=_ONE_OF_TWO if has_data else _NOT_BASE64)
        return MalformedEvent(errors=(*_attribute_errors(attributes), error))
    return _build_from_data(attributes, data_text, json_decoding.data_label(label), text=body)


def _decode_binary(headers: HeaderPairs, body: bytes) -> ReceivedEvent:
    attributes = {"datacontenttype": BINARY_TYPE, **_decode_attributes(headers)}
    if not body:
        # An event without data, as in structured mode one that has no member `data` (section 3.1.2 of the binding).
        return _build_event(attributes, None, raw_data=b"null", text=body)
    return _build_from_data(attributes, body, json_decoding.BODY_LABEL, text=body)


def _build_from_data(
    attributes: dict[str, object], data_text: bytes, label: Bilingual, *, text: bytes
) -> ReceivedEvent:
    """Return the event of *attributes* with the data in *data_text*; an error message calls the data *label*."""
    data = json_decoding.decode_data(data_text, label)
    if data.errors:
        return MalformedEvent(errors=(*_attribute_errors(attributes), *data.errors))
    return _build_event(attributes, data.value, raw_data=data.text, text=text)


def _build_event(attributes: dict[str, object], data: object, *, raw_data: bytes, text: bytes) -> ReceivedEvent:
    errors = _attribute_errors(attributes)
    if errors:
        return MalformedEvent(errors=errors, type=str(attributes.get("type")), raw_data=raw_data)
    return CloudEvent(
        attributes=attributes,
        raw_data=raw_data,
        content=canonical_json.encode_event(attributes, data),
        sha256=hashlib.sha256(text).hexdigest(),
    )


def _attribute_errors(attributes: dict[str, object]) -> tuple[FieldError, ...]:
    """Return the errors of *attributes*, after removing from them the reserved ones, which only intake sets."""
    for name in cloud_event.RESERVED_ATTRIBUTES:
        attributes.pop(name, None)
    return tuple(cloud_event.attribute_errors(attributes))


def _decode_base64(encoded: object) -> bytes | None:
    if not isinstance(encoded, str):
        return None
    try:
        # Without `validate` every character outside the alphabet would be skipped and the data silently changed.
        return base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        return None


_ONE_OF_TWO = Bilingual.of(en="give data or data_base64, not both", vi="chỉ ghi một trong hai: data hoặc data_base64")
_NOT_BASE64 = Bilingual.of(en="must be a base64 string (RFC 4648)", vi="phải là chuỗi base64 (RFC 4648)")


def _coding_refusal(coding: str) -> Refusal:
    return Refusal(
        problem=RequestProblem.UNSUPPORTED_MEDIA_TYPE,
        detail=Bilingual.of(
            en=f"content-encoding {coding} is not taken; send the body as it is",
            vi=f"không nhận content-encoding {coding}; hãy gửi nội dung không nén",
        ),
        accepted_codings=("identity",),
    )


def _charset_reason(charset: str) -> Bilingual:
    return Bilingual.of(en=f"charset {charset} is not taken", vi=f"không nhận bảng mã {charset}")


def _media_type_reason(media_type: str) -> Bilingual:
    if not media_type:
        return Bilingual.of(en="there is no content type", vi="yêu cầu không có content-type")
    return Bilingual.of(en=f"{media_type} is not taken", vi=f"không nhận {media_type}")


def _media_type_refusal(reason: Bilingual) -> Refusal:
    forms = f"{STRUCTURED_TYPE}, {BATCH_TYPE}"
    return Refusal(
        problem=RequestProblem.UNSUPPORTED_MEDIA_TYPE,
        detail=Bilingual.of(
            en=f"{reason.en}; send {forms}, or {BINARY_TYPE} with ce- headers, in UTF-8",
            vi=f"{reason.vi}; hãy gửi {forms}, hoặc {BINARY_TYPE} kèm các trường tiêu đề ce-, bằng UTF-8",
        ),
        accepted_media_types=MEDIA_TYPES,
    )


def _too_many_events(count: int) -> Refusal:
    return Refusal(
        problem=RequestProblem.TOO_LARGE,
        detail=Bilingual.of(
            en=f"{count} events in one batch; send at most {BATCH_EVENTS_MAX}",
            vi=f"{count} sự kiện trong một lần gửi; tối đa {BATCH_EVENTS_MAX}",
        ),
    )
