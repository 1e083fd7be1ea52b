"""A mail server that takes so many mails a minute of the steered clock, and says `450 4.7.1` to the rest."""

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from services.runtime.clock import Clock

_MINUTE = timedelta(minutes=1)


@dataclass
class SlowRelay:
    """Counts in `offered` how often a mail was offered, and in `taken` how often it was taken, by its recipient.

    The limit holds for any minute, as in Postfix's anvil(8), not for each minute of the clock.
    """

    clock: Clock
    per_minute: int
    offered: Counter[str] = field(default_factory=Counter)
    taken: Counter[str] = field(default_factory=Counter)
    _lately: deque[datetime] = field(default_factory=deque)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Speak SMTP until the client goes."""
        try:
            await self._speak(reader, writer)
        finally:
            writer.close()

    async def _speak(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 slow\r\n")
        recipient = ""
        while line := await reader.readline():
            match line[:4].upper():
                case b"EHLO":
                    writer.write(b"250-slow\r\n250-PIPELINING\r\n250 ENHANCEDSTATUSCODES\r\n")
                case b"RCPT":
                    recipient = line.decode().partition("<")[2].partition(">")[0]
                    self.offered[recipient] += 1
                    is_taken = self._has_room()
                    writer.write(b"250 2.1.5 ok\r\n" if is_taken else b"450 4.7.1 too much mail\r\n")
                    recipient = recipient if is_taken else ""
                case b"DATA" if not recipient:
                    writer.write(b"503 5.5.1 no recipient\r\n")
                case b"DATA":
                    writer.write(b"354 go on\r\n")
                    await reader.readuntil(b"\r\n.\r\n")
                    self.taken[recipient] += 1
                    writer.write(b"250 2.0.0 ok\r\n")
                case _:
                    writer.write(b"250 2.0.0 ok\r\n")
            await writer.drain()

    def _has_room(self) -> bool:
        now = self.clock.now()
        while self._lately and now - self._lately[0] >= _MINUTE:
            self._lately.popleft()
        if len(self._lately) >= self.per_minute:
            return False
        self._lately.append(now)
        return True


@asynccontextmanager
async def open_relay(relay: SlowRelay) -> AsyncIterator[int]:
    """Let *relay* listen, and yield its port."""
    sessions: set[asyncio.Task[None]] = set()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        session = asyncio.create_task(relay.serve(reader, writer))
        # A session that is cancelled before it begins closes nothing itself.
        session.add_done_callback(lambda _: writer.close())
        sessions.add(session)

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]
        for session in sessions:
            session.cancel()
        await asyncio.gather(*sessions, return_exceptions=True)
