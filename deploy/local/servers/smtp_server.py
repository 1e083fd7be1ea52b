"""A real SMTP server that stores every mail in a folder and shows the folder on a web page. It relays nothing.

Run as `python -m deploy.local.servers.smtp_server`. A file of faults makes it misbehave for chosen recipients (see
`fault_script`). A fault is `{"rcpt": "452 4.2.2 Mailbox full"}`, `{"data": "451 4.3.0 Try again"}`, or
`{"drop": true}` (store the mail, then close the connection without an answer).
"""

import argparse
import asyncio
import hmac
import ssl
from collections.abc import Mapping, Sequence
from pathlib import Path
from weakref import WeakKeyDictionary

import uvicorn
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from deploy.local.servers import mailbox_page
from deploy.local.servers.fault_script import FaultScript
from deploy.local.servers.mailbox import Mailbox

LARGEST_MAIL_BYTES = 32 * 1024 * 1024  # the limit of public mail servers; a report fits as an attachment


class MailHandler:
    """Handles RCPT and DATA: with a fault if the script has one for the recipient, normally otherwise."""

    def __init__(self, mailbox: Mailbox, faults: FaultScript) -> None:
        self._mailbox = mailbox
        self._faults = faults
        self._planned: WeakKeyDictionary[Envelope, list[Mapping[str, object]]] = WeakKeyDictionary()

    async def handle_RCPT(  # noqa: N802  # aiosmtpd calls handlers by these names
        self, server: SMTP, session: Session, envelope: Envelope, address: str, rcpt_options: Sequence[str]
    ) -> str:
        """Accept or refuse one recipient."""
        del server, session
        fault = self._faults.next_fault(address)
        if "rcpt" in fault:
            return str(fault["rcpt"])
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(rcpt_options)
        self._planned.setdefault(envelope, []).append(fault)
        return "250 2.1.5 Recipient taken"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Store the mail, then answer."""
        del session
        faults = self._planned.get(envelope, [])
        refusal = next((str(fault["data"]) for fault in faults if "data" in fault), None)
        if refusal:
            return refusal
        content = envelope.content if isinstance(envelope.content, bytes) else str(envelope.content).encode()
        name = self._mailbox.add(content, sender=envelope.mail_from or "", recipients=envelope.rcpt_tos)
        if any(fault.get("drop") for fault in faults) and isinstance(server.transport, asyncio.Transport):
            server.transport.abort()
        return f"250 2.0.0 Kept as {name}"


class PasswordAuthenticator:
    """Checks the user name and the password of the server's only account."""

    def __init__(self, user: str, password: str) -> None:
        self._user = user.encode()
        self._password = password.encode()

    def __call__(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, auth_data: object
    ) -> AuthResult:
        del server, session, envelope, mechanism
        known = (
            isinstance(auth_data, LoginPassword)
            and hmac.compare_digest(auth_data.login, self._user)
            and hmac.compare_digest(auth_data.password, self._password)
        )
        # A refusal is returned as not handled: only then does aiosmtpd answer the client, which would wait otherwise.
        return AuthResult(success=known, handled=known)


async def serve(options: argparse.Namespace) -> None:
    """Run the SMTP server and the web page until the process is stopped."""
    mailbox = Mailbox(options.mailbox)
    handler = MailHandler(mailbox, FaultScript(options.script))
    authenticator = PasswordAuthenticator(options.user, options.password) if options.user else None
    tls = _tls_context(options)

    def protocol() -> SMTP:
        return SMTP(
            handler,
            hostname="mail.dondoc.local",
            ident="dondoc local mailbox",
            data_size_limit=LARGEST_MAIL_BYTES,
            enable_SMTPUTF8=True,
            authenticator=authenticator,
            auth_required=authenticator is not None,
            auth_require_tls=False,
            tls_context=tls,
        )

    server = await asyncio.get_running_loop().create_server(protocol, options.host, options.port)
    page = mailbox_page.build_page(mailbox, options.sms_log)
    web = uvicorn.Config(page, host=options.host, port=options.web_port, log_level="warning", lifespan="off")
    async with server:
        await uvicorn.Server(web).serve()


def _tls_context(options: argparse.Namespace) -> ssl.SSLContext | None:
    if not options.certificate:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(options.certificate, options.key)
    return context


def main() -> None:
    """Parse the command line and serve."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=1025)
    parser.add_argument("--web-port", type=int, default=1080)
    parser.add_argument("--mailbox", type=Path, required=True, help="folder that receives one .eml file per mail")
    parser.add_argument("--script", type=Path, required=True, help="file of faults to simulate; may be missing")
    parser.add_argument("--sms-log", type=Path, required=True, help="the SMS centre's log, shown beside the mails")
    parser.add_argument("--user", default="", help="with it, AUTH is required")
    parser.add_argument("--password", default="")
    parser.add_argument("--certificate", type=Path, help="with it, STARTTLS is offered")
    parser.add_argument("--key", type=Path)
    asyncio.run(serve(parser.parse_args()))


if __name__ == "__main__":
    main()
