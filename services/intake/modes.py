"""The three content modes of the CloudEvents HTTP binding: what arrived, as events or as faults by pointer.

Knows headers and JSON; refuses to know what an event is about.
"""

import base64
import binascii
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TypeVar
from urllib.parse import unquote_to_bytes

import msgspec
from msgspec import Raw

from services.intake.core import events
from services.intake.core.events import Event
from services.intake.core.refusals import Finding, Problem, Refusal, Said
from services.intake.http import Pairs, RefusedError, too_large

EVENT_BYTES_MAX = 1024 * 1024
BATCH_BYTES_MAX = 8 * EVENT_BYTES_MAX
BATCH_EVENTS_MAX = 1_000

_STRUCTURED = "application/cloudevents+json"
_BATCH = "application/cloudevents-batch+json"
_JSON = "application/json"
_CHARSETS = frozenset({"", "utf-8", "utf8", "us-ascii"})
_PREFIX = b"ce-"

Value = TypeVar("Value")


class _Data(msgspec.Struct):
    """The data in the sender's own writing."""

    data: Raw = Raw(b"null")


_DATA = msgspec.json.Decoder(_Data)
_OBJECT = msgspec.json.Decoder(dict[str, object])
_RAW_BATCH = msgspec.json.Decoder(list[Raw])
_ANY = msgspec.json.Decoder()
_CANONICAL = msgspec.json.Encoder(order="sorted")


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
    media_type, charset, coding, is_binary = _declared(headers)
    if coding not in {"", "identity"}:
        raise _unsupported(f"content-encoding {coding}")
    if charset not in _CHARSETS:
        raise _unsupported(f"charset {charset}")
    if media_type == _STRUCTURED:
        return Mode.STRUCTURED
    if media_type == _BATCH:
        return Mode.BATCH
    if media_type == _JSON and is_binary:
        return Mode.BINARY
    raise _unsupported(media_type or "no content type")


def texts(mode: Mode, body: bytes) -> Sequence[bytes | Raw]:
    """Return the text of each event in order, in binary mode of its data; refuse with 400 what is no batch."""
    if mode is not Mode.BATCH:
        return (body,)
    raws = _decoded(_RAW_BATCH, body, "the batch")
    if len(raws) > BATCH_EVENTS_MAX:
        raise RefusedError(_too_many(len(raws)))
    if len(body) > EVENT_BYTES_MAX:
        _refuse_large(raws)
    return raws


def read(mode: Mode, headers: Pairs, text: bytes | Raw, place: int = 0) -> Arrived:
    """Return the event of one of `texts`, at its *place*; refuse with 400 what cannot be parsed at all."""
    if mode is Mode.BINARY:
        return _binary(headers, bytes(text))
    return _structured(bytes(text), f"event {place}" if mode is Mode.BATCH else "the body")


def read_all(mode: Mode, headers: Pairs, body: bytes) -> tuple[Arrived, ...]:
    """Return the events that arrived, in order; refuse with 400 what cannot be parsed at all."""
    return tuple(read(mode, headers, text, place) for place, text in enumerate(texts(mode, body)))


def _declared(headers: Pairs) -> tuple[str, str, str, bool]:
    media_type = charset = coding = ""
    is_binary = False
    for name, value in headers:
        if name == b"content-type":
            media_type, _, parameters = value.decode("latin-1").lower().partition(";")
            charset = _charset(parameters)
        elif name == b"content-encoding":
            coding = value.decode("latin-1").strip().lower()
        elif name == b"ce-specversion":
            is_binary = True
    return media_type.strip(), charset, coding, is_binary


def _charset(parameters: str) -> str:
    for parameter in parameters.split(";"):
        name, _, value = parameter.partition("=")
        if name.strip() == "charset":
            return value.strip().strip('"')
    return ""


def _refuse_large(raws: Sequence[Raw]) -> None:
    for index, raw in enumerate(raws):
        if len(memoryview(raw)) > EVENT_BYTES_MAX:
            finding = Finding(pointer=f"/{index}", detail=Said(en="over 1 MiB", vi="vượt quá 1 MiB"))
            refusal = too_large(EVENT_BYTES_MAX)
            raise RefusedError(Refusal(problem=refusal.problem, detail=refusal.detail, findings=(finding,)))


