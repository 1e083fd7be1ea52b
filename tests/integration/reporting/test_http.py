"""The HTTP API of reporting: filters, pages, figures, documents, pages for people, problem documents."""

import asyncio
import csv
import io
import json
import re
from collections.abc import Awaitable, Callable
from urllib.parse import urljoin, urlsplit

import httpx
import jsonschema
import openpyxl
import pytest

from schemas.events.topics import FACTS, VERDICTS
from tests.support.builders.annual_report import AS_OF
from tests.support.clients.readers import ReadersFile
from tests.support.servers.kafka import Bus
from tests.support.servers.services import Service

AT = AS_OF.isoformat()
PERIOD = "/v1/plans/6766-KH-UBND/periods/2026"

EXTREME_INSTANTS = (
    "9999-12-31T23:59:59-14:00",
    "0001-01-01T00:00:00+14:00",
    "0001-01-01T00:00:00Z",
    "1899-12-31T23:59:59+07:00",
    "2200-01-01T00:00:00+07:00",
    "1" * 5_000,
)
INVALID_QUERIES: list[tuple[str, dict[str, str], int, list[str]]] = [
    ("/v1/duties", {"as_of": "2026-12-10", "limit": "0"}, 400, ["/query/as_of", "/query/limit"]),
    ("/v1/duties", {"known_at": "yesterday"}, 400, ["/query/known_at"]),
    ("/v1/duties", {"limit": "²"}, 400, ["/query/limit"]),
    ("/v1/duties", {"period": "2026-13"}, 400, ["/query/period"]),
    ("/v1/duties", {"status": "tardy"}, 400, ["/query/status"]),
    ("/", {"status": "tardy"}, 400, ["/query/status"]),
    ("/v1/duties", {"sort": "-beauty"}, 400, ["/query/sort"]),
    ("/v1/duties", {"queue": "long"}, 400, ["/query/queue"]),
    ("/v1/duties", {"cursor": "zz"}, 400, ["/query/cursor"]),
    ("/v1/duties", {"format": "odt"}, 400, ["/query/format"]),
    *[
        (path, {"colour": "red", "limite": "5"}, 400, ["/query/colour", "/query/limite"])
        for path in ("/", "/duties", "/results", "/v1/duties", "/v1/agencies/h-03", PERIOD, f"{PERIOD}/reports")
    ],
    ("/v1/duties", {"plan": "unheard-of"}, 404, []),
    ("/v1/agencies/nobody", {}, 404, []),
    ("/v1/plans/unheard-of/periods/2026", {}, 404, []),
    ("/v1/plans/6766-KH-UBND/periods/tomorrow", {}, 404, []),
    ("/v1/unheard-of", {}, 404, []),
    *[
        (path, {name: instant}, 400, [f"/query/{name}"])
        for path in (
            "/",
            "/agencies/h-03",
            "/v1/duties",
            "/v1/agencies/h-03",
            "/v1/receipts/r-1",
            PERIOD,
            f"{PERIOD}/report.pdf",
        )
        for name in ("as_of", "known_at")
        for instant in EXTREME_INSTANTS
    ],
]

Get = Callable[..., Awaitable[httpx.Response]]
StartReporting = Callable[..., Service]


async def test_duties_are_filtered_and_paged(reporting_with_year: Service, get: Get) -> None:
    """All conditions must hold, and the total counts the duties that match them."""
    everything = (await get(reporting_with_year, "/v1/duties", period="2026", as_of=AT)).json()
    assert everything["total"] == 38
    described = (await get(reporting_with_year, "/openapi.json")).json()
    jsonschema.validate(everything, {**described, "$ref": "#/components/schemas/Duties"})
    late = (
        await get(reporting_with_year, "/v1/duties", period="2026", status="late,overdue", group="ubnd-huyen", as_of=AT)
    ).json()
    assert {duty["status"] for duty in late["duties"]} == {"late", "overdue"}
    assert late["total"] == len(late["duties"]) == 5
    named = (await get(reporting_with_year, "/v1/duties", q="dong son", period="2026", as_of=AT)).json()
    assert [duty["agency_name"] for duty in named["duties"]] == ["UBND huyện Đông Sơn"]
    flagged = (await get(reporting_with_year, "/v1/duties", flag="nil_return", as_of=AT)).json()
    assert flagged["total"] == 1
    one_off = (
        await get(reporting_with_year, "/v1/duties", period="none", as_of=AT, obligation="action-programme")
    ).json()
    assert one_off["total"] == 38
    agency = (await get(reporting_with_year, "/v1/agencies/h-03", as_of=AT)).json()
    assert (agency["name"], agency["total"]) == ("UBND huyện Đông Sơn", 2)


