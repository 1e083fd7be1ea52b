"""A mail server that asks for TLS and a password gets both; with the wrong ones no mail is sent, and it shows."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from deploy.local.process.ports import LOOPBACK, free_ports
from deploy.local.servers.message_servers import Smtp
from schemas.events.deliveries import AttemptOutcome
from services.notifier.channels.email import EmailCarrier, SmtpServer
from services.notifier.channels.message import Answer, Message
from services.notifier.core.rendering.render import Text
from tests.support.clients.notifier import NOON

MESSAGE = Message(
    id="ab" * 32,
    address="van-thu@mot.example",
    message_id="<ab@dondoc.example>",
    language="vi",
    text=Text(subject="Nhắc hạn – năm 2026", body="Kính gửi", html="<p>Kính gửi</p>", segments=None),
    at=NOON,
)


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate that vouches for itself and for 127.0.0.1; its key lies beside it."""
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
def secured(tmp_path: Path, certificate: Path) -> Iterator[Smtp]:
    """A mail server with STARTTLS and one account."""
    port, web_port = free_ports(2)
    tls = ("--certificate", str(certificate), "--key", str(certificate.with_name("key.pem")))
    server = Smtp(tmp_path, port=port, web_port=web_port, options=("--user", "don-doc", "--password", "right", *tls))
    server.start()
    yield server
    server.kill()


@pytest.fixture
def reached(secured: Smtp, certificate: Path) -> SmtpServer:
    """How the notifier reaches it, rightly."""
    return SmtpServer(
        host=LOOPBACK,
        port=secured.port,
        user="don-doc",
        password="right",
        use_tls=False,
        start_tls=True,
        ca_file=certificate,
        timeout_seconds=5.0,
        sender="don-doc@dondoc.example",
        sender_name="Đôn Đốc",
    )


async def test_mail_goes_out_over_tls_with_a_password(secured: Smtp, reached: SmtpServer) -> None:
    """And arrives as it was written."""
    assert await _sent(reached) == Answer(outcome=AttemptOutcome.DELIVERED)
    (mail,) = secured.mails()
    assert mail["Subject"] == "Nhắc hạn – năm 2026"


async def test_a_wrong_password_is_a_technical_failure(secured: Smtp, reached: SmtpServer) -> None:
    """It is told by the server's code, and mended by us."""
    answer = await _sent(replace(reached, password="wrong"))
    assert (answer.outcome, answer.reason, secured.mails()) == (AttemptOutcome.TECHNICAL_FAILURE, "smtp_535", [])


async def test_a_server_that_nobody_vouches_for_gets_no_mail(secured: Smtp, reached: SmtpServer) -> None:
    """Without its certificate among ours the connection is refused by us."""
    answer = await _sent(replace(reached, ca_file=None))
    assert (answer.outcome, answer.reason, secured.mails()) == (AttemptOutcome.TECHNICAL_FAILURE, "smtp_connection", [])


async def _sent(server: SmtpServer) -> Answer:
    carrier = EmailCarrier(server)
    try:
        return await carrier.send(MESSAGE)
    finally:
        await carrier.close()
