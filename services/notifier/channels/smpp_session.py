"""One SMPP 3.4 session with an SMS centre: binds, submits within a sliding window, answers, and watches over the link.

A link that carries nothing for a while may be dead without a sign: firewalls forget idle connections. So the session
asks (`enquire_link`) at least every 30 seconds, and before the first submission after 10 idle seconds. An answer that
stays away ends the session, before an SMS is risked on it. It does not know what a message is about.
"""

import asyncio
import contextlib
import logging
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal

from services.notifier.channels import smpp_pdu
from services.notifier.channels.smpp_pdu import DeliveredSms, MalformedSmppError, SmppPdu, SmsPart

NOT_SENT = -1  # our own status: the session broke before this part was written to the socket
ENQUIRE_SECONDS = 30.0
_FRESH_SECONDS = 10.0  # at most so long after the centre was heard the link is believed to stand
_TRY_AGAIN = 0x64  # ESME_RX_T_APPN: the centre keeps the receipt and sends it again
_INVALID_COMMAND = 0x03
_UNBIND_SECONDS = 2.0

Bind = Literal["transceiver", "transmitter", "receiver"]
_COMMANDS: dict[Bind, int] = {
    "transceiver": smpp_pdu.BIND_TRANSCEIVER,
    "transmitter": smpp_pdu.BIND_TRANSMITTER,
    "receiver": smpp_pdu.BIND_RECEIVER,
}

# Handles what the centre delivers; returns whether it was stored. Otherwise the centre sends it again.
OnDelivered = Callable[[DeliveredSms], Awaitable[bool]]

log = logging.getLogger(__name__)


class SessionBrokenError(Exception):
    """The session with the SMS centre broke, or could not be opened. `status` is the centre's refusal of the bind."""

    def __init__(self, reason: str, status: int | None = None) -> None:
        super().__init__(reason)
        self.status = status


@dataclass(frozen=True, slots=True, kw_only=True)
class SmsCentre:
    """The SMS centre, and the sender name under which SMS go out (a brand name has at most 11 letters)."""

    host: str
    port: int
    system_id: str
    password: str
    sender: str
    timeout_seconds: float
    window: int = 32
    validity_hours: int = 24
    enquire_seconds: float = ENQUIRE_SECONDS


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitResult:
    """The centre's answer about one part: its status (0 means accepted) and, if accepted, the centre's id for it."""

    status: int
    provider_id: str = ""


