"""One SMTP session (RFC 5321): connects, secures and authenticates it, and sends mails one after another.

MAIL, RCPT and DATA go out together where the server offers PIPELINING (RFC 2920), so a mail costs two round trips. A
session reports in which phase it was refused, because that decides what the refusal means. It does not know what a mail
is about.
"""

import asyncio
import base64
import contextlib
import re
import socket
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast

from services.notifier.channels.dkim_signer import DkimSigner
from services.notifier.core.dispatch.bounces import ReturnPath
from services.notifier.core.dispatch.refusals import Phase, RefusalFault

Security = Literal["none", "opportunistic", "starttls", "tls"]

_REPLY_LINE = re.compile(rb"([2-5]\d\d)([ -]?)(.*)", re.DOTALL)
_ENHANCED = re.compile(rb"([245]\.\d{1,3}\.\d{1,3})(?= |$)")  # RFC 2034, section 4
_LARGEST_REPLY = 64 * 1024  # a server that says more before it comes to the point is not listened to
_ACCEPTED_MAX, _GO_ON, _REFUSED_MIN = 299, 354, 400


class SmtpRefusedError(Exception):
    """The server refused a command. The session may go on unless the code is 421. `text` may quote the recipient."""

    def __init__(self, phase: Phase, code: int, enhanced: str | None = None, text: str = "") -> None:
        super().__init__(f"{phase.name} {code}")
        self.phase = phase
        self.code = code
        self.enhanced = enhanced
        self.text = text


class SmtpBrokenError(Exception):
    """The connection broke, timed out, or was never made. Past `Phase.DATA` the server may have the mail."""

    def __init__(self, phase: Phase) -> None:
        super().__init__(phase.name)
        self.phase = phase


class MailNotAcceptedError(Exception):
    """The server cannot take this mail, as it says in its answer to EHLO: the size, or a letter in the address."""

    def __init__(self, fault: RefusalFault, reason: str) -> None:
        super().__init__(reason)
        self.fault = fault
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class SmtpServer:
    """The mail server, the sender address, and how the connection is secured.

    With a `return_path` each mail has one of its own, so that what comes back is known by it. A `signer` signs them.
    """

    host: str
    port: int
    user: str | None
    password: str | None
    security: Security
    ca_file: Path | None
    timeout_seconds: float
    sender: str
    sender_name: str
    return_path: ReturnPath | None = None
    signer: DkimSigner | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MailTransaction:
    """One mail with its envelope. `envelope_id` comes back in a delivery status notification (RFC 3461).

    `wants_success` asks for a notification of a delivered mail, too.
    """

    return_path: str
    recipient: str
    envelope_id: str
    content: bytes
    wants_success: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SmtpReply:
    """A reply: its code, its enhanced status code if it has one, and the text of its lines."""

    code: int
    enhanced: str | None
    lines: tuple[bytes, ...]

    @property
    def text(self) -> str:
        """The reply in one line, with its code; it may quote the recipient."""
        return " ".join((str(self.code), *(one.decode("utf-8", "replace") for one in self.lines)))


