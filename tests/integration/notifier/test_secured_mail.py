"""A mail server that asks for TLS and a password gets both; with the wrong ones no mail is sent, and it shows.

Mails are signed with DKIM where a key is set, and the signature holds behind a mail server that is not ours.
"""

import json
import re
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path

import dkim
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from deploy.local.process.ports import LOOPBACK, free_ports
from deploy.local.servers.message_servers import Smtp
from schemas.events.deliveries import AttemptOutcome
from services.notifier.channels.email import EmailChannel
from services.notifier.channels.message_channel import OutgoingMessage, SendResult
from services.notifier.channels.smtp_session import SmtpServer
from services.notifier.core.rendering.render import RenderedMessage
from tests.integration.notifier.conftest import Start
from tests.support.assertions.eventually import eventually
from tests.support.clients.notifier import AGENCY, DUE, NOON, NotifierClient, a_contact, a_step, an_assessment
from tests.support.mail.dkim_keys import DOMAIN, SELECTOR, write_key
from tests.support.mail.mail_system import Postfix
from tests.support.tools import needs

MESSAGE = OutgoingMessage(
    id="ab" * 32,
    address="van-thu@mot.example",
    message_id="<ab@dondoc.example>",
    language="vi",
    content=RenderedMessage(subject="Nhắc hạn – năm 2026", body="Kính gửi", html="<p>Kính gửi</p>", segments=None),
    at=NOON,
)


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """Return a self-signed certificate for 127.0.0.1; its key lies beside it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "mail")])
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(NOON - timedelta(days=3650))
        .not_valid_after(NOON + timedelta(days=3650))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(LOOPBACK))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    plain = serialization.NoEncryption()
    (tmp_path / "key.pem").write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain))
    path = tmp_path / "mail.pem"
    path.write_bytes(made.public_bytes(pem))
    return path


@pytest.fixture
def secured_smtp(tmp_path: Path, certificate: Path) -> Iterator[Smtp]:
    """Return a mail server with STARTTLS and one account."""
    port, web_port = free_ports(2)
    tls = ("--certificate", str(certificate), "--key", str(certificate.with_name("key.pem")))
    server = Smtp(tmp_path, port=port, web_port=web_port, options=("--user", "don-doc", "--password", "right", *tls))
    server.start()
    yield server
    server.kill()


@pytest.fixture
def account(secured_smtp: Smtp, certificate: Path) -> SmtpServer:
    """Return the right settings for that server."""
    return SmtpServer(
        host=LOOPBACK,
        port=secured_smtp.port,
        user="don-doc",
        password="right",
        security="starttls",
        ca_file=certificate,
        timeout_seconds=5.0,
        sender="don-doc@dondoc.example",
        sender_name="Đôn Đốc",
    )


async def test_mail_goes_out_over_tls_with_a_password(secured_smtp: Smtp, account: SmtpServer) -> None:
    """The mail arrives as it was written."""
    result = await _send(account)
    assert (result.outcome, result.answer) == (AttemptOutcome.ACCEPTED, "250 2.0.0 Kept as 000001.eml")
    (mail,) = secured_smtp.mails()
    assert mail["Subject"] == "Nhắc hạn – năm 2026"


async def test_a_wrong_password_is_a_technical_failure(secured_smtp: Smtp, account: SmtpServer) -> None:
    """The reason is the server's code; the recipient is not given up, because the mistake is ours."""
    result = await _send(replace(account, password="wrong"))
    assert (result.outcome, result.reason, secured_smtp.mails()) == (AttemptOutcome.TECHNICAL_FAILURE, "smtp_535", [])


async def test_a_server_with_an_unknown_certificate_gets_no_mail(secured_smtp: Smtp, account: SmtpServer) -> None:
    """The notifier refuses the connection if the certificate is not signed by an authority it knows."""
    result = await _send(replace(account, ca_file=None))
    assert (result.outcome, result.reason, secured_smtp.mails()) == (
        AttemptOutcome.TECHNICAL_FAILURE,
        "smtp_connection",
        [],
    )


async def test_an_opportunistic_connection_is_encrypted_whoever_signed_the_certificate(
    secured_smtp: Smtp, account: SmtpServer
) -> None:
    """A server that demands TLS and a password gets both, although its certificate cannot be checked."""
    result = await _send(replace(account, ca_file=None, security="opportunistic"))
    assert (result.outcome, len(secured_smtp.mails())) == (AttemptOutcome.ACCEPTED, 1)


@pytest.fixture
def relay() -> Iterator[tuple[Postfix, int]]:
    """Return a Postfix that delivers the agency's mail, and its port."""
    (port,) = free_ports(1)
    with tempfile.TemporaryDirectory(prefix="dondoc-mail-") as name:
        folder = Path(name)
        folder.chmod(0o711)  # an unprivileged user delivers into it
        known = rf"^van-thu@{AGENCY}\.example$"
        postfix = Postfix(folder, port, domains=f"{AGENCY}.example", mailboxes={known: "agency"})
        postfix.start()
        yield postfix, port
        postfix.stop()


@needs("postfix", package="postfix", as_root=True)
async def test_a_mail_is_verified_after_postfix_has_delivered_it(
    notifier: NotifierClient, start: Start, relay: tuple[Postfix, int], tmp_path: Path
) -> None:
    """The receiver finds the key under the sender's domain; with one letter of the body changed it finds a forgery."""
    postfix, port = relay
    look_up = write_key(tmp_path / "dkim.pem")
    key = {"domain": DOMAIN, "selector": SELECTOR, "key_file": str(tmp_path / "dkim.pem")}
    server = {"host": "127.0.0.1", "port": port, "security": "none", "dkim": key}
    routes = tmp_path / "routes.yaml"
    routes.write_text(json.dumps({"routes": [{"name": "relay", "channel": "email", "smtp": server}]}))
    await notifier.publish_documents()
    await notifier.load_contacts(a_contact(AGENCY))
    notifier.set_clock(DUE - timedelta(days=6, hours=12))
    start(DONDOC_NOTIFIER_ROUTES=str(routes))
    await notifier.publish_assessments(an_assessment(a_step(7)))
    await eventually(lambda: postfix.count_mails("agency") == 1, "the mail in the agency's box")
    outcomes = await eventually(
        lambda: [each for one in notifier.database["deliveries"].find() for each in one.get("outcomes", ())],
        "the outcome in the ledger",
    )
    assert re.fullmatch(r"250 2\.0\.0 Ok: queued as \w+", outcomes[0]["answer"])
    (delivered,) = (postfix.folder / "mail" / "agency" / "new").iterdir()
    mail = delivered.read_bytes().replace(b"\n", b"\r\n")
    assert mail.startswith(b"Return-Path")
    assert dkim.verify(mail, dnsfunc=look_up)
    assert not dkim.verify(mail[:-200] + bytes([mail[-200] ^ 1]) + mail[-199:], dnsfunc=look_up)


async def _send(server: SmtpServer) -> SendResult:
    channel = EmailChannel(server, connections=1)
    try:
        return await channel.send(MESSAGE)
    finally:
        await channel.close()
