"""A mail server that lies: what it says out of step with what it was asked, and what becomes of the next mail."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import pytest

from schemas.events.deliveries import AttemptOutcome
from services.notifier.channels.email import EmailChannel
from services.notifier.channels.message_channel import OutgoingMessage, SendResult
from services.notifier.channels.smtp_session import SmtpServer
from services.notifier.core.rendering.render import RenderedMessage

FIRST, SECOND = "mot@x.example", "hai@x.example"
PATIENT_SECONDS, IMPATIENT_SECONDS = 20.0, 1.0
USUAL = {"MAIL": b"250 ok\r\n", "RCPT": b"250 ok\r\n", "DATA": b"354 go on\r\n", "MESSAGE": b"250 ok\r\n"}


@dataclass(kw_only=True)
class Lie:
    """What the server says at one step of its first mail, after how long, and whether it then hangs up."""

    step: str
    says: bytes
    after_seconds: float = 0.0
    hangs_up: bool = False


@dataclass(kw_only=True)
class LyingRelay:
    """Speaks SMTP, lies once, and keeps every mail that it read to the end, with the recipient that was named last."""

    lie: Lie
    offer: str
    taken: list[tuple[str, bytes]] = field(default_factory=list)
    has_lied: bool = False

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        try:
            await self._speak(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _speak(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 liar\r\n")
        recipient = ""
        while line := await reader.readline():
            step = line[:4].decode().upper()
            if step == "EHLO":
                writer.write(f"250-liar\r\n250 {self.offer}\r\n".encode())
                continue
            if step == "RCPT":
                recipient = line.decode().partition("<")[2].partition(">")[0]
            if not await self._answer(step, writer):
                return
            if step == "DATA":
                content = await reader.readuntil(b"\r\n.\r\n")
                self.taken.append((recipient, content))
                if not await self._answer("MESSAGE", writer):
                    return

    async def _answer(self, step: str, writer: asyncio.StreamWriter) -> bool:
        """Say what there is to say at *step*; return whether the connection goes on."""
        if step != self.lie.step or self.has_lied:
            writer.write(USUAL.get(step, b"250 ok\r\n"))
            return True
        self.has_lied = True
        await asyncio.sleep(self.lie.after_seconds)
        writer.write(self.lie.says)
        await writer.drain()
        return not self.lie.hangs_up


def a_message(recipient: str) -> OutgoingMessage:
    """Return a mail that is known by its recipient."""
    content = RenderedMessage(subject="Nhắc", body=f"to {recipient}", html=f"<p>{recipient}</p>", segments=None)
    return OutgoingMessage(
        id=recipient.encode().hex().ljust(64, "0"),
        address=recipient,
        message_id=f"<{recipient}>",
        language="vi",
        content=content,
        at=datetime(2026, 12, 3, tzinfo=UTC),
    )


@asynccontextmanager
async def open_channel(relay: LyingRelay) -> AsyncIterator[EmailChannel]:
    """Yield a channel with one connection to *relay*."""
    server = await asyncio.start_server(relay.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    at = SmtpServer(
        host="127.0.0.1",
        port=port,
        user=None,
        password=None,
        security="none",
        ca_file=None,
        timeout_seconds=IMPATIENT_SECONDS if relay.lie.after_seconds else PATIENT_SECONDS,
        sender="don-doc@dondoc.example",
        sender_name="Đôn Đốc",
    )
    channel = EmailChannel(at, connections=1)
    try:
        yield channel
    finally:
        await channel.close()
        server.close()


async def send_two(relay: LyingRelay) -> tuple[SendResult, SendResult]:
    """Send two mails one after the other on one connection, as far as the relay keeps it."""
    async with open_channel(relay) as channel:
        return await channel.send(a_message(FIRST)), await channel.send(a_message(SECOND))


LIES = {
    "takes it and hangs up": (Lie(step="MESSAGE", says=b"250 ok\r\n", hangs_up=True), AttemptOutcome.ACCEPTED),
    "takes it twice": (Lie(step="MESSAGE", says=b"250 ok\r\n250 ok\r\n"), AttemptOutcome.ACCEPTED),
    "takes it too late": (
        Lie(step="MESSAGE", says=b"250 ok\r\n", after_seconds=2 * IMPATIENT_SECONDS),
        AttemptOutcome.UNKNOWN,
    ),
    "says nothing of SMTP": (Lie(step="MESSAGE", says=b"hello there\r\n"), AttemptOutcome.UNKNOWN),
    "changes its mind": (Lie(step="MESSAGE", says=b"250-ok\r\n550 no\r\n"), AttemptOutcome.UNKNOWN),
    "asks for more": (Lie(step="MESSAGE", says=b"354 go on\r\n"), AttemptOutcome.UNKNOWN),
    "never comes to the point": (Lie(step="MESSAGE", says=b"250-ok\r\n" * 20_000), AttemptOutcome.UNKNOWN),
    "breaks off its answer": (Lie(step="MESSAGE", says=b"250-o", hangs_up=True), AttemptOutcome.UNKNOWN),
    "junk after the recipient": (Lie(step="RCPT", says=b"250-ok\r\nnonsense\r\n"), AttemptOutcome.TECHNICAL_FAILURE),
    "takes what it has not got": (Lie(step="DATA", says=b"250 ok\r\n"), AttemptOutcome.TECHNICAL_FAILURE),
    "refuses and takes": (Lie(step="RCPT", says=b"550 5.1.1 no\r\n250 ok\r\n"), None),
}


@pytest.mark.parametrize("offer", ["PIPELINING", "8BITMIME"])
@pytest.mark.parametrize("name", LIES)
async def test_a_lie_costs_its_own_mail_at_most_and_never_mixes_two(name: str, offer: str) -> None:
    """The outcome claims no more than is known, an accepted mail is with the server, and the next one arrives whole."""
    lie, outcome = LIES[name]
    relay = LyingRelay(lie=replace(lie), offer=offer)
    first, second = await send_two(relay)
    if outcome is not None:
        assert first.outcome is outcome
    if first.outcome is AttemptOutcome.ACCEPTED:
        assert relay.taken[0][0] == FIRST
    assert second.outcome is AttemptOutcome.ACCEPTED
    mails = [content for recipient, content in relay.taken if recipient == SECOND and b"Message-ID" in content]
    assert len(mails) == 1
    assert f"Message-ID: <{SECOND}>".encode() in mails[0]
    assert not any(word in content for _, content in relay.taken for word in (b"MAIL FROM", b"RSET", b"RCPT TO"))
