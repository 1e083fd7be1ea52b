"""Every page of the demo's year in every form, on paper and by the keyboard; the manual's pictures are taken anew."""

import asyncio
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import httpx
import pypdf
import pytest

from services.console.demo import run
from services.console.demo.plan_6766.events import PLAN, RESULTS, YEAR
from services.console.demo.run import DemoRun
from services.runtime import clock
from tests.support.assertions.eventually import eventually
from tests.support.clients.demo_year import DemoSystem, start_demo_system
from tests.support.clients.form import PDF
from tests.support.clients.notifier import text_of
from tests.support.clients.readers import ReadersFile
from tests.support.pages import browser as browsers
from tests.support.pages import manual_pictures, page_list, scans
from tests.support.pages.page_list import NamedPage, SiteKeys
from tests.support.tools import needs

pytestmark = [needs("chromium", package="chromium"), pytest.mark.timeout(1800)]
PICTURES = Path(__file__).parents[2] / "docs" / "images"
LAST_DAY = datetime.fromisoformat("2024-12-09T16:00:00+07:00")
SEALED = "2024-12-20T16:00:00+07:00"
AFTER = datetime.fromisoformat("2025-01-10T09:00:00+07:00")
AGENCY = "h-dong-son"
TABS_MAX = 400
# Day, month, year, hour, minute, half of the day and the calendar of a field for an instant are stops of the tab key.
STOPS_OF_INSTANT = 7
# What a person can reach with a pointer, and has to reach by the keyboard too.
_COUNT_REACHABLE = """() => [...document.querySelectorAll(
    "a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex='0']"
)].filter(one => one.checkVisibility() && !one.disabled).length"""
_DESCRIBE_FOCUS = """() => {
    const one = document.activeElement;
    if (!one || one === document.body) return null;
    one.dataset.met = one.dataset.met || String(document.querySelectorAll("[data-met]").length);
    const box = one.getBoundingClientRect(), hasOutline = getComputedStyle(one).outlineStyle !== "none";
    return {met: one.dataset.met, seen: box.width > 0 && box.height > 0 && hasOutline};
}"""


@dataclass(frozen=True, slots=True, kw_only=True)
class YearSite:
    """The system at the end of the year, an officer's key, and the pages."""

    demo: DemoSystem
    readers: ReadersFile
    officer: str
    pages: list[NamedPage]

    @property
    def url(self) -> str:
        """Where the dashboard is."""
        return self.demo.system.reporting.url

    @property
    def headers(self) -> dict[str, str]:
        """The headers of the officer."""
        return {"authorization": f"Bearer {self.officer}"}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, jars: Path) -> Iterator[YearSite]:
    """The scenario of 2024, run once, with a version sealed before the last reports came."""
    with start_demo_system(tmp_path_factory.mktemp("looks"), jars) as demo:
        demo_run = DemoRun(scenario=demo.scenario, registry=demo.registry, keys=demo.keys, clock=demo.clock)
        asyncio.run(run.run_scenario(demo.system, demo_run))
        clock.steer(demo.clock, AFTER)
        readers = ReadersFile(demo.system.readers_file, clock.clock_from(f"steered:{demo.clock}"))
        officer = readers.create("all", name="le-thi-binh", permits=("reviews", "seals"))
        with httpx.Client(base_url=demo.system.reporting.url, headers={"authorization": f"Bearer {officer}"}) as client:
            asyncio.run(eventually(lambda: client.get("/v1/duties").status_code != 401, "the officer's key known"))
            keys = seal_and_describe(client, readers, demo.registry.registry)
            yield YearSite(demo=demo, readers=readers, officer=officer, pages=page_list.list_pages(client, keys))


def seal_and_describe(client: httpx.Client, readers: ReadersFile, registry: str) -> SiteKeys:
    """Seal the report as it was on 20 December; return what the addresses of the pages are made of."""
    path = f"/v1/plans/{PLAN}/periods/{YEAR}/reports"
    sealed = client.post(path, params={"as_of": SEALED}, json={"signer": "Nguyễn Văn An"}, timeout=120)
    return SiteKeys(
        plan=PLAN,
        period=str(YEAR),
        obligation=RESULTS,
        agency=AGENCY,
        registry=registry,
        check_code=sealed.raise_for_status().json()["check_code"],
        since=LAST_DAY.isoformat(),
        compiling_agency=AGENCY,
        link_token=readers.sign_link("le-thi-binh", "http://x").partition("t=")[2].partition("&")[0],
    )


