"""E-mail over SMTP (RFC 5321): writes a mail as bytes, and sends it on a few connections that stay open.

What fails before the body was handed over has surely not been delivered. What fails afterwards is unknown, and is never
reported as anything else.
"""

import base64
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime, formataddr
from functools import lru_cache
from pathlib import Path

from aiosmtplib import SMTP, SMTPAuthenticationError, SMTPException, SMTPResponseException, SMTPSenderRefused

from schemas.events.deliveries import AttemptOutcome
from services.notifier.channels.message_channel import OutgoingMessage, SendResult

_FIRST_PERMANENT_CODE = 500  # RFC 5321, section 4.2.1: 4yz is a transient, 5yz a permanent failure
_BOUNDARY = "=_dondoc_"
_CRLF = "\r\n"
_ENCODED_WORD_OCTETS = 39  # 52 base64 letters: after `Subject: ` the line keeps to the 76 characters of RFC 2047
_BASE64_LINE_LENGTH = 76  # RFC 2045, section 6.8


@dataclass(frozen=True, slots=True, kw_only=True)
class SmtpServer:
    """The mail server, the sender address, and how the connection is secured."""

    host: str
    port: int
    user: str | None
    password: str | None
    use_tls: bool
    start_tls: bool
    ca_file: Path | None
    timeout_seconds: float
    sender: str
    sender_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MailHeaders:
    """The headers that differ from mail to mail. `message_id` is the same on every attempt."""

    sender: str
    sender_name: str
    recipient: str
    message_id: str
    language: str
    at: datetime


class EmailChannel:
    """Sends mail on connections that it keeps open: as many as there were mails in flight at the same time."""

    def __init__(self, server: SmtpServer) -> None:
        self._server = server
        self._idle: list[SMTP] = []

    async def send(self, message: OutgoingMessage) -> SendResult:
        try:
            async with self._open_transaction(message) as client:
                return await _send_data(client, self._write_message(message))
        except (SMTPSenderRefused, SMTPAuthenticationError) as refusal:
            # Our own address or password is at fault, whatever the code says: the recipient must not be given up.
            return SendResult(outcome=AttemptOutcome.TECHNICAL_FAILURE, reason=f"smtp_{refusal.code}")
        except SMTPResponseException as refusal:
            return _classify_refusal(refusal)
        except (SMTPException, OSError):
            return SendResult(outcome=AttemptOutcome.TECHNICAL_FAILURE, reason="smtp_connection")

    async def close(self) -> None:
        """Say QUIT on the idle connections. A connection that is already gone is no error."""
        while self._idle:
            client = self._idle.pop()
            try:
                await client.quit()
            except (SMTPException, OSError):
                client.close()

    @asynccontextmanager
    async def _open_transaction(self, message: OutgoingMessage) -> AsyncIterator[SMTP]:
        """Open a mail transaction; keep the connection afterwards unless anything went wrong on it."""
        client = await self._acquire_connection()
        try:
            await client.rcpt(message.address)
            yield client
        except BaseException:
            # A cancelled or refused transaction is still open on the server; closing is cheaper than reasoning about
            # what RSET would leave behind.
            client.close()
            raise
        if client.is_connected:
            self._idle.append(client)

    async def _acquire_connection(self) -> SMTP:
        """Return a connection on which MAIL FROM is accepted. A connection that went stale while idle is replaced."""
        # Servers close idle connections after some minutes. MAIL FROM shows that at no cost and before anything is
        # handed over, so a stale connection never counts as a failed attempt.
        while self._idle:
            client = self._idle.pop()
            try:
                await client.mail(self._server.sender)
            except (SMTPException, OSError):
                client.close()
            else:
                return client
        client = await self._connect()
        try:
            await client.mail(self._server.sender)
        except BaseException:
            client.close()
            raise
        return client

    async def _connect(self) -> SMTP:
        server = self._server
        client = SMTP(
            hostname=server.host,
            port=server.port,
            username=server.user,
            password=server.password,
            use_tls=server.use_tls,
            start_tls=server.start_tls,
            cert_bundle=None if server.ca_file is None else str(server.ca_file),
            timeout=server.timeout_seconds,
        )
        await client.connect()
        return client

    def _write_message(self, message: OutgoingMessage) -> bytes:
        headers = MailHeaders(
            sender=self._server.sender,
            sender_name=self._server.sender_name,
            recipient=message.address,
            message_id=message.message_id,
            language=message.language,
            at=message.at,
        )
        content = message.content
        return write_mail(headers, subject=content.subject or "", body=content.body, html=content.html or "")


def write_mail(headers: MailHeaders, *, subject: str, body: str, html: str) -> bytes:
    """Return the whole mail: plain text and HTML as alternatives, marked as sent by a machine (RFC 3834).

    The bytes are written directly: building an `email.message.EmailMessage` takes a millisecond, this a tenth of it.
    """
    boundary = _BOUNDARY + headers.message_id.strip("<>").partition("@")[0]
    lines = (
        _write_from(headers.sender_name, headers.sender),
        f"To: {headers.recipient}",
        f"Subject: {_encode_header_text(subject)}",
        f"Date: {format_datetime(headers.at)}",
        f"Message-ID: {headers.message_id}",
        f"Content-Language: {headers.language}",
        "Auto-Submitted: auto-generated",
        "MIME-Version: 1.0",
        f'Content-Type: multipart/alternative; boundary="{boundary}"',
    )
    parts = (_write_part("plain", body), _write_part("html", html))
    inner = "".join(f"--{boundary}{_CRLF}{part}{_CRLF}" for part in parts)
    return (_CRLF.join(lines) + _CRLF + _CRLF + inner + f"--{boundary}--{_CRLF}").encode("ascii")


@lru_cache(maxsize=16)
def _write_from(name: str, address: str) -> str:
    return f"From: {formataddr((name, address))}"


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


def _write_part(subtype: str, content: str) -> str:
    encoded = base64.b64encode(content.encode()).decode("ascii")
    lines = _CRLF.join(
        encoded[start : start + _BASE64_LINE_LENGTH] for start in range(0, len(encoded), _BASE64_LINE_LENGTH)
    )
    headers = (f"Content-Type: text/{subtype}; charset=utf-8", "Content-Transfer-Encoding: base64")
    return _CRLF.join(headers) + _CRLF + _CRLF + lines


async def _send_data(client: SMTP, mail: bytes) -> SendResult:
    try:
        await client.data(mail)
    except SMTPResponseException:
        raise
    except (SMTPException, OSError):
        # The connection broke after DATA: the server may have accepted the mail (RFC 5321, section 4.2.5).
        return SendResult(outcome=AttemptOutcome.UNKNOWN, reason="smtp_connection")
    return SendResult(outcome=AttemptOutcome.DELIVERED)


def _classify_refusal(refusal: SMTPResponseException) -> SendResult:
    is_permanent = refusal.code >= _FIRST_PERMANENT_CODE
    outcome = AttemptOutcome.PERMANENT_FAILURE if is_permanent else AttemptOutcome.TEMPORARY_FAILURE
    return SendResult(outcome=outcome, reason=f"smtp_{refusal.code}")
