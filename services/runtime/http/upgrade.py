"""A request that offers another protocol, read as the HTTP/1.1 that it is (RFC 9110, 7.8).

Java's own client offers `h2c` with its first request. httptools stops at such a head and takes the body for something
else; uvicorn would hand over the request without it.
"""

from collections.abc import Iterable
from typing import Protocol

import httptools

FRAMING = frozenset({b"content-length", b"transfer-encoding"})


class ParserCallbacks(Protocol):
    """What the parser calls, as uvicorn's connection answers it."""

    def on_message_begin(self) -> None: ...
    def on_url(self, url: bytes) -> None: ...
    def on_header(self, name: bytes, value: bytes) -> None: ...
    def on_headers_complete(self) -> None: ...
    def on_body(self, body: bytes) -> None: ...
    def on_message_complete(self) -> None: ...


class _RemainingBody:
    """Passes on what follows a head that is known already: its body, then requests like any other."""

    def __init__(self, callbacks: ParserCallbacks) -> None:
        self._callbacks = callbacks
        self._is_known = True
        self.on_body = callbacks.on_body

    def on_message_begin(self) -> None:
        if not self._is_known:
            self._callbacks.on_message_begin()

    def on_url(self, url: bytes) -> None:
        if not self._is_known:
            self._callbacks.on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self._is_known:
            self._callbacks.on_header(name, value)

    def on_headers_complete(self) -> None:
        if not self._is_known:
            self._callbacks.on_headers_complete()

    def on_message_complete(self) -> None:
        self._is_known = False
        self._callbacks.on_message_complete()


def create_body_parser(callbacks: ParserCallbacks) -> httptools.HttpRequestParser:
    """Return a parser that tells *callbacks* nothing of the first head it is fed, and everything after it."""
    parser = httptools.HttpRequestParser(_RemainingBody(callbacks))
    parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn sets its own
    return parser


def rebuild_head(headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Return a head that offers nothing, with a body framed as *headers* say."""
    framing = b"".join(b"%s: %s\r\n" % header for header in headers if header[0] in FRAMING)
    return b"POST / HTTP/1.1\r\n" + framing + b"\r\n"