def _structured(body: bytes, where: str) -> Arrived:
    attributes = _decoded(_OBJECT, body, where)
    encoded = attributes.pop("data_base64", None)
    has_data = "data" in attributes
    data = attributes.pop("data", None)
    if None in attributes.values():
        attributes = {name: value for name, value in attributes.items() if value is not None}
    if encoded is not None:
        written = None if has_data else _from_base64(encoded)
        if written is None:
            detail = _ONE_OF_TWO if has_data else _NOT_BASE64
            return Faulty(findings=(Finding(pointer="/data_base64", detail=detail),))
        data = _decoded(_ANY, written, f"the data of {where}")
    else:
        written = bytes(_decoded(_DATA, body, where).data)
    return _event(attributes, data, written=written, arrived=body)


def _binary(headers: Pairs, body: bytes) -> Arrived:
    attributes: dict[str, object] = {"datacontenttype": _JSON}
    for name, value in headers:
        if not name.startswith(_PREFIX):
            continue
        attribute = name[len(_PREFIX) :].decode("latin-1")
        if attribute in attributes or attribute in {"data", "data_base64"}:
            raise _unreadable(f"the header ce-{attribute} must not stand here, or not twice")
        attributes[attribute] = _header_text(attribute, value)
    return _event(attributes, _decoded(_ANY, body, "the body"), written=body, arrived=body)


def _header_text(attribute: str, value: bytes) -> str:
    """Decode a header value as the HTTP binding says: quotes taken off, then percent-encoded UTF-8."""
    text = value.strip()
    if len(text) > 1 and text.startswith(b'"') and text.endswith(b'"'):
        text = text[1:-1].replace(b'\\"', b'"').replace(b"\\\\", b"\\")
    try:
        text.decode("ascii")
        return unquote_to_bytes(text).decode("utf-8")
    except UnicodeDecodeError as cause:
        raise _unreadable(f"the header ce-{attribute} is not percent-encoded UTF-8") from cause


def _event(attributes: dict[str, object], data: object, *, written: bytes, arrived: bytes) -> Arrived:
    for name in events.RESERVED:
        attributes.pop(name, None)
    faults = tuple(events.faults_of(attributes))
    if faults:
        return Faulty(findings=faults, type=str(attributes.get("type")), written_data=written)
    return Event(
        attributes=attributes,
        written_data=written,
        content=_CANONICAL.encode([_content_attributes(attributes), data]),
        sha256=hashlib.sha256(arrived).hexdigest(),
    )


def _content_attributes(attributes: Mapping[str, object]) -> dict[str, object]:
    """Leave out what says nothing: the default content type, which only one of the modes spells out."""
    return {name: value for name, value in attributes.items() if name != "datacontenttype"}


def _from_base64(encoded: object) -> bytes | None:
    if not isinstance(encoded, str):
        return None
    try:
        return base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        return None


def _decoded(decoder: msgspec.json.Decoder[Value], text: bytes | Raw, where: str) -> Value:
    try:
        return decoder.decode(text)
    except RecursionError as cause:
        raise _unreadable(f"{where} is nested too deeply") from cause
    except (msgspec.DecodeError, UnicodeDecodeError) as cause:
        raise _unreadable(f"{where}: {cause}") from cause


_ONE_OF_TWO = Said(en="give data or data_base64, not both", vi="chỉ ghi một trong hai: data hoặc data_base64")
_NOT_BASE64 = Said(en="must be a base64 string (RFC 4648)", vi="phải là chuỗi base64 (RFC 4648)")


def _unreadable(what: str) -> RefusedError:
    return RefusedError(
        Refusal(problem=Problem.UNREADABLE, detail=Said(en=what, vi=f"không đọc được nội dung: {what}")),
    )


def _unsupported(what: str) -> RefusedError:
    forms = f"{_STRUCTURED}, {_BATCH}, or {_JSON} with ce- headers"
    return RefusedError(
        Refusal(
            problem=Problem.UNSUPPORTED_MEDIA_TYPE,
            detail=Said(en=f"{what} is not taken; send {forms}", vi=f"không nhận {what}; hãy gửi {forms}"),
        )
    )


def _too_many(count: int) -> Refusal:
    return Refusal(
        problem=Problem.TOO_LARGE,
        detail=Said(
            en=f"{count} events in one batch; send at most {BATCH_EVENTS_MAX}",
            vi=f"{count} sự kiện trong một lần gửi; tối đa {BATCH_EVENTS_MAX}",
        ),
    )
