"""The pictures of the manual and of the README: a page of the demo's year each, at one size, taken anew as PNG."""

import re
from dataclasses import dataclass
from pathlib import Path

from playwright.async_api import Browser, BrowserContext, Page, ViewportSize

from services.console.demo.plan_6766.events import PLAN, RESULTS, YEAR

FORM, RECEIPT, SEALED = "bieu-mau", "bien-nhan", "bao-cao-da-chot"
# What the form says of the letter; every other text has one sentence.
_DOCUMENT = {
    "document.number": "125/BC-UBND",
    "document.signed_by": "Lê Văn Mẫu",
    "document.title": "Kết quả thực hiện Kế hoạch 6766/KH-UBND năm 2024",
}
DESK = ViewportSize(width=1280, height=860)
PHONE = ViewportSize(width=390, height=780)
SEASON = f"plan={PLAN}&period={YEAR}&obligation={RESULTS}&lang=vi"


@dataclass(frozen=True, slots=True, kw_only=True)
class ManualPicture:
    """One picture: its file, the address of the page, and what it begins with, where that is not the top."""

    name: str
    path: str
    starts_at: str = ""
    dark: bool = False


def list_pictures(duty: str, agency: str) -> list[ManualPicture]:
    """Return the pictures of the dashboard; *duty* is the address of one that waits for the officer's answer."""
    return [
        ManualPicture(name="mua-bao-cao", path=f"/?{SEASON}"),
        ManualPicture(name="mua-bao-cao-toi", path=f"/?{SEASON}", dark=True),
        ManualPicture(name="danh-sach", path=f"/duties?{SEASON}&status=overdue,incomplete,pending"),
        ManualPicture(name="tra-loi", path=f"{duty}/review?lang=vi"),
        ManualPicture(name="ket-qua", path=f"/results?{SEASON}"),
        ManualPicture(name="trang-don-vi", path=f"/agencies/{agency}?lang=vi"),
        ManualPicture(name="tinh-trang", path="/status?lang=vi"),
    ]


async def take_picture(context: BrowserContext, url: str, picture: ManualPicture, folder: Path) -> None:
    """Open the page of a picture and write what the window shows of it."""
    page = await context.new_page()
    await page.set_viewport_size(DESK)
    await page.emulate_media(color_scheme="dark" if picture.dark else "light")
    await page.goto(f"{url}{picture.path}")
    await save_window(page, folder / f"{picture.name}.png")
    await page.close()


async def save_window(page: Page, file: Path) -> None:
    """Write what the window shows."""
    await page.screenshot(path=file, animations="disabled", caret="hide")


async def report_by_form(browser: Browser, link: str, folder: Path, attachment: Path) -> None:
    """Fill the form of *link* in on a phone, send it, and take pictures of the form and of the receipt."""
    context = await browser.new_context(viewport=PHONE, is_mobile=True, java_script_enabled=False, locale="vi-VN")
    page = await context.new_page()
    await page.goto(link)
    await save_window(page, folder / f"{FORM}.png")
    for field in await page.locator("input[type=text], input:not([type]), textarea").all():
        name = await field.get_attribute("name") or ""
        is_figure = name.startswith("indicators.")
        text = _DOCUMENT.get(name, "Đã thực hiện đầy đủ.")
        await field.fill("120" if is_figure else "09/12/2024" if "as_of" in name else text)
    for field in await page.locator("input[type=date]").all():
        await field.fill("2024-12-09")
    if await page.locator("input[type=file]").count():
        await page.locator("input[type=file]").set_input_files(attachment)
    await page.get_by_role("button", name="Gửi báo cáo", exact=True).click()
    again = page.get_by_role("button", name=re.compile("Vẫn gửi|vẫn gửi"))
    if await again.count():
        await again.first.click()
    await page.get_by_role("heading", name="Biên nhận báo cáo").wait_for()
    await save_window(page, folder / f"{RECEIPT}.png")
    await context.close()
