"""A real browser, and the forms in which a person may see a page: language, width of the window, scheme of colours."""

import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Literal

from playwright.async_api import Browser, BrowserContext, Page, ViewportSize, async_playwright

CHROMIUM = shutil.which("chromium") or "chromium"
# Without a sandbox, for root has none; and silent: a browser for our own pages asks nobody anything.
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--hide-scrollbars",
)
LANGUAGES = ("vi", "en")
WIDTHS = (360, 768, 1280)  # a small phone, a tablet, a desk
SCHEMES = ("light", "dark", "forced")
HEIGHT = 900
PATIENCE_MS = 120_000  # for a page, on a machine that others use too


@dataclass(frozen=True, slots=True, kw_only=True)
class PageForm:
    """One form in which a page is seen; the scheme `forced` is that of a person who chose every colour."""

    language: str
    width: int
    scheme: str


def pairwise_forms(page_number: int) -> list[PageForm]:
    """Return three forms with every width and every scheme; over nine pages every pair of values has occurred."""
    return [
        PageForm(
            language=LANGUAGES[(page_number // 3 + place) % len(LANGUAGES)],
            width=width,
            scheme=SCHEMES[(page_number + place) % len(SCHEMES)],
        )
        for place, width in enumerate(WIDTHS)
    ]


def choose_form(page_number: int) -> PageForm:
    """Return one form; over eighteen pages each language has been seen in each width and each scheme."""
    forms = all_forms()
    return forms[page_number % len(forms)]


def all_forms() -> list[PageForm]:
    """Return every form."""
    return [
        PageForm(language=language, width=width, scheme=scheme)
        for language in LANGUAGES
        for width in WIDTHS
        for scheme in SCHEMES
    ]


@asynccontextmanager
async def start_browser() -> AsyncIterator[Browser]:
    """Start the browser of this machine, and end it."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        try:
            yield browser
        finally:
            await browser.close()


async def open_context(browser: Browser, headers: Mapping[str, str]) -> BrowserContext:
    """Return a context that sends *headers* with every request."""
    context = await browser.new_context(extra_http_headers=dict(headers), locale="vi-VN")
    context.set_default_timeout(PATIENCE_MS)
    return context


async def take_form(page: Page, form: PageForm) -> None:
    """Give the window of *page* the width and the colours of *form*; its language is part of the address."""
    await page.set_viewport_size(ViewportSize(width=form.width, height=HEIGHT))
    scheme: Literal["dark", "light"] = "dark" if form.scheme == "dark" else "light"
    forced: Literal["active", "none"] = "active" if form.scheme == "forced" else "none"
    await page.emulate_media(color_scheme=scheme, forced_colors=forced)
