"""Who may read, probed from outside: keys, links, sessions, scopes, refusals and their audit lines."""

import re
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from typing import Any

import httpx
import pytest

from schemas.events import dashboard_links
from schemas.events.dashboard_links import AgencyLink, DashboardKey
from schemas.events.topics import DELIVERIES, FACTS, VERDICTS
from services.reporting.http.access import reader_keys
from services.runtime.access import link_revocations
from services.runtime.access.link_revocations import LinkRevocation
from services.runtime.clock import SystemClock
from tests.support.assertions.eventually import eventually
from tests.support.builders.annual_report import AS_OF, a_year
from tests.support.clients.readers import ReadersFile
from tests.support.servers.kafka import Bus
from tests.support.servers.services import Service

AT = AS_OF.isoformat()
PERIOD = "/v1/plans/6766-KH-UBND/periods/2026"
DASHBOARD_SECRET = "a key that notifier and reporting share"
OPEN = ("/livez", "/readyz", "/style.css", "/docs", "/openapi.json", "/metrics", "/asyncapi")
ANSWERED = (
    "/",
    "/agencies/h-03",
    "/v1/duties",
    "/v1/agencies/h-03",
    "/v1/receipts/r-1",
    PERIOD,
    f"{PERIOD}/report.json",
)
UNKNOWN = ("/nowhere", "/v1/nowhere", "/v1/duties/")

StartReporting = Callable[..., Service]
PublishEvents = Callable[..., Awaitable[None]]


