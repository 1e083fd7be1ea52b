"""Contacts are read from the tables that people hand in; every fault is named with its place."""

from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter

from schemas.events.deliveries import Channel
from services.console.contacts import contact_file
from services.console.contacts.contact_file import ContactFault
from services.notifier.core.scheduling.routing import Contact, ContactRole
from tests.support.builders import plans

HEADER = "agency,channel,address,role,language,from,to\n"


def read(path: Path) -> tuple[list[Contact], list[str]]:
    """Return the contacts of the file and its faults in English."""
    found, faults = contact_file.read_contacts(path)
    return [one.contact for one in found], [
        f"{one.place.removeprefix(f'{path.parent}/')}: {one.detail.in_language('en')}" for one in faults
    ]


def read_text(folder: Path, text: str) -> tuple[list[Contact], list[str]]:
    """Read *text* as a contacts file."""
    path = folder / "c.csv"
    path.write_text(text, encoding="utf-8")
    return read(path)


def test_a_contact_is_read_with_all_its_columns(tmp_path: Path) -> None:
    """Columns are found by name; a byte order mark of spreadsheets and blank lines are skipped."""
    row = "h-mot,email,vt@x.example,văn thư,en,2026-01-01,2027-01-01\n,,,,,,\n"
    assert read_text(tmp_path, f"\ufeff{HEADER}{row}") == (
        [
            Contact(
                agency="h-mot",
                channel=Channel.EMAIL,
                address="vt@x.example",
                role=ContactRole.OFFICE,
                language="en",
                from_=date(2026, 1, 1),
                to=date(2027, 1, 1),
            )
        ],
        [],
    )


def test_a_list_as_a_vietnamese_spreadsheet_saves_it_is_read(tmp_path: Path) -> None:
    """Semicolons, a title above, Vietnamese columns in another order, and days as people write them."""
    text = (
        "DANH SÁCH ĐẦU MỐI;;;;\nĐịa chỉ;Kênh;Cơ quan;Từ ngày;Đến ngày\n"
        "0987 654 321;Tin nhắn;h-mot;15/08/2026;ngày 31 tháng 12 năm 2027\n"
    )
    (found,), faults = read_text(tmp_path, text)
    assert (found.channel, found.address, found.from_, found.to, faults) == (
        *(Channel.SMS, "+84987654321", date(2026, 8, 15), date(2027, 12, 31)),
        [],
    )


def test_a_workbook_with_typed_cells_is_read(tmp_path: Path) -> None:
    """A number that lost its zero, a day as a day and as its number; a fault is named by its cell."""
    path = tmp_path / "c.xlsx"
    with xlsxwriter.Workbook(str(path)) as book:
        page, day = book.add_worksheet(), book.add_format({"num_format": "dd/mm/yyyy"})
        page.write_row(0, 0, HEADER.strip().split(","))
        page.write_row(1, 0, ["h-mot", "sms", 987654321])
        page.write_datetime(1, 5, datetime(2026, 8, 15), day)  # noqa: DTZ001 - a cell has no zone
        page.write_row(2, 0, ["h-hai", "sms", 84987654321, "", "", 46249])
        page.write_row(3, 0, ["h-ba", "fax", 1])
    found, faults = read(path)
    assert [(one.address, one.from_) for one in found] == [("+84987654321", date(2026, 8, 15))] * 2
    assert [one.split(": ")[0] for one in faults] == ["c.xlsx!B4"]


