"""`dondoc submit` without any intake: settings that cannot be are named at once, and a secret is never shown."""

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from services.console.main import app

SECRET = "ddk_0a1b2c3d4e_Hx7-secret_part"
NOWHERE = "http://127.0.0.1:9"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file with an event."""
    path = tmp_path / "event.json"
    path.write_text("{}")
    return path


def submitted(file: Path, *options: str, **environment: str) -> Result:
    """The run of `dondoc submit`, which would try for half a minute if it took what is wrong for an outage."""
    return CliRunner().invoke(app, ["submit", str(file), *options], env=environment)


def test_without_a_key_nothing_is_tried(file: Path) -> None:
    """The remedy names the variable and where a key comes from."""
    for result in (submitted(file), submitted(file, DONDOC_KEY=""), submitted(file, "--key", " \n")):
        assert (result.exit_code, result.stdout) == (2, "")
        assert "DONDOC_KEY" in result.stderr
        assert "dondoc keys create" in result.stderr


@pytest.mark.parametrize("key", [f"Bearer {SECRET}", f"{SECRET}\nx", f"{SECRET}é", f"{SECRET}\x00", f"\ufeff{SECRET}"])
def test_what_is_no_key_is_refused_and_not_shown(file: Path, key: str) -> None:
    """Whatever was pasted along with it."""
    for result in (submitted(file, "--key", key), submitted(file, DONDOC_KEY=key.replace("\x00", " \t-"))):
        assert (result.exit_code, result.stdout) == (2, "")
        assert "DONDOC_KEY" in result.stderr
        assert "secret" not in result.stderr


@pytest.mark.parametrize(
    "url",
    ["foo", "", "http://", "ftp://h", "http://h:99999", "http://h:x", f"http://{SECRET}@h", "http://h?a=b", SECRET],
)
def test_what_is_no_address_is_refused_and_not_shown(file: Path, url: str) -> None:
    """A key may have been put there by mistake."""
    result = submitted(file, "--key", SECRET, "--url", url)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "DONDOC_INTAKE_URL" in result.stderr
    assert "secret" not in result.stderr


def test_white_space_around_key_and_address_means_nothing(file: Path) -> None:
    """A key from a file ends with a line feed; what fails then is the connection, and nothing of the key is told."""
    result = submitted(file, "--attempts", "1", DONDOC_KEY=f" {SECRET}\r\n", DONDOC_INTAKE_URL=f" {NOWHERE}\n")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "cannot be reached" in result.stderr
    assert "secret" not in result.stderr
