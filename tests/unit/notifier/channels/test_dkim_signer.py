"""A signed mail is one that a receiver can hold the sender's domain to, as the verifier of another party sees it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import dkim
import pytest

from schemas.events.deliveries import AttemptOutcome
from services.notifier.channels.dkim_signer import DkimSigner, UnusableKeyError, read_signing_key
from services.notifier.channels.email import EmailChannel, MailHeaders, write_mail
from services.notifier.channels.message_channel import OutgoingMessage
from services.notifier.channels.smtp_session import SmtpServer
from services.notifier.core.dispatch.circuit import CircuitPolicy
from services.notifier.core.dispatch.refusals import RefusalFault
from services.notifier.core.rendering.render import RenderedMessage
from services.notifier.dispatch.attempts import DeliveryRoute, RouteLimits
from tests.support.mail.dkim_keys import DOMAIN, SELECTOR, write_damaged_key, write_key, write_tiny_key

HEADERS = MailHeaders(
    sender=f"don-doc@{DOMAIN}",
    sender_name="Đôn Đốc",
    recipient="van-thu@thoxuan.example",
    message_id=f"<0123abc@{DOMAIN}>",
    language="vi",
    at=datetime(2026, 12, 3, 0, 30, tzinfo=UTC),
    reply_to="can-bo@dondoc.example",
    references=f"<thread@{DOMAIN}>",
)
CONTENT = RenderedMessage(subject="Nhắc hạn", body="Kính gửi", html="<p>Kính gửi</p>", segments=None)
MAIL = write_mail(HEADERS, CONTENT)


def sign(path: Path) -> bytes:
    """Return the mail, signed with the key in *path*."""
    return DkimSigner(domain=DOMAIN, selector=SELECTOR, key=read_signing_key(path)).sign_mail(MAIL)


def test_a_signed_mail_is_verified_and_a_changed_one_is_not(tmp_path: Path) -> None:
    """Neither another text nor another header that a reader sees passes, nor one more of a kind that occurs once."""
    look_up = write_key(tmp_path / "key.pem")
    signed = sign(tmp_path / "key.pem")
    assert signed.endswith(MAIL)
    assert dkim.verify(signed, dnsfunc=look_up)
    body = MAIL.index(b"\r\n\r\n")
    changed = MAIL[: body + 200] + bytes([MAIL[body + 200] ^ 1]) + MAIL[body + 201 :]
    others = (
        signed.replace(MAIL, changed),
        signed.replace(b"van-thu@thoxuan", b"van-thu@thoyuan"),
        signed.replace(b"Reply-To: can-bo", b"Reply-To: can-ba"),
        b"Subject: another\r\n" + signed,
        b"From: another@dondoc.example\r\n" + signed,
    )
    assert [one != signed and dkim.verify(one, dnsfunc=look_up) for one in others] == [False] * len(others)


def test_what_a_relay_does_on_its_way_changes_nothing(tmp_path: Path) -> None:
    """It writes where the mail came from, and may fold a header anew."""
    look_up = write_key(tmp_path / "key.pem")
    received = b"Received: from a by b; Thu, 3 Dec 2026 07:30:00 +0700\r\n" + sign(tmp_path / "key.pem")
    assert dkim.verify(received.replace(b"To: van-thu", b"To:\r\n van-thu"), dnsfunc=look_up)


def test_every_header_that_is_recommended_and_there_is_signed(tmp_path: Path) -> None:
    """RFC 6376, section 5.4.1, and those that say how the body is read."""
    write_key(tmp_path / "key.pem")
    header, _, _ = sign(tmp_path / "key.pem").partition(b"\r\nFrom:")
    named = header.split(b"h=")[1].split(b";")[0].replace(b"\r\n", b"").replace(b" ", b"").decode().split(":")
    assert {"from", "to", "subject", "date", "message-id", "reply-to", "references", "content-type"} <= {*named}
    assert {one for one in named if named.count(one) > 1} == {*named} - {"mime-version", "content-type"}


def test_a_file_that_holds_no_good_key_is_refused(tmp_path: Path) -> None:
    """Without a word of what is in it."""
    (tmp_path / "no.pem").write_text("a secret that is no key")
    with pytest.raises(UnusableKeyError, match="no RSA private key in PEM") as refused:
        read_signing_key(tmp_path / "no.pem")
    assert "secret" not in str(refused.value)


def test_a_key_of_which_receivers_take_no_signature_is_refused(tmp_path: Path) -> None:
    """It is too short, or its parts do not belong together."""
    write_tiny_key(tmp_path / "short.pem")
    with pytest.raises(UnusableKeyError, match="12 bits"):
        read_signing_key(tmp_path / "short.pem")
    write_damaged_key(tmp_path / "damaged.pem")
    with pytest.raises(UnusableKeyError, match="damaged"):
        read_signing_key(tmp_path / "damaged.pem")


async def test_a_mail_that_cannot_be_signed_is_a_fault_of_ours_and_not_in_doubt(tmp_path: Path) -> None:
    """Nothing was handed over: no attempt is spent, and the route rests until the key is mended."""
    write_tiny_key(tmp_path / "key.pem")
    server = SmtpServer(
        host="127.0.0.1",
        port=1,  # nobody listens there, and nobody is asked
        user=None,
        password=None,
        security="none",
        ca_file=None,
        timeout_seconds=1,
        sender=HEADERS.sender,
        sender_name=HEADERS.sender_name,
        signer=DkimSigner(domain=DOMAIN, selector=SELECTOR, key=(tmp_path / "key.pem").read_bytes()),
    )
    channel = EmailChannel(server, connections=1)
    message = OutgoingMessage(
        id="ab" * 32,
        address=HEADERS.recipient,
        message_id=HEADERS.message_id,
        language="vi",
        content=CONTENT,
        at=HEADERS.at,
    )
    result = await channel.send(message)
    assert (result.outcome, result.reason) == (AttemptOutcome.TECHNICAL_FAILURE, "dkim_not_signed")
    assert result.refusal is not None
    assert (result.refusal.fault, result.refusal.spends_attempt) == (RefusalFault.OURS, False)
    route = DeliveryRoute("mail", channel, limits=RouteLimits(window=9, concurrency=9), policy=CircuitPolicy())
    route.learn(message.address, result, HEADERS.at)
    assert route.is_open
    assert route.count_free(HEADERS.at + timedelta(seconds=1), 0) == 0
