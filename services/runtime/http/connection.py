"""One client's connection, which may hold nothing for ever that it never uses.

uvicorn bounds a connection between two requests and leaves the rest to the application, which first hears of a request
when its head is whole. Here a head comes within a time and a size, or the connection ends; so does one whose client
reads nothing of its answer. It knows nothing of what is asked: how long a body may take and how large it may be is
for the service to say.
"""

import asyncio
import json
import logging
import sys
from dataclasses import dataclass
from http import HTTPStatus

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from services.runtime.http import upgrade
from services.runtime.http.transport import CoalescingTransport

HEAD_SECONDS = 10.0
"""A head is a packet or two; TCP sends a lost one again after 1, 3 and 7 seconds."""

HEAD_BYTES_MAX = 32 * 1024
"""What nginx takes by default, too. Nothing that is sent here needs a tenth of it."""

HEADERS_MAX = 100
"""Of an unfinished head, as in Apache: thousands of tiny ones would take forty times their size in memory."""

READING_SECONDS = 30.0
"""A client that has read not one byte of its answer for so long is not there any more."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionFault:
    """Why a connection ends before anything of its request was heard. Nobody can know the client's language yet."""

    slug: str
    status: HTTPStatus
    title: str
    detail: str

    @property
    def answer(self) -> bytes:
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


class HttpConnection(HttpToolsProtocol):
    """uvicorn's connection with bounds. A request that comes in one piece costs two comparisons and no timer."""

    _has_body = False
    _unheard: int = 0
    _fed: bytes = b""
    _head_timer: asyncio.TimerHandle | None = None
    _head_room: int = HEAD_BYTES_MAX
    _reading_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Give the first head its time."""
        super().connection_made(CoalescingTransport(transport, self.loop))  # type: ignore[arg-type]  # a transport in all it is asked
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Let go of the timers."""
        self._head_is_whole()
        self._stop_watching()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Hand *data* to the parser; what completes no head, and is no body, may not go on for ever."""
        if len(data) > self._head_room and not self._is_at_work():
            self._received_in_parts(data)
            return
        self._fed = data
        before = self.cycle
        super().data_received(data)
        if self.cycle is before:
            self._received_no_head(len(data))
        elif self._head_timer is not None or self._unheard:
            self._head_is_whole()

    def on_body(self, body: bytes) -> None:
        """Pass on a part of a body, which is for the service to bound."""
        self._has_body = True
        super().on_body(body)

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn's words for it
        """Answer what cannot be parsed; say nothing where it would pass for the answer to a request before it."""
        if self._is_at_work() and not self.cycle.more_body:
            self.transport.close()
            return
        self._refuse(NOT_HTTP)

    def _unsupported_upgrade_warning(self) -> None:
        """Go on without the upgrade that was offered; uvicorn calls this while it handles the parser's exception."""
        _, offer, _ = sys.exc_info()
        if not isinstance(offer, httptools.HttpParserUpgrade):
            return
        self._fed = upgrade.rebuild_head(self.headers) + self._fed[offer.args[0] :]
        self.cycle.more_body = True
        self.cycle.message_event.clear()
        self.parser = upgrade.create_body_parser(self)
        super().data_received(self._fed)

    def pause_writing(self) -> None:
        """Watch a client that does not read as fast as it is answered."""
        super().pause_writing()
        self._watch_reading(self._unread())

    def resume_writing(self) -> None:
        """Stop watching a client that reads again, unless all that is awaited of it is that it takes the rest."""
        super().resume_writing()
        if not self.transport.is_closing():
            self._stop_watching()

    def timeout_keep_alive_handler(self) -> None:
        """End a connection that nothing was asked on, even if its client left its last answer unread."""
        self.transport.close()
        self._watch_reading(self._unread())

    def _is_at_work(self) -> bool:
        """Whether a request is being worked on, its body perhaps still to come."""
        return self.cycle is not None and not self.cycle.response_complete  # type: ignore[redundant-expr]  # None at first

    def _has_begun_head(self) -> bool:
        """Whether part of a head is here. Otherwise what comes is nothing, or the rest of a body that was refused."""
        return self.scope is not None and "method" not in self.scope  # type: ignore[redundant-expr]  # None at first

    def _received_in_parts(self, data: bytes) -> None:
        room = self._head_room
        self.data_received(data[:room])
        if not self.transport.is_closing():
            self.data_received(data[room:])

    def _received_no_head(self, size: int) -> None:
        if self.transport.is_closing():
            return
        if self._head_timer is None and not self._is_at_work():
            self._await_head()
        if self._has_begun_head() and not self._is_at_work():
            self._head_room -= size
            if self._head_room <= 0 or len(self.headers) > HEADERS_MAX:
                self._refuse(HEAD_TOO_LARGE)
            return
        # A trailer, an extension of a chunk, a head before its turn: the parser keeps them, and nobody hears of them.
        self._unheard = 0 if self._has_body else self._unheard + size
        self._has_body = False
        if self._unheard > HEAD_BYTES_MAX:
            self.transport.abort()

    def _await_head(self) -> None:
        self._head_timer = self.loop.call_later(HEAD_SECONDS, self._on_late_head)

    def _head_is_whole(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None
        self._head_room = HEAD_BYTES_MAX
        self._unheard = 0

    def _on_late_head(self) -> None:
        if self._has_begun_head():
            self._refuse(TOO_SLOW)
        else:
            self.transport.close()

    def _refuse(self, fault: ConnectionFault) -> None:
        log.info("a connection was ended", extra={"action": "connection_refused", "fault": fault.slug})
        self.transport.write(fault.answer)
        self.transport.close()

    def _watch_reading(self, unread: int) -> None:
        self._stop_watching()
        if unread:
            self._reading_timer = self.loop.call_later(READING_SECONDS, self._on_unread, unread)

    def _on_unread(self, before: int) -> None:
        now = self._unread()
        if now >= before:
            self.transport.abort()
        else:
            self._watch_reading(now)

    def _stop_watching(self) -> None:
        if self._reading_timer is not None:
            self._reading_timer.cancel()
            self._reading_timer = None

    def _unread(self) -> int:
        """Bytes of answers that the client has not taken."""
        return self.transport.get_write_buffer_size()
