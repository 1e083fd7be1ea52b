"""What the demo leaves in its folder: the report in every format, mails, SMS, receipts, logs and pictures."""

import json
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from services.console.demo.events import PLAN, YEAR

FORMATS = ("docx", "pdf", "xlsx", "csv", "json")
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
BROWSER_PATIENCE_SECONDS = 60
# Without a sandbox, for root has none; and silent: a browser for two pages of this machine asks nobody anything.
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
PAGES = {
    "dashboard.png": f"/?plan={PLAN}&period={YEAR}&lang=vi",
    "agency.png": f"/agencies/h-dong-son?plan={PLAN}&period={YEAR}&lang=vi",
}


class Takings:
    """One folder, cleared of what an earlier run left there under the names that are written now."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("mails", "logs"):
            shutil.rmtree(folder / name, ignore_errors=True)
        for old in (*folder.glob("report-*"), *folder.glob("*.png"), *folder.glob("*.jsonl")):
            old.unlink()

    def keep(self, name: str, content: bytes) -> None:
        """Write one file."""
        (self.folder / name).write_bytes(content)

    def keep_lines(self, name: str, rows: Iterable[Mapping[str, Any]]) -> None:
        """Write JSON objects, one a line."""
        text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        (self.folder / name).write_text(text, encoding="utf-8")

    def keep_mails(self, mailbox: Path) -> int:
        """Copy every mail and return how many there are."""
        shutil.copytree(mailbox, self.folder / "mails", ignore=shutil.ignore_patterns("*.new"))
        return len(list((self.folder / "mails").glob("*.eml")))

    def keep_logs(self, folder: Path) -> None:
        """Copy the log of every process that ran in *folder*."""
        (self.folder / "logs").mkdir(exist_ok=True)
        for log in folder.glob("*.log"):
            shutil.copy(log, self.folder / "logs")

    def keep_pictures(self, url: str) -> list[Path]:
        """Take pictures of the dashboard with a browser of this machine; return those that came out."""
        browser = next((found for name in BROWSERS if (found := shutil.which(name))), None)
        if browser is None:
            return []
        wanted = ((self.folder / name, f"{url}{page}") for name, page in PAGES.items())
        return [file for file, address in wanted if _is_taken(browser, address, file)]


def _is_taken(browser: str, address: str, file: Path) -> bool:
    with tempfile.TemporaryDirectory(prefix="dondoc-browser-", ignore_cleanup_errors=True) as profile:
        command = (browser, *BROWSER_FLAGS, f"--user-data-dir={profile}", f"--screenshot={file}", address)
        try:
            subprocess.run(command, check=True, capture_output=True, timeout=BROWSER_PATIENCE_SECONDS)  # noqa: S603 - a picture of our own page
        except (subprocess.SubprocessError, OSError):
            return False
    return file.exists()