async def test_every_page_in_every_form(site: YearSite) -> None:
    """No rule of axe-core is broken and nothing is wider than its window: languages, widths and schemes multiplied."""
    async with browsers.start_browser() as browser:
        found = await scans.scan_pages(
            browser, site.pages, lambda _number: browsers.all_forms(), url=site.url, headers=site.headers
        )
    assert not found, "\n".join(found)


async def test_everything_is_reached_by_the_keyboard(site: YearSite) -> None:
    """The tab key comes to whatever can be clicked or scrolled; each is seen while it has the focus, and lets it go."""
    found: list[str] = []
    async with browsers.start_browser() as browser:
        for page in site.pages:
            context = await browsers.open_context(browser, page_list.read_key(site.headers, page))
            shown = await context.new_page()
            await shown.route("**/open?*", scans.stay)
            await shown.goto(f"{site.url}{page.address('vi')}")
            wanted = min(await shown.evaluate(_COUNT_REACHABLE), TABS_MAX)
            instants = await shown.locator("input[type=datetime-local]:visible").count()
            met, seen = set(), set()
            for _ in range(wanted + instants * (STOPS_OF_INSTANT - 1)):
                await shown.keyboard.press("Tab")
                focus = await shown.evaluate(_DESCRIBE_FOCUS)
                if focus is not None:
                    met.add(focus["met"])
                    seen |= {focus["met"]} if focus["seen"] else set()
            if len(met) < wanted or met != seen:
                found.append(f"{page.name}: {len(met)} of {wanted} reached, {len(met - seen)} not seen")
            await context.close()
    assert not found, "\n".join(found)


async def test_a_printed_list_repeats_its_head_and_says_what_it_is(site: YearSite) -> None:
    """A4 across, the question and the moment on the first page, the head of the table on each, no filters."""
    async with browsers.start_browser() as browser:
        context = await browsers.open_context(browser, site.headers)
        shown = await context.new_page()
        await shown.goto(f"{site.url}/duties?{manual_pictures.SEASON}")
        printed = pypdf.PdfReader(io.BytesIO(await shown.pdf(prefer_css_page_size=True, print_background=True)))
        await context.close()
    texts = [" ".join(page.extract_text().split()) for page in printed.pages]
    assert all(page.mediabox.width > page.mediabox.height for page in printed.pages)
    assert "Số liệu lúc" in texts[0]
    assert "Người in:" in texts[0]
    assert len(texts) > 1
    assert all("Tình trạng" in text and "Đơn vị" in text for text in texts[:-1])
    assert not any("Bộ lọc" in text for text in texts)


async def test_the_pictures_of_the_manual_are_taken(site: YearSite, tmp_path: Path) -> None:
    """On the last day of the season, of an agency that has not sent; the form is filled in and its receipt shown."""
    PICTURES.mkdir(exist_ok=True)
    waiting, link = find_waiting_duty(site)
    clock.steer(site.demo.clock, LAST_DAY)
    async with browsers.start_browser() as browser:
        context = await browsers.open_context(browser, site.headers)
        for picture in manual_pictures.list_pictures(waiting, AGENCY):
            await manual_pictures.take_picture(context, site.url, picture, PICTURES)
        clock.steer(site.demo.clock, AFTER)
        sealed = manual_pictures.ManualPicture(name=manual_pictures.SEALED, path=f"/reports/{PLAN}/{YEAR}?lang=vi")
        await manual_pictures.take_picture(context, site.url, sealed, PICTURES)
        await context.close()
        clock.steer(site.demo.clock, LAST_DAY)
        (tmp_path / "bao-cao.pdf").write_bytes(PDF)
        await manual_pictures.report_by_form(browser, link, PICTURES, tmp_path / "bao-cao.pdf")


def find_waiting_duty(site: YearSite) -> tuple[str, str]:
    """Return the page of a duty that is incomplete on the last day, and the link to a form from a mail to another."""
    with httpx.Client(base_url=site.url, headers=site.headers) as client:
        asked = {"plan": PLAN, "period": str(YEAR), "obligation": RESULTS, "as_of": LAST_DAY.isoformat()}
        incomplete = client.get("/v1/duties", params=asked | {"status": "incomplete"}).json()["duties"]
        silent = client.get("/v1/duties", params=asked | {"status": "pending", "limit": "1000"}).json()["duties"]
    mails = site.demo.system.stack.smtp.mails()
    for duty in silent:
        for mail in reversed(mails):  # the links of the season before have ended
            if mail["To"].partition("@")[2].startswith(f"{duty['agency']}."):
                links = re.findall(r"http://\S+/form\?\S+", text_of(mail))
                if links:
                    return f"/duties/{PLAN}/{incomplete[0]['agency']}/{RESULTS}/{YEAR}", str(links[0])
    raise AssertionError("no silent agency has had a mail with a link")
