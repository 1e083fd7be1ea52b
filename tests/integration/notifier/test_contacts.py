"""The commands about contacts on the real database: what is stored, encrypted, listed, exported and removed."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from schemas.events.deliveries import Channel
from services.console.main import app
from services.notifier import ledger_documents
from services.notifier.address_vault import AddressCipher, AddressVault
from services.notifier.core.scheduling.routing import Delivery
from tests.support.builders.plan_folders import a_folder
from tests.support.servers.mongo import Database

KEY = "contacts-key-of-the-tests-0123456789"
NOW = datetime(2026, 12, 3, tzinfo=UTC)
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


def test_a_contact_that_is_removed_leaves_no_address_in_the_ledger(folder: Path, database: Database) -> None:
    """Addresses in the ledger are encrypted; they go with their contact, and with age, and those of others stay."""
    run("import", str(folder / "contacts.csv"), "--plan", str(folder))
    old, new = NOW - timedelta(days=400), NOW
    vault = AddressVault(AddressCipher(KEY))
    for place, (agency, address, at) in enumerate(
        [("h-mot", "vt@mot.example", new), ("h-hai", "vt@hai.example", new), ("h-ba", "vt@ba.example", old)]
    ):
        delivery = Delivery(
            id=f"{place}" * 64,
            alert_id="a-1",
            to_agency=agency,
            channel=Channel.EMAIL,
            address=address,
            language="vi",
            alerts=(),
        )
        document = {**ledger_documents.encode_new_delivery(delivery, at, vault), "state": "accepted", "at": at}
        database["deliveries"].insert_one({name: one for name, one in document.items() if name != "next_at"})
    assert "example" not in str(database.documents("deliveries"))

    def list_sealed() -> list[str]:
        return [one["delivery"]["to_agency"] for one in database["deliveries"].find({"delivery.sealed": {"$gt": b""}})]

    run("remove", "h-hai")
    assert list_sealed() == ["h-mot", "h-ba"]
    assert CliRunner().invoke(app, ["deliveries", "erase", "--ended-before", "2026-01-01"]).exit_code == 0
    assert list_sealed() == ["h-mot"]
    run("remove", "--address", "vt@mot.example")
    assert (list_sealed(), len(database.documents("deliveries"))) == ([], 3)
