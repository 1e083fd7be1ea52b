"""What comes back by mail is matched to its delivery, and believed only with a token that we gave out."""

import pytest

from schemas.events.deliveries import AttemptOutcome
from services.notifier.core.dispatch import bounces
from services.notifier.core.dispatch.bounces import MailReport, ReturnPath

PATH = ReturnPath(domain="bounce.dondoc.example", key=b"k" * 32)
ID = "ab" * 20
POSTFIX = """\
From: MAILER-DAEMON@mail.example (Mail Delivery System)
To: {to}
Subject: Undelivered Mail Returned to Sender
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="B"

--B
Content-Type: text/plain; charset=us-ascii

I'm sorry to have to inform you that your message could not be delivered.

--B
Content-Type: message/delivery-status

Reporting-MTA: dns; mail.example
Original-Envelope-Id: {envelope}
Arrival-Date: Thu,  3 Dec 2026 07:30:00 +0700 (+07)

Final-Recipient: rfc822; van-thu@h-mot.example
Action: {action}
Status: {status}
Diagnostic-Code: smtp; 550 5.1.1 <van-thu@h-mot.example>: no such user

--B
Content-Type: text/rfc822-headers

Return-Path: <{returned}>
Subject: =?utf-8?b?TmjhuqFj?=

--B--
"""


def parse(text: str) -> MailReport | None:
    """Return what a mail reports."""
    return bounces.parse_report(text.replace("\n", "\r\n").encode(), PATH)


def a_bounce(**changes: str) -> str:
    """Return a bounce as Postfix writes it, without a token anywhere unless one is given."""
    defaults = {
        "to": "b@x.example",
        "envelope": "none",
        "returned": "x@y.example",
        "action": "failed",
        "status": "5.1.1",
    }
    return POSTFIX.format_map(defaults | changes)


def test_a_bounce_is_matched_by_return_path_envelope_or_returned_headers() -> None:
    """Any of the three is enough; the status is the reason, and no address is kept."""
    address = PATH.create_address(ID)
    expected = MailReport(public_id=ID, outcome=AttemptOutcome.BOUNCED, reason="dsn_5.1.1", is_hard=True)
    assert parse(a_bounce(to=address)) == expected
    assert parse(a_bounce(envelope=PATH.create_token(ID))) == expected
    assert parse(a_bounce(returned=address.upper())) == expected


@pytest.mark.parametrize(
    ("status", "code", "is_hard"),
    [
        ("5.1.1", "550", True),
        ("5.2.1", "550", True),
        ("5.0.0", "550", True),
        ("nonsense", "551", True),
        ("5.0.0", "554", False),
        ("5.2.2", "552", False),
        ("5.7.1", "550", False),
        ("4.4.7", "451", False),
    ],
)
def test_only_an_address_that_nobody_has_bounces_hard(status: str, code: str, *, is_hard: bool) -> None:
    """Where the status says nothing, the last server's reply does; a full mailbox and an expired mail are no fault."""
    text = a_bounce(to=PATH.create_address(ID), status=status).replace("smtp; 550 5.1.1", f"smtp; {code}")
    report = parse(text)
    assert report is not None
    assert (report.outcome, report.is_hard) == (AttemptOutcome.BOUNCED, is_hard)


def test_a_report_without_our_token_is_not_believed() -> None:
    """Neither without a token, nor with a forged one, nor with one of another key."""
    other = ReturnPath(domain=PATH.domain, key=b"x" * 32)
    assert parse(a_bounce()) is None
    assert parse(a_bounce(to=f"b+{ID}.{'0' * 16}@{PATH.domain}")) is None
    assert parse(a_bounce(to=other.create_address(ID))) is None


def test_a_delivered_mail_is_confirmed_and_a_delayed_one_says_nothing() -> None:
    """Only what is final is an outcome; a mail relayed to a server without DSN is not known to have arrived."""
    delivered = parse(a_bounce(to=PATH.create_address(ID), action="delivered", status="2.0.0"))
    assert delivered is not None
    assert delivered.outcome is AttemptOutcome.CONFIRMED
    for action in ("delayed", "relayed", "expanded"):
        assert parse(a_bounce(to=PATH.create_address(ID), action=action, status="4.4.1")) is None


def test_a_complaint_is_matched_by_the_original_sender() -> None:
    """A feedback report names the return path of the mail that somebody reported."""
    text = f"""\
From: abuse@mail.example
To: don-doc@dondoc.example
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary="B"

--B
Content-Type: text/plain

This is an abuse report.

--B
Content-Type: message/feedback-report

Feedback-Type: abuse
User-Agent: x/1
Version: 1
Original-Mail-From: <{PATH.create_address(ID)}>

--B--
"""
    assert parse(text) == MailReport(public_id=ID, outcome=AttemptOutcome.COMPLAINED, reason="complaint")


def test_what_is_no_report_says_nothing() -> None:
    """An out-of-office reply to the return path, an empty mail and rubbish change nothing."""
    reply = f"From: a@x.example\nTo: {PATH.create_address(ID)}\nSubject: Out of office\n\nBack on Monday.\n"
    for text in (reply, "", "\x00\xff rubbish"):
        assert parse(text) is None
