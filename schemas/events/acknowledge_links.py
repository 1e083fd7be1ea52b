"""Signed, expiring links by which an agency says that it has read a letter, and may name a day for its report.

The notifier signs them for its mails and verifies them itself. Time is an argument.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlencode

from schemas.events.signed_tokens import BadLink, TokenKey

PATH = "/acknowledge"
_KIND = "dondoc-acknowledge+jws"


@dataclass(frozen=True, slots=True, kw_only=True)
class AcknowledgeLink:
    """The delivery that is acknowledged and by which agency, until the exclusive instant `expires_at`."""

    delivery: str
    agency: str
    expires_at: datetime

    def has_expired(self, now: datetime) -> bool:
        return now >= self.expires_at


class AcknowledgeLinkKey:
    """The secret key that signs and verifies these links."""

    def __init__(self, secret: str) -> None:
        self._key = TokenKey(secret)

    def sign_link(self, link: AcknowledgeLink) -> str:
        """Return *link* as a signed token."""
        claims: dict[str, object] = {
            "delivery": link.delivery,
            "agency": link.agency,
            "exp": int(link.expires_at.timestamp()),
        }
        return self._key.sign(_KIND, claims)

    def verify_link(self, token: str) -> AcknowledgeLink:
        """Return the link that *token* holds, expired or not; raise `BadLink` if this key did not sign it."""
        match self._key.verify(_KIND, token):
            case {"delivery": str(delivery), "agency": str(agency), "exp": int(expires)}:
                try:
                    expires_at = datetime.fromtimestamp(expires, tz=UTC)
                except (ValueError, OverflowError, OSError) as cause:
                    raise BadLink("the link never expires") from cause
                return AcknowledgeLink(delivery=delivery, agency=agency, expires_at=expires_at)
            case _:
                raise BadLink("the link names no letter")


def acknowledge_url(base: str, token: str, language: str) -> str:
    """Return the URL of the page below *base*. Vietnamese is the default and needs no parameter."""
    query = {"t": token} if language == "vi" else {"t": token, "lang": language}
    return f"{base.rstrip('/')}{PATH}?{urlencode(query)}"
