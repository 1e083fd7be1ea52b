"""A mail arrives as it was written, with every mark, every space and both alternatives."""

from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.events.event_origin import TraceContext
from services.notifier.channels.email import MailHeaders, write_mail
from services.notifier.core.rendering.render import MailThread, RenderedMessage

HEADERS = MailHeaders(
    sender="don-doc@dondoc.example",
    sender_name="Đôn Đốc",
    recipient="van-thu@thoxuan.example",
    message_id="<0123abc@dondoc.example>",
    language="vi",
    at=datetime(2026, 12, 3, 0, 30, tzinfo=UTC),
)

LETTERS = st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"])


def read_mail(
    subject: str = "Nhắc hạn",
    *,
    body: str = "Kính gửi",
    html: str = "<p>Kính gửi</p>",
    thread: MailThread | None = None,
    headers: MailHeaders = HEADERS,
) -> EmailMessage:
    """Return the mail as a mail program reads it."""
    content = RenderedMessage(subject=subject, body=body, html=html, segments=None, thread=thread)
    found = message_from_bytes(write_mail(headers, content), policy=policy.default)
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
    """Long or mixed subjects are folded and come back as they were."""
    assert subject == read_mail(subject)["Subject"]


def test_a_mail_carries_the_trace_of_the_event_behind_it() -> None:
    """Under the names of W3C Trace Context; without a trace there is no such header."""
    trace = TraceContext(parent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", state="a=1")
    mail = read_mail(headers=replace(HEADERS, trace=trace))
    assert (mail["traceparent"], mail["tracestate"]) == (trace.parent, "a=1")
    assert read_mail()["traceparent"] is None


@given(st.text(LETTERS, min_size=1, max_size=200).map(str.strip).filter(bool))
def test_any_subject_keeps_its_letters(subject: str) -> None:
    """No header is lost or broken by anything that a title may hold."""
    assert subject.split() == str(read_mail(subject)["Subject"]).split()


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r")))
def test_both_bodies_come_back_whole(body: str) -> None:
    """A lone full stop on a line, blank lines and any script survive."""
    mail = read_mail(body=body, html=body)
    plain, html = mail.iter_parts()
    assert [body, body] == [part.get_payload(decode=True).decode() for part in (plain, html)]  # type: ignore[union-attr]


def test_no_line_is_longer_than_smtp_allows() -> None:
    """RFC 5321 allows 998 octets in a line; these lines have at most 78."""
    content = RenderedMessage(subject="Kết quả " * 50, body="ế" * 5000, html="ế" * 5000, segments=None)
    written = write_mail(HEADERS, content)
    assert max(map(len, written.split(b"\r\n"))) <= 78


def test_the_headers_say_who_and_that_a_machine_wrote() -> None:
    """The headers name the sender, the recipient, the Message-ID and date, and ask for no automatic reply."""
    mail = read_mail()
    assert mail["From"] == "Đôn Đốc <don-doc@dondoc.example>"
    assert (mail["To"], mail["Message-ID"]) == ("van-thu@thoxuan.example", "<0123abc@dondoc.example>")
    assert mail["Date"] == "Thu, 03 Dec 2026 00:30:00 +0000"
    assert (mail["Auto-Submitted"], mail["Content-Language"]) == ("auto-generated", "vi")


def test_a_mail_of_a_duty_belongs_to_its_conversation_and_carries_the_deadline() -> None:
    """Replies go to the officer, programs show one conversation, and the calendar file is a part of its own."""
    thread = MailThread(references="<duty@dondoc.example>", zone=ZoneInfo("UTC"), calendar="BEGIN:VCALENDAR\r\n")
    mail = read_mail(
        thread=thread, headers=replace(HEADERS, reply_to="can-bo@bank.example", references=thread.references)
    )
    assert (mail["Reply-To"], mail["References"]) == ("can-bo@bank.example", "<duty@dondoc.example>")
    texts, calendar = mail.iter_parts()
    assert [part.get_content_type() for part in texts.iter_parts()] == ["text/plain", "text/html"]
    assert (calendar.get_content_type(), calendar.get_filename()) == ("text/calendar", "thoi-han.ics")
