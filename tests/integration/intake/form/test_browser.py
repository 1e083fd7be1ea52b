"""The web form in a real browser on a phone's screen, without script: fill in, check, send, keep the receipt."""

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.async_api import Page, ViewportSize, expect

from tests.support.clients.form import ANSWERS, NOW, PDF, Site
from tests.support.pages import browser as browsers
from tests.support.pages import scans
from tests.support.tools import needs

pytestmark = needs("chromium", package="chromium")
PHONE = ViewportSize(width=390, height=844)


@pytest.fixture
async def page() -> AsyncIterator[Page]:
    """Start the browser of a phone with scripts disabled."""
    async with browsers.start_browser() as browser:
        context = await browser.new_context(
            viewport=PHONE, is_mobile=True, has_touch=True, java_script_enabled=False, locale="vi-VN"
        )
        yield await context.new_page()
        await context.close()


async def fill(page: Page, *, less: tuple[str, ...] = ()) -> None:
    """Fill the form in as a person does, except the fields in *less*."""
    answers = ANSWERS | {"content.figures_as_of": "2026-11-30"}
    for key, answer in answers.items():
        if key not in less:
            await page.locator(f'[name="{key}"]').fill(answer)


async def test_a_person_reports_from_a_phone(site: Site, page: Page, tmp_path: Path) -> None:
    """A person gets from the link to the receipt as a PDF; missing parts are shown first, the file is uploaded once."""
    paper = tmp_path / "Báo cáo năm 2026.pdf"
    paper.write_bytes(PDF)
    await page.goto(site.address())
    await expect(page.get_by_text("hết ngày 09/12/2026")).to_be_visible()
    assert await page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]

    await fill(page, less=("indicators.entrusted",))
    await page.locator('input[type="file"]').set_input_files(paper)
    await page.get_by_role("button", name="Kiểm tra").click()
    await expect(page.get_by_role("alert")).to_contain_text("Vốn ủy thác")
    await expect(page.get_by_label("Báo cáo năm 2026.pdf")).to_be_checked()

    await page.get_by_label("Vốn ủy thác").fill("1.234")
    await page.get_by_role("button", name="Gửi báo cáo", exact=True).click()
    await expect(page.get_by_role("alert")).to_contain_text("có thể hiểu là")

    await page.get_by_label("Vốn ủy thác").fill("1.234,5")
    await page.get_by_role("button", name="Kiểm tra").click()
    await expect(page.get_by_role("status")).to_contain_text("Báo cáo đã đầy đủ")
    await page.get_by_role("button", name="Gửi báo cáo", exact=True).dblclick()
    await expect(page.get_by_role("heading", name="Biên nhận báo cáo")).to_be_visible()

    (event,) = await site.events()
    await expect(page.get_by_text(event["receiptid"])).to_be_visible()
    assert [one["name"] for one in event["data"]["attachments"]] == ["Báo cáo năm 2026.pdf"]
    async with page.expect_download() as download:
        await page.get_by_role("link", name="Tải biên nhận").click()
    saved = await (await download.value).path()
    assert saved.read_bytes().startswith(b"%PDF-")


async def test_a_link_that_opens_nothing_says_what_to_do(site: Site, page: Page) -> None:
    """A forged or an expired link is answered with an explanation in the language of the address."""
    await page.goto(site.address(site.token(secret="another secret that is long enough, too")))
    await expect(page.get_by_role("heading", name="Liên kết không hợp lệ")).to_be_visible()
    site.steer(NOW + timedelta(days=91))
    await page.goto(site.address(language="en"))
    await expect(page.get_by_role("heading", name="This link has expired")).to_be_visible()
    assert re.search("new\\s+link", await page.locator("main").inner_text())


async def test_the_form_keeps_nobody_out(site: Site) -> None:
    """In each language, width and scheme: no rule of axe-core is broken, and nothing is wider than its window."""
    found = []
    async with browsers.start_browser() as browser:
        context = await browsers.open_context(browser, {})
        shown = await context.new_page()
        for number, token in enumerate((None, site.token(secret="another secret that is long enough, too"))):
            for form in browsers.pairwise_forms(number):
                await scans.open_page(shown, site.address(token, language=form.language))
                await browsers.take_form(shown, form)
                found += [(number, form, one) for one in await scans.find_violations(shown)]
                found += [(number, form, one) for one in await scans.find_overflow(shown)]
        await context.close()
    assert found == []
