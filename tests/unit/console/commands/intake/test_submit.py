"""`dondoc submit` without any intake: settings that cannot be are named at once, and a secret is never shown."""

import io
import time
from pathlib import Path

import openpyxl
import pytest
from typer.testing import CliRunner, Result

from services.console.main import app
from tests.support.builders.archives import a_zip_of_empty_entries

SECRET = "ddk_0a1b2c3d4e_Hx7-secret_part"
NOWHERE = "http://127.0.0.1:9"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file with an event."""
    path = tmp_path / "event.json"
    path.write_text("{}")
    return path


def run_submit(file: Path, *options: str, **environment: str) -> Result:
    """Run `dondoc submit`, which would retry for half a minute if it took the fault for an outage."""
    return CliRunner().invoke(app, ["submit", str(file), *options], env=environment)


def test_without_a_key_nothing_is_tried(file: Path) -> None:
    """Without a key the command exits 2 and names the variable and the command that creates a key."""
    for result in (run_submit(file), run_submit(file, DONDOC_KEY=""), run_submit(file, "--key", " \n")):
        assert (result.exit_code, result.stdout) == (2, "")
        assert "DONDOC_KEY" in result.stderr
        assert "dondoc keys create" in result.stderr


def test_a_file_that_is_not_there_is_named_before_a_missing_key(tmp_path: Path) -> None:
    """Whoever has mistyped the name of a file is told of it, not of a key that would not help."""
    result = run_submit(tmp_path / "missing.json")
    assert (result.exit_code, result.stderr) == (2, f"{tmp_path / 'missing.json'}: No such file or directory\n")


@pytest.mark.parametrize("key", [f"Bearer {SECRET}", f"{SECRET}\nx", f"{SECRET}é", f"{SECRET}\x00", f"\ufeff{SECRET}"])
def test_what_is_no_key_is_refused_and_not_shown(file: Path, key: str) -> None:
    """A key with characters that no key has exits 2, and the message does not show it."""
    for result in (run_submit(file, "--key", key), run_submit(file, DONDOC_KEY=key.replace("\x00", " \t-"))):
        assert (result.exit_code, result.stdout) == (2, "")
        assert "DONDOC_KEY" in result.stderr
        assert "secret" not in result.stderr


@pytest.mark.parametrize(
    "url",
    ["foo", "", "http://", "ftp://h", "http://h:99999", "http://h:x", f"http://{SECRET}@h", "http://h?a=b", SECRET],
)
def test_what_is_no_address_is_refused_and_not_shown(file: Path, url: str) -> None:
    """An address that is none exits 2, and the message does not show it, because it may be a key given by mistake."""
    result = run_submit(file, "--key", SECRET, "--url", url)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "DONDOC_INTAKE_URL" in result.stderr
    assert "secret" not in result.stderr


def a_workbook_with_a_cell_in_the_last_row() -> bytes:
    """Build a workbook of a million rows, all but one of them empty."""
    book = openpyxl.Workbook()
    book.worksheets[0]["A1048576"] = "x"
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (a_zip_of_empty_entries(680_000, said=1), "the table is too large"),
        (a_workbook_with_a_cell_in_the_last_row(), "this is no report sheet"),
    ],
    ids=["zip", "rows"],
)
def test_a_workbook_costs_no_more_than_it_may(tmp_path: Path, content: bytes, reason: str) -> None:
    """One of too many entries is refused in a second, and a million empty rows cost nothing."""
    path = tmp_path / "report.xlsx"
    path.write_bytes(content)
    started = time.process_time()
    result = run_submit(path, "--key", SECRET, "--url", NOWHERE)
    assert (result.exit_code, result.stdout) == (2, "")
    assert reason in result.stderr
    assert time.process_time() - started < 5


def test_white_space_around_key_and_address_means_nothing(file: Path) -> None:
    """White space around key and address is ignored, so the connection fails and not the key."""
    result = run_submit(file, "--attempts", "1", DONDOC_KEY=f" {SECRET}\r\n", DONDOC_INTAKE_URL=f" {NOWHERE}\n")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "cannot be reached" in result.stderr
    assert "secret" not in result.stderr
