"""A transport that sends everything written in one iteration of the event loop with one system call."""

import asyncio
from typing import Any


class CoalescingTransport:
    """Wraps a transport and joins the writes of one iteration of the event loop: the head and the body of a response.

    uvicorn writes the two separately; each write costs a system call here and wakes the client there.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._pending: list[bytes] = []

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever else a transport can do
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Write *data* in the next iteration of the event loop."""
        if not self._pending:
            self._loop.call_soon(self._flush)
        self._pending.append(data)

    def close(self) -> None:
        """Write the pending data, then close."""
        self._flush()
        self._transport.close()

    def _flush(self) -> None:
        pending, self._pending = self._pending, []
        if pending and not self._transport.is_closing():
            self._transport.write(b"".join(pending))
