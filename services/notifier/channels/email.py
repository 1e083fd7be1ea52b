"""E-mail over SMTP (RFC 5321): writes a mail as bytes, and sends it on a few connections that stay open.

What fails before the body was handed over has surely not been delivered. What fails afterwards is unknown, and is never
reported as anything else.
"""

import asyncio
import base64
import re
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime, formataddr
from functools import lru_cache

from schemas.events.deliveries import AttemptOutcome
from schemas.events.event_origin import TraceContext
from services.notifier.channels.dkim_signer import MailNotSignedError
from services.notifier.channels.message_channel import OutgoingMessage, SendResult
from services.notifier.channels.smtp_session import (
    MailNotAcceptedError,
    MailTransaction,
    SmtpBrokenError,
    SmtpRefusedError,
    SmtpReply,
    SmtpServer,
    SmtpSession,
)
from services.notifier.core.dispatch import refusals
from services.notifier.core.dispatch.refusals import BROKEN_CONNECTION, DeliveryRefusal, Phase, RefusalFault
from services.notifier.core.rendering.render import RenderedMessage
from services.notifier.core.scheduling.routing import PUBLIC_DIGITS

# An address goes into a command line and a header: no space, control character or bracket may end either of them.
_ADDRESS = re.compile(r"[^\s<>\x00-\x1f\x7f]+@[^\s<>@\x00-\x1f\x7f]+")
_BAD_ADDRESS = DeliveryRefusal(fault=RefusalFault.ADDRESS, is_permanent=True, concerns_route=False, is_hard=True)
_NOT_SIGNED = DeliveryRefusal(fault=RefusalFault.OURS, is_permanent=False, concerns_route=True)
_FEWER_CONNECTIONS_SECONDS = 300.0
# A connection that was idle for so long is not used again: firewalls forget idle ones, some after a minute, and tell
# neither side. Opening another one takes milliseconds, finding out takes a timeout.
_IDLE_SECONDS = 30.0
_BOUNDARY = "=_dondoc_"
CALENDAR_NAME = "thoi-han.ics"
_CRLF = "\r\n"
_ENCODED_WORD_OCTETS = 39  # 52 base64 letters: after `Subject: ` the line keeps to the 76 characters of RFC 2047
_BASE64_LINE_LENGTH = 76  # RFC 2045, section 6.8


@dataclass(frozen=True, slots=True, kw_only=True)
class MailHeaders:
    """The headers that differ from mail to mail. `message_id` is the same on every attempt.

    `at` is in the time zone that the reader lives by. `references` is the conversation that the mail belongs to.
    """

    sender: str
    sender_name: str
    recipient: str
    message_id: str
    language: str
    at: datetime
    reply_to: str = ""
    references: str = ""
    trace: TraceContext | None = None


