"""`dondoc link`: a link to the form for whoever has lost the one in the mail."""

import json
from urllib.parse import parse_qs, urlsplit

import pytest
from typer.testing import CliRunner

from schemas.events.form_links import LinkKey
from services.console.main import app

SECRET = "a secret of the form that is long enough"
COMMAND = ["link", "P-1", "results", "--agency", "h-mot", "--period", "2026"]


def test_the_link_opens_the_duty(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is signed with the key that intake has, and says when it expires."""
    monkeypatch.setenv("DONDOC_FORM_KEY", SECRET)
    monkeypatch.setenv("DONDOC_FORM_URL", "https://baocao.example")
    printed = json.loads(CliRunner().invoke(app, COMMAND).stdout)
    address = urlsplit(printed["link"])
    found = LinkKey(SECRET).verify_link(parse_qs(address.query)["t"][0])
    assert (address.netloc, address.path) == ("baocao.example", "/form")
    assert str(found.duty) == "P-1|h-mot|results|2026"
    assert found.expires_at.isoformat("T", "seconds") == printed["expires_at"]


def test_without_a_key_there_is_no_link(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command says what to set; an empty key is none."""
    monkeypatch.setenv("DONDOC_FORM_KEY", "")
    answer = CliRunner().invoke(app, [*COMMAND, "--url", "https://baocao.example"])
    assert answer.exit_code == 2
    assert "DONDOC_FORM_KEY" in answer.stderr


def test_a_period_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A link that could open nothing is not made."""
    monkeypatch.setenv("DONDOC_FORM_KEY", SECRET)
    arguments = [*COMMAND[:-1], "year 2026", "--url", "https://baocao.example"]
    assert CliRunner().invoke(app, arguments).exit_code == 2