@pytest.mark.parametrize(
    "written",
    [
        *("0912345678", "+84912345678", "84912345678", "0912 345 678", "(+84) 912.345-678", "912345678"),
        *("0084912345678", "+84 (0)912 345 678", "0912\u00a0345\u200b678"),
    ],
)
def test_a_number_is_kept_in_one_form(tmp_path: Path, written: str) -> None:
    """However people write a number, it is stored as +84 and nine digits."""
    (found,), _ = read_text(tmp_path, f"{HEADER}h-mot,sms,{written},,,,\n")
    assert found.address == "+84912345678"


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (",email,a@x.example,,,,", "agency is empty"),
        ("h-mot,fax,123,,,,", "write email or sms"),
        ("h-mot,email,van thu,,,,", "no e-mail address"),
        ("h-mot,email,văn-thư@x.example,,,,", "no e-mail address"),
        ("h-mot,email,a@x.example\\nBcc: b@x.example,,,,", "no e-mail address"),
        ("h-mot,sms,12345,,,,", "no Vietnamese number"),
        ("h-mot,sms,+1 202 555 0123,,,,", "no Vietnamese number"),
        ("h-mot,sms,8.49877E+10,,,,", "no Vietnamese number"),
        ("h-mot,sms,19001234,,,,", "no Vietnamese number"),
        ("h-mot,sms,091234567\N{ARABIC-INDIC DIGIT EIGHT},,,,", "no Vietnamese number"),
        ("h-mot,sms,0212345678,,,,", "landline"),
        ("h-mot,sms,024 3926 9999,,,,", "landline"),
        ("h-mot,sms,+84 237 385 2246,,,,", "landline"),
        ("h-mot,sms,0168 765 4321,,,,", "before 2018"),
        ("h-mot,email,a@x.example,,fr,,", "write vi or en"),
        ("h-mot,email,a@x.example,,,2026-02-30,", "no day"),
        ("h-mot,email,a@x.example,,,1/2/26,", "no day"),
        ("h-mot,email,a@x.example,,,2026-02-02,2026-02-01", "not after"),
    ],
)
def test_an_error_is_reported_with_its_line(tmp_path: Path, row: str, reason: str) -> None:
    """The other lines are read all the same."""
    found, (fault,) = read_text(tmp_path, f"{HEADER}h-hai,email,b@x.example,,,,\n{row}\n")
    assert len(found) == 1
    assert (fault.startswith("c.csv:3: "), reason in fault) == (True, True)


@pytest.mark.parametrize(
    ("title", "role"),
    [
        *(("", "office"), ("Văn thư", "office"), ("office", "office"), ("Phòng Hành chính", "office")),
        *(("officer", "officer"), ("Chuyên viên", "officer"), ("Cán bộ đầu mối", "officer"), ("Kế toán", "officer")),
        *(("leader", "leader"), ("Lãnh đạo", "leader"), ("lãnh đạo văn phòng", "leader"), ("Chủ tịch UBND", "leader")),
        *(("Phó Giám đốc", "leader"), ("Trưởng phòng", "leader")),
    ],
)
def test_a_title_says_the_role(tmp_path: Path, title: str, role: Any) -> None:
    """The office, the officer in charge, or who leads; without a title it is the office."""
    (found,), _ = read_text(tmp_path, f"{HEADER}h-mot,email,a@x.example,{title},,,\n")
    assert found.role == role


def resolve(folder: Path, *agencies: str) -> list[Contact | ContactFault]:
    """Resolve contacts of *agencies* in a plan that escalates to a list."""
    path = folder / "c.csv"
    path.write_text(HEADER + "".join(f"{one},email,a@x.example,,,,\n" for one in agencies), encoding="utf-8")
    reminders = {"escalate": [{"after": "P7D", "to": "parent"}, {"after": "P14D", "to": "chairman-list"}]}
    plan = plans.a_plan(plans.an_obligation(plans.a_version(reminders=reminders)))
    registry = plans.a_registry(plans.an_agency("h-tho-xuan", aliases=["H56.12", "UBND huyện Hoằng Hóa"]))
    return list(contact_file.resolve_agencies(contact_file.read_contacts(path)[0], [(plan, registry)]))


def test_an_alias_is_replaced_by_the_id_behind_it(tmp_path: Path) -> None:
    """However it is written; the name of a list of the plan stays as it is."""
    found = resolve(tmp_path, "H56.12", "ubnd huyện hoằng hoá", "chairman-list")
    assert [one.agency for one in found if isinstance(one, Contact)] == ["h-tho-xuan", "h-tho-xuan", "chairman-list"]


def test_an_agency_that_nobody_knows_is_named_with_the_nearest(tmp_path: Path) -> None:
    """`parent` and `self` are no lists."""
    (fault, other) = resolve(tmp_path, "h-tho-xuann", "parent")
    assert isinstance(fault, ContactFault)
    assert isinstance(other, ContactFault)
    assert f"{fault.place.removeprefix(f'{tmp_path}/')}: {fault.detail.in_language('en')}" == (
        "c.csv:2: agency 'h-tho-xuann' is neither in the registry nor a list of the plan; did you mean h-tho-xuan?"
    )
    assert "có phải h-tho-xuan?" in fault.detail.vi
