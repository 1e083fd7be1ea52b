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

from services.intake.asgi import Pairs, RefusedError, too_large
from services.intake.cloudevents import headers as request_headers
from services.intake.cloudevents import json_decoding
from services.intake.core import canonical_json, cloud_event
from services.intake.core.cloud_event import Event
from services.intake.core.problems import Finding, Problem, Refusal, Said

EVENT_BYTES_MAX = 1024 * 1024
BATCH_BYTES_MAX = 8 * EVENT_BYTES_MAX
BATCH_EVENTS_MAX = 1_000

STRUCTURED_TYPE = "application/cloudevents+json"
BATCH_TYPE = "application/cloudevents-batch+json"
BINARY_TYPE = "application/json"
MEDIA_TYPES = (STRUCTURED_TYPE, BATCH_TYPE, BINARY_TYPE)

_CHARSETS = frozenset({"", "utf-8", "utf8", "us-ascii"})


class _Data(msgspec.Struct):
    """The data in the sender's own writing."""

    data: Raw = Raw(b"null")


_DATA = msgspec.json.Decoder(_Data)


class Mode(Enum):
    """How an HTTP request carries events, and how many bytes it may have."""

    STRUCTURED = "structured"
    BINARY = "binary"
    BATCH = "batch"

    @property
    def bytes_max(self) -> int:
        return BATCH_BYTES_MAX if self is Mode.BATCH else EVENT_BYTES_MAX


@dataclass(frozen=True, slots=True, kw_only=True)
class Faulty:
    """An event that breaks the CloudEvents rules. Its type and data are there if they could be made out."""

    findings: tuple[Finding, ...]
    type: str = ""
    written_data: bytes = b"null"


Arrived = Event | Faulty


def mode_of(headers: Pairs) -> Mode:
    """Return the mode that *headers* declare; refuse with 415 what is no CloudEvent."""
    media_type, charset, coding, is_binary = request_headers.declared(headers)
    if not _IDENTITY.issuperset(coding.split(", ")):
        raise RefusedError(_coded(coding))
    if charset not in _CHARSETS:
        raise RefusedError(_unsupported(_in_charset(charset)))
    if media_type == STRUCTURED_TYPE:
        return Mode.STRUCTURED
    if media_type == BATCH_TYPE:
        return Mode.BATCH
    if media_type == BINARY_TYPE and is_binary:
        return Mode.BINARY
    raise RefusedError(_unsupported(_of_type(media_type)))


def texts(mode: Mode, body: bytes) -> Sequence[bytes | Raw]:
    """Return the text of each event in order, in binary mode of its data; refuse with 400 what is no batch."""
    if mode is not Mode.BATCH:
        return (body,)
    raws = json_decoding.raws_of(body, json_decoding.BATCH)
    if len(raws) > BATCH_EVENTS_MAX:
        raise RefusedError(_too_many(len(raws)))
    if len(body) > EVENT_BYTES_MAX:
        _refuse_large(raws)
    return raws


def read(mode: Mode, headers: Pairs, text: bytes | Raw, place: int = 0) -> Arrived:
    """Return the event of one of `texts`, at its *place*; refuse with 400 what cannot be parsed at all."""
    if mode is Mode.BINARY:
        return _binary(headers, bytes(text))
    return _structured(bytes(text), json_decoding.event_at(place) if mode is Mode.BATCH else json_decoding.BODY)


def _refuse_large(raws: Sequence[Raw]) -> None:
    for index, raw in enumerate(raws):
        if len(memoryview(raw)) > EVENT_BYTES_MAX:
            finding = Finding(pointer=f"/{index}", detail=Said(en="over 1 MiB", vi="vượt quá 1 MiB"))
            refusal = too_large(EVENT_BYTES_MAX)
            raise RefusedError(Refusal(problem=refusal.problem, detail=refusal.detail, findings=(finding,)))


