"""What the headers of a request declare of its events, as HTTP and the CloudEvents binding to it have it."""

import re
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

from services.intake.asgi import HeaderPairs
from services.intake.cloudevents import json_decoding
from services.intake.core import cloud_event

_PREFIX = b"ce-"
_REQUIRED_HEADERS = frozenset(_PREFIX + name.encode() for name in cloud_event.REQUIRED_ATTRIBUTES)
"""Headers that tell of an event in binary mode: any will do, so that a missing one is told by its name."""

_BODY_ATTRIBUTES = frozenset({"data", "data_base64", "datacontenttype"})
"""Attributes that the body and its content type are in binary mode."""

_QUOTED_PAIR = re.compile(rb"\\(.)", re.DOTALL)


class _ContentHeaders(NamedTuple):
    """The media type and what else decides how a body is read; absent is empty."""

    media_type: str
    charset: str
    coding: str
    is_binary: bool


def _content_headers(headers: HeaderPairs) -> _ContentHeaders:
    """Return what *headers* declare. The lines of a list are one list (RFC 9110 section 5.3)."""
    media_type = charset = ""
    codings: list[str] = []
    is_binary = False
    for name, value in headers:
        if name == b"content-type":
            media_type, charset = _content_type(value)
        elif name == b"content-encoding":
            codings += value.decode("latin-1").lower().split(",")
        elif name in _REQUIRED_HEADERS:
            is_binary = True
    coding = ", ".join(filter(None, map(str.strip, codings)))
    return _ContentHeaders(media_type, charset, coding, is_binary)


def _attributes_of_headers(headers: HeaderPairs) -> dict[str, object]:
    """Return the attributes of an event in binary mode; refuse with 400 what cannot be read."""
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


@lru_cache(maxsize=64)  # nearly every client sends one of three
def _content_type(value: bytes) -> tuple[str, str]:
    """Return the media type and the charset, in lower case."""
    media_type, *parameters = value.decode("latin-1").lower().split(";")
    for parameter in parameters:
        name, _, charset = parameter.partition("=")
        if name.strip() == "charset":
            return media_type.strip(), charset.strip().strip('"')
    return media_type.strip(), ""


def _decode_header(attribute: str, value: bytes) -> str:
    """Decode a header value as the HTTP binding says: quotes taken off, then percent-encoded UTF-8."""
    text = value.strip()
    if len(text) > 1 and text.startswith(b'"') and text.endswith(b'"'):
        text = _QUOTED_PAIR.sub(rb"\1", text[1:-1])
    try:
        text.decode("ascii")
        return unquote_to_bytes(text).decode("utf-8")
    except UnicodeDecodeError as cause:
        raise json_decoding.unreadable_error(
            en=f"the header ce-{attribute} is not percent-encoded UTF-8",
            vi=f"trường tiêu đề ce-{attribute} không phải UTF-8 mã hóa dạng %XX",
        ) from cause
