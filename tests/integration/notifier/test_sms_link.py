"""An SMS is never sent into a session that is dead, and a centre that speaks oddly is answered correctly."""

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from schemas.events.deliveries import AttemptOutcome
from services.notifier.channels.message_channel import OutgoingMessage
from services.notifier.channels.smpp_session import SmsCentre
from services.notifier.channels.sms_smpp import SmppOptions, SmsChannel
from services.notifier.core.dispatch.receipts import DeliveryReceipt
from services.notifier.core.rendering.render import RenderedMessage
from tests.support.assertions.eventually import eventually
from tests.support.clients.notifier import NOON

SUBMIT, DELIVER, ENQUIRE, BIND, UNBIND, RESPONSE = 0x04, 0x05, 0x15, 0x09, 0x06, 0x80000000
IDLE_SECONDS = 0.3
MESSAGE = OutgoingMessage(
    id="ab" * 32,
    address="+84912345678",
    message_id="",
    language="vi",
    content=RenderedMessage(subject=None, body="Nhac han", html=None, segments=1),
    at=NOON,
)


@dataclass
class Centre:
    """A centre that answers every request, until it is told to keep silent. It counts what it was asked."""

    is_silent: bool = False
    refused_status: int = 0
    asked: list[int] = field(default_factory=list)
    answered: list[int] = field(default_factory=list)
    binds: int = 0
    writer: asyncio.StreamWriter | None = None
    number: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one session until it is closed."""
        self.writer = writer
        try:
            while True:
                length, command, status, sequence = struct.unpack(">IIII", await reader.readexactly(16))
                await reader.readexactly(length - 16)
                if command & RESPONSE:
                    self.answered.append(status)
                    continue
                self.asked.append(command)
                self.binds += command == BIND
                if not self.is_silent:
                    self._answer(command, sequence)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    def deliver(self, text: bytes) -> None:
        """Send a receipt with that text."""
        assert self.writer is not None
        body = b"\0" * 7 + b"\x04" + b"\0" * 8 + bytes((len(text),)) + text
        self.writer.write(struct.pack(">IIII", 16 + len(body), DELIVER, 0, 1) + body)

    def _answer(self, command: int, sequence: int) -> None:
        assert self.writer is not None
        self.number += 1
        body = f"{self.number:04d}".encode() + b"\0" if command in {SUBMIT, BIND} else b""
        status = self.refused_status if command == SUBMIT else 0
        self.writer.write(struct.pack(">IIII", 16 + len(body), command | RESPONSE, status, sequence) + body)


@dataclass
class Link:
    """A channel, the centre at its other end, and the receipts that it understood or did not."""

    channel: SmsChannel
    centre: Centre
    receipts: list[DeliveryReceipt] = field(default_factory=list)
    unreadable: list[bool] = field(default_factory=list)


@asynccontextmanager
async def open_link(centre: Centre) -> AsyncIterator[Link]:
    """Start the centre and a channel to it."""
    server = await asyncio.start_server(centre.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    settings = SmsCentre(
        host="127.0.0.1",
        port=port,
        system_id="dondoc",
        password="dondoc",
        sender="DONDOC",
        timeout_seconds=IDLE_SECONDS,
        enquire_seconds=IDLE_SECONDS,
    )
    received: list[DeliveryReceipt] = []
    unreadable: list[bool] = []

    async def take_receipt(receipt: DeliveryReceipt) -> None:
        received.append(receipt)

    channel = SmsChannel(
        settings, SmppOptions(), on_receipt=take_receipt, on_unreadable=lambda: unreadable.append(True)
    )
    channel.start()
    try:
        yield Link(channel, centre, received, unreadable)
    finally:
        await channel.close()
        server.close()


async def test_an_idle_link_is_asked_whether_it_stands() -> None:
    """Without traffic the centre gets an `enquire_link` again and again."""
    async with open_link(Centre()) as link:
        await link.channel.send(MESSAGE)
        await asyncio.sleep(4 * IDLE_SECONDS)
        assert link.centre.asked.count(ENQUIRE) >= 2
        assert link.centre.binds == 1


async def test_an_sms_after_a_silence_is_not_sent_into_a_dead_session() -> None:
    """The centre stops answering without closing: no `submit_sm` is risked, and the SMS may be tried again."""
    async with open_link(Centre()) as link:
        assert (await link.channel.send(MESSAGE)).outcome is AttemptOutcome.ACCEPTED
        link.centre.is_silent = True
        await asyncio.sleep(IDLE_SECONDS)
        result = await link.channel.send(MESSAGE)
        assert (result.outcome, link.centre.asked.count(SUBMIT)) == (AttemptOutcome.TECHNICAL_FAILURE, 1)
        link.centre.is_silent = False
        assert (await link.channel.send(MESSAGE)).outcome is AttemptOutcome.ACCEPTED
        assert link.centre.binds >= 2


async def test_an_unanswered_sms_alone_is_unknown() -> None:
    """Of those on the wire nobody knows; the link was alive when they went out."""
    async with open_link(Centre()) as link:
        await link.channel.send(MESSAGE)
        link.centre.is_silent = True
        assert (await link.channel.send(MESSAGE)).outcome is AttemptOutcome.UNKNOWN


@pytest.mark.parametrize(
    ("text", "understood", "unreadable"),
    [(b"STAT:DELIVRD ID:0002", 1, 0), (b"id:0002 stat:??", 0, 1), (b"", 0, 1)],
    ids=["in another order", "an unknown state", "empty"],
)
async def test_a_receipt_is_answered_whatever_it_says(text: bytes, understood: int, unreadable: int) -> None:
    """One that is not understood is counted, and answered like any other, or the centre would send it for ever."""
    async with open_link(Centre()) as link:
        await link.channel.send(MESSAGE)
        link.centre.deliver(text)
        await eventually(lambda: link.centre.answered, "an answer to the receipt")
        assert (len(link.receipts), len(link.unreadable), link.centre.answered) == (understood, unreadable, [0])


async def test_a_centre_that_throttles_is_busy() -> None:
    """0x58 spends nothing and slows the route down."""
    async with open_link(Centre(refused_status=0x58)) as link:
        result = await link.channel.send(MESSAGE)
        assert result.refusal is not None
        assert (result.outcome, result.refusal.fault.value) == (AttemptOutcome.TEMPORARY_FAILURE, "busy")