def _structured(body: bytes, where: Said) -> Arrived:
    attributes = json_decoding.object_of(body, where)
    encoded = attributes.pop("data_base64", None)
    has_data = "data" in attributes
    data = attributes.pop("data", None)
    if None in attributes.values():
        attributes = {name: value for name, value in attributes.items() if value is not None}
    if encoded is None:
        return _event(attributes, data, written=bytes(_DATA.decode(body).data), arrived=body)
    written = None if has_data else _from_base64(encoded)
    if written is None:
        finding = Finding(pointer="/data_base64", detail=_ONE_OF_TWO if has_data else _NOT_BASE64)
        return Faulty(findings=(*_faults_of(attributes), finding))
    return _event(
        attributes, json_decoding.value_of(written, json_decoding.data_of(where)), written=written, arrived=body
    )


def _binary(headers: Pairs, body: bytes) -> Arrived:
    attributes = {"datacontenttype": BINARY_TYPE, **request_headers.attributes_of(headers)}
    return _event(attributes, json_decoding.value_of(body, json_decoding.BODY), written=body, arrived=body)


def _event(attributes: dict[str, object], data: object, *, written: bytes, arrived: bytes) -> Arrived:
    faults = _faults_of(attributes)
    if faults:
        return Faulty(findings=faults, type=str(attributes.get("type")), written_data=written)
    return Event(
        attributes=attributes,
        written_data=written,
        content=canonical_json.content_of(attributes, data),
        sha256=hashlib.sha256(arrived).hexdigest(),
    )


def _faults_of(attributes: dict[str, object]) -> tuple[Finding, ...]:
    """Return what is wrong with *attributes*, ours dropped from them."""
    for name in cloud_event.RESERVED:
        attributes.pop(name, None)
    return tuple(cloud_event.faults_of(attributes))


def _from_base64(encoded: object) -> bytes | None:
    if not isinstance(encoded, str):
        return None
    try:
        return base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        return None


_ONE_OF_TWO = Said(en="give data or data_base64, not both", vi="chỉ ghi một trong hai: data hoặc data_base64")
_NOT_BASE64 = Said(en="must be a base64 string (RFC 4648)", vi="phải là chuỗi base64 (RFC 4648)")
_IDENTITY = frozenset({"", "identity"})


def _coded(coding: str) -> Refusal:
    return Refusal(
        problem=Problem.UNSUPPORTED_MEDIA_TYPE,
        detail=Said(
            en=f"content-encoding {coding} is not taken; send the body as it is",
            vi=f"không nhận content-encoding {coding}; hãy gửi nội dung không nén",
        ),
        codings_taken=("identity",),
    )


def _in_charset(charset: str) -> Said:
    return Said(en=f"charset {charset} is not taken", vi=f"không nhận bảng mã {charset}")


def _of_type(media_type: str) -> Said:
    if not media_type:
        return Said(en="there is no content type", vi="yêu cầu không có content-type")
    return Said(en=f"{media_type} is not taken", vi=f"không nhận {media_type}")


def _unsupported(what: Said) -> Refusal:
    forms = f"{STRUCTURED_TYPE}, {BATCH_TYPE}"
    return Refusal(
        problem=Problem.UNSUPPORTED_MEDIA_TYPE,
        detail=Said(
            en=f"{what.en}; send {forms}, or {BINARY_TYPE} with ce- headers, in UTF-8",
            vi=f"{what.vi}; hãy gửi {forms}, hoặc {BINARY_TYPE} kèm các trường tiêu đề ce-, bằng UTF-8",
        ),
        media_types_taken=MEDIA_TYPES,
    )


def _too_many(count: int) -> Refusal:
    return Refusal(
        problem=Problem.TOO_LARGE,
        detail=Said(
            en=f"{count} events in one batch; send at most {BATCH_EVENTS_MAX}",
            vi=f"{count} sự kiện trong một lần gửi; tối đa {BATCH_EVENTS_MAX}",
        ),
    )
