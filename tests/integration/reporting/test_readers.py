"""Who may read, probed from outside: keys, links, sessions, scopes, refusals and their audit lines."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest

from schemas.events import dashboard_links
from schemas.events.dashboard_links import AgencyLink, DashboardKey
from schemas.events.topics import DELIVERIES, FACTS, VERDICTS
from services.reporting.http.access import reader_keys
from services.runtime import secret_files
from services.runtime.access import link_revocations
from services.runtime.access.link_revocations import LinkRevocation
from services.runtime.clock import SystemClock
from tests.support.assertions.eventually import eventually
from tests.support.builders.annual_report import AS_OF, a_year
from tests.support.servers.kafka import Bus
from tests.support.servers.readers import ReadersFile
from tests.support.servers.services import Service

AT = AS_OF.isoformat()
PERIOD = "/v1/plans/6766-KH-UBND/periods/2026"
DASHBOARD_SECRET = "a key that notifier and reporting share"
OPEN = ("/livez", "/readyz", "/style.css", "/docs", "/openapi.json", "/metrics", "/asyncapi")
KEYED = (
    *("/", "/agencies/h-03", "/v1/duties", "/v1/agencies/h-03", "/v1/receipts/r-1", PERIOD, f"{PERIOD}/report.json"),
    *("/nowhere", "/v1/nowhere", "/v1/duties/", "//"),
)

StartReporting = Callable[..., Service]
PublishEvents = Callable[..., Awaitable[None]]


class Visitor:
    """Asks a running reporting as somebody: with a key, with the cookies of a browser, or with nothing."""

    def __init__(self, service: Service, **headers: str) -> None:
        self.service = service
        self._client = httpx.AsyncClient(base_url=service.url, headers=headers, timeout=30)

    async def get(self, path: str, **query: str) -> httpx.Response:
        """Send a GET request, by default as of the year that is stored."""
        return await self._client.get(path, params={"as_of": AT, **query})

    async def statuses(self, *paths: str) -> list[int]:
        """Return the status of each of *paths*."""
        return [(await self.get(path)).status_code for path in paths]

    async def open_link(self, link: str, **headers: str) -> httpx.Response:
        """Open a link as a browser does, which keeps the cookie."""
        return await self._client.get(link, headers=headers)

    async def post(self, path: str, **form: str) -> httpx.Response:
        """Send a form."""
        return await self._client.post(path, data=form)


def with_key(service: Service, bearer: str) -> Visitor:
    """Return a visitor with a key."""
    return Visitor(service, authorization=f"Bearer {bearer}")


@pytest.fixture
async def service(reporting: StartReporting, publish_events: PublishEvents, readers: ReadersFile, bus: Bus) -> Service:
    """Start reporting with a whole year and a receipt of two agencies."""
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


async def test_nobody_reads_without_a_key_and_a_scope_is_not_left(service: Service, readers: ReadersFile) -> None:
    """Whoever shows no key gets 401 but for what is open; a list holds what the scope covers, a name outside is 403."""
    nobody = Visitor(service)
    assert await nobody.statuses(*OPEN) == [200, 503, *[200] * 5]  # nothing is assessed of plan 6766's rules here
    assert await nobody.statuses(*KEYED) == [401] * len(KEYED)
    answer = await nobody.get("/v1/duties")
    assert (answer.headers["www-authenticate"], answer.headers["content-type"]) == (
        'Bearer realm="dondoc"',
        "application/problem+json",
    )
    assert [line["reason"] for line in refusals(service)] == ["no_key"] * (len(KEYED) + 1)
    everything = with_key(service, readers.bearer)
    assert await everything.statuses(*KEYED[:-4]) == [200] * (len(KEYED) - 4)
    assert (await with_key(service, readers.bearer[:-1] + "!").get("/")).status_code == 401
    await _check_agency(service, readers)
    await _check_group(service, readers)
    sealed = with_key(service, readers.create("sealed", name="archive"))
    assert await sealed.statuses(*KEYED[:7]) == [403] * 7


async def _check_agency(service: Service, readers: ReadersFile) -> None:
    own = with_key(service, readers.create("agency:h-03", name="h-03"))
    await eventually(lambda: service.read_metric("reporting_readers") == 2, "the new reader is known", timeout=5)
    duties = (await own.get("/v1/duties")).json()
    assert {duty["agency"] for duty in duties["duties"]} == {"h-03"}
    assert duties["total"] == 2
    assert await own.statuses("/agencies/h-03", "/v1/agencies/h-03", "/v1/receipts/r-1") == [200] * 3
    outside = ("/agencies/h-04", "/v1/agencies/h-04", "/v1/agencies/nobody", "/v1/receipts/r-2", f"{PERIOD}/report.pdf")
    assert await own.statuses(*outside) == [403] * 5
    assert (await own.get("/v1/duties", agency="h-04")).status_code == 403
    assert (await own.get("/v1/duties", group="so-ban-nganh")).status_code == 403
    page = (await own.get("/")).text
    assert "UBND huyện Đông Sơn" in page
    assert "UBND huyện Quan Hóa" not in page
    assert "report.docx" not in page
    assert (await own.get(PERIOD)).json()["total"]["expected_reports"] == 1


async def _check_group(service: Service, readers: ReadersFile) -> None:
    group = with_key(service, readers.create("group:ubnd-huyen", name="districts"))
    await eventually(lambda: service.read_metric("reporting_readers") == 3, "the new reader is known", timeout=5)
    duties = (await group.get("/v1/duties", limit="1000")).json()["duties"]
    assert {duty["agency"][:2] for duty in duties} == {"h-"}
    assert await group.statuses("/v1/agencies/h-04", "/v1/receipts/r-1", PERIOD) == [200] * 3
    assert await group.statuses("/v1/agencies/s-00", "/v1/receipts/r-2", f"{PERIOD}/report.csv") == [403] * 3
    assert (await group.get("/v1/duties", group="ubnd-huyen")).status_code == 200
    assert (await group.get("/v1/duties", group="so-ban-nganh")).status_code == 403
    assert (await group.get("/", group="so-ban-nganh")).status_code == 403


async def test_a_link_opens_a_session_that_a_revocation_ends_at_once(service: Service, readers: ReadersFile) -> None:
    """The secret leaves the address, the cookie is strict, and neither a link nor a session outlives its reader."""
    link = readers.sign_link("everything", service.url)
    browser = Visitor(service, accept="text/html")
    opened = await browser.open_link(link)
    assert (opened.status_code, opened.headers["referrer-policy"], opened.headers["cache-control"]) == (
        200,
        "no-referrer",
        "no-store",
    )
    assert re.search(r'http-equiv="refresh" content="0; url=/\?lang=vi"', opened.text)
    assert "t=" not in opened.text.replace("content=", "")
    cookie = opened.headers["set-cookie"].lower()
    assert all(word in cookie for word in ("httponly", "samesite=strict", "path=/"))
    assert "secure" not in cookie
    assert (await browser.get("/")).status_code == 200
    public = await Visitor(service).open_link(link, host="dondoc.example")
    assert public.headers["set-cookie"].startswith("__Host-dondoc-session=")
    assert "; secure" in public.headers["set-cookie"].lower()
    past = readers.sign_link("everything", service.url, lifetime=timedelta(seconds=-1))
    for bad in (f"{link[:-2]}xx", past, f"{service.url}/open"):
        page = await Visitor(service, accept="text/html").open_link(bad)
        assert (page.status_code, "dondoc readers link" in page.text) == (401, True)
    keys = reader_keys.read_readers(readers.path)
    with secret_files.lock_file(readers.path):
        reader_keys.write_readers(readers.path, [])
    await eventually(lambda: service.read_metric("reporting_readers") == 0, "nobody may read", timeout=5)
    assert (await browser.get("/")).status_code == 401
    assert (await Visitor(service).open_link(link)).status_code == 401
    assert keys
    reasons = [line["reason"] for line in refusals(service)]
    assert reasons == ["bad_link", "link_expired", "bad_link", "session_ended", "link_revoked"]
    assert not any(secret in service.program.log.read_text() for secret in (readers.bearer, link.partition("t=")[2]))
    assert service.read_metric('reporting_reads_refused_total{reason="bad_link"}') == 2


async def test_the_link_of_a_mail_opens_what_is_the_agency_s_own(service: Service, readers: ReadersFile) -> None:
    """A link that the notifier signed lets its agency read what is its own, until it is revoked for the agency."""
    now = SystemClock().now()
    signed = AgencyLink(agency="h-03", issued_at=now, expires_at=now + timedelta(days=90))
    link = dashboard_links.dashboard_url(service.url, DashboardKey(DASHBOARD_SECRET).sign_link(signed), "en")
    browser = Visitor(service)
    assert 'url=/agencies/h-03?lang=en"' in (await browser.open_link(link)).text
    assert await browser.statuses("/agencies/h-03", "/agencies/h-04", "/v1/duties") == [200, 403, 200]
    path = readers.path.with_name("link-revocations.json")
    link_revocations.write_revocations(
        path, [LinkRevocation(agency="h-03", before=now + timedelta(seconds=1), reason="a clerk left")]
    )
    for _ in range(50):
        if (await browser.get("/")).status_code == 401:
            break
        await asyncio.sleep(0.1)
    assert await browser.statuses("/", "/agencies/h-03") == [401, 401]
    assert {line["reader"] for line in refusals(service)} == {"agency:h-03"}


async def test_public_figures_are_the_counts_by_status_and_nothing_else(
    reporting: StartReporting, publish_events: PublishEvents, readers: ReadersFile, bus: Bus
) -> None:
    """With DONDOC_REPORTING_PUBLIC=figures two addresses count for everybody, without a name of an agency."""
    service = reporting(DONDOC_REPORTING_PUBLIC="figures")
    revisions, _ = a_year()
    await publish_events(revisions)
    await bus.wait_until_consumed("dondoc-reporting", VERDICTS.name)
    nobody = Visitor(service)
    answer = (await nobody.get(PERIOD)).json()
    assert sorted(answer) == ["as_of", "known_at", "period", "plan", "total"]
    assert (answer["total"]["on_time"], answer["total"]["pending"]) == (22, 0)
    page = (await nobody.get("/")).text
    assert ">22<" in page
    assert "UBND huyện" not in page
    assert await nobody.statuses("/v1/duties", "/agencies/h-03", f"{PERIOD}/report.json") == [401] * 3
    assert "UBND huyện" in (await with_key(service, readers.bearer).get("/")).text
    assert (await with_key(service, "ddr_everything_wrong").get("/")).status_code == 401
