"""Who asks: the reader of a bearer key, or of the link that a browser has opened and sends as its session."""

import ipaddress
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from schemas.events.dashboard_links import AgencyLink, DashboardKey
from schemas.events.signed_tokens import BadLink
from services.reporting.core.access import readers
from services.reporting.core.access.decisions import AccessRefusedError, RefusalReason
from services.reporting.core.access.links import LinkHolder, ReaderLink, ReaderLinkKey
from services.reporting.core.access.readers import PUBLIC, Reader
from services.reporting.http.access.reader_keys import ReaderKeys
from services.runtime.access.link_revocations import LinkRevocations
from services.runtime.clock import Clock
from services.runtime.http.private_routes import is_passed_on

COOKIE = "dondoc-session"

# A browser takes a cookie of this name only over TLS, for this host alone and the whole of it (RFC 6265bis 4.1.3.2), so
# no neighbouring host can plant a session of its own.
SECURE_COOKIE = "__Host-dondoc-session"

# A working day: a browser on a shared computer forgets a session long before the link of a mail expires.
COOKIE_SECONDS = 12 * 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who asks, and their session: the token of the link that they opened, or None if they sent a key or nothing."""

    reader: Reader
    session: str | None = None


class Authentication:
    """Finds out who asks. Without a `dashboard_key` no link of a mail opens anything."""

    def __init__(
        self, keys: ReaderKeys, revocations: LinkRevocations, dashboard_key: DashboardKey | None, clock: Clock
    ) -> None:
        self._keys = keys
        self._revocations = revocations
        self._dashboard_key = dashboard_key
        self._clock = clock

    @property
    def link_key(self) -> ReaderLinkKey | None:
        """The key of readers' links and of the tokens of their forms; None where no reader was created yet."""
        return self._keys.link_key

    def load(self) -> None:
        """Read the files of readers and revocations; raise `ReaderFileError` or `RevocationFileError`."""
        self._keys.load()
        self._keys.load_link_key()
        self._revocations.load()

    def watches(self) -> tuple[Callable[[], Coroutine[Any, Any, None]], ...]:
        """Return what reloads each of the files whenever it changes, until cancelled."""
        return self._keys.watch, self._keys.watch_link_key, self._revocations.watch

    def identify(self, request: Request) -> Identity:
        """Return who asks, `PUBLIC` if the request shows nothing; raise `AccessRefusedError` if it is not in force."""
        authorization = request.headers.get("authorization")
        if authorization is not None:
            return Identity(reader=self._keys.authenticate(authorization))
        session = request.cookies.get(_cookie_name(request))
        if session is None:
            return Identity(reader=PUBLIC)
        try:
            return Identity(reader=self.open_link(session), session=session)
        except AccessRefusedError as cause:
            raise AccessRefusedError(RefusalReason.SESSION_ENDED, reader=cause.reader) from cause

    def open_link(self, token: str) -> Reader:
        """Return whom the link *token* lets in; raise `AccessRefusedError` where it lets in nobody."""
        link = self._verify_link(token)
        reader, name = self._find_reader(link), _name_holder(link)
        if reader is None:
            raise AccessRefusedError(RefusalReason.LINK_REVOKED, reader=name)
        if self._clock.now() >= link.expires_at:
            raise AccessRefusedError(RefusalReason.LINK_EXPIRED, reader=name)
        return reader

    def _verify_link(self, token: str) -> LinkHolder:
        for key in (self._keys.link_key, self._dashboard_key):
            if key is not None:
                with suppress(BadLink):  # the other key may have signed it
                    return key.verify_link(token)
        raise AccessRefusedError(RefusalReason.BAD_LINK)

    def _find_reader(self, link: LinkHolder) -> Reader | None:
        """Return the reader of a link, or None if that reader, or the agency's links, are revoked."""
        match link:
            case ReaderLink():
                return self._keys.find(link.reader)
            case AgencyLink():
                is_revoked = self._revocations.cover(link.agency, link.issued_at)
                return None if is_revoked else readers.agency_reader(link.agency)


def set_session(request: Request, response: Response, token: str) -> None:
    """Give the browser its session: unreadable for scripts, for requests that begin on this site, over TLS alone.

    On this machine itself there is no TLS.
    """
    response.set_cookie(
        _cookie_name(request),
        token,
        max_age=COOKIE_SECONDS,
        path="/",
        secure=_is_secure(request),
        httponly=True,
        samesite="strict",
    )


def _cookie_name(request: Request) -> str:
    return SECURE_COOKIE if _is_secure(request) else COOKIE


def _is_secure(request: Request) -> bool:
    """Whether the browser is to send the cookie over TLS alone: everywhere but on its own machine.

    TLS ends at a proxy, so the scheme of the request says nothing. A browser that asks for a loopback host crosses no
    network, unless a proxy has put that host in the place of the public one; it then says that it passes on a request.
    """
    return not _is_loopback(request.url.hostname or "") or is_passed_on(request.scope)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _name_holder(link: LinkHolder) -> str:
    """Return the id by which the audit line names the holder of a link."""
    match link:
        case ReaderLink():
            return link.reader
        case AgencyLink():
            return readers.agency_reader(link.agency).id
