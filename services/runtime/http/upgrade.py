"""Read a request that offers a protocol upgrade as ordinary HTTP/1.1; a server may ignore the offer (RFC 9110, 7.8).

Java's HTTP client offers `h2c` with its first request. httptools stops parsing at such a head and takes what follows
for the other protocol; uvicorn would pass on the request without its body.
"""

from collections.abc import Iterable
from typing import Protocol

import httptools

FRAMING = frozenset({b"content-length", b"transfer-encoding"})


class ParserCallbacks(Protocol):
    """The callbacks of httptools' parser that uvicorn's connection implements."""

    def on_message_begin(self) -> None: ...
    def on_url(self, url: bytes) -> None: ...
    def on_header(self, name: bytes, value: bytes) -> None: ...
    def on_headers_complete(self) -> None: ...
    def on_body(self, body: bytes) -> None: ...
    def on_message_complete(self) -> None: ...


class _RemainingBody:
    """Hides the first head from *callbacks*, which have handled it, and passes on its body and later requests."""

    def __init__(self, callbacks: ParserCallbacks) -> None:
        self._callbacks = callbacks
        self._is_in_first_request = True
        self.on_body = callbacks.on_body

    def on_message_begin(self) -> None:
        if not self._is_in_first_request:
            self._callbacks.on_message_begin()

    def on_url(self, url: bytes) -> None:
        if not self._is_in_first_request:
            self._callbacks.on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self._is_in_first_request:
            self._callbacks.on_header(name, value)

    def on_headers_complete(self) -> None:
        if not self._is_in_first_request:
            self._callbacks.on_headers_complete()

    def on_message_complete(self) -> None:
        self._is_in_first_request = False
        self._callbacks.on_message_complete()


def create_body_parser(callbacks: ParserCallbacks) -> httptools.HttpRequestParser:
    """Return a parser that calls *callbacks* for everything except the first head that it is fed."""
    parser = httptools.HttpRequestParser(_RemainingBody(callbacks))
    parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as in uvicorn's own parser
    return parser


def rebuild_head(headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Return a head without the offer, whose body has the framing that *headers* declare."""
    framing = b"".join(b"%s: %s\r\n" % header for header in headers if header[0] in FRAMING)
    return b"POST / HTTP/1.1\r\n" + framing + b"\r\n"
