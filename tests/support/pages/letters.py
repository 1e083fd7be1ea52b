"""A letter as a clerk sees it: laid out in a real browser, on a phone or at a desk, in light or in dark."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from playwright.async_api import Browser, ViewportSize

PHONE, DESK = 360, 800
_PAPER = {"light": "rgb(255, 255, 255)", "dark": "rgb(29, 32, 38)"}
_HEIGHT = 800


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterView:
    """A width of the window, in CSS pixels, and the colours that the reader prefers."""

    width: int
    scheme: Literal["light", "dark"]


ALL_VIEWS = tuple(LetterView(width=width, scheme=scheme) for width in (PHONE, DESK) for scheme in ("light", "dark"))


async def check_letters(browser: Browser, view: LetterView, letters: dict[str, str], pictures: Path) -> None:
    """Lay out *letters*, HTML by name, in one *view* and write a picture of each; fail where one cannot be read well.

    Nothing is wider than the window, the paper has the colour of the scheme, and a label stands above its value on a
    phone and beside it at a desk.
    """
    page = await browser.new_page(viewport=ViewportSize(width=view.width, height=_HEIGHT))
    await page.emulate_media(color_scheme=view.scheme)
    for name, html in letters.items():
        await page.set_content(html)
        await page.screenshot(path=pictures / f"{name}-{view.width}-{view.scheme}.png", full_page=True)
        assert await page.evaluate("document.documentElement.scrollWidth") <= view.width, name
        paper = await page.evaluate("getComputedStyle(document.querySelector('.page')).backgroundColor")
        assert paper == _PAPER[view.scheme], name
        label = "document.querySelector('.row dt').getBoundingClientRect().bottom"
        value = "document.querySelector('.row dd').getBoundingClientRect().top"
        assert await page.evaluate(f"{label} <= {value}") is (view.width == PHONE), name
    await page.close()
