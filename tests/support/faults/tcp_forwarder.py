"""A way to a server that is slow, or falls silent without closing anything, as firewalls and hung machines do."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from deploy.local.process.ports import LOOPBACK

_CHUNK_BYTES = 64 * 1024
_KEPT_BYTES = 16


@dataclass(eq=False, slots=True)
class _Flow:
    """One connection, and whether what comes on it is still passed on."""

    is_forgotten: bool = False


@dataclass(slots=True, kw_only=True)
class TcpForwarder:
    """Forwards each connection to *upstream_port*, and every answer *delay_seconds* later.

    `sent` is what clients have sent: when, by the monotonic clock, and how it begins. While it `is_mute` no answer is
    passed on.
    """

    upstream_port: int
    delay_seconds: float = 0.0
    port: int = 0
    is_mute: bool = False
    accepted: int = 0
    sent: list[tuple[float, bytes]] = field(default_factory=list)
    _flows: set[_Flow] = field(default_factory=set)

    def forget_flows(self) -> int:
        """Pass on nothing more on the connections that are open, and close none; return how many those are."""
        known = [one for one in self._flows if not one.is_forgotten]
        for one in known:
            one.is_forgotten = True
        return len(known)

    async def forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Forward one connection until either side closes it."""
        self.accepted += 1
        flow = _Flow()
        self._flows.add(flow)
        upstream_reader, upstream_writer = await asyncio.open_connection(LOOPBACK, self.upstream_port)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._pump(flow, reader, upstream_writer))
                group.create_task(self._pump(flow, upstream_reader, writer, are_answers=True))
        except* ConnectionError:
            pass  # one side has reset it
        finally:
            self._flows.discard(flow)
            ends = (writer, upstream_writer)
            for one in ends:
                one.transport.abort()
            await asyncio.gather(*(one.wait_closed() for one in ends), return_exceptions=True)

    async def _pump(
        self, flow: _Flow, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, are_answers: bool = False
    ) -> None:
        while chunk := await reader.read(_CHUNK_BYTES):
            if not are_answers:
                self.sent.append((time.monotonic(), chunk[:_KEPT_BYTES]))
            elif self.delay_seconds:
                await asyncio.sleep(self.delay_seconds)
            if not flow.is_forgotten and not (are_answers and self.is_mute):
                writer.write(chunk)
        if not flow.is_forgotten:
            writer.close()


@asynccontextmanager
async def open_forwarder(upstream_port: int, *, delay_seconds: float = 0.0) -> AsyncIterator[TcpForwarder]:
    """Yield a forwarder to *upstream_port* that listens on its `port`."""
    forwarder = TcpForwarder(upstream_port=upstream_port, delay_seconds=delay_seconds)
    connections: set[asyncio.Task[None]] = set()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(forwarder.forward(reader, writer))
        connections.add(task)
        task.add_done_callback(connections.discard)
        # A task that is cancelled before it begins closes nothing itself.
        task.add_done_callback(lambda _: writer.close())

    server = await asyncio.start_server(accept, LOOPBACK, 0)
    async with server:
        forwarder.port = server.sockets[0].getsockname()[1]
        yield forwarder
        for task in list(connections):
            task.cancel()
        await asyncio.gather(*connections, return_exceptions=True)
