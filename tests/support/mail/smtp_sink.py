"""A mail server that accepts every mail and discards it, for benchmarks.

Use: `python -m tests.support.mail.smtp_sink PORT`.

The local stack's server writes each mail to disk before it answers; here the sender alone should be the bottleneck.
"""

import asyncio
import socket
import sys

END = b"\r\n.\r\n"
GREETING = b"220 sink\r\n"
EHLO = b"250-sink\r\n250-PIPELINING\r\n250 8BITMIME\r\n"  # as Postfix and most others offer it
OK = b"250 ok\r\n"
GO_ON = b"354 go on\r\n"
BYE = b"221 bye\r\n"


class Sink(asyncio.Protocol):
    """One session."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._received = bytearray()
        self._is_mail = False
        transport.write(GREETING)

    def data_received(self, data: bytes) -> None:
        self._received += data
        while unit := self._next_unit():
            self._answer(unit)

    def _next_unit(self) -> bytes:
        """Return a command line, or a whole mail after DATA; nothing while it is incomplete."""
        end = END if self._is_mail else b"\r\n"
        head, found, rest = self._received.partition(end)
        if not found:
            return b""
        self._received = rest
        return bytes(head + found)

    def _answer(self, unit: bytes) -> None:
        if self._is_mail:
            self._is_mail = False
            self._transport.write(OK)
            return
        match unit[:4].upper():
            case b"EHLO":
                self._transport.write(EHLO)
            case b"DATA":
                self._is_mail = True
                self._transport.write(GO_ON)
            case b"QUIT":
                self._transport.write(BYE)
                self._transport.close()
            case _:
                self._transport.write(OK)


def is_listening(port: int) -> bool:
    """Whether something listens on *port*."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1.0):
            return True
    except OSError:
        return False


async def serve(port: int) -> None:
    """Listen until killed."""
    server = await asyncio.get_running_loop().create_server(Sink, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
