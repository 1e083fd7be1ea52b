"""An HTTP connection with time and size limits, against clients that are slow on purpose (slow loris) or by accident.

uvicorn limits the idle time between two requests and leaves the rest to the application, which is first called when
the head of a request is complete. Here a head must be complete within a time and a size, or the connection ends; a
connection whose client reads nothing of its response ends too. The limits of a body are the service's own business.
"""

import asyncio
import json
import logging
import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass, replace
from http import HTTPStatus

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from services.runtime.http import upgrade
from services.runtime.http.transport import CoalescingTransport

# A head is a packet or two; TCP retransmits a lost packet after 1, 3 and 7 seconds.
HEAD_SECONDS = 10.0

# The default of nginx as well. No request to these services needs a tenth of it.
HEAD_BYTES_MAX = 32 * 1024

# Apache's limit too, here for an unfinished head. Thousands of tiny headers take forty times their size in memory.
HEADERS_MAX = 100

# Digits of a Content-Length: an exabyte. Leading zeros are allowed in any number, but nobody sends them.
LENGTH_DIGITS_MAX = 19

# uri-host [ ":" port ] of RFC 9110 section 7.2: a name, an IPv4 address or an IP literal. It may be empty.
_HOST = re.compile(rb"(?:\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9._~!$&'()*+,;=%-]{0,255})(?::[0-9]{0,5})?")

# A client that has not read a single byte of its response for so long has gone away.
UNREAD_SECONDS = 30.0

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionFault:
    """Why a connection ends before the application is called; in English, as no `Accept-Language` may have come yet."""

    slug: str
    status: HTTPStatus
    title: str
    detail: str

    @property
    def response(self) -> bytes:
        """The whole response: a problem document (RFC 9457)."""
        document = {
            "type": f"/problems/{self.slug}",
            "title": self.title,
            "status": self.status.value,
            "detail": self.detail,
        }
        body = json.dumps(document).encode()
        head = (
            f"HTTP/1.1 {self.status.value} {self.status.phrase}\r\ncontent-type: application/problem+json\r\n"
            f"content-language: en\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n"
        )
        return head.encode() + body


NOT_HTTP = ConnectionFault(
    slug="not-http",
    status=HTTPStatus.BAD_REQUEST,
    title="The request is not HTTP/1.1",
    detail="send the request line, the headers and the body as RFC 9112 says; on a TLS port, over TLS",
)
WRONG_VERSION = replace(NOT_HTTP, detail="only HTTP/1.1 and HTTP/1.0 are spoken here")
WRONG_HOST = replace(NOT_HTTP, detail="send one Host header with the name of this service (RFC 9112 section 3.2)")
WRONG_LENGTH = replace(NOT_HTTP, detail=f"send a Content-Length of at most {LENGTH_DIGITS_MAX} digits")
TOO_SLOW = ConnectionFault(
    slug="too-slow",
    status=HTTPStatus.REQUEST_TIMEOUT,
    title="The request did not arrive in time",
    detail=f"the headers took longer than {HEAD_SECONDS:g} s",
)
HEAD_TOO_LARGE = ConnectionFault(
    slug="head-too-large",
    status=HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    title="The request line and the headers are too large",
    detail=f"at most {HEAD_BYTES_MAX} bytes and {HEADERS_MAX} headers are taken before the body; send less",
)


def find_head_fault(version: str, headers: Iterable[tuple[bytes, bytes]]) -> ConnectionFault | None:
    """Return what is wrong with a head that the parser accepts: its version, `Host` or `Content-Length`."""
    if version not in ("1.1", "1.0"):
        return WRONG_VERSION
    hosts: list[bytes] = []
    for name, value in headers:
        if name == b"host":
            hosts.append(value)
        elif name == b"content-length" and len(value) > LENGTH_DIGITS_MAX:
            return WRONG_LENGTH
    # HTTP/1.0 has no Host header. Two of them, or a value that is none, may be read in two ways (RFC 9112, 3.2).
    if len(hosts) != 1 and (hosts or version == "1.1"):
        return WRONG_HOST
    if hosts and not _HOST.fullmatch(hosts[0].rstrip(b" \t")):
        return WRONG_HOST
    return None


class BadHeadError(Exception):
    """A head that the parser accepts and RFC 9112 does not; `fault` is the answer."""

    def __init__(self, fault: ConnectionFault) -> None:
        super().__init__(fault.detail)
        self.fault = fault


