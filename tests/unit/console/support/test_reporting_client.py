"""With which key the console reads: that of the environment, or the local system's own on this machine alone."""

from pathlib import Path

import pytest

from services.console.support import reporting_client
from services.console.support.inputs import UnusableInputError

HERE = "http://127.0.0.1:8004"


@pytest.fixture(autouse=True)
def local_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A home in which `dondoc up` has left the key of its reader."""
    monkeypatch.setenv("DONDOC_HOME", str(tmp_path))
    (tmp_path / "stack").mkdir()
    (tmp_path / "stack" / "local-reader.key").write_text("ddr_local_x\n", encoding="ascii")


@pytest.mark.parametrize(
    "url",
    ["https://theodoi.example", "http://127.0.0.1:8004@evil.example", "http://127.0.0.1.evil.example", "http://["],
)
def test_the_key_of_the_local_system_goes_to_no_other_machine(url: str) -> None:
    """Only an address of this machine is sent it, however another one begins."""
    assert reporting_client.build_headers(HERE)["authorization"] == "Bearer ddr_local_x"
    assert "authorization" not in reporting_client.build_headers(url)


def test_the_key_of_the_environment_comes_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A key goes before its file, and the file before that of the local system; white space around it is left out."""
    file = tmp_path / "reader.key"
    file.write_text(" ddr_file_x\r\n", encoding="ascii")
    monkeypatch.setenv("DONDOC_READER_KEY_FILE", str(file))
    assert reporting_client.build_headers(HERE)["authorization"] == "Bearer ddr_file_x"
    monkeypatch.setenv("DONDOC_READER_KEY", "ddr_env_x\n")
    assert reporting_client.build_headers("https://theodoi.example")["authorization"] == "Bearer ddr_env_x"


def test_what_is_no_key_is_named_and_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """A key with a line break in it would end a header; the message does not repeat it."""
    monkeypatch.setenv("DONDOC_READER_KEY", "ddr_a_secret\nx-other: 1")
    with pytest.raises(UnusableInputError, match="let DONDOC_READER_KEY be the key alone") as raised:
        reporting_client.build_headers(HERE)
    assert "secret" not in str(raised.value)