class SmppSession:
    """A bound session. After it has ended (`is_bound` is false) another one has to be opened."""

    def __init__(self, centre: SmsCentre, bind: Bind, on_delivered: OnDelivered) -> None:
        self._centre = centre
        self._bind: Bind = bind
        self._on_delivered = on_delivered
        self._window = asyncio.Semaphore(centre.window)
        self._pending: dict[int, asyncio.Future[SmppPdu]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._sequence = 0
        self._heard_at = 0.0
        self._enquiry: asyncio.Future[bool] | None = None
        self._writer: asyncio.StreamWriter | None = None
        self.ended = asyncio.Event()

    @property
    def is_bound(self) -> bool:
        return self._writer is not None and not self.ended.is_set()

    async def open(self) -> None:
        """Connect and bind; raise `SessionBrokenError` if the centre refuses or does not answer."""
        centre = self._centre
        try:
            async with asyncio.timeout(centre.timeout_seconds):
                reader, self._writer = await asyncio.open_connection(centre.host, centre.port)
            self._writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            self._start(self._read(reader))
            answer = await self._request(_COMMANDS[self._bind], smpp_pdu.encode_bind(centre.system_id, centre.password))
        except (OSError, TimeoutError) as cause:
            self._end()
            raise SessionBrokenError(type(cause).__name__) from cause
        except BaseException:
            self._end()
            raise
        if answer.status:
            self._end()
            raise SessionBrokenError(f"bind {answer.status:#x}", answer.status)
        self._start(self._watch())

    async def submit(self, part: SmsPart) -> SubmitResult | None:
        """Submit *part* as soon as the window has room. None: it was written, and the session or the answer is lost."""
        async with self._window:
            if not self.is_bound or not await self._is_alive():
                return SubmitResult(status=NOT_SENT)
            body = smpp_pdu.encode_submit(part, sender=self._centre.sender, validity_hours=self._centre.validity_hours)
            try:
                answer = await self._request(smpp_pdu.SUBMIT_SM, body)
            except (SessionBrokenError, TimeoutError):
                return None
        identity = smpp_pdu.parse_message_id(answer.body) if not answer.status else ""
        return SubmitResult(status=answer.status, provider_id=identity)

    async def close(self) -> None:
        """Unbind if the centre still answers, and disconnect."""
        if self.is_bound:
            with contextlib.suppress(SessionBrokenError, TimeoutError):
                async with asyncio.timeout(_UNBIND_SECONDS):
                    await self._request(smpp_pdu.UNBIND, b"")
        self._end()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _is_alive(self) -> bool:
        """Whether the centre was heard lately, or answers now. Several callers share one enquiry."""
        idle = asyncio.get_running_loop().time() - self._heard_at
        if idle < min(_FRESH_SECONDS, self._centre.enquire_seconds):
            return True
        if self._enquiry is None or self._enquiry.done():
            self._enquiry = asyncio.ensure_future(self._enquire())
        return await asyncio.shield(self._enquiry) and self.is_bound

    async def _enquire(self) -> bool:
        try:
            await self._request(smpp_pdu.ENQUIRE_LINK, b"")
        except (SessionBrokenError, TimeoutError):
            log.warning("the SMS centre does not answer", extra={"action": "smpp_link_dead"})
            self._end()
            return False
        return True

    async def _watch(self) -> None:
        """Enquire whenever nothing was heard for a while, until the session ends."""
        loop = asyncio.get_running_loop()
        while self.is_bound:
            idle = loop.time() - self._heard_at
            if idle >= self._centre.enquire_seconds:
                await self._enquire()
            else:
                await asyncio.sleep(self._centre.enquire_seconds - idle)

    async def _request(self, command: int, body: bytes) -> SmppPdu:
        """Send a request and return its response; raise `SessionBrokenError` or `TimeoutError` where there is none."""
        if self._writer is None or self.ended.is_set():
            raise SessionBrokenError("not connected")
        self._sequence = self._sequence % 0x7FFFFFFF + 1
        sequence = self._sequence
        answer: asyncio.Future[SmppPdu] = asyncio.get_running_loop().create_future()
        self._pending[sequence] = answer
        self._writer.write(SmppPdu(command=command, sequence=sequence, body=body).encode())
        try:
            async with asyncio.timeout(self._centre.timeout_seconds):
                return await answer
        finally:
            self._pending.pop(sequence, None)

    async def _read(self, reader: asyncio.StreamReader) -> None:
        """Take what the centre sends until the connection ends."""
        try:
            while not self.ended.is_set():
                length, head = smpp_pdu.parse_header(await reader.readexactly(smpp_pdu.HEADER.size))
                body = await reader.readexactly(length)
                self._heard_at = asyncio.get_running_loop().time()
                self._handle(SmppPdu(command=head.command, status=head.status, sequence=head.sequence, body=body))
        except (OSError, EOFError, MalformedSmppError) as cause:
            log.info("an SMPP session has ended", extra={"action": "smpp_ended", "reason": type(cause).__name__})
        finally:
            self._end()

    def _handle(self, pdu: SmppPdu) -> None:
        if pdu.command & smpp_pdu.RESPONSE_BIT:
            waiting = self._pending.get(pdu.sequence)
            if waiting is not None and not waiting.done():
                # A generic_nack answers like any refusal, and may come without a status.
                is_nack = pdu.command == smpp_pdu.GENERIC_NACK
                waiting.set_result(SmppPdu(command=pdu.command, status=pdu.status or 8, sequence=0) if is_nack else pdu)
            return
        match pdu.command:
            case smpp_pdu.ENQUIRE_LINK:
                self._write(pdu.answer())
            case smpp_pdu.DELIVER_SM | smpp_pdu.DATA_SM:
                self._start(self._take_delivered(pdu))
            case smpp_pdu.UNBIND:
                self._write(pdu.answer())
                self._end()
            case _:
                nack = SmppPdu(command=smpp_pdu.GENERIC_NACK, status=_INVALID_COMMAND, sequence=pdu.sequence)
                self._write(nack.encode())

    async def _take_delivered(self, pdu: SmppPdu) -> None:
        try:
            is_stored = await self._on_delivered(smpp_pdu.parse_delivered(pdu))
        except MalformedSmppError:
            is_stored = True  # the same octets would come again and again
        self._write(pdu.answer(0 if is_stored else _TRY_AGAIN, b"\0"))

    def _write(self, data: bytes) -> None:
        if self._writer is not None and not self.ended.is_set():
            self._writer.write(data)

    def _start(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _end(self) -> None:
        """Close the connection, and tell whoever waits for an answer that none will come."""
        self.ended.set()
        if self._writer is not None:
            self._writer.close()
        for waiting in list(self._pending.values()):
            if not waiting.done():
                waiting.set_exception(SessionBrokenError("the session has ended"))
