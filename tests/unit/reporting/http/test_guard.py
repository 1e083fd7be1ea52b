"""Every route of reporting says what it asks for; one that does not is for nobody, and forms cannot be forged."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from services.reporting import app as reporting
from services.reporting.core.access import readers
from services.reporting.core.access.decisions import Access, AccessRefusedError, RefusalReason
from services.reporting.core.access.links import ReaderLink
from services.reporting.core.access.readers import Reader, ReaderKey, ReaderScope
from services.reporting.http.access import guard, reader_keys
from services.reporting.http.access.authentication import COOKIE, Authentication
from services.reporting.http.access.guard import AccessRoute, GuardedRoute, ReaderGuard
from services.reporting.http.access.reader_keys import ReaderKeys
from services.reporting.settings import ReportingSettings
from services.runtime.access import bearer_keys
from services.runtime.access.link_revocations import LinkRevocations
from services.runtime.access.refusal_log import RefusalLog
from services.runtime.clock import SystemClock
from services.runtime.http.server import Halt

NOW = datetime(2026, 12, 1, tzinfo=UTC)
SECRET = "the secret of the officer"
OFFICER = Reader(id="officer", name="Lê Thị B", scope=readers.EVERYTHING, may_review=True)


class Agencies:
    """One agency and its alias."""

    def resolve_agency(self, name: str, plan_id: str | None = None) -> str:
        """Return the id."""
        return {("h-cu", "KH-1"): "h-moi"}.get((name, plan_id or ""), name)

    def require_agency(self, agency_id: str, scope: ReaderScope) -> None:
        """Refuse what the scope does not cover."""
        if not scope.covers_agency(agency_id, ()):
            raise AccessRefusedError(RefusalReason.OUTSIDE_SCOPE)


class Site:
    """A site of three routes behind the guard, with one reader, and what it has counted of refusals."""

    def __init__(self, folder: Path) -> None:
        path = folder / "readers.json"
        self.link_key = reader_keys.load_or_create_link_key(path)
        key = ReaderKey(reader=OFFICER, sha256=bearer_keys.digest_secret(SECRET), created_at=NOW)
        own = Reader(id="own", name="", scope=readers.parse_scope(["agency:h-moi"]))
        reader_keys.write_readers(path, [key, replace(key, reader=own)])
        keys = ReaderKeys(path, SystemClock())
        keys.load()
        keys.load_link_key()
        authentication = Authentication(keys, LinkRevocations(folder / "none.json"), None, SystemClock())
        self.refused: list[RefusalReason] = []
        self.guard = ReaderGuard(
            authentication=authentication,
            agencies=Agencies(),
            are_figures_public=False,
            refusals=RefusalLog("read_refused", lines_max=60, count=self.refused.append),
        )
        routes: list[BaseRoute] = [
            Route("/forgotten", self.answer),
            AccessRoute("/{plan}/{agency}", self.name_agency, Access.COVERED),
            AccessRoute("/form", self.get_form, Access.REVIEWS),
            AccessRoute("/form", self.post_form, Access.REVIEWS, methods=["POST"]),
        ]
        self.app = Starlette(routes=self.guard.protect(routes), exception_handlers={AccessRefusedError: self.refuse})

    async def answer(self, _request: Request) -> Response:
        """Answer."""
        return PlainTextResponse("answered")

    async def name_agency(self, request: Request) -> Response:
        """Return the agency that the handler is asked about."""
        return PlainTextResponse(request.path_params["agency"])

    async def get_form(self, request: Request) -> Response:
        """Return the token of a form."""
        return PlainTextResponse(self.guard.form_token(request))

    async def post_form(self, request: Request) -> Response:
        """Return a field of the form, which the guard has read before."""
        return PlainTextResponse(str((await request.form())["reason"]) + " " + guard.reader_of(request).name)

    async def refuse(self, request: Request, error: Exception) -> Response:
        """Record a refusal, as the application does."""
        assert isinstance(error, AccessRefusedError)
        self.guard.record_refusal(request, error)
        return PlainTextResponse(error.reason, 401 if error.reason.is_unauthenticated else 403)

    def with_key(self, reader: str = OFFICER.id) -> httpx.AsyncClient:
        """Return a program that has a reader's key."""
        headers = {"authorization": f"Bearer ddr_{reader}_{SECRET}"}
        return httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url="http://x", headers=headers)

    def browser(self, host: str = "127.0.0.1") -> httpx.AsyncClient:
        """Return a browser that sends the cookie of its own machine to *host*."""
        now = SystemClock().now()
        link = ReaderLink(reader=OFFICER.id, issued_at=now, expires_at=now + timedelta(hours=1))
        transport = httpx.ASGITransport(self.app)
        cookies = {COOKIE: self.link_key.sign_link(link)}
        return httpx.AsyncClient(transport=transport, base_url=f"http://{host}", cookies=cookies)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """A site with one reader."""
    return Site(tmp_path)


