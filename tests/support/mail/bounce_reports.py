"""A report by which another mail server says that nobody has an address (RFC 3464), and the way that it comes back."""

from services.notifier.core.dispatch.bounces import ReturnPath

RETURN_PATH = ReturnPath(domain="bounce.dondoc.example", key=b"k" * 32)
SETTINGS = {
    "DONDOC_NOTIFIER_BOUNCE_DOMAIN": RETURN_PATH.domain,
    "DONDOC_NOTIFIER_BOUNCE_KEY": RETURN_PATH.key.decode(),
}
_REPORT = """\
To: postmaster@x.example
Content-Type: multipart/report; report-type=delivery-status; boundary="B"

--B
Content-Type: message/delivery-status

Reporting-MTA: dns; mail.example
Original-Envelope-Id: {envelope}

Final-Recipient: rfc822; somebody@x.example
Action: failed
Status: 5.1.1

--B--
"""


def write_report(delivery: str) -> str:
    """Return the report that the mail with the id *delivery* reached nobody."""
    return _REPORT.format(envelope=RETURN_PATH.create_token(delivery))
