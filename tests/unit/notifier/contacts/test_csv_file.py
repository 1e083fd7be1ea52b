"""Contacts are read strictly, numbers are normalised, and agencies without a contact are named."""

from datetime import date
from pathlib import Path

import pytest

from schemas.events.deliveries import Channel
from services.notifier.contacts import csv_file
from services.notifier.core.scheduling.routing import Contact, ContactBook
from tests.support.builders import plans

HEADER = "agency,channel,address,role,language,from,to\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return the path of the contacts file."""
    return tmp_path / "contacts.csv"


def test_a_contact_is_read_with_all_its_columns(file: Path) -> None:
    """Columns are found by name; a byte order mark of spreadsheets and blank lines are skipped."""
    file.write_text(
        f"\ufeff{HEADER}h-mot,email,vt@x.example,văn thư,en,2026-01-01,2027-01-01\n,,,,,,\n", encoding="utf-8"
    )
    assert csv_file.read_contacts(file) == (
        [
            Contact(
                agency="h-mot",
                channel=Channel.EMAIL,
                address="vt@x.example",
                role="văn thư",
                language="en",
                from_=date(2026, 1, 1),
                to=date(2027, 1, 1),
            )
        ],
        [],
    )


@pytest.mark.parametrize("written", ["0912345678", "+84912345678", "84912345678", "0912 345 678", "(+84) 912.345-678"])
def test_a_number_is_kept_in_one_form(file: Path, written: str) -> None:
    """However people write a number, it is stored as +84 and nine digits."""
    file.write_text(f"{HEADER}h-mot,sms,{written},,,,\n", encoding="utf-8")
    (found,), _ = csv_file.read_contacts(file)
    assert found.address == "+84912345678"


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (",email,a@x.example,,,,", "agency is empty"),
        ("h-mot,fax,123,,,,", "write email or sms"),
        ("h-mot,email,van thu,,,,", "no e-mail address"),
        ("h-mot,email,a@x.example\\nBcc: b@x.example,,,,", "no e-mail address"),
        ("h-mot,sms,12345,,,,", "no Vietnamese number"),
        ("h-mot,sms,+1 202 555 0123,,,,", "no Vietnamese number"),
        ("h-mot,email,a@x.example,,fr,,", "write vi or en"),
        ("h-mot,email,a@x.example,,,2026-02-30,", "no date"),
        ("h-mot,email,a@x.example,,,2026-02-02,2026-02-01", "not after"),
    ],
)
def test_an_error_is_reported_with_its_line(file: Path, row: str, reason: str) -> None:
    """The other lines are read all the same."""
    file.write_text(f"{HEADER}h-hai,email,b@x.example,,,,\n{row}\n", encoding="utf-8")
    read, (error,) = csv_file.read_contacts(file)
    assert len(read) == 1
    assert (error.line, reason in error.message) == (3, True)


def test_a_file_without_its_columns_is_refused(file: Path) -> None:
    """The first line has to name the columns."""
    file.write_text("agency;channel;address\n", encoding="utf-8")
    read, (error,) = csv_file.read_contacts(file)
    assert (read, error.line) == ([], 1)


def test_an_alias_is_replaced_by_the_id_behind_it() -> None:
    """The name of a list, which no registry knows, stays as it is."""
    registry = plans.a_registry(plans.an_agency("h-mot", aliases=["H56.12"]))
    given = [Contact(agency=name, channel=Channel.EMAIL, address="a@x.example") for name in ("H56.12", "chairman-list")]
    assert [one.agency for one in csv_file.resolve_agencies(given, [registry])] == ["h-mot", "chairman-list"]


def test_agencies_without_a_contact_are_named() -> None:
    """Addressed agencies and escalations are checked; an agency that has ended is not missed."""
    reminders = {"escalate": [{"after": "P7D", "to": "parent"}, {"after": "P14D", "to": "chairman-list"}]}
    plan = plans.a_plan(plans.an_obligation(plans.a_version(reminders=reminders)))
    registry = plans.a_registry(
        plans.an_agency("h-mot", parent="tinh"),
        plans.an_agency("h-hai", parent="tinh"),
        plans.an_agency("h-cu", valid={"from": "2016-05-05", "to": "2020-01-01"}),
        plans.an_agency("tinh", groups=[]),
    )
    book = ContactBook([Contact(agency="h-mot", channel=Channel.SMS, address="+84912345678")])
    assert sorted(csv_file.find_unreached(book, plan, registry, date(2026, 12, 1))) == [
        "chairman-list",
        "h-hai",
        "tinh",
    ]
