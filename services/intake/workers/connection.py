"""One end of the socket pair between the main process and a worker: messages in, messages out."""

import asyncio
from collections.abc import Callable
from typing import Generic, TypeVar

import msgspec

from services.intake.workers import protocol
from services.intake.workers.protocol import FromMain, FromWorker, MessageSplitter

Received = TypeVar("Received", bound=FromMain | FromWorker)


class MessageConnection(asyncio.Protocol, Generic[Received]):
    """Decodes what arrives for *on_message*; collects what is sent in one turn of the loop into one write."""

    def __init__(self, decoder: "msgspec.msgpack.Decoder[Received]", on_message: Callable[[Received], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._decoder = decoder
        self._on_message = on_message
        self._splitter = MessageSplitter()
        self._outbox = bytearray()
        self._transport: asyncio.WriteTransport | None = None
        self.closed: asyncio.Future[None] = self._loop.create_future()
        """Done once the other process or the socket is gone."""
        self.received_at = self._loop.time()
        """When the other process was last heard of, by the clock of the loop."""

    def send(self, message: FromMain | FromWorker) -> None:
        """Send *message* at the end of this turn of the loop; a connection that is closed drops it."""
        # A worker under load sends many messages in one turn of the loop; one write and one system call carry them all.
        if not self._outbox:
            self._loop.call_soon(self._flush)
        protocol.write_message(message, self._outbox)

    def abort(self) -> None:
        """Close the connection at once, without sending the rest."""
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.WriteTransport) -> None:  # type: ignore[override]  # the one of a socket
        """Keep the transport."""
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Handle every message that is complete."""
        self.received_at = self._loop.time()
        for content in self._splitter.feed(data):
            self._on_message(self._decoder.decode(content))

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the end is the same for every reason
        """Tell those who wait for the end."""
        self._transport = None
        self.closed.set_result(None)

    def _flush(self) -> None:
        outbox, self._outbox = self._outbox, bytearray()
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(outbox)
