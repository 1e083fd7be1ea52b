"""Mail as bytes, written straight from its parts: building an `EmailMessage` costs a millisecond, this a tenth.

The subject is an RFC 2047 header folded between encoded words, so that no mark and no space of it is lost on the way.
"""

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime, formataddr
from functools import lru_cache

_BOUNDARY = "=_dondoc_"
_CRLF = "\r\n"
_WORD = 39  # octets, 52 letters of base64: with `Subject: ` before it a line keeps to the 76 letters of RFC 2047
_LINE = 76  # letters of base64 a line, RFC 2045 section 6.8


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """The headers that differ from mail to mail. `message_id` is the same on every attempt."""

    sender: str
    sender_name: str
    recipient: str
    message_id: str
    language: str
    at: datetime


def mail(envelope: Envelope, *, subject: str, body: str, html: str) -> bytes:
    """Return the whole mail: plain text and HTML as alternatives, marked as sent by a machine (RFC 3834)."""
    boundary = _BOUNDARY + envelope.message_id.strip("<>").partition("@")[0]
    headers = (
        _sender(envelope.sender_name, envelope.sender),
        f"To: {envelope.recipient}",
        f"Subject: {_unstructured(subject)}",
        f"Date: {format_datetime(envelope.at)}",
        f"Message-ID: {envelope.message_id}",
        f"Content-Language: {envelope.language}",
        "Auto-Submitted: auto-generated",
        "MIME-Version: 1.0",
        f'Content-Type: multipart/alternative; boundary="{boundary}"',
    )
    parts = (_part("plain", body), _part("html", html))
    inner = "".join(f"--{boundary}{_CRLF}{part}{_CRLF}" for part in parts)
    return (_CRLF.join(headers) + _CRLF + _CRLF + inner + f"--{boundary}--{_CRLF}").encode("ascii")


@lru_cache(maxsize=16)
def _sender(name: str, address: str) -> str:
    return f"From: {formataddr((name, address))}"


def _unstructured(text: str) -> str:
    """Return a header's text: as it is where it is short ASCII, else in encoded words, one a line."""
    if text.isascii() and text.isprintable() and len(text) <= _WORD and text == text.strip():
        return text
    words = (base64.b64encode(word).decode("ascii") for word in _words(text))
    return f"{_CRLF} ".join(f"=?utf-8?b?{word}?=" for word in words)


def _words(text: str) -> Iterator[bytes]:
    """Yield *text* in pieces of whole letters, each short enough for one encoded word."""
    piece = b""
    for letter in text:
        octets = letter.encode()
        if len(piece) + len(octets) > _WORD:
            yield piece
            piece = b""
        piece += octets
    yield piece


def _part(subtype: str, content: str) -> str:
    coded = base64.b64encode(content.encode()).decode("ascii")
    lines = _CRLF.join(coded[start : start + _LINE] for start in range(0, len(coded), _LINE))
    headers = (f"Content-Type: text/{subtype}; charset=utf-8", "Content-Transfer-Encoding: base64")
    return _CRLF.join(headers) + _CRLF + _CRLF + lines