class SmtpSession:
    """An open session. After `SmtpBrokenError` it is good for nothing but to be closed.

    `used_at` is when its user last put it away, by the loop's time.
    """

    def __init__(self, server: SmtpServer) -> None:
        self._server = server
        self._connection = _Connection()
        self._extensions: dict[str, str] = {}
        self.has_sent = False
        self.used_at = 0.0

    @property
    def is_open(self) -> bool:
        """Whether the connection still stands, as far as is known."""
        return self._connection.is_open

    async def open(self) -> None:
        """Connect, greet, secure and authenticate; raise `SmtpRefusedError` or `SmtpBrokenError`."""
        server = self._server
        try:
            await self._connect()
            await self._greet()
            wants_tls = server.security in {"starttls", "opportunistic"}
            if wants_tls and ("STARTTLS" in self._extensions or server.security == "starttls"):
                await self._expect(Phase.STARTTLS, b"STARTTLS")
                await self._start_tls()
                await self._say_ehlo()
            if server.user is not None:
                await self._authenticate(server.user, server.password or "")
        except BaseException:
            self.close()
            raise

    async def send(self, mail: MailTransaction) -> SmtpReply:
        """Send one mail. Return by which reply the server took it; raise one of this module's errors if it did not."""
        if self._connection.has_unread:
            # An answer to nothing. From here on each one would be taken for that of the command before.
            self.close()
            raise SmtpBrokenError(Phase.MAIL)
        command_lines = self._write_envelope(mail)
        self.has_sent = True
        if "PIPELINING" in self._extensions:
            self._connection.write(b"".join(command_lines))
            replies = [await self._read(phase) for phase in (Phase.MAIL, Phase.RCPT, Phase.DATA)]
            await self._check_pipelined(replies)
        else:
            for phase, line in zip((Phase.MAIL, Phase.RCPT, Phase.DATA), command_lines, strict=True):
                self._connection.write(line)
                _require(phase, await self._read(phase), _GO_ON if phase is Phase.DATA else _ACCEPTED_MAX)
        self._connection.write(mail.content.replace(b"\r\n.", b"\r\n..") + b".\r\n")
        reply = await self._read(Phase.MESSAGE)
        _require(Phase.MESSAGE, reply, _ACCEPTED_MAX)
        return reply

    async def reset(self) -> bool:
        """Abandon the open transaction; return whether the session may be used for another mail."""
        if self._connection.has_unread:
            self.close()
            return False
        try:
            await self._expect(Phase.MAIL, b"RSET")
        except (SmtpRefusedError, SmtpBrokenError):
            self.close()
        return self.is_open

    async def quit(self) -> None:
        """Say QUIT and close. A connection that is already gone is no error."""
        with contextlib.suppress(SmtpRefusedError, SmtpBrokenError):
            await self._expect(Phase.MAIL, b"QUIT")
        self.close()

    def leave(self) -> None:
        """Say QUIT and close, without waiting for an answer that may never come."""
        self._connection.write(b"QUIT\r\n")
        self._connection.close(flush=True)

    def close(self) -> None:
        """Close the connection without a word."""
        self._connection.close()

    async def _connect(self) -> None:
        server, connection = self._server, self._connection
        context = self._tls_context() if server.security == "tls" else None
        try:
            async with asyncio.timeout(server.timeout_seconds):
                await asyncio.get_running_loop().create_connection(
                    lambda: connection, server.host, server.port, ssl=context
                )
        except (OSError, TimeoutError) as cause:
            raise SmtpBrokenError(Phase.CONNECT) from cause

    async def _greet(self) -> None:
        _require(Phase.CONNECT, await self._read(Phase.CONNECT), _ACCEPTED_MAX)
        await self._say_ehlo()

    async def _say_ehlo(self) -> None:
        reply = await self._expect(Phase.EHLO, b"EHLO " + self._connection.describe_client())
        words = (line.decode("ascii", "replace").partition(" ") for line in reply.lines[1:])
        self._extensions = {keyword.upper(): parameters for keyword, _, parameters in words}

    async def _start_tls(self) -> None:
        try:
            async with asyncio.timeout(self._server.timeout_seconds):
                await self._connection.start_tls(self._tls_context(), self._server.host)
        except (OSError, TimeoutError) as cause:
            raise SmtpBrokenError(Phase.STARTTLS) from cause

    def _tls_context(self) -> ssl.SSLContext:
        ca_file = self._server.ca_file
        context = ssl.create_default_context(cafile=None if ca_file is None else str(ca_file))
        if self._server.security == "opportunistic":
            # The mail would go out in clear as well (RFC 7435), so a certificate need not be one that can be checked.
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        return context

    async def _authenticate(self, user: str, password: str) -> None:
        if "LOGIN" in self._extensions.get("AUTH", "").split() and "PLAIN" not in self._extensions["AUTH"].split():
            for answer in (b"AUTH LOGIN", _encode(user), _encode(password)):
                reply = await self._command(Phase.AUTH, answer)
                _require(Phase.AUTH, reply, 334)
            return
        await self._expect(Phase.AUTH, b"AUTH PLAIN " + _encode(f"\0{user}\0{password}"))

    def _write_envelope(self, mail: MailTransaction) -> tuple[bytes, bytes, bytes]:
        """Return the commands before the mail; raise `MailNotAcceptedError` where the server offers too little."""
        offered = self._extensions
        largest = int(offered["SIZE"]) if offered.get("SIZE", "").isdigit() else 0
        if 0 < largest < len(mail.content):
            raise MailNotAcceptedError(RefusalFault.CONTENT, "smtp_too_large")
        needs_utf8 = not mail.recipient.isascii()
        if needs_utf8 and "SMTPUTF8" not in offered:
            raise MailNotAcceptedError(RefusalFault.ADDRESS, "smtp_utf8_unsupported")
        from_parameters = [f" SIZE={len(mail.content)}"] if "SIZE" in offered else []
        from_parameters += [" SMTPUTF8"] if needs_utf8 else []
        to_parameters = ""
        if "DSN" in offered:
            from_parameters.append(f" RET=HDRS ENVID={mail.envelope_id}")
            to_parameters = " NOTIFY=SUCCESS,FAILURE" if mail.wants_success else " NOTIFY=FAILURE"
        return (
            f"MAIL FROM:<{mail.return_path}>{''.join(from_parameters)}\r\n".encode(),
            f"RCPT TO:<{mail.recipient}>{to_parameters}\r\n".encode(),
            b"DATA\r\n",
        )

    async def _check_pipelined(self, replies: list[SmtpReply]) -> None:
        mail, rcpt, data = replies
        if data.code < _REFUSED_MIN and data.code != _GO_ON:
            raise SmtpBrokenError(Phase.DATA)
        is_refused = mail.code > _ACCEPTED_MAX or rcpt.code > _ACCEPTED_MAX
        if is_refused and data.code == _GO_ON:
            # RFC 2920, section 3.1: a server may ask for the mail although nobody will get it. An empty one ends that.
            self._connection.write(b".\r\n")
            await self._read(Phase.DATA)
        _require(Phase.MAIL, mail, _ACCEPTED_MAX)
        _require(Phase.RCPT, rcpt, _ACCEPTED_MAX)
        _require(Phase.DATA, data, _GO_ON)

    async def _expect(self, phase: Phase, line: bytes) -> SmtpReply:
        reply = await self._command(phase, line)
        _require(phase, reply, _ACCEPTED_MAX)
        return reply

    async def _command(self, phase: Phase, line: bytes) -> SmtpReply:
        self._connection.write(line + b"\r\n")
        return await self._read(phase)

    async def _read(self, phase: Phase) -> SmtpReply:
        """Return the next reply; raise `SmtpBrokenError` if none comes in time, or what comes is no SMTP."""
        try:
            if self._connection.has_reply:
                # Replies to commands that went out together come together: nothing is waited for.
                return await self._read_lines()
            async with asyncio.timeout(self._server.timeout_seconds):
                return await self._read_lines()
        except (OSError, TimeoutError) as cause:
            self.close()
            raise SmtpBrokenError(phase) from cause

    async def _read_lines(self) -> SmtpReply:
        """Return the next reply; raise `ConnectionResetError` if what comes is none."""
        lines: list[bytes] = []
        code, size, is_last = b"", 0, False
        while not is_last:
            found = _REPLY_LINE.fullmatch(await self._connection.read_line())
            # Every line of a reply has the same code (RFC 5321, section 4.2.1).
            if found is None or (code and found[1] != code) or size > _LARGEST_REPLY:
                raise ConnectionResetError
            code, size, is_last = found[1], size + len(found[0]), found[2] != b"-"
            lines.append(found[3])
        enhanced = _ENHANCED.match(lines[-1])
        return SmtpReply(code=int(code), enhanced=enhanced and enhanced[1].decode(), lines=tuple(lines))