class HttpConnection(HttpToolsProtocol):
    """uvicorn's connection with limits. A request that arrives in one piece costs two comparisons and no timer."""

    _has_body = False
    _unreported_bytes: int = 0
    _last_data: bytes = b""
    _head_timer: asyncio.TimerHandle | None = None
    _head_bytes_left: int = HEAD_BYTES_MAX
    _unread_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Start the timer for the first head."""
        super().connection_made(CoalescingTransport(transport, self.loop))  # type: ignore[arg-type]  # has every method of a transport that uvicorn calls
        self._start_head_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        """Cancel the timers."""
        self._end_head()
        self._stop_watching_client()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Pass *data* to the parser, and limit the bytes that neither complete a head nor belong to a body."""
        # httptools parses all that it is fed before it returns. So what is longer than a head may be is fed in two
        # parts, unless it belongs to a body, which has a request in progress.
        if len(data) > self._head_bytes_left and not self._has_request_in_progress():
            self._receive_in_parts(data)
            return
        self._last_data = data
        before = self.cycle
        super().data_received(data)
        if self.cycle is before:
            self._limit_unfinished_head(len(data))
        elif self._head_timer is not None or self._unreported_bytes:
            self._end_head()

    def on_headers_complete(self) -> None:
        """Pass on the head; raise `BadHeadError`, which the parser turns into an error, if it is none of HTTP/1."""
        fault = find_head_fault(self.parser.get_http_version(), self.headers)
        if fault is not None:
            raise BadHeadError(fault)
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Pass on a part of a body; the service limits its size."""
        self._has_body = True
        super().on_body(body)

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn's text is not shown
        """Answer what cannot be parsed; only close if the client would take the answer for an earlier request's."""
        if self._has_request_in_progress() and not self.cycle.more_body:
            self.transport.close()
            return
        cause = sys.exception()
        bad_head = cause.__context__ if cause is not None else None
        self._refuse(bad_head.fault if isinstance(bad_head, BadHeadError) else NOT_HTTP)

    def _unsupported_upgrade_warning(self) -> None:
        """Ignore an offered upgrade and read on; uvicorn calls this while it handles the parser's exception."""
        _, offer, _ = sys.exc_info()
        if not isinstance(offer, httptools.HttpParserUpgrade):
            return
        self._last_data = upgrade.rebuild_head(self.headers) + self._last_data[offer.args[0] :]
        self.cycle.more_body = True
        self.cycle.message_event.clear()
        self.parser = upgrade.create_body_parser(self)
        super().data_received(self._last_data)

    def pause_writing(self) -> None:
        """Start to watch a client that reads more slowly than it is answered."""
        super().pause_writing()
        self._watch_client(self._unread_bytes())

    def resume_writing(self) -> None:
        """Stop watching a client that reads again, unless the connection is closing and only the rest must be read."""
        super().resume_writing()
        if not self.transport.is_closing():
            self._stop_watching_client()

    def timeout_keep_alive_handler(self) -> None:
        """Close an idle connection, even if its client has not read the last response."""
        self.transport.close()
        self._watch_client(self._unread_bytes())

    def _has_request_in_progress(self) -> bool:
        """Whether the application handles a request; its body may still be arriving."""
        return self.cycle is not None and not self.cycle.response_complete  # type: ignore[redundant-expr]  # None at first

    def _has_partial_head(self) -> bool:
        """Whether part of a head has arrived. If not, what arrives is the rest of a refused body."""
        return self.scope is not None and "method" not in self.scope  # type: ignore[redundant-expr]  # None at first

    def _receive_in_parts(self, data: bytes) -> None:
        limit = self._head_bytes_left
        self.data_received(data[:limit])
        if not self.transport.is_closing():
            self.data_received(data[limit:])

    def _limit_unfinished_head(self, size: int) -> None:
        if self.transport.is_closing():
            return
        if self._head_timer is None and not self._has_request_in_progress():
            self._start_head_timer()
        if self._has_partial_head() and not self._has_request_in_progress():
            self._head_bytes_left -= size
            if self._head_bytes_left <= 0 or len(self.headers) > HEADERS_MAX:
                self._refuse(HEAD_TOO_LARGE)
            return
        # A trailer, a chunk extension or a pipelined head: the parser stores such bytes and reports nothing of them.
        self._unreported_bytes = 0 if self._has_body else self._unreported_bytes + size
        self._has_body = False
        if self._unreported_bytes > HEAD_BYTES_MAX:
            self.transport.abort()

    def _start_head_timer(self) -> None:
        self._head_timer = self.loop.call_later(HEAD_SECONDS, self._on_head_timeout)

    def _end_head(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None
        self._head_bytes_left = HEAD_BYTES_MAX
        self._unreported_bytes = 0

    def _on_head_timeout(self) -> None:
        if self._has_partial_head():
            self._refuse(TOO_SLOW)
        else:
            self.transport.close()

    def _refuse(self, fault: ConnectionFault) -> None:
        log.info(
            "a request was refused before its head was complete",
            extra={"action": "connection_refused", "fault": fault.slug},
        )
        self.transport.write(fault.response)
        self.transport.close()

    def _watch_client(self, unread: int) -> None:
        self._stop_watching_client()
        if unread:
            self._unread_timer = self.loop.call_later(UNREAD_SECONDS, self._on_unread_timeout, unread)

    def _on_unread_timeout(self, before: int) -> None:
        now = self._unread_bytes()
        if now >= before:
            self.transport.abort()
        else:
            self._watch_client(now)

    def _stop_watching_client(self) -> None:
        if self._unread_timer is not None:
            self._unread_timer.cancel()
            self._unread_timer = None

    def _unread_bytes(self) -> int:
        """Return how many bytes of responses the client has not read."""
        return self.transport.get_write_buffer_size()
