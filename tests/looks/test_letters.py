"""Letters as a clerk sees them: on a phone and at a desk, in light and dark, nothing wider than the window."""

from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import ViewportSize

from tests.support.pages.browser import start_browser
from tests.unit.notifier.core.rendering.test_letters import LETTERS
from tests.unit.notifier.letters_of_6766 import write_letter

WIDTHS = (360, 800)
SCHEMES = ("light", "dark")


@pytest.mark.parametrize("language", ["vi", "en"])
async def test_no_letter_is_wider_than_its_window_and_dark_is_dark(language: Any, tmp_path: Path) -> None:
    """Every kind at both widths and in both schemes; the label stands above its value on a phone alone."""
    async with start_browser() as browser:
        for width in WIDTHS:
            for scheme in SCHEMES:
                page = await browser.new_page(viewport=ViewportSize(width=width, height=800))
                await page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
                for name, (alert, given, _, _) in LETTERS.items():
                    mail = write_letter(alert, **{**given, "language": language})
                    await page.set_content(mail.html or "")
                    await page.screenshot(path=tmp_path / f"{name}-{width}-{scheme}.png", full_page=True)
                    assert await page.evaluate("document.documentElement.scrollWidth") <= width, name
                    shown = await page.evaluate("getComputedStyle(document.querySelector('.page')).backgroundColor")
                    assert shown == ("rgb(29, 32, 38)" if scheme == "dark" else "rgb(255, 255, 255)")
                    label = "document.querySelector('.row dt').getBoundingClientRect().bottom"
                    value = "document.querySelector('.row dd').getBoundingClientRect().top"
                    assert await page.evaluate(f"{label} <= {value}") is (width == WIDTHS[0]), name
                await page.close()