class _Connection(asyncio.Protocol):
    """The bytes of a session: a transport, and what was received and not yet read."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._received = bytearray()
        self._arrival: asyncio.Future[None] | None = None
        self._is_lost = False

    @property
    def is_open(self) -> bool:
        return self._transport is not None and not self._is_lost

    @property
    def has_unread(self) -> bool:
        """Whether the server has said something that nobody has read."""
        return bool(self._received)

    @property
    def has_reply(self) -> bool:
        """Whether a reply of one line has arrived."""
        return b"\n" in self._received and self._received[3:4] != b"-"

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._received += data
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self._is_lost = True
        self._wake()

    def write(self, data: bytes) -> None:
        if self._transport is not None:
            self._transport.write(data)

    async def read_line(self) -> bytes:
        """Return the next line without its end; raise `ConnectionResetError` if the connection ends before it."""
        while (end := self._received.find(b"\n")) < 0:
            if self._is_lost or len(self._received) > _LARGEST_REPLY:
                raise ConnectionResetError
            self._arrival = asyncio.get_running_loop().create_future()
            await self._arrival
        line = bytes(self._received[:end])
        del self._received[: end + 1]
        return line.removesuffix(b"\r")

    async def start_tls(self, context: ssl.SSLContext, host: str) -> None:
        if self._transport is None or self._received:
            # What came before the handshake may be an attacker's: nobody signed it (CVE-2011-0411).
            raise ConnectionResetError
        secured = await asyncio.get_running_loop().start_tls(self._transport, self, context, server_hostname=host)
        if secured is None:
            raise ConnectionResetError
        self._transport = secured

    def describe_client(self) -> bytes:
        """Return how this machine names itself: its full name, or its address in brackets (RFC 5321, section 4.1.3)."""
        name = socket.gethostname()
        if "." in name or self._transport is None:
            return name.encode("ascii", "replace")
        address = self._transport.get_extra_info("sockname")[0]
        return f"[IPv6:{address}]".encode() if ":" in address else f"[{address}]".encode()

    def close(self, *, flush: bool = False) -> None:
        """Close at once, or with *flush* when what was written has gone out."""
        if self._transport is not None:
            (self._transport.close if flush else self._transport.abort)()
        self._is_lost = True

    def _wake(self) -> None:
        if self._arrival is not None and not self._arrival.done():
            self._arrival.set_result(None)


def _require(phase: Phase, reply: SmtpReply, wanted: int) -> None:
    """Return if *reply* has the code *wanted*, or any 2yz where mail is not asked for; raise what it means if not.

    A code that is no refusal and no answer to what was asked means that server and session are out of step.
    """
    is_accepted = reply.code == wanted or (wanted != _GO_ON and reply.code <= _ACCEPTED_MAX)
    if is_accepted:
        return
    if reply.code < _REFUSED_MIN:
        raise SmtpBrokenError(phase)
    raise SmtpRefusedError(phase, reply.code, reply.enhanced, reply.text)


def _encode(text: str) -> bytes:
    return base64.b64encode(text.encode())
