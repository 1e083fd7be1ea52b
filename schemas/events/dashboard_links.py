"""Signed, expiring links that open the dashboard for one agency: it reads what is its own there, and nothing else.

The notifier signs them for its mails and reporting verifies them; both hold the same key. Time is an argument.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

from schemas.events.signed_tokens import BadLink, TokenKey

# The path of reporting that takes a link, and the query parameter that holds its token.
OPEN_PATH = "/open"
TOKEN_PARAMETER = "t"  # noqa: S105 - the name of the query parameter, not a token

# The longest that a link in a mail may be good for (contract section 9).
LIFETIME_MAX = timedelta(days=90)

_AGENCY = "dondoc-dashboard+jws"


@dataclass(frozen=True, slots=True, kw_only=True)
class AgencyLink:
    """The agency that a link lets read, until the exclusive instant `expires_at`; revoked by when it was issued."""

    agency: str
    issued_at: datetime
    expires_at: datetime


class DashboardKey:
    """The secret key that signs and verifies links to the dashboard."""

    def __init__(self, secret: str) -> None:
        self._key = TokenKey(secret)

    def sign_link(self, link: AgencyLink) -> str:
        """Return *link* as a signed token; raise `ValueError` where it would be good for longer than 90 days."""
        if link.expires_at - link.issued_at > LIFETIME_MAX:
            raise ValueError(f"a link in a mail is good for {LIFETIME_MAX.days} days at most")
        issued, expires = int(link.issued_at.timestamp()), int(link.expires_at.timestamp())
        return self._key.sign(_AGENCY, {"agency": link.agency, "iat": issued, "exp": expires})

    def verify_link(self, token: str) -> AgencyLink:
        """Return the link that *token* holds, expired or not.

        Raise `BadLink` if this key did not sign it, or if it claims to be good for longer than 90 days.
        """
        match self._key.verify(_AGENCY, token):
            case {"agency": str(agency), "iat": int(issued), "exp": int(expires)}:
                link = AgencyLink(agency=agency, issued_at=read_time(issued), expires_at=read_time(expires))
            case _:
                raise BadLink("the link names no agency")
        if link.expires_at - link.issued_at > LIFETIME_MAX:
            raise BadLink("the link is good for too long")
        return link


def read_time(seconds: int) -> datetime:
    """Return the instant of a claim in seconds since 1970 (RFC 7519 section 2); raise `BadLink` where it is none."""
    try:
        return datetime.fromtimestamp(seconds, tz=UTC)
    except (ValueError, OverflowError, OSError) as cause:
        raise BadLink("the link names no instant") from cause


def dashboard_url(base: str, token: str, language: str) -> str:
    """Return the URL of the link below *base*. Vietnamese is the default and needs no parameter."""
    query = {TOKEN_PARAMETER: token} if language == "vi" else {TOKEN_PARAMETER: token, "lang": language}
    return f"{base.rstrip('/')}{OPEN_PATH}?{urlencode(query)}"
