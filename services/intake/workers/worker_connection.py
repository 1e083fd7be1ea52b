"""The line to one clerk: errands out, gathered a turn of the loop; their ends back; what the clerk was told already.

Whoever waits on a line that breaks gets nothing, and does the errand without a clerk.
"""

import asyncio
from itertools import count
from typing import NamedTuple

import msgspec

from services.intake.cloudevents.http_binding import ContentMode
from services.intake.cloudevents.pipeline import Handed, Issued
from services.intake.core.scopes import KeyScope
from services.intake.workers import protocol
from services.intake.workers.protocol import Done, Errand, Granted, Inbox, Papers, Told
from services.intake.workers.shared_memory import Laid, Trays

_DECODER = msgspec.msgpack.Decoder(Done)


class _Awaited(NamedTuple):
    """An errand that is under way: who waits for its end, how long its body is, and where that lies if in a tray."""

    ended: asyncio.Future[Issued | None]
    size: int
    laid: Laid | None


class Line(asyncio.Protocol):
    """One clerk as the event loop sees it, and the trays that go to and fro."""

    def __init__(self, loop: asyncio.AbstractEventLoop, trays: Trays) -> None:
        self._loop = loop
        self._trays = trays
        self.is_open = loop.create_future()
        self.has_ended = loop.create_future()
        self.waiting_bytes = 0
        self._transport: asyncio.WriteTransport | None = None
        self._inbox = Inbox()
        self._outbox = bytearray()
        self._numbers = count(1)
        self._waiting: dict[int, _Awaited] = {}
        self._scopes: dict[KeyScope, int] = {}
        self._papers: Papers | None = None
        self._heard_at = loop.time()

    def ask(self, handed: Handed, papers: Papers) -> asyncio.Future[Issued | None]:
        """Send an errand, with what the clerk must know first; the future tells its end, nothing if the line breaks."""
        ended: asyncio.Future[Issued | None] = self._loop.create_future()
        if self.has_ended.done():  # whoever offers this line may not have heard of it yet
            ended.set_result(None)
            return ended
        if self._papers is not papers:
            self._send(papers)
            self._papers = papers
        number = next(self._numbers)
        laid = self._trays.lay(handed.body)
        self._send(
            Errand(
                number=number,
                scope=self._number_of(handed.scope),
                mode=handed.mode,
                headers=tuple(handed.headers) if handed.mode is ContentMode.BINARY else (),
                body=laid or handed.body,
                receivedtime=handed.receivedtime,
            )
        )
        if not self._waiting:
            self._heard_at = self._loop.time()
        self._waiting[number] = _Awaited(ended, len(handed.body), laid)
        self.waiting_bytes += len(handed.body)
        return ended

    def is_stuck(self, seconds: float) -> bool:
        """Whether the clerk owes an answer and has said nothing for *seconds*."""
        return bool(self._waiting) and self._loop.time() - self._heard_at > seconds

    def hang_up(self) -> None:
        """End the line at once; whoever waits is told on the next turn of the loop."""
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.WriteTransport) -> None:  # type: ignore[override]  # the one of a socket
        """Keep the way to the clerk."""
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Wake whoever waits for what is done."""
        self._heard_at = self._loop.time()
        for content in self._inbox.take(data):
            done = _DECODER.decode(content)
            if done.number == 0:
                self.is_open.set_result(None)
                continue
            ended, size, laid = self._waiting.pop(done.number)
            self.waiting_bytes -= size
            issued = protocol.unpacked(self._trays.content(done.laid)) if done.laid else done.issued
            if laid is not None:
                self._trays.give_back(laid)
            _tell(ended, issued)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - it has ended, whatever for
        """Tell everybody who waits that nothing comes."""
        for awaited in self._waiting.values():
            _tell(awaited.ended, None)
        self._waiting.clear()
        self.has_ended.set_result(None)

    def _number_of(self, scope: KeyScope) -> int:
        number = self._scopes.get(scope)
        if number is None:
            number = self._scopes[scope] = len(self._scopes)
            self._send(Granted(number, scope))
        return number

    def _send(self, told: Told) -> None:
        if not self._outbox:
            self._loop.call_soon(self._flush)
        protocol.add(told, self._outbox)

    def _flush(self) -> None:
        outbox, self._outbox = self._outbox, bytearray()
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(outbox)


def _tell(ended: asyncio.Future[Issued | None], issued: Issued | None) -> None:
    if not ended.done():  # else its client has gone
        ended.set_result(issued)
