"""Every page of a running reporting in a real browser: nothing keeps people out, and nothing is wider than its window.

Each page is scanned in one form, every form on some page, and each page is laid out in every width; `make looks` scans
every page in every form. The data are hostile: names and texts with control characters, without an end, or with
code in them.
"""

import io
from pathlib import Path

import openpyxl
import pypdf
import pytest

from tests.support.clients.readers import ReadersFile
from tests.support.pages import browser as browsers
from tests.support.pages import page_list, reporting_site, scans
from tests.support.pages.reporting_site import PERIOD, ReportingSite
from tests.support.servers.kafka import Bus
from tests.support.servers.mongo import Database
from tests.support.servers.services import Launch
from tests.support.tools import needs

# Two dozen scans of pages take half a minute alone, and several where others share the cores.
pytestmark = [needs("chromium", package="chromium"), pytest.mark.long, pytest.mark.timeout(600)]
STATUS_OF = {"unknown": 404, "no key": 401}


async def test_no_page_keeps_anybody_out(
    launch: Launch, bus: Bus, database: Database, readers: ReadersFile, tmp_path: Path
) -> None:
    """Every page, among them in every language, width and scheme; the documents of the same data are drawn too."""
    site = await reporting_site.start_site(launch, bus, database, readers, tmp_path)
    with site.client() as client:
        pages = page_list.list_pages(client, site.keys)
        assert page_list.find_missing_routes(pages, page_list.list_page_routes()) == []
        assert_documents_are_drawn(site)
    async with browsers.start_browser() as browser:
        found = await scans.scan_pages(
            browser, pages, lambda number: [browsers.choose_form(number)], url=site.service.url, headers=site.headers
        )
    assert not found, "\n".join(found)


def test_among_the_pages_every_form_occurs() -> None:
    """There are more pages than forms, so none is left to `make looks` alone."""
    met = {browsers.choose_form(number) for number in range(len(page_list.list_page_routes()))}
    assert met == set(browsers.all_forms())


def assert_documents_are_drawn(site: ReportingSite) -> None:
    """Hostile text breaks no document, and runs in none."""
    with site.client() as client:
        path = f"/v1/plans/{site.keys.plan}/periods/{PERIOD}/report"
        files = {
            name: client.get(f"{path}.{name}").raise_for_status().content for name in ("docx", "pdf", "xlsx", "csv")
        }
    assert b"\x00" not in files["csv"]
    assert len(pypdf.PdfReader(io.BytesIO(files["pdf"])).pages) > 1
    workbook = openpyxl.load_workbook(io.BytesIO(files["xlsx"]))
    cells = [cell.value for sheet in workbook for row in sheet.iter_rows() for cell in row]
    assert not [one for one in cells if isinstance(one, str) and one.startswith("=HYPERLINK")]
