"""Files that are not what they say, posted to the form by who holds a link."""

import asyncio
import time
from dataclasses import replace
from pathlib import Path

import httpx

from tests.support.builders.archives import a_zip_of_empty_entries, an_office_document
from tests.support.clients.form import PDF, SECRET, Site, post_form
from tests.support.servers.intake import IntakeFiles
from tests.support.servers.services import Launch

PROBES_SECONDS = 2.0
MEMORY_MAX = 64 * 1024 * 1024


def resident_bytes(pid: int) -> int:
    """Return the memory that a process holds."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096


async def test_archives_of_too_many_entries_cost_nearly_nothing(
    site: Site, launch: Launch, intake_files: IntakeFiles
) -> None:
    """Three archives of 600,000 entries at once are refused with advice; probes answer, and the memory stays."""
    settings = {"DONDOC_KAFKA_BOOTSTRAP": site.bus.bootstrap, "DONDOC_CLOCK": f"steered:{site.clock}"}
    site = replace(site, intake=launch("intake", **settings, **intake_files.environment, DONDOC_FORM_KEY=SECRET))
    archive = a_zip_of_empty_entries(600_000, said=1)
    before = resident_bytes(site.intake.pid)

    def post() -> httpx.Response:
        with httpx.Client(timeout=60) as browser:
            return post_form(browser, site.address(), files={"a.docx": archive})

    posts = [asyncio.create_task(asyncio.to_thread(post)) for _ in range(3)]
    slowest = 0.0
    async with httpx.AsyncClient(timeout=10) as client:
        while not all(one.done() for one in posts):
            started = time.monotonic()
            assert (await client.get(f"{site.intake.url}/livez")).status_code in (200, 204)
            slowest = max(slowest, time.monotonic() - started)
            await asyncio.sleep(0.05)
    for page in await asyncio.gather(*posts):
        assert page.status_code == 422
        assert "gồm quá nhiều phần hoặc quá lớn khi giải nén; hãy lưu lại thành PDF" in page.text
    assert slowest < PROBES_SECONDS
    assert resident_bytes(site.intake.pid) - before < MEMORY_MAX + 3 * len(archive)
    assert await site.events() == []


async def test_a_file_is_recorded_as_what_it_is(site: Site, browser: httpx.Client) -> None:
    """A PDF that calls itself a web page gets the suffix of a PDF, and macros are refused."""
    macros = an_office_document("word", {"word/vbaProject.bin": b"x"})
    page = post_form(browser, site.address(), files={"a.docx": macros})
    assert page.status_code == 422
    assert "tệp “a.docx” có macro; hãy lưu lại thành DOCX, XLSX hoặc PDF không có macro" in page.text
    assert post_form(browser, site.address(), files={"x.html": PDF}).status_code == 303
    (event,) = await site.events()
    assert [one["name"] for one in event["data"]["attachments"]] == ["x.html.pdf"]
