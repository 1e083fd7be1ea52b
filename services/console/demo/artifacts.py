"""The folder with the demo's results: the report in every format, mails, SMS, receipts, logs and screenshots."""

import json
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from services.console.demo import png_trimming

FORMATS = ("docx", "pdf", "xlsx", "csv", "json")
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
BROWSER_TIMEOUT_SECONDS = 60
# No sandbox, because the browser's sandbox refuses to run as root. The other flags keep a browser that opens two pages
# of this machine from contacting its maker.
BROWSER_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--hide-scrollbars",
    "--window-size=1440,4000",
)


class ArtifactFolder:
    """One folder. What an earlier run left there under the names of this run is deleted at the start."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("mails", "logs"):
            shutil.rmtree(folder / name, ignore_errors=True)
        for pattern in ("report-*", "results-*", "*.png", "*.jsonl"):
            for old in folder.glob(pattern):
                old.unlink()

    def write(self, name: str, content: bytes) -> None:
        """Write one file."""
        (self.folder / name).write_bytes(content)

    def write_lines(self, name: str, rows: Iterable[Mapping[str, Any]]) -> None:
        """Write JSON objects, one a line."""
        text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        (self.folder / name).write_text(text, encoding="utf-8")

    def copy_mails(self, mailbox: Path) -> int:
        """Copy every mail and return how many there are."""
        shutil.copytree(mailbox, self.folder / "mails", ignore=shutil.ignore_patterns("*.new"))
        return len(list((self.folder / "mails").glob("*.eml")))

    def copy_logs(self, folder: Path) -> None:
        """Copy the log of every process that ran in *folder*."""
        (self.folder / "logs").mkdir(exist_ok=True)
        for log in folder.glob("*.log"):
            shutil.copy(log, self.folder / "logs")

    def take_screenshots(self, pages: Mapping[str, str], *, url: str, link: str) -> list[Path]:
        """Take screenshots of *pages*, paths by file name, of the dashboard at *url*.

        They are taken with a browser of this machine that has opened *link*. Return the files that were written.
        """
        browser = next((found for name in BROWSERS if (found := shutil.which(name))), None)
        if browser is None:
            return []
        with tempfile.TemporaryDirectory(prefix="dondoc-browser-", ignore_cleanup_errors=True) as profile:
            # The session that the link begins is kept in the profile, with which the pages are opened.
            _run_browser(browser, profile, "--dump-dom", link)
            wanted = ((self.folder / name, f"{url}{page}") for name, page in pages.items())
            return [file for file, page in wanted if _take_screenshot(browser, profile, address=page, file=file)]


def _take_screenshot(browser: str, profile: str, *, address: str, file: Path) -> bool:
    """Write a screenshot of *address* to *file*; return whether it was written."""
    if not _run_browser(browser, profile, f"--screenshot={file}", address) or not file.exists():
        return False
    file.write_bytes(png_trimming.trim_bottom(file.read_bytes()))
    return True


def _run_browser(browser: str, profile: str, *arguments: str) -> bool:
    """Run the browser with the files in *profile*; return whether it succeeded."""
    command = (browser, *BROWSER_FLAGS, f"--user-data-dir={profile}", *arguments)
    try:
        subprocess.run(command, check=True, capture_output=True, timeout=BROWSER_TIMEOUT_SECONDS)  # noqa: S603 - our own pages
    except (subprocess.SubprocessError, OSError):
        return False
    return True
