"""The commands about contacts on the real database: what is stored, encrypted, listed, exported and removed."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from services.console.main import app
from tests.support.builders.plan_folders import a_folder
from tests.support.servers.mongo import Database

KEY = "contacts-key-of-the-tests-0123456789"
ROWS = """agency,channel,address,role,language,from,to
h-mot,email,vt@mot.example,Văn thư,vi,,
h-mot,sms,0987654321,Lãnh đạo,en,2026-01-01,2027-01-01
h-hai,email,vt@hai.example,,vi,,2020-01-01
"""


@pytest.fixture
def folder(tmp_path: Path, database: Database, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with a plan and contacts, with the database of the test as the notifier's own."""
    monkeypatch.setenv("DONDOC_MONGO_URL", database.url)
    monkeypatch.setenv("DONDOC_NOTIFIER_MONGO_DATABASE", database.name)
    monkeypatch.setenv("DONDOC_NOTIFIER_CONTACTS_KEY", KEY)
    (a_folder(tmp_path) / "contacts.csv").write_text(ROWS, encoding="utf-8")
    return tmp_path


def run(*arguments: str, exit_code: int = 0) -> str:
    """Run `dondoc contacts` and return what it printed to stdout."""
    result = CliRunner().invoke(app, ["contacts", *arguments])
    assert result.exit_code == exit_code, result.stderr
    return result.stdout


def test_contacts_are_stored_encrypted_and_come_out_as_they_went_in(folder: Path, database: Database) -> None:
    """Imported, listed, exported, imported again, and removed by agency, address and age; no address is in clear."""
    run("import", str(folder / "contacts.csv"), "--plan", str(folder))
    stored = [str(one) for one in database.documents("contacts")]
    assert len(stored) == 3
    assert not [one for one in stored if "example" in one or "987654321" in one]
    listed = [json.loads(line) for line in run("list").splitlines()]
    assert [(one["agency"], one["address"], one["role"]) for one in listed] == [
        ("h-hai", "vt@hai.example", "office"),
        ("h-mot", "vt@mot.example", "office"),
        ("h-mot", "+84987654321", "leader"),
    ]
    run("export", "-o", str(folder / "export.csv"))
    run("remove", "h-mot", "--channel", "sms")
    run("remove", "--ended-before", "2021-01-01")
    assert [json.loads(line)["address"] for line in run("list").splitlines()] == ["vt@mot.example"]
    run("import", str(folder / "export.csv"), "--plan", str(folder))
    assert [json.loads(line) for line in run("list").splitlines()] == listed
    run("remove", "--address", "0987 654 321")
    run("remove", "--address", "+84987654321", exit_code=1)
    assert "987654321" not in run("export")


def test_another_key_is_told_and_not_taken_for_an_empty_book(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be decrypted is an error, with a key that is wrong or gone."""
    run("import", str(folder / "contacts.csv"), "--plan", str(folder))
    for key in ("another-key-of-the-tests-0123456789", ""):
        monkeypatch.setenv("DONDOC_NOTIFIER_CONTACTS_KEY", key)
        result = CliRunner().invoke(app, ["contacts", "list"])
        assert (result.exit_code, "DONDOC_NOTIFIER_CONTACTS_KEY" in result.stderr) == (2, True)
