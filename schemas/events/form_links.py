"""Signed, expiring links that open the web form of one duty: a capability for exactly that agency and duty.

The notifier signs them for its mails and intake verifies them; both hold the same key. Time is an argument.
"""

import hashlib
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from urllib.parse import urlencode

from schemas.events.ids import DutyKey
from schemas.events.signed_tokens import BadLink, TokenKey

_DUTY = "dondoc-form+jws"
_FILE = "dondoc-file+jws"
_DOCUMENT = "dondoc-document+jws"


@dataclass(frozen=True, slots=True, kw_only=True)
class DutyLink:
    """The duty that a link gives access to, until the exclusive instant `expires_at`.

    Links are revoked by when they were issued. One that does not say so, of an earlier version, counts as issued at the
    beginning of 1970. `corrects` is the event id of the returned report that the new one corrects. `filed_by` is the
    successor that reports on behalf of the duty's agency, which has ended; None where the agency itself reports.
    """

    duty: DutyKey
    issued_at: datetime
    expires_at: datetime
    corrects: str | None = None
    filed_by: str | None = None

    def has_expired(self, now: datetime) -> bool:
        return now >= self.expires_at


class LinkKey:
    """The secret key that signs and verifies links and the tokens of the form."""

    def __init__(self, secret: str) -> None:
        self._key = TokenKey(secret)

    def sign_link(self, link: DutyLink) -> str:
        """Return *link* as a signed token."""
        issued, expires = int(link.issued_at.timestamp()), int(link.expires_at.timestamp())
        claims: dict[str, object] = {"duty": str(link.duty), "iat": issued, "exp": expires}
        optional = {"corrects": link.corrects, "filed_by": link.filed_by}
        return self._key.sign(_DUTY, claims | {name: value for name, value in optional.items() if value is not None})

    def verify_link(self, token: str) -> DutyLink:
        """Return the link that *token* holds, expired or not; raise `BadLink` if this key did not sign it."""
        claims = self._key.verify(_DUTY, token)
        match {"iat": 0, "corrects": None, "filed_by": None} | claims:
            case {
                "duty": str(duty),
                "iat": int(issued),
                "exp": int(expires),
                "corrects": str() | None as corrects,
                "filed_by": str() | None as filed_by,
            }:
                return replace(_build_link(duty, issued, expires), corrects=corrects, filed_by=filed_by)
            case _:
                raise BadLink("the link names no duty")

    def sign_file(self, duty: DutyKey, file: dict[str, str | int]) -> str:
        """Return the description of a *file* that was uploaded for *duty*, as a signed token."""
        return self._key.sign(_FILE, {"duty": str(duty), "file": file})

    def verify_file(self, duty: DutyKey, token: str) -> dict[str, str | int]:
        """Return the file that *token* describes; raise `BadLink` if it was not uploaded for *duty*."""
        claims = self._key.verify(_FILE, token)
        file = claims.get("file")
        if claims.get("duty") != str(duty) or not isinstance(file, dict):
            raise BadLink("the file was not left for this duty")
        return file

    def sign_document(self, receipt: str, document: dict[str, str]) -> str:
        """Return the description of the *document* for which the signed *receipt* was issued, as a signed token."""
        return self._key.sign(_DOCUMENT, {"receipt": _digest(receipt), "document": document})

    def verify_document(self, receipt: str, token: str) -> dict[str, str]:
        """Return the document that *token* describes; raise `BadLink` if *receipt* was issued for another one."""
        claims = self._key.verify(_DOCUMENT, token)
        document = claims.get("document")
        if claims.get("receipt") != _digest(receipt) or not isinstance(document, dict):
            raise BadLink("the document has another receipt")
        return document


def _build_link(duty: str, issued: int, expires: int) -> DutyLink:
    try:
        return DutyLink(
            duty=DutyKey.parse(duty),
            issued_at=datetime.fromtimestamp(issued, tz=UTC),
            expires_at=datetime.fromtimestamp(expires, tz=UTC),
        )
    except (ValueError, OverflowError, OSError) as cause:
        raise BadLink("the link names no duty") from cause


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def form_url(base: str, token: str, language: str) -> str:
    """Return the URL of the form below *base*. Vietnamese is the default and needs no parameter."""
    query = {"t": token} if language == "vi" else {"t": token, "lang": language}
    return f"{base.rstrip('/')}/form?{urlencode(query)}"
