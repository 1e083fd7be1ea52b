"""What a scan of a drawn page finds: rules of accessibility that it breaks, and what is wider than the window."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from importlib import resources
from typing import Any

from playwright.async_api import Browser, Page, Route

from tests.support.pages import browser as browsers
from tests.support.pages.browser import PageForm
from tests.support.pages.page_list import NamedPage

AXE = resources.files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
# WCAG 2.2 to level AA, and what axe's authors count as good practice besides.
_RUN_AXE = """() => axe.run(document, {resultTypes: ["violations"]}).then(found => found.violations.map(rule => ({
    id: rule.id, impact: rule.impact, nodes: rule.nodes.map(node => node.target.join(" ") + " | " + node.failureSummary)
})))"""
_FIND_OVERFLOW = """() => {
    const room = document.documentElement.clientWidth;
    if (document.documentElement.scrollWidth <= room) return [];
    const wide = [...document.querySelectorAll("body *")].filter(one =>
        one.getBoundingClientRect().right > room + 1 && !one.closest(".scroll") && !one.closest("pre"));
    return wide.slice(0, 5).map(one => one.tagName + "." + one.className + " " + one.getBoundingClientRect().right);
}"""
_NODES_SHOWN = 3
_REFRESH = re.compile(r"<meta http-equiv=.refresh.*?>")


async def scan_pages(
    browser: Browser,
    pages: Sequence[NamedPage],
    forms_of: Callable[[int], Iterable[PageForm]],
    *,
    url: str,
    headers: Mapping[str, str],
) -> list[str]:
    """Return what is wrong with each page in its forms, which *forms_of* gives by the number of the page.

    That a page is no wider than its window is looked at in every width, for it costs next to nothing. *url* is the root
    of the service, and *headers* are those of a reader; an open page is asked for without them. All pages that one
    reader sees are seen in one window, because a window costs more than a page.
    """
    found = []
    for is_open in (False, True):
        context = await browsers.open_context(browser, {} if is_open else headers)
        window = await context.new_page()
        for number, page in enumerate(pages):
            if page.is_open is is_open:
                await context.clear_cookies()
                found += await _scan_page(window, page, forms_of(number), url=url)
        await context.close()
    return found


async def _scan_page(window: Page, page: NamedPage, forms: Iterable[PageForm], *, url: str) -> list[str]:
    found = []
    language = None
    for form in sorted(forms, key=lambda form: form.language):
        if form.language != language:
            language = form.language
            await open_page(window, f"{url}{page.address(language)}")
        await browsers.take_form(window, form)
        faults = await find_violations(window)
        for width in browsers.WIDTHS:
            await browsers.take_form(window, replace(form, width=width))
            faults += await find_overflow(window)
        found += [f"{page.name}, {form.language}, {form.width}, {form.scheme}: {fault}" for fault in faults]
    return found


async def find_violations(page: Page) -> list[str]:
    """Return the rules of axe-core that the page breaks, each with the first places."""
    # Evaluated by the debugger, which the content security policy of the page does not concern.
    if not await page.evaluate("'axe' in window"):
        await page.evaluate(f"{AXE};0")
    violations: list[dict[str, Any]] = await page.evaluate(_RUN_AXE)
    return [f"{one['id']} ({one['impact']}): {one['nodes'][:_NODES_SHOWN]}" for one in violations]


async def find_overflow(page: Page) -> list[str]:
    """Return what stands beyond the right edge, where the page is wider than its window."""
    found: list[str] = await page.evaluate(_FIND_OVERFLOW)
    return [f"wider than the window of {page.viewport_size}: {one}" for one in found]


async def open_page(window: Page, url: str) -> None:
    """Open *url* in a window, with everything unfolded that a click would unfold; nothing is sent on."""
    await window.route("**/open?*", stay)
    await window.goto(url)
    await window.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true; })")


async def stay(route: Route) -> None:
    """Answer the page that sends a browser on without the line that does."""
    answer = await route.fetch()
    text = await answer.text()
    await route.fulfill(response=answer, body=_REFRESH.sub("", text))
