"""Mail over SMTP, on a few connections that stay open: what a mail costs is its building, and then its connection.

What failed before the mail's body was handed over was surely not delivered. What failed after is unknown, and is never
called anything else.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from aiosmtplib import SMTP, SMTPAuthenticationError, SMTPException, SMTPResponseException, SMTPSenderRefused

from schemas.events.deliveries import AttemptOutcome
from services.notifier.channels.message import Answer, Message
from services.notifier.core.rendering import mime

_PERMANENT_FROM = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class SmtpServer:
    """Where mail goes, in whose name, and how the connection is secured."""

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


class EmailCarrier:
    """Sends mail on connections that it keeps: as many as there were mails under way at once."""

    def __init__(self, server: SmtpServer) -> None:
        self._server = server
        self._idle: list[SMTP] = []

    async def send(self, message: Message) -> Answer:
        try:
            async with self._transaction(message) as client:
                return await _hand_over(client, self._mime(message))
        except (SMTPSenderRefused, SMTPAuthenticationError) as refusal:
            return Answer(outcome=AttemptOutcome.TECHNICAL_FAILURE, reason=f"smtp_{refusal.code}")
        except SMTPResponseException as refusal:
            return _refused(refusal)
        except (SMTPException, OSError):
            return Answer(outcome=AttemptOutcome.TECHNICAL_FAILURE, reason="smtp_connection")

    async def close(self) -> None:
        """Take leave of the server; one that is gone already is no error."""
        while self._idle:
            client = self._idle.pop()
            try:
                await client.quit()
            except (SMTPException, OSError):
                client.close()

    @asynccontextmanager
    async def _transaction(self, message: Message) -> AsyncIterator[SMTP]:
        """Open a mail transaction on a connection; keep the connection afterwards unless anything went wrong on it."""
        client = await self._greeted()
        try:
            await client.rcpt(message.address)
            yield client
        except BaseException:
            client.close()
            raise
        if client.is_connected:
            self._idle.append(client)

    async def _greeted(self) -> SMTP:
        """Return a connection that has taken the sender. One that went stale while idle is replaced."""
        while self._idle:
            client = self._idle.pop()
            try:
                await client.mail(self._server.sender)
            except (SMTPException, OSError):
                client.close()
            else:
                return client
        client = await self._connected()
        try:
            await client.mail(self._server.sender)
        except BaseException:
            client.close()
            raise
        return client

    async def _connected(self) -> SMTP:
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

    def _mime(self, message: Message) -> bytes:
        envelope = mime.Envelope(
            sender=self._server.sender,
            sender_name=self._server.sender_name,
            recipient=message.address,
            message_id=message.message_id,
            language=message.language,
            at=message.at,
        )
        text = message.text
        return mime.mail(envelope, subject=text.subject or "", body=text.body, html=text.html or "")


async def _hand_over(client: SMTP, mail: bytes) -> Answer:
    try:
        await client.data(mail)
    except SMTPResponseException:
        raise
    except (SMTPException, OSError):
        return Answer(outcome=AttemptOutcome.UNKNOWN, reason="smtp_connection")
    return Answer(outcome=AttemptOutcome.DELIVERED)


def _refused(refusal: SMTPResponseException) -> Answer:
    is_permanent = refusal.code >= _PERMANENT_FROM
    outcome = AttemptOutcome.PERMANENT_FAILURE if is_permanent else AttemptOutcome.TEMPORARY_FAILURE
    return Answer(outcome=outcome, reason=f"smtp_{refusal.code}")
