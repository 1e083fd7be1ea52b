"""What a scan of a drawn page finds: rules of accessibility that it breaks, and what is wider than the window."""

import re
from importlib import resources
from typing import Any

from playwright.async_api import BrowserContext, Page, Route

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


async def find_violations(page: Page) -> list[str]:
    """Return the rules of axe-core that the page breaks, each with the first places."""
    # Evaluated by the debugger, which the content security policy of the page does not concern.
    await page.evaluate(f"{AXE};0")
    violations: list[dict[str, Any]] = await page.evaluate(_RUN_AXE)
    return [f"{one['id']} ({one['impact']}): {one['nodes'][:_NODES_SHOWN]}" for one in violations]


async def find_overflow(page: Page) -> list[str]:
    """Return what stands beyond the right edge, where the page is wider than its window."""
    found: list[str] = await page.evaluate(_FIND_OVERFLOW)
    return [f"wider than the window: {one}" for one in found]


async def open_page(context: BrowserContext, url: str) -> Page:
    """Open *url* in a window of its own, with everything unfolded that a click would unfold; nothing is sent on."""
    page = await context.new_page()
    await page.route("**/open?*", stay)
    await page.goto(url)
    await page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true; })")
    return page


async def stay(route: Route) -> None:
    """Answer the page that sends a browser on without the line that does."""
    answer = await route.fetch()
    text = await answer.text()
    await route.fulfill(response=answer, body=_REFRESH.sub("", text))