class Visitor:
    """Asks a running reporting as somebody: with a key, with the cookies of a browser, or with nothing."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client

    def get(self, path: str, **query: str) -> httpx.Response:
        """Send a GET request as of the year that is stored."""
        return self._client.get(path, params={"as_of": AT, **query})

    def statuses(self, *paths: str) -> list[int]:
        """Return the status of each of *paths*."""
        return [self.get(path).status_code for path in paths]

    def open_link(self, link: str, **headers: str) -> httpx.Response:
        """Open a link as a browser does, which keeps the cookie."""
        return self._client.get(link, headers=headers)


Visit = Callable[..., Visitor]


@pytest.fixture
def visit() -> Iterator[Visit]:
    """Return a function that makes a visitor of a service, with a key or with other headers."""
    with ExitStack() as clients:

        def create(service: Service, key: str | None = None, **headers: str) -> Visitor:
            if key is not None:
                headers["authorization"] = f"Bearer {key}"
            return Visitor(clients.enter_context(httpx.Client(base_url=service.url, headers=headers, timeout=30)))

        yield create


@pytest.fixture
async def service(reporting: StartReporting, publish_events: PublishEvents, readers: ReadersFile, bus: Bus) -> Service:
    """Start reporting with readers of every scope, with a whole year, and with a receipt each of two agencies."""
    started = reporting(
        DONDOC_DASHBOARD_KEY=DASHBOARD_SECRET,
        DONDOC_REPORTING_LINK_REVOCATIONS=str(readers.path.with_name("link-revocations.json")),
    )
    revisions, attempts = a_year()
    await publish_events([*revisions, *(one for several in attempts.values() for one in several)])
    for number, agency in enumerate(("h-03", "s-00"), start=1):
        data = {"plan": "6766-KH-UBND", "obligation": "annual-results", "period": "2026", "agency": agency}
        fact = {"id": f"e-{number}", "source": "s", "type": "t", "receiptid": f"r-{number}", "receivedtime": AT}
        await bus.publish(FACTS.name, {**fact, "subject": agency, "data": data}, key=agency)
    for topic in (VERDICTS.name, DELIVERIES.name, FACTS.name):
        await bus.wait_until_consumed("dondoc-reporting", topic)
    return started


def refusals(service: Service) -> list[dict[str, Any]]:
    """Return the audit lines of refusals."""
    return [line for line in service.log_lines() if line.get("action") == "read_refused"]


async def test_nobody_reads_without_a_key_and_no_scope_is_left(
    service: Service, readers: ReadersFile, visit: Visit
) -> None:
    """Whoever shows no key gets 401 but for what is open; a list holds what the scope covers, a name outside is 403."""
    nobody = visit(service)
    assert nobody.statuses(*OPEN) == [200] * len(OPEN)
    assert nobody.statuses(*ANSWERED, *UNKNOWN) == [401] * (len(ANSWERED) + len(UNKNOWN))
    refused = nobody.get("/v1/duties")
    assert (refused.headers["www-authenticate"], refused.json()["type"]) == (
        'Bearer realm="dondoc"',
        "/problems/unauthenticated",
    )
    assert [line["reason"] for line in refusals(service)] == ["no_key"] * (len(ANSWERED) + len(UNKNOWN) + 1)
    everything = visit(service, readers.bearer)
    assert everything.statuses(*ANSWERED, *UNKNOWN) == [200] * len(ANSWERED) + [404] * len(UNKNOWN)
    assert visit(service, readers.bearer[:-1] + "!").statuses("/") == [401]
    agency, group, sealed = [
        visit(service, readers.create(scope, name=f"reader-{number}"))
        for number, scope in enumerate(("agency:h-03", "group:ubnd-huyen", "sealed"))
    ]
    await eventually(lambda: service.read_metric("reporting_readers") == 4, "the new readers are known", timeout=5)
    _sees_one_agency(agency)
    _sees_one_group(group)
    assert sealed.statuses(*ANSWERED) == [403] * len(ANSWERED)
    assert service.read_metric('reporting_reads_refused_total{reason="outside_scope"}') == len(
        [line for line in refusals(service) if line["reason"] == "outside_scope"]
    )


def _sees_one_agency(own: Visitor) -> None:
    duties = own.get("/v1/duties").json()
    assert ({duty["agency"] for duty in duties["duties"]}, duties["total"]) == ({"h-03"}, 2)
    assert own.statuses("/agencies/h-03", "/v1/agencies/h-03", "/v1/receipts/r-1") == [200] * 3
    outside = ("/agencies/h-04", "/v1/agencies/h-04", "/v1/agencies/nobody", "/v1/receipts/r-2", f"{PERIOD}/report.pdf")
    assert own.statuses(*outside) == [403] * len(outside)
    assert own.get("/v1/duties", agency="h-04").status_code == 403
    assert own.get("/v1/duties", group="so-ban-nganh").status_code == 403
    page = own.get("/").text
    assert [name in page for name in ("UBND huyện Đông Sơn", "UBND huyện Quan Hóa", "report.docx")] == [
        True,
        False,
        False,
    ]
    total = own.get(PERIOD).json()["total"]
    assert (total["superseded"], total["expected_reports"]) == (1, 0)


def _sees_one_group(group: Visitor) -> None:
    duties = group.get("/v1/duties", limit="1000").json()["duties"]
    assert {duty["agency"][:2] for duty in duties} == {"h-"}
    assert group.statuses("/v1/agencies/h-04", "/v1/receipts/r-1", PERIOD) == [200] * 3
    assert group.statuses("/v1/agencies/s-00", "/v1/receipts/r-2", f"{PERIOD}/report.csv") == [403] * 3
    for name, status in (("ubnd-huyen", 200), ("so-ban-nganh", 403)):
        assert [group.get(path, group=name).status_code for path in ("/v1/duties", "/duties")] == [status] * 2


async def test_a_link_opens_a_session_that_a_revocation_ends_at_once(
    service: Service, readers: ReadersFile, visit: Visit
) -> None:
    """The secret leaves the address, the cookie is strict, and neither a link nor a session outlives its reader."""
    link = readers.sign_link("everything", service.url)
    browser = visit(service, accept="text/html")
    opened = browser.open_link(link)
    assert (opened.headers["referrer-policy"], opened.headers["cache-control"]) == ("no-referrer", "no-store")
    assert re.search(r'http-equiv="refresh" content="0; url=/\?lang=vi"', opened.text)
    cookie = opened.headers["set-cookie"].lower()
    assert all(word in cookie for word in ("httponly", "samesite=strict", "path=/"))
    assert "secure" not in cookie
    assert browser.statuses("/") == [200]
    public = visit(service).open_link(link, host="dondoc.example").headers["set-cookie"]
    assert (public.partition("=")[0], "; secure" in public.lower()) == ("__Host-dondoc-session", True)
    past = readers.sign_link("everything", service.url, lifetime=timedelta(seconds=-1))
    for bad in (f"{link[:-2]}xx", past, f"{service.url}/open"):
        page = visit(service, accept="text/html").open_link(bad)
        assert (page.status_code, "dondoc readers link" in page.text) == (401, True)
    reader_keys.write_readers(readers.path, [])
    await eventually(lambda: service.read_metric("reporting_readers") == 0, "nobody may read", timeout=5)
    assert browser.statuses("/") == [401]
    assert visit(service).open_link(link).status_code == 401
    reasons = [line["reason"] for line in refusals(service)]
    assert reasons == ["bad_link", "link_expired", "bad_link", "session_ended", "link_revoked"]
    log = service.program.log.read_text(encoding="utf-8")
    assert not any(secret in log for secret in (readers.bearer, link.partition("t=")[2]))
    await _opens_with_the_link_of_a_mail(service, readers, visit(service))


async def _opens_with_the_link_of_a_mail(service: Service, readers: ReadersFile, browser: Visitor) -> None:
    """A link that the notifier signed lets its agency read what is its own, until it is revoked for the agency."""
    now = SystemClock().now()
    signed = AgencyLink(agency="h-03", issued_at=now, expires_at=now + timedelta(days=90))
    link = dashboard_links.dashboard_url(service.url, DashboardKey(DASHBOARD_SECRET).sign_link(signed), "en")
    assert 'url=/agencies/h-03?lang=en"' in browser.open_link(link).text
    assert browser.statuses("/agencies/h-03", "/agencies/h-04", "/v1/duties") == [200, 403, 200]
    revocation = LinkRevocation(agency="h-03", before=now + timedelta(seconds=1), reason="a clerk has left")
    link_revocations.write_revocations(readers.path.with_name("link-revocations.json"), [revocation])
    await eventually(lambda: browser.statuses("/agencies/h-03") == [401], "the session is ended", timeout=5)
    assert refusals(service)[-1]["key"] == "agency:h-03"


async def test_public_figures_are_the_counts_by_status_and_nothing_else(
    reporting: StartReporting, publish_events: PublishEvents, readers: ReadersFile, bus: Bus, visit: Visit
) -> None:
    """With DONDOC_REPORTING_PUBLIC=figures two addresses count for everybody, without a name of an agency."""
    service = reporting(DONDOC_REPORTING_PUBLIC="figures")
    await publish_events(a_year()[0])
    await bus.wait_until_consumed("dondoc-reporting", VERDICTS.name)
    nobody = visit(service)
    answer = nobody.get(PERIOD).json()
    assert sorted(answer) == ["as_of", "known_at", "period", "plan", "total"]
    assert (answer["total"]["on_time"], answer["total"]["pending"]) == (22, 0)
    page = nobody.get("/").text
    assert (">22<" in page, "UBND huyện" in page) == (True, False)
    links = {one.partition("?")[0] for one in re.findall(r'href="(/[^"]*)"', page)}
    assert nobody.statuses(*links) == [200] * len(links)
    assert nobody.statuses("/v1/duties", "/agencies/h-03", f"{PERIOD}/report.json") == [401] * 3
    assert "UBND huyện" in visit(service, readers.bearer).get("/duties").text
    assert visit(service, "ddr_everything_wrong").statuses("/") == [401]
