"""What comes back by mail: delivery status notifications (RFC 3464) and complaints (RFC 5965), and whose they are.

A mail leaves with a return path of its own, `b+ID.MAC@domain`, and the same token as its envelope id (RFC 3461). What
comes back is believed only if it carries a token whose MAC is right: anybody can write to that mailbox.
"""

import email
import hashlib
import hmac
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email import policy
from email.message import Message

from schemas.events.deliveries import AttemptOutcome
from services.notifier.core.dispatch import refusals

_MAC_DIGITS = 16  # 64 bits: a forger would need as many mails
_TOKEN = re.compile(r"\b([0-9a-f]{40})\.([0-9a-f]{16})\b")
_STATUS = re.compile(r"[245]\.\d{1,3}\.\d{1,3}")
_DIAGNOSTIC = re.compile(r"smtp\s*;\s*(\d{3})\b", re.IGNORECASE)  # RFC 3464, section 2.3.6
LARGEST_REPORT = 1024 * 1024
# Anybody can write to the mailbox. This policy leaves headers as they are; the other ones raise for some broken ones.
_LENIENT = policy.compat32
_ACTIONS = {"failed": AttemptOutcome.BOUNCED, "delivered": AttemptOutcome.CONFIRMED}
_HEADERS_WITH_TOKEN = (
    "Delivered-To",
    "X-Original-To",
    "To",
    "Return-Path",
    "Original-Envelope-Id",
    "Original-Mail-From",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnPath:
    """The domain of return paths, and the key by which their tokens are recognised."""

    domain: str
    key: bytes

    def create_token(self, public_id: str) -> str:
        """Return the token of a delivery: its public id and a MAC of it."""
        mac = hmac.new(self.key, public_id.encode(), hashlib.sha256).hexdigest()
        return f"{public_id}.{mac[:_MAC_DIGITS]}"

    def create_address(self, public_id: str) -> str:
        """Return the address to which reports about a delivery go."""
        return f"b+{self.create_token(public_id)}@{self.domain}"

    def find_delivery(self, text: str) -> str | None:
        """Return the public id of the delivery whose token stands in *text*, if its MAC is right."""
        for found in _TOKEN.finditer(text.lower()):
            if hmac.compare_digest(self.create_token(found[1]), found[0]):
                return found[1]
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class MailReport:
    """What a returned mail says of a delivery: bounced, confirmed or complained, and why as a code.

    `is_hard`: the mail bounced because nobody has the address.
    """

    public_id: str
    outcome: AttemptOutcome
    reason: str
    is_hard: bool = False


def parse_report(content: bytes, path: ReturnPath) -> MailReport | None:
    """Return what the mail *content* reports of one of our deliveries; None if it says nothing final, or not of one."""
    mail = email.message_from_bytes(content[:LARGEST_REPORT], policy=_LENIENT)
    for text in _list_texts_with_token(mail):
        public_id = path.find_delivery(text)
        if public_id is not None:
            return _read_outcome(mail, public_id)
    return None


def _read_outcome(mail: Message, public_id: str) -> MailReport | None:
    match str(mail.get_param("report-type", "")).lower():
        case "feedback-report":
            return MailReport(public_id=public_id, outcome=AttemptOutcome.COMPLAINED, reason="complaint")
        case "delivery-status":
            for fields in _list_fields(mail):
                outcome = _ACTIONS.get(str(fields.get("Action", "")).strip().lower())
                if outcome is not None:
                    return _read_status(fields, outcome, public_id)
    return None


def _read_status(fields: Message, outcome: AttemptOutcome, public_id: str) -> MailReport:
    """Return what the fields of a recipient say; the reply of the last server counts where the status says nothing."""
    status = _STATUS.match(str(fields.get("Status", "")).strip())
    reply = _DIAGNOSTIC.match(str(fields.get("Diagnostic-Code", "")).strip())
    code = None if reply is None else int(reply[1])
    is_hard = refusals.is_hard_status(code, None if status is None else status[0])
    return MailReport(
        public_id=public_id,
        outcome=outcome,
        reason=f"dsn_{status[0]}" if status else "dsn",
        is_hard=outcome is AttemptOutcome.BOUNCED and is_hard,
    )


def _list_fields(mail: Message) -> Iterator[Message]:
    """Yield the groups of fields of a report: of the message, then of each recipient."""
    for part in mail.walk():
        if part.get_content_type() in {"message/delivery-status", "message/feedback-report"}:
            payload = part.get_payload()
            groups = payload if isinstance(payload, list) else []
            yield from (one for one in groups if isinstance(one, Message))


def _list_texts_with_token(mail: Message) -> Iterator[str]:
    """Yield what may hold the token: the address that the report went to, its fields, the headers that came back."""
    for part in (mail, *_list_fields(mail), *mail.walk()):
        for name in _HEADERS_WITH_TOKEN:
            yield from (str(value) for value in part.get_all(name, []))
    for part in mail.walk():
        if part.get_content_type() in {"text/rfc822-headers", "message/feedback-report"}:
            yield str(part.get_payload())
