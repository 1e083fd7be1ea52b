"""The page of a season, drawn from records in memory: what it tells beside the season."""

import re
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from html import unescape

import httpx
import msgspec
import pytest

from services.reporting.content.results_queries import ResultsQueries
from services.reporting.core.access.readers import EVERYTHING
from services.reporting.core.timeline import AssessmentRevision
from services.reporting.dashboard import templating
from services.reporting.dashboard.page_renderer import PageRenderer
from services.reporting.dashboard.season.duties_page import DutiesPages
from services.reporting.dashboard.season.season_page import SeasonPages
from services.reporting.evidence.freshness import Freshness
from services.reporting.metrics import TOPICS_CONSUMED
from tests.support.builders.annual_report import AS_OF, a_plan, a_registry, a_year
from tests.support.builders.annual_report_events import a_verdict_event
from tests.support.clients.reporting_archive import InMemoryArchive
from tests.support.pages.in_memory import StandingClock, open_site

MOMENT = {"as_of": AS_OF.strftime("%Y-%m-%dT%H:%M")}


@asynccontextmanager
async def open_season(revisions: Iterable[AssessmentRevision]) -> AsyncIterator[httpx.AsyncClient]:
    """A browser of the pages of a plan about which rules has published *revisions*."""
    archive, clock = InMemoryArchive(), StandingClock()
    for revision in revisions:
        archive.store_verdict(msgspec.json.encode(a_verdict_event(revision)))
    queries = archive.ask(a_plan(), a_registry())
    renderer = PageRenderer(
        queries, templating.build_environment(), clock=clock, freshness=Freshness(TOPICS_CONSUMED, clock)
    )
    pages = SeasonPages(queries, ResultsQueries(queries, archive), renderer, clock=clock)
    routes = [*pages.routes(), *DutiesPages(queries, renderer, clock=clock).routes()]
    async with open_site(routes, renderer, EVERYTHING) as browser:
        yield browser


@pytest.mark.parametrize(("status", "words", "count"), [("open", "Chưa", 13), ("fulfilled", "Đã", 25)])
async def test_duties_without_a_date_are_counted_beside_the_season(status: str, words: str, count: int) -> None:
    """They belong to no season; each number leads to the list of what it counts."""
    async with open_season(a_year()[0]) as browser:
        page = await browser.get("/", params=MOMENT)
        assert f"{words} ghi nhận kết quả: <b>{count}</b>" in page.text
        (link,) = re.findall(rf'"(/duties\?[^"]*period=none&amp;status={status}[^"]*)"', page.text)
        listed = await browser.get(unescape(link))
    assert listed.text.count("/duties/6766-KH-UBND/") == count


async def test_a_plan_whose_duties_all_have_dates_is_not_told_of_others() -> None:
    """Two zeros under a heading would say that something is missing."""
    async with open_season(one for one in a_year()[0] if one.key.period) as browser:
        page = await browser.get("/", params=MOMENT)
    assert "Nhiệm vụ không có thời hạn" not in page.text
    assert "report.docx" in page.text