def test_every_route_of_reporting_says_what_it_asks_for() -> None:
    """All routes are behind the guard, none is for nobody, and what is open to everybody is what the contract names."""
    app = reporting.build_app(ReportingSettings(), halt=Halt())
    routes = [route for route in app.routes if isinstance(route, GuardedRoute)]
    assert len(routes) == len(app.routes)
    asked = {str(getattr(one.route, "path", "")): one.access for one in routes}
    assert Access.NOBODY not in asked.values()
    in_the_open = {path for path, access in asked.items() if access is Access.OPEN and not path.startswith("/verify/")}
    assert in_the_open == {"/livez", "/readyz", "/style.css", "/docs", "/openapi.json", "/open"}
    assert {path for path, access in asked.items() if access is Access.COUNTS} == {
        "/",
        "/v1/plans/{plan}/periods/{period}",
    }
    assert {path for path, access in asked.items() if access is Access.THIS_MACHINE} == {"/metrics", "/asyncapi"}


async def test_a_route_that_says_nothing_answers_nobody(site: Site) -> None:
    """A route that a later change adds without a decision is refused to the reader of everything, too."""
    async with site.with_key() as client:
        assert (await client.get("/forgotten")).status_code == 403
    assert site.refused == [RefusalReason.OUTSIDE_SCOPE]


async def test_an_alias_in_a_path_opens_what_its_id_opens(site: Site) -> None:
    """The handler gets the id; a scope covers the agency by either name, under that plan alone."""
    async with site.with_key() as everything, site.with_key("own") as own:
        assert (await everything.get("/KH-1/h-cu")).text == "h-moi"
        assert [(await own.get(path)).text for path in ("/KH-1/h-moi", "/KH-1/h-cu")] == ["h-moi"] * 2
        assert (await own.get("/KH-2/h-cu")).status_code == 403


async def test_a_form_without_the_token_of_its_session_is_refused(site: Site) -> None:
    """Another site can make a browser post, but knows no token; a key needs none, for no browser sends it by itself."""
    async with site.browser() as browser:
        token = (await browser.get("/form")).text
        posted = await browser.post("/form", data={"reason": "thiếu số liệu", "form_token": token})
        assert posted.headers["cache-control"] == "private, no-cache"
        assert posted.headers["vary"].split(", ") == ["Accept-Language", "Authorization", "Cookie"]
        assert (posted.status_code, posted.text) == (200, "thiếu số liệu Lê Thị B")
        for forged in ({}, {"form_token": ""}, {"form_token": token[:-2]}):
            assert (await browser.post("/form", data={"reason": "x", **forged})).status_code == 403
        assert (await browser.post("/form", json={"reason": "x", "form_token": token})).status_code == 403
    assert site.refused == [RefusalReason.FORGED_FORM] * 4
    async with site.with_key() as client:
        assert (await client.post("/form", data={"reason": "x"})).status_code == 200


async def test_over_the_network_a_cookie_counts_only_with_the_prefix_of_tls(site: Site) -> None:
    """A neighbouring host can plant a cookie without `__Host-`, so one without it counts on this machine alone."""
    for host, headers, status in (
        ("127.0.0.1", {}, 200),
        ("localhost:8004", {}, 200),
        ("dondoc.example", {}, 401),
        ("127.0.0.1", {"x-forwarded-for": "192.0.2.7"}, 401),
    ):
        async with site.browser(host) as browser:
            assert (await browser.get("/form", headers=headers)).status_code == status
