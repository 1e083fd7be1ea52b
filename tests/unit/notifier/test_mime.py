"""A mail arrives as it was written: every mark, every space, both alternatives."""

from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifier.core.rendering import mime

ENVELOPE = mime.Envelope(
    sender="don-doc@dondoc.example",
    sender_name="Đôn Đốc",
    recipient="van-thu@thoxuan.example",
    message_id="<0123abc@dondoc.example>",
    language="vi",
    at=datetime(2026, 12, 3, 0, 30, tzinfo=UTC),
)

LETTERS = st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"])


def read(subject: str = "Nhắc hạn", body: str = "Kính gửi", html: str = "<p>Kính gửi</p>") -> EmailMessage:
    """The mail as a mail program reads it."""
    found = message_from_bytes(mime.mail(ENVELOPE, subject=subject, body=body, html=html), policy=policy.default)
    assert isinstance(found, EmailMessage)
    return found


@pytest.mark.parametrize(
    "subject",
    [
        "quá hạn — Chỉ thị",
        "Đôn đốc: Gửi kết quả thực hiện Kế hoạch về Ngân hàng Chính sách xã hội năm 2026 – hạn cuối: hết ngày 09/12",
        "Reminder: Results for 2026 – due by the end of 09/12/2026",
        "6766/KH-UBND " * 20 + "Đ",
        "Kết  quả",
    ],
)
def test_a_subject_keeps_every_mark_and_space(subject: str) -> None:
    """Long or mixed subjects fold and come back as they were."""
    assert subject == read(subject)["Subject"]


@given(st.text(LETTERS, min_size=1, max_size=200).map(str.strip).filter(bool))
def test_any_subject_keeps_its_letters(subject: str) -> None:
    """No header is lost or broken by what a title may hold."""
    assert subject.split() == str(read(subject)["Subject"]).split()


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r")))
def test_both_bodies_come_back_whole(body: str) -> None:
    """A lone full stop on a line, blank lines, any script."""
    mail = read(body=body, html=body)
    plain, html = mail.iter_parts()
    assert [body, body] == [part.get_payload(decode=True).decode() for part in (plain, html)]  # type: ignore[union-attr]


def test_no_line_is_longer_than_smtp_allows() -> None:
    """998 octets is the limit of RFC 5321; ours end at 78."""
    written = mime.mail(ENVELOPE, subject="Kết quả " * 50, body="ế" * 5000, html="ế" * 5000)
    assert max(map(len, written.split(b"\r\n"))) <= 78


def test_the_headers_say_who_and_that_a_machine_wrote() -> None:
    """Sender by name, recipient, the given Message-ID and date, and no invitation to out-of-office replies."""
    mail = read()
    assert mail["From"] == "Đôn Đốc <don-doc@dondoc.example>"
    assert (mail["To"], mail["Message-ID"]) == ("van-thu@thoxuan.example", "<0123abc@dondoc.example>")
    assert mail["Date"] == "Thu, 03 Dec 2026 00:30:00 +0000"
    assert (mail["Auto-Submitted"], mail["Content-Language"]) == ("auto-generated", "vi")
