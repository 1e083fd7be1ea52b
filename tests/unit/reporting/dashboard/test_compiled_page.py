"""The page of the middle level, drawn from records in memory."""

import json
from typing import Any

import httpx
import pytest
from prometheus_client import CollectorRegistry

from schemas.plan.plan import Plan
from schemas.plan.registry import Registry
from services.reporting.content.results_queries import ResultsQueries
from services.reporting.core.access.readers import EVERYTHING, ReaderScope
from services.reporting.dashboard import templating
from services.reporting.dashboard.evidence import evidence_pages
from services.reporting.dashboard.page_renderer import PageRenderer
from services.reporting.dashboard.season.compiled_page import CompiledPage
from services.reporting.evidence.freshness import Freshness
from services.reporting.metrics import TOPICS_CONSUMED, ReportingMetrics
from tests.support.builders import plans
from tests.support.builders.partition_log import NOON, PartitionLog
from tests.support.clients.reporting_archive import InMemoryArchive, PublishedInMemory
from tests.support.pages.in_memory import StandingClock, open_site

PAGE = f"/compiled/{plans.PLAN}/h-mot/2024"
COMMUNES = ("x-ba", "x-hai", "x-nam")
AT = {"as_of": "2024-12-20T09:00:00+07:00"}


def two_levels() -> tuple[Plan, Registry]:
    """Build a plan in which the district consolidates the reports of three communes."""
    asks = plans.a_version(requires={"indicators": ["loans"]})
    plan = plans.a_plan(
        plans.an_obligation(asks, id="communes", addressees=["xa"]),
        plans.an_obligation(asks, id="districts", compiles={"obligation": "communes", "of": "children"}),
        indicators=[{"code": "loans", "unit": "million_vnd", "title": {"vi": "Dư nợ", "en": "Loans"}}],
    )
    below = {"groups": [{"id": "xa", "from": plans.SINCE}], "parent": "h-mot"}
    communes = [plans.an_agency(one, names=[{"vi": f"UBND xã {one} <i>"}], **below) for one in COMMUNES]
    groups = [{"id": plans.GROUP, "name": {"vi": "Huyện"}}, {"id": "xa", "name": {"vi": "Xã"}}]
    return plan, plans.a_registry(plans.an_agency("h-mot"), *communes, groups=groups)


def a_report(agency: str, obligation: str, loans: str, **content: Any) -> dict[str, Any]:
    """Build a report of one figure."""
    figures = {"nil_return": False, "figures_as_of": None, "sections": {}, "indicators": {"loans": loans}}
    data = {"agency": agency, "obligation": obligation, "content": {**figures, **content}}
    return plans.a_submission(f"r-{agency}", subject=agency, data=data)


def a_site(scope: ReaderScope = EVERYTHING, *, communes: int = 2) -> httpx.AsyncClient:
    """Return a browser on the pages; so many communes have sent 0.1 each, and the district 0.2."""
    plan, registry = two_levels()
    log, archive = PartitionLog(registry, plan), InMemoryArchive()
    for verdict in log.adopt_raw():
        archive.store_verdict(verdict)
    named = list(COMMUNES[:communes])
    reports = [a_report(one, "communes", "0.1") for one in named]
    for number, fact in enumerate([*reports, a_report("h-mot", "districts", "0.2", parts=named)]):
        recorded = fact | {"receivedtime": NOON.isoformat(), "receiptid": f"{number:032x}"}
        for verdict in log.append_raw(recorded):
            archive.store_verdict(verdict)
        archive.store_fact(json.dumps(recorded).encode(), recorded_at=NOON)
    queries, clock = archive.ask(plan, registry), StandingClock()
    ReportingMetrics(CollectorRegistry())
    freshness = Freshness(TOPICS_CONSUMED, clock)
    renderer = PageRenderer(queries, templating.build_environment(), clock=clock, freshness=freshness)
    documents = PublishedInMemory(plan, registry)
    routes = [
        *CompiledPage(ResultsQueries(queries, archive), renderer, clock=clock).routes(),
        *evidence_pages.build_routes(queries, archive, documents, renderer=renderer, clock=clock),
    ]
    return open_site(routes, renderer, scope)


@pytest.mark.parametrize("scope", [EVERYTHING, ReaderScope(agencies=frozenset({"h-mot"}))])
async def test_the_middle_level_sees_who_has_sent_and_the_sum(scope: ReaderScope) -> None:
    """Who has sent and who has not, by name, the exact sum beside the compiled figure; its own page leads here."""
    async with a_site(scope) as browser:
        page = (await browser.get(PAGE, params=AT)).text
        assert "2 trong 3 đơn vị cấp dưới đã gửi." in page
        assert "Quá hạn, chưa gửi: 1" in page
        assert "UBND xã x-nam &lt;i&gt;" in page
        assert ('0,2<span class="sub">2/3 đơn vị</span>' in page, "khác tổng" in page) == (True, False)
        assert ('href="/agencies/x-nam?' in page) == scope.is_everything
        assert f'href="{PAGE}?' in (await browser.get("/agencies/h-mot", params=AT)).text


async def test_a_sum_that_differs_is_named_once_every_part_is_in() -> None:
    """Three times 0.1 is not 0.2."""
    async with a_site(communes=3) as browser:
        page = (await browser.get(PAGE, params=AT | {"lang": "en"})).text
        assert "the compiled report differs from their sum: Loans." in page
        assert "\u22120.1" in page


async def test_a_commune_does_not_open_the_page_of_its_district() -> None:
    """What the others below have sent is for the agency that compiles, and for whoever may see that one."""
    async with a_site(ReaderScope(agencies=frozenset({"x-hai"}))) as browser:
        assert (await browser.get(PAGE, params=AT)).status_code == 403


async def test_who_compiles_nothing_is_told_so() -> None:
    """In another period, and where nobody is below."""
    async with a_site() as browser:
        page = await browser.get(f"/compiled/{plans.PLAN}/x-hai/2024", params=AT)
        assert (page.status_code, "không phải tổng hợp" in page.text) == (200, True)
