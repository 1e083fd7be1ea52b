"""A real SMTP server that delivers every mail into a folder, and shows the folder on a page. Sends nothing on.

Run as `python -m deploy.local.servers.smtp_server`. A script file makes it refuse chosen recipients; see `script.py`.
An act here is `{"rcpt": "452 4.2.2 Mailbox full"}`, `{"data": "451 4.3.0 Try again"}`, or `{"drop": true}`: take the
mail, then hang up unanswered.
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

LARGEST_MAIL_BYTES = 32 * 1024 * 1024  # what public mail servers take, so that a report fits as an attachment


class MailHandler:
    """Answers RCPT and DATA: by the script if it has an act for the recipient, well otherwise."""

    def __init__(self, mailbox: Mailbox, script: FaultScript) -> None:
        self._mailbox = mailbox
        self._script = script
        self._acts: WeakKeyDictionary[Envelope, list[Mapping[str, object]]] = WeakKeyDictionary()

    async def handle_RCPT(  # noqa: N802  # aiosmtpd finds its hooks by these names
        self, server: SMTP, session: Session, envelope: Envelope, address: str, rcpt_options: Sequence[str]
    ) -> str:
        """Take or refuse one recipient."""
        del server, session
        act = self._script.next_fault(address)
        if "rcpt" in act:
            return str(act["rcpt"])
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(rcpt_options)
        self._acts.setdefault(envelope, []).append(act)
        return "250 2.1.5 Recipient taken"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Keep the mail durably enough to answer for it, then answer."""
        del session
        acts = self._acts.get(envelope, [])
        refusal = next((str(act["data"]) for act in acts if "data" in act), None)
        if refusal:
            return refusal
        content = envelope.content if isinstance(envelope.content, bytes) else str(envelope.content).encode()
        name = self._mailbox.keep(content, sender=envelope.mail_from or "", recipients=envelope.rcpt_tos)
        if any(act.get("drop") for act in acts) and isinstance(server.transport, asyncio.Transport):
            server.transport.abort()
        return f"250 2.0.0 Kept as {name}"


class PasswordAuthenticator:
    """Checks the one user name and password of the server."""

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
        # A refusal must be left unhandled: only then does aiosmtpd answer the client, which would wait otherwise.
        return AuthResult(success=known, handled=known)


async def serve(options: argparse.Namespace) -> None:
    """Run both listeners until the process is told to end."""
    mailbox = Mailbox(options.mailbox)
    delivery = MailHandler(mailbox, FaultScript(options.script))
    login = PasswordAuthenticator(options.user, options.password) if options.user else None
    tls = _tls(options)

    def protocol() -> SMTP:
        return SMTP(
            delivery,
            hostname="mail.dondoc.local",
            ident="dondoc local mailbox",
            data_size_limit=LARGEST_MAIL_BYTES,
            enable_SMTPUTF8=True,
            authenticator=login,
            auth_required=login is not None,
            auth_require_tls=False,
            tls_context=tls,
        )

    server = await asyncio.get_running_loop().create_server(protocol, options.host, options.port)
    page = mailbox_page.build_page(mailbox, options.sms_log)
    web = uvicorn.Config(page, host=options.host, port=options.web_port, log_level="warning", lifespan="off")
    async with server:
        await uvicorn.Server(web).serve()


def _tls(options: argparse.Namespace) -> ssl.SSLContext | None:
    if not options.certificate:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(options.certificate, options.key)
    return context


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=1025)
    parser.add_argument("--web-port", type=int, default=1080)
    parser.add_argument("--mailbox", type=Path, required=True, help="folder that receives one .eml file a mail")
    parser.add_argument("--script", type=Path, required=True, help="file of planted faults; may be missing")
    parser.add_argument("--sms-log", type=Path, required=True, help="the SMS centre's log, shown beside the mails")
    parser.add_argument("--user", default="", help="with it, AUTH is required")
    parser.add_argument("--password", default="")
    parser.add_argument("--certificate", type=Path, help="with it, STARTTLS is offered")
    parser.add_argument("--key", type=Path)
    asyncio.run(serve(parser.parse_args()))


if __name__ == "__main__":
    main()
