"""Links of readers, and the tokens of their forms, as signed tokens that nobody stores.

A link names its reader and does not say what may be read: that is looked up at every request, so a reader who is
revoked is out at once. A browser that has opened a link sends the same token as its session. Time is an argument.
"""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime

from schemas.events import dashboard_links
from schemas.events.dashboard_links import AgencyLink
from schemas.events.signed_tokens import BadLink, TokenKey

_LINK = "dondoc-reader+jws"
_FORM = "dondoc-reading-form+jws"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderLink:
    """The reader whom a link lets in, until the exclusive instant `expires_at`."""

    reader: str
    issued_at: datetime
    expires_at: datetime


# Whom a link lets in: a reader with a key of their own, or an agency that was sent a mail.
LinkHolder = ReaderLink | AgencyLink


class ReaderLinkKey:
    """The secret key of reporting that signs and verifies links of readers and the tokens of their forms."""

    def __init__(self, secret: str) -> None:
        self._key = TokenKey(secret)

    def sign_link(self, link: ReaderLink) -> str:
        """Return *link* as a signed token."""
        issued, expires = int(link.issued_at.timestamp()), int(link.expires_at.timestamp())
        return self._key.sign(_LINK, {"reader": link.reader, "iat": issued, "exp": expires})

    def verify_link(self, token: str) -> ReaderLink:
        """Return the link that *token* holds, expired or not; raise `BadLink` if this key did not sign it."""
        read_time = dashboard_links.read_time
        match self._key.verify(_LINK, token):
            case {"reader": str(reader), "iat": int(issued), "exp": int(expires)}:
                return ReaderLink(reader=reader, issued_at=read_time(issued), expires_at=read_time(expires))
            case _:
                raise BadLink("the link names no reader")

    def sign_form(self, session: str) -> str:
        """Return the token that the forms of a *session* carry: no other site knows it, so none can forge a post."""
        return self._key.sign(_FORM, {"session": _digest(session)})

    def is_form_of(self, session: str, form_token: str) -> bool:
        """Whether *form_token* was made for a form of that *session*."""
        try:
            named = self._key.verify(_FORM, form_token).get("session")
        except BadLink:
            return False
        return isinstance(named, str) and hmac.compare_digest(named, _digest(session))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