class EmailChannel:
    """Sends mail on connections that it keeps open, at most *connections* at a time, each idle for *idle_seconds*."""

    def __init__(self, server: SmtpServer, *, connections: int, idle_seconds: float = _IDLE_SECONDS) -> None:
        self._server = server
        self._idle_seconds = idle_seconds
        # The one that was used last is at the end, and is used first.
        self._idle: list[SmtpSession] = []
        self._slots = asyncio.Semaphore(connections)
        self._in_use = 0

    async def send(self, message: OutgoingMessage) -> SendResult:
        if not _ADDRESS.fullmatch(message.address):
            return SendResult.from_refusal(_BAD_ADDRESS, "address_invalid")
        try:
            mail = self._write_transaction(message)
        except MailNotSignedError:
            return SendResult.from_refusal(_NOT_SIGNED, "dkim_not_signed")
        try:
            reply = await self._send(mail)
        except SmtpRefusedError as refused:
            refusal = refusals.read_smtp_reply(refused.phase, refused.code, refused.enhanced)
            return SendResult.from_refusal(refusal, f"smtp_{refused.code}", refused.text)
        except MailNotAcceptedError as cause:
            refusal = DeliveryRefusal(fault=cause.fault, is_permanent=True, concerns_route=False)
            return SendResult.from_refusal(refusal, cause.reason)
        except SmtpBrokenError as broken:
            if broken.phase is Phase.MESSAGE:
                # The connection broke after the mail: the server may have taken it (RFC 5321, section 4.2.5).
                return SendResult(outcome=AttemptOutcome.UNKNOWN, reason="smtp_connection")
            return SendResult.from_refusal(BROKEN_CONNECTION, "smtp_connection")
        ids = () if self._server.return_path is None else (message.id[:PUBLIC_DIGITS],)
        return SendResult(outcome=AttemptOutcome.ACCEPTED, provider_ids=ids, answer=reply.text)

    async def close(self) -> None:
        """Say QUIT on the idle connections."""
        while self._idle:
            await self._idle.pop().quit()

    async def _send(self, mail: MailTransaction) -> SmtpReply:
        """Send *mail* on a connection, and return the reply by which it was taken; raise what the session raises."""
        while True:
            async with self._open_session() as session:
                was_used = session.has_sent
                try:
                    return await session.send(mail)
                except (SmtpRefusedError, SmtpBrokenError) as cause:
                    # Servers close idle connections after some minutes, with 421 or without a word. That shows before
                    # the mail is handed over, so a stale connection never counts as a failed attempt.
                    is_stale = was_used and cause.phase < Phase.MESSAGE and getattr(cause, "code", 421) == 421  # noqa: PLR2004
                    if not is_stale:
                        raise
                    session.close()
                    self._leave_idle()  # they were idle for longer, so what has ended this one has ended them

    @asynccontextmanager
    async def _open_session(self) -> AsyncIterator[SmtpSession]:
        """Yield a session for one mail, and keep it afterwards if it may be used for another."""
        session = await self._acquire_session()
        try:
            yield session
        except SmtpRefusedError as refused:
            if refused.code == 421 or not await session.reset():  # noqa: PLR2004 - the server closes
                session.close()
            raise
        except BaseException:
            # The transaction of a cancelled send is still open on the server. Closing abandons it.
            session.close()
            raise
        finally:
            self._in_use -= 1
            if session.is_open:
                session.used_at = asyncio.get_running_loop().time()
                self._idle.append(session)
            self._slots.release()

    async def _acquire_session(self) -> SmtpSession:
        """Return an open session as soon as there is a slot for it."""
        while True:
            await self._slots.acquire()
            session = self._take_idle() or SmtpSession(self._server)
            try:
                if not session.is_open:
                    await session.open()
            except SmtpRefusedError as refused:
                if refused.code == 421 and self._in_use:  # noqa: PLR2004
                    # The server takes no further connection beside those in use. Wait for one of them, and leave this
                    # slot unused for a while.
                    asyncio.get_running_loop().call_later(_FEWER_CONNECTIONS_SECONDS, self._slots.release)
                    continue
                self._slots.release()
                raise
            except BaseException:
                self._slots.release()
                raise
            self._in_use += 1
            return session

    def _take_idle(self) -> SmtpSession | None:
        """Return the connection that was used last, or None where that is too long ago."""
        if self._idle and asyncio.get_running_loop().time() - self._idle[-1].used_at < self._idle_seconds:
            return self._idle.pop()
        self._leave_idle()
        return None

    def _leave_idle(self) -> None:
        while self._idle:
            self._idle.pop().leave()

    def _write_transaction(self, message: OutgoingMessage) -> MailTransaction:
        server, content, thread = self._server, message.content, message.content.thread
        headers = MailHeaders(
            sender=server.sender,
            sender_name=server.sender_name,
            recipient=message.address,
            message_id=message.message_id,
            language=message.language,
            at=message.at.astimezone(thread.zone) if thread else message.at,
            reply_to=thread.reply_to if thread else "",
            references=thread.references if thread else "",
            trace=message.trace,
        )
        mail = write_mail(headers, content)
        public_id, path = message.id[:PUBLIC_DIGITS], server.return_path
        return MailTransaction(
            return_path=server.sender if path is None else path.create_address(public_id),
            recipient=message.address,
            envelope_id=public_id if path is None else path.create_token(public_id),
            content=mail if server.signer is None else server.signer.sign_mail(mail),
            wants_success=path is not None,
        )


