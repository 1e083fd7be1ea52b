"""Pages of reporting drawn from records in memory, asked as one reader asks them."""

from collections.abc import Sequence
from datetime import UTC, datetime

import httpx
from starlette.applications import Starlette
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from services.reporting.core.access.readers import EVERYTHING, Reader, ReaderScope
from services.reporting.dashboard.page_renderer import PageRenderer
from services.reporting.http import problems
from services.reporting.http.access.authentication import Identity

NOW = datetime(2024, 12, 20, 2, tzinfo=UTC)


class StandingClock:
    """A clock that stands still."""

    def now(self) -> datetime:
        """Return the moment of the tests."""
        return NOW


class AsReader:
    """An application as one reader asks it: the guard, which finds readers out, has tests of its own."""

    def __init__(self, app: ASGIApp, scope: ReaderScope) -> None:
        self._app = app
        self._reader = Reader(id="x", name="Lê Thị B", scope=scope, may_review=scope == EVERYTHING)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope.setdefault("state", {})["identity"] = Identity(reader=self._reader)
        await self._app(scope, receive, send)


def open_site(routes: Sequence[BaseRoute], renderer: PageRenderer, scope: ReaderScope) -> httpx.AsyncClient:
    """Return a browser on the pages as a reader of *scope* sees them."""
    handlers = problems.build_handlers(renderer.render_problem, lambda _request, _refusal: None)
    app = AsReader(Starlette(routes=routes, exception_handlers=handlers), scope)
    headers = {"accept": "text/html"}
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://x", headers=headers)