async def test_a_list_comes_in_the_order_that_is_asked_for(reporting_with_year: Service, get: Get) -> None:
    """Any column sorts, in either direction, across pages; rows without a value stand last."""
    seen: list[int | None] = []
    cursor: str | None = ""
    while cursor is not None:
        query = {"period": "2026", "sort": "-days_late,agency_name", "limit": 7, "cursor": cursor, "as_of": AT}
        answer = await get(reporting_with_year, "/v1/duties", **query)
        seen += [duty["days_late"] for duty in answer.json()["duties"]]
        cursor = answer.json()["next_cursor"]
        assert ('rel="next"' in answer.headers.get("link", "")) == (cursor is not None)
    days = [one for one in seen if one is not None]
    assert seen == sorted(days, reverse=True) + [None] * (38 - len(days))
    assert days


async def test_a_list_is_exported_whole_or_not_sent_again(reporting_with_year: Service, readers: ReadersFile) -> None:
    """A file has every row of the question; who has the answer already gets none; long answers come compressed."""
    query = {"period": "2026", "sort": "agency", "status": "late,overdue", "as_of": AT, "lang": "en"}
    async with httpx.AsyncClient(base_url=reporting_with_year.url, headers=readers.headers, timeout=30) as client:
        listed = await client.get("/v1/duties", params=query)
        table = await client.get("/v1/duties", params=query, headers={"accept": "text/csv"})
        rows = list(csv.DictReader(io.StringIO(table.content.decode("utf-8-sig"))))
        assert [row["agency"] for row in rows] == [duty["agency"] for duty in listed.json()["duties"]]
        sheet = await client.get("/v1/duties", params={**query, "format": "xlsx"})
        cells = list(openpyxl.load_workbook(io.BytesIO(sheet.content)).worksheets[0].values)
        assert [row[6] for row in cells[3:]] == [row["agency"] for row in rows]
        again = await client.get("/v1/duties", params=query, headers={"if-none-match": listed.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        assert listed.headers["content-encoding"] == "gzip"
        now = [await client.get("/v1/duties", params={"period": "2026"}) for _ in range(2)]
        assert now[0].headers["etag"] == now[1].headers["etag"]
        assert now[0].json()["as_of"] != now[1].json()["as_of"]


async def test_following_the_cursors_gives_every_duty_once(reporting_with_year: Service, get: Get) -> None:
    """The pages together contain every duty exactly once."""
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = (await get(reporting_with_year, "/v1/duties", period="2026", limit=15, cursor=cursor, as_of=AT)).json()
        seen += [duty["agency"] for duty in page["duties"]]
        cursor = page["next_cursor"]
    assert len(seen) == len(set(seen)) == 38


async def test_a_period_has_its_figures_in_dhis2s_terms(reporting_with_year: Service, get: Get) -> None:
    """A period has expected and actual reports and both rates, overall and by group."""
    summary = (await get(reporting_with_year, PERIOD, as_of=AT)).json()
    described = (await get(reporting_with_year, "/openapi.json")).json()
    jsonschema.validate(summary, {**described, "$ref": "#/components/schemas/Summary"})
    total = summary["total"]
    assert (total["expected_reports"], total["actual_reports"], total["on_time"]) == (35, 27, 22)
    assert (total["reporting_rate"], total["reporting_rate_on_time"]) == (0.7714, 0.6286)
    (chapter,) = summary["chapters"]
    assert sum(group["expected_reports"] for group in chapter["groups"]) == 35
    before = (await get(reporting_with_year, PERIOD, as_of="2026-03-01T00:00:00+07:00")).json()["total"]
    assert (before["expected_reports"], before["pending"], before["actual_reports"]) == (38, 38, 0)


async def test_the_report_comes_in_every_format_with_one_digest(reporting_with_year: Service, get: Get) -> None:
    """Every format has its file name and its first bytes, and all formats carry the same digest."""
    starts = {"docx": b"PK", "pdf": b"%PDF", "xlsx": b"PK", "csv": b"\xef\xbb\xbf", "json": b"{"}
    digests = set()
    for extension, start in starts.items():
        answer = await get(reporting_with_year, f"{PERIOD}/report.{extension}", as_of=AT)
        assert answer.content.startswith(start)
        assert answer.headers["content-disposition"] == f'attachment; filename="6766-KH-UBND-2026.{extension}"'
        digests.add(answer.headers["x-dondoc-digest"])
    assert digests == {
        json.loads((await get(reporting_with_year, f"{PERIOD}/report.json", as_of=AT)).content)["digest"]
    }
    assert (await get(reporting_with_year, f"{PERIOD}/report.odt")).status_code == 404


async def test_an_invalid_query_gets_a_problem_document(reporting: StartReporting, get: Get) -> None:
    """The answer is a problem document (RFC 9457) with a stable type and a pointer to each invalid parameter."""
    service = reporting()
    for path, query, status, pointers in INVALID_QUERIES:
        answer = await get(service, path, **query)
        problem = answer.json()
        assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json"), path
        assert (problem["status"], problem["type"].startswith("/problems/")) == (status, True), path
        assert [error["pointer"] for error in problem.get("errors", ())] == pointers, path


async def test_the_first_and_the_last_instant_are_answered(reporting_with_year: Service, get: Get) -> None:
    """At the ends of the calendar every route answers, in any offset; before anything is due there is no report."""
    first, last = "1900-01-01T00:00:00+14:00", "2199-12-31T23:59:59.999999-14:00"
    for instant in (first, last):
        for path in ("/", "/duties", "/results", "/v1/duties", "/v1/agencies/h-03", PERIOD):
            assert (await get(reporting_with_year, path, as_of=instant)).status_code == 200, (path, instant)
    assert (await get(reporting_with_year, f"{PERIOD}/report.csv", as_of=last)).status_code == 200
    refused = await get(reporting_with_year, f"{PERIOD}/report.csv", as_of=first)
    assert (refused.status_code, refused.json()["type"].rpartition("/")[2]) == (409, "empty-report")


async def test_a_wrong_method_is_told_the_right_ones(reporting: StartReporting, readers: ReadersFile) -> None:
    """The answer is a problem document with `Allow` (RFC 9110 section 15.5.6), or a page with it."""
    async with httpx.AsyncClient(base_url=reporting().url, headers=readers.headers) as client:
        for path in ("/v1/duties", PERIOD, "/", "/agencies/h-03", "/openapi.json"):
            for accept in ("*/*", "text/html"):
                answer = await client.delete(path, headers={"accept": accept})
                assert answer.status_code == 405, path
                assert {one.strip() for one in answer.headers["allow"].split(",")} == {"GET", "HEAD"}, path


@pytest.mark.parametrize(
    "path", ["//evil.example/x", "/\\evil.example/x", "/%5Cevil.example/x", "/%09/evil.example/x", "///evil.example"]
)
async def test_no_link_leads_to_another_site(reporting: StartReporting, readers: ReadersFile, path: str) -> None:
    """The links of a page, and the reference in a problem document, stay on this site whatever was asked for."""
    url = reporting().url
    for accept in ("text/html", "*/*"):
        answer = await raw_get(url, path, accept=accept, key=readers.bearer)
        assert b" 404 " in answer.split(b"\r\n")[0]
        for link in re.findall(rb'(?:href="|"instance":")([^"]*)', answer):
            resolved = urljoin("http://dondoc.example/", link.decode().replace("\\", "/"))
            assert resolved.startswith("http://dondoc.example/"), link


async def raw_get(url: str, path: str, *, accept: str, key: str) -> bytes:
    """Return the whole answer to a request whose path no client library would send."""
    address = urlsplit(url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    headers = f"host: x\r\naccept: {accept}\r\nauthorization: Bearer {key}\r\nconnection: close"
    writer.write(f"GET {path} HTTP/1.1\r\n{headers}\r\n\r\n".encode())
    answer = await reader.read()
    writer.close()
    return answer


@pytest.mark.parametrize(
    "path,query,expected",
    [
        ("/agencies/nobody", {}, (404, "Không tìm thấy")),
        ("/nowhere", {"lang": "en"}, (404, "Not found")),
        ("/", {"as_of": "yesterday"}, (400, "<code>as_of</code>")),
        ("/", {"plan": "<script>"}, (404, "Về bảng chung")),
    ],
)
async def test_a_browser_gets_a_page_instead_of_a_problem_document(
    reporting: StartReporting, readers: ReadersFile, path: str, query: dict[str, str], expected: tuple[int, str]
) -> None:
    """The page has the status of the problem document, the reader's language, and a link back."""
    headers = {"accept": "text/html,*/*;q=0.8", **readers.headers}
    async with httpx.AsyncClient(base_url=reporting().url, headers=headers) as browser:
        page = await browser.get(path, params=query)
    status, words = expected
    assert (page.status_code, page.headers["content-type"]) == (status, "text/html; charset=utf-8")
    assert words in page.text
    assert "<script" not in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]


async def test_the_dashboard_is_rendered_on_the_server_in_both_languages(
    reporting_with_year: Service, get: Get
) -> None:
    """The dashboard has no script, loads nothing from elsewhere, and names the deadline in plain words."""
    page = await get(reporting_with_year, "/", as_of=AT)
    assert "hết ngày 09/12/2026" in page.text
    assert "Mùa báo cáo năm 2026" in page.text
    assert 'lang="vi"' in page.text
    assert "<script" not in page.text
    assert "http" not in page.text.replace("http-equiv", "")
    assert "default-src 'none'" in page.headers["content-security-policy"]
    listed = await get(reporting_with_year, "/duties", as_of=AT)
    assert "UBND huyện Đông Sơn" in listed.text
    found = await get(reporting_with_year, "/duties", as_of=AT, q="quan hoa")
    assert "UBND huyện Quan Hóa" in found.text
    assert "UBND huyện Đông Sơn" not in found.text
    typed = await get(reporting_with_year, "/duties", q='"><img src=x onerror=alert(1)>')
    assert "<img" not in typed.text
    english = await get(reporting_with_year, "/", as_of=AT, accept_language="en-GB,en;q=0.9")
    assert "end of 9 December 2026" in english.text
    assert 'lang="en"' in english.text
    assert "UBND huyện Đông Sơn" in (await get(reporting_with_year, "/agencies/h-03", as_of=AT)).text


async def test_a_receipt_names_its_event_and_the_state_of_its_duty(
    reporting_with_year: Service, get: Get, bus: Bus
) -> None:
    """A sender can look up what became of an event by its receipt; a repeated record changes nothing."""
    data = {"plan": "6766-KH-UBND", "obligation": "annual-results", "period": "2026", "agency": "h-03"}
    fact = {"id": "e-1", "source": "s", "type": "t", "receiptid": "r-1", "receivedtime": AT, "subject": "h-03"}
    for value in ({**fact, "data": data}, {**fact, "data": data}, b"no fact"):
        await bus.publish(FACTS.name, value, key="h-03")
    await bus.wait_until_consumed("dondoc-reporting", FACTS.name)
    receipt = (await get(reporting_with_year, "/v1/receipts/r-1", as_of=AT)).json()
    assert (receipt["id"], receipt["duty"]["agency"], receipt["duty"]["period"]) == ("e-1", "h-03", "2026")
    assert (await get(reporting_with_year, "/v1/receipts/r-2")).status_code == 404
    assert await bus.records(FACTS.dead_letter) == []


async def test_reporting_describes_itself(reporting: StartReporting, get: Get) -> None:
    """Reporting serves its OpenAPI document, a page that shows it, an AsyncAPI document, metrics and probes."""
    service = reporting()
    described = (await get(service, "/openapi.json")).json()
    assert PERIOD.replace("6766-KH-UBND", "{plan}").replace("2026", "{period}") in described["paths"]
    assert "/v1/duties" in (await get(service, "/docs")).text
    assert (await get(service, "/asyncapi")).json()["channels"]["verdicts"]["address"] == VERDICTS.name
    assert 'reporting_records_kept_total{topic="verdicts"}' in (await get(service, "/metrics")).text
    assert (await get(service, "/livez")).status_code == 200
    checks = ("kafka", "mongo", "references", "consumer", "projections", "log")
    ready = {**dict.fromkeys(checks, True), "assessments": False}
    assert service.readiness() == ready
    assert (await get(service, "/readyz")).json()["waiting_for"] == {
        "assessments": "rules, to assess what is published"
    }