def write_mail(headers: MailHeaders, content: RenderedMessage) -> bytes:
    """Return the whole mail: plain text and HTML as alternatives, marked as sent by a machine (RFC 3834).

    A calendar file is attached behind them. The bytes are written directly: building an `email.message.EmailMessage`
    takes a millisecond, this a tenth of it.
    """
    boundary = _BOUNDARY + headers.message_id.strip("<>").partition("@")[0]
    lines = [
        _write_from(headers.sender_name, headers.sender),
        f"To: {headers.recipient}",
        f"Subject: {_encode_header_text(content.subject or '')}",
        f"Date: {_write_date(headers.at)}",
        f"Message-ID: {headers.message_id}",
        f"Content-Language: {headers.language}",
        "Auto-Submitted: auto-generated",
        *_write_trace(headers.trace),
        "MIME-Version: 1.0",
    ]
    if headers.reply_to:
        lines.append(f"Reply-To: {headers.reply_to}")
    if headers.references:
        lines.append(f"References: {headers.references}")
    texts = (_write_part("text/plain", content.body), _write_part("text/html", content.html or ""))
    alternatives = _write_multipart("alternative", boundary, texts)
    calendar = content.thread.calendar if content.thread else None
    if calendar is None:
        whole = alternatives
    else:
        file = _write_part("text/calendar", calendar, file_name=CALENDAR_NAME)
        whole = _write_multipart("mixed", f"{boundary}_mixed", (alternatives, file))
    return (_CRLF.join(lines) + _CRLF + whole).encode()


def _write_trace(trace: TraceContext | None) -> Iterator[str]:
    """Yield the headers of W3C Trace Context, under the names that they have in HTTP."""
    if trace is not None:
        yield f"traceparent: {trace.parent}"
        if trace.state is not None:
            yield f"tracestate: {trace.state}"


@lru_cache(maxsize=16)
def _write_from(name: str, address: str) -> str:
    return f"From: {formataddr((name, address))}"


# Mails that go out together have the instant in common, and on a deadline night the subject too.
_write_date = lru_cache(maxsize=16)(format_datetime)


@lru_cache(maxsize=64)
def _encode_header_text(text: str) -> str:
    """Return the text of a header: as it is if it is short ASCII, else as encoded words (RFC 2047), one a line.

    Spaces are within the encoded words, because white space between two of them is dropped by the reader.
    """
    if text.isascii() and text.isprintable() and len(text) <= _ENCODED_WORD_OCTETS and text == text.strip():
        return text
    words = (base64.b64encode(word).decode("ascii") for word in _split_into_words(text))
    return f"{_CRLF} ".join(f"=?utf-8?b?{word}?=" for word in words)


def _split_into_words(text: str) -> Iterator[bytes]:
    """Yield *text* in pieces of whole letters, each short enough for one encoded word."""
    piece = b""
    for letter in text:
        octets = letter.encode()
        if len(piece) + len(octets) > _ENCODED_WORD_OCTETS:
            yield piece
            piece = b""
        piece += octets
    yield piece


def _write_multipart(subtype: str, boundary: str, parts: Sequence[str]) -> str:
    inner = "".join(f"--{boundary}{_CRLF}{part}{_CRLF}" for part in parts)
    head = f'Content-Type: multipart/{subtype}; boundary="{boundary}"'
    return f"{head}{_CRLF}{_CRLF}{inner}--{boundary}--{_CRLF}"


def _write_part(media_type: str, content: str, *, file_name: str | None = None) -> str:
    encoded = base64.b64encode(content.encode()).decode("ascii")
    starts = range(0, len(encoded), _BASE64_LINE_LENGTH)
    lines = _CRLF.join([encoded[start : start + _BASE64_LINE_LENGTH] for start in starts])
    headers = [f"Content-Type: {media_type}; charset=utf-8", "Content-Transfer-Encoding: base64"]
    if file_name is not None:
        headers.append(f'Content-Disposition: attachment; filename="{file_name}"')
    return _CRLF.join(headers) + _CRLF + _CRLF + lines
