"""The guard before every route: who asks is found out, and what the route asks for is decided, before its handler runs.

A route says what it asks for with `AccessRoute`. Any other route is for nobody, so a new one that forgets to say is
refused, and not open. Every refusal is recorded for the audit.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Protocol

from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.routing import BaseRoute, Match, Route
from starlette.types import Message, Receive, Scope, Send

from services.reporting.core.access import decisions
from services.reporting.core.access.decisions import Access, AccessRefusedError, RefusalReason
from services.reporting.core.access.readers import PUBLIC, Reader, ReaderScope
from services.reporting.http import request_bodies
from services.reporting.http.access.authentication import Authentication, Identity
from services.runtime.access.refusal_log import RefusalLog
from services.runtime.http.private_routes import is_from_this_machine

FORM_TOKEN_FIELD = "form_token"  # noqa: S105 - the name of the field, not a token
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
VARYING = ("Accept-Language", "Authorization", "Cookie")
_LOGGED_CHARS = 200  # of a path, which may be as long as a request line

# Raises `AccessRefusedError` where a scope does not cover an agency.
RequireAgency = Callable[[str, ReaderScope], None]


class CoveredAgencies(Protocol):
    """Finds agencies, and says which of them a scope covers."""

    def resolve_agency(self, name: str, plan_id: str | None = None) -> str: ...
    def require_agency(self, agency_id: str, scope: ReaderScope) -> None: ...


class AccessRoute(Route):
    """A route that says what it asks for."""

    def __init__(self, path: str, endpoint: Callable[..., Any], access: Access, **options: Any) -> None:  # noqa: ANN401 - options of Starlette
        super().__init__(path, endpoint, **options)
        self.access = access


class GuardedRoute(BaseRoute):
    """A route behind the guard. What the guard raises is answered by the handlers of the application's errors."""

    def __init__(self, route: BaseRoute, guard: "ReaderGuard") -> None:
        self.route = route
        self._guard = guard

    @property
    def access(self) -> Access:
        """What the route asks for: nobody's, if it does not say."""
        return self.route.access if isinstance(self.route, AccessRoute) else Access.NOBODY

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        return self.route.matches(scope)

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        admitted = await self._guard.admit(Request(scope, receive), self.access)
        await self.route.handle(scope, admitted, send if self.access is Access.OPEN else _keep_private(send))


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderGuard:
    """Admits requests to routes, and records whom it refuses."""

    authentication: Authentication
    agencies: CoveredAgencies
    are_figures_public: bool
    refusals: RefusalLog[RefusalReason]

    def protect(self, routes: Iterable[BaseRoute]) -> list[BaseRoute]:
        """Return *routes* behind the guard."""
        return [GuardedRoute(route, self) for route in routes]

    async def answer_unknown_path(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a path without a route: 404 to a reader, to anybody else the refusal that every path gives."""
        del send
        if self.authentication.identify(Request(scope, receive)).reader == PUBLIC:
            raise AccessRefusedError(RefusalReason.NO_KEY)
        raise HTTPException(404)

    async def admit(self, request: Request, access: Access) -> Receive:
        """Enter who asks into the request, and return the `receive` for its handler; raise `AccessRefusedError`.

        An agency that the path names as `{agency}`, by its id or an alias, must be covered; the handler gets its id.
        """
        if access is Access.OPEN:
            return request.receive
        if access is Access.THIS_MACHINE:
            if not is_from_this_machine(request.scope):
                raise AccessRefusedError(RefusalReason.OTHER_MACHINE)
            return request.receive
        identity = self._identify(request, access)
        reader = identity.reader
        refusal = decisions.find_refusal(access, reader, are_figures_public=self.are_figures_public)
        agency = request.path_params.get("agency")
        if refusal is None and agency is not None:
            # The scope is asked about the agency itself: an alias opens what its id opens, and nothing else.
            agency = request.path_params["agency"] = self.agencies.resolve_agency(
                agency, request.path_params.get("plan")
            )
            self.agencies.require_agency(agency, reader.scope)
        if refusal is not None:
            raise AccessRefusedError(refusal, reader=None if reader == PUBLIC else reader.id)
        request.state.identity = identity
        if identity.session is None or request.method in SAFE_METHODS:
            return request.receive
        return await self._require_form_token(request, identity.session)

    def form_token(self, request: Request) -> str:
        """Return the token that a form of this page carries in the field `FORM_TOKEN_FIELD`; empty without a session.

        A request with a key needs none, because no browser sends a key by itself.
        """
        identity: Identity = request.state.identity
        key = self.authentication.link_key
        return "" if identity.session is None or key is None else key.sign_form(identity.session)

    def record_refusal(self, request: Request, refusal: AccessRefusedError) -> None:
        """Record a refusal for the audit. The query is left out: that of a link holds its token."""
        reader = refusal.reader or find_reader_id(request)
        address = request.client.host if request.client else None
        details = {"address": address, "method": request.method, "path": request.url.path[:_LOGGED_CHARS]}
        self.refusals.record(refusal.reason, origin=reader or address, key=reader, details=details)

    def _identify(self, request: Request, access: Access) -> Identity:
        try:
            return self.authentication.identify(request)
        except AccessRefusedError as cause:
            # Who kept the cookie of a session that has ended sees what everybody sees.
            if cause.reason is RefusalReason.SESSION_ENDED and access is Access.COUNTS and self.are_figures_public:
                return Identity(reader=PUBLIC)
            raise

    async def _require_form_token(self, request: Request, session: str) -> Receive:
        """Return a `receive` that gives the body once more; raise `AccessRefusedError` unless it has the token."""
        body = await request_bodies.read_body(request, request_bodies.FORM_BYTES_MAX)
        key = self.authentication.link_key
        fields = request_bodies.parse_form(request.headers.get("content-type", ""), body)
        given = fields.get(FORM_TOKEN_FIELD, "")
        if key is None or not key.is_form_of(session, given):
            raise AccessRefusedError(RefusalReason.FORGED_FORM)

        async def receive() -> Message:
            return {"type": "http.request", "body": body, "more_body": False}

        return receive


def _keep_private(send: Send) -> Send:
    """Return *send* that lets no shared cache keep an answer, which is of what one reader's scope covers.

    A shared cache would spare itself the answer to a request with a key (RFC 9111 section 3.5), but not with a cookie.
    """

    async def send_private(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers.setdefault("Cache-Control", "private, no-cache")
            headers["Vary"] = _join_vary(headers.get("Vary", ""))
        await send(message)

    return send_private


def _join_vary(named: str) -> str:
    """Return the headers that an answer of *named* ones depends on: besides, who asks, and in what language."""
    given = [one.strip() for one in named.split(",") if one.strip()]
    known = {one.lower() for one in given}
    return ", ".join((*given, *(one for one in VARYING if one.lower() not in known)))


def find_reader_id(request: Request) -> str | None:
    """Return the id of the reader who asks, or None where nobody is known to ask."""
    reader = find_reader(request)
    return None if reader == PUBLIC else reader.id


def find_reader(request: Request) -> Reader:
    """Return the reader who asks; `PUBLIC` where nobody is known to, or where a route asks nobody who they are."""
    identity: Identity | None = getattr(request.state, "identity", None)
    return PUBLIC if identity is None else identity.reader


def reader_of(request: Request) -> Reader:
    """Return the reader who asks, as the guard has found out; `PUBLIC` is nobody whom it knows."""
    identity: Identity = request.state.identity
    return identity.reader


def scope_of(request: Request) -> ReaderScope:
    """Return the scope of the reader who asks."""
    return reader_of(request).scope
