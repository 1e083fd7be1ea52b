"""Reading a filled sheet back: round trip, faults by cell, the same event each time."""

import csv
import json
import re
import unicodedata
from datetime import datetime, time
from pathlib import Path
from typing import Any, Literal

import openpyxl
import pytest

from schemas.events.facts import ReportSubmitted
from services.console.sheets import sheet_to_event
from tests.support.builders.plans import AGENCIES
from tests.support.builders.sheets import (
    FILL,
    a_filled_sheet,
    decompose_sheet,
    faults_of,
    fill_keys,
    fill_table,
    fill_workbook,
    make_sheet,
    row_of,
)
from tests.support.clients.form import PDF


def test_a_filled_workbook_states_the_report(tmp_path: Path) -> None:
    """Agency, period, figures, days and the file's digest are in the event."""
    event = json.loads(sheet_to_event.read_event(a_filled_sheet(tmp_path), "vi").event)
    fact = ReportSubmitted.model_validate(event["data"])
    assert (fact.agency, fact.period, fact.obligation) == (AGENCIES[0], "2026", "results")
    assert str(fact.document.issued_on) == "2026-11-30"
    assert fact.content.indicators == {"entrusted": "1234.5"}
    assert [(one.name, one.media_type, one.size) for one in fact.attachments] == [
        ("bao cao.pdf", "application/pdf", len(PDF))
    ]


def test_a_table_states_the_same(tmp_path: Path) -> None:
    """A CSV with the same answers gives the same event, whatever its delimiter."""
    workbook = sheet_to_event.read_event(a_filled_sheet(tmp_path), "vi").event
    table = a_filled_sheet(tmp_path, "report.csv", document__issued_on="30/11/2026", indicators__entrusted="1.234,5")
    assert sheet_to_event.read_event(table, "vi").event == workbook
    fill_table(table, {}, delimiter=";")
    assert sheet_to_event.read_event(table, "vi").event == workbook


@pytest.mark.parametrize("name", ["report.csv", "report.xlsx"])
@pytest.mark.parametrize("form_on_disk", ["NFC", "NFD"])
def test_a_decomposed_sheet_gives_the_same_event(
    tmp_path: Path, name: str, form_on_disk: Literal["NFC", "NFD"]
) -> None:
    """A sheet wholly in Unicode NFD is read, header and all; so is a file whose name on disk is in the other form."""
    answers = {
        "document__signed_by": "Nguyễn Thị Hồng",
        "sections__results": "Kết quả",
        "attachments__1": "báo cáo.pdf",
    }
    path = a_filled_sheet(tmp_path, name, document__issued_on="30/11/2026", **answers)
    named = tmp_path / unicodedata.normalize(form_on_disk, "báo cáo.pdf")
    named.write_bytes(PDF)
    composed = sheet_to_event.read_event(path, "vi").event
    decompose_sheet(path)
    assert sheet_to_event.read_event(path, "vi").event == composed
    assert unicodedata.is_normalized("NFC", composed.decode())
    assert json.loads(composed)["data"]["attachments"][0]["name"] == "báo cáo.pdf"


def test_a_table_saved_as_unicode_text_is_read(tmp_path: Path) -> None:
    """A file in UTF-16 with tabs, which spreadsheet programs call Unicode text, gives the same event."""
    table = a_filled_sheet(tmp_path, "report.csv", document__issued_on="30/11/2026")
    before = sheet_to_event.read_event(table, "vi").event
    fill_table(table, {}, delimiter="\t", encoding="utf-16")
    assert sheet_to_event.read_event(table, "vi").event == before


def test_the_same_content_is_the_same_event(tmp_path: Path) -> None:
    """The same content has the same event id, and another figure has another one."""
    path = a_filled_sheet(tmp_path)
    first = json.loads(sheet_to_event.read_event(path, "vi").event)["id"]
    assert json.loads(sheet_to_event.read_event(path, "vi").event)["id"] == first
    fill_workbook(path, {"indicators.entrusted": 1234.6})
    assert json.loads(sheet_to_event.read_event(path, "vi").event)["id"] != first


def test_every_fault_is_reported_at_its_cell(tmp_path: Path) -> None:
    """All faults are reported in one run, each at its cell as `report.xlsx!C7: …` and in the chosen language."""
    path = a_filled_sheet(
        tmp_path, document__number="", indicators__entrusted="1.234", attachments__1="khong co.pdf", dispatch__proof="?"
    )
    reported = faults_of(path)
    assert len(reported) == 4
    number, figure = row_of(path, "document.number"), row_of(path, "indicators.entrusted")
    assert f"report.xlsx!C{number}: cần được điền" in reported
    assert any(one.startswith(f"report.xlsx!C{figure}: “1.234” có thể hiểu là") for one in reported)
    assert any("không tìm thấy tệp “khong co.pdf”" in one for one in reported)
    assert f"report.xlsx!C{number}: is needed" in faults_of(path, "en")


def test_a_fault_that_intake_finds_has_its_cell_too(tmp_path: Path) -> None:
    """A pointer into the event is turned into the cell that answered it."""
    path = a_filled_sheet(tmp_path)
    sheet = sheet_to_event.read_event(path, "vi").sheet
    for pointer, key in (
        ("/data/period", "period"),
        ("/data/document/issued_on", "document.issued_on"),
        ("/data/content/indicators/entrusted", "indicators.entrusted"),
        ("/data/attachments/0/sha256", "attachments.1"),
    ):
        assert sheet.place(pointer) == f"{path}!C{row_of(path, key)}"
    assert sheet.place("/id") == str(path)


def test_an_open_sheet_asks_for_agency_and_period(tmp_path: Path) -> None:
    """A sheet without agency and period asks for both, and the agency's id is read from before its name."""
    assert make_sheet(tmp_path, "report.xlsx").exit_code == 0
    path = tmp_path / "report.xlsx"
    (tmp_path / "bao cao.pdf").write_bytes(PDF)
    fill_workbook(path, FILL | {"agency": "h-hai – UBND huyện h-hai", "period": 2026})
    data = json.loads(sheet_to_event.read_event(path, "vi").event)["data"]
    assert (data["agency"], data["period"]) == ("h-hai", "2026")
    fill_workbook(path, {"agency": None, "period": "tháng 7"})
    assert [one.split(": ")[0] for one in faults_of(path)] == [
        f"report.xlsx!C{row_of(path, key)}" for key in ("agency", "period")
    ]


@pytest.mark.parametrize("name", ["report.csv", "report.xlsx"])
@pytest.mark.parametrize(("inserted", "letter"), [([0], "D"), ([0, 0], "E"), ([2], "D"), ([0, 3, 6], "E")])
def test_columns_that_somebody_inserted_are_passed_over(
    tmp_path: Path, name: str, inserted: list[int], letter: str
) -> None:
    """Before the first column or between two; the event is the same, and faults name the cells where they are."""
    path = a_filled_sheet(tmp_path, name, document__issued_on="30/11/2026")
    before = sheet_to_event.read_event(path, "vi").event
    (insert_columns_into_workbook if name.endswith("xlsx") else insert_columns_into_table)(path, inserted)
    sheet = sheet_to_event.read_event(path, "vi")
    assert sheet.event == before
    if path.suffix == ".xlsx":
        assert re.fullmatch(rf"{re.escape(str(path))}!{letter}\d+", sheet.sheet.place("/data/document/number"))


def test_a_title_that_somebody_changed_does_not_hide_its_column(tmp_path: Path) -> None:
    """The answers stand beside the labels, where the sheet was made with them; a title that stands twice is refused."""
    path = a_filled_sheet(tmp_path)
    before = sheet_to_event.read_event(path, "vi").event
    retitle(path, {"Trả lời": "Số liệu của xã", "Đơn vị tính": "ĐVT"})
    assert sheet_to_event.read_event(path, "vi").event == before
    retitle(path, {"Hướng dẫn": "Nội dung"})
    (refusal,) = faults_of(path)
    assert re.match(r"report\.xlsx!E\d+: có hai cột cùng tên", refusal)


def insert_columns_into_workbook(path: Path, places: list[int]) -> None:
    """Insert an empty column before each of *places*, one after the other."""
    book = openpyxl.load_workbook(path)
    for place in places:
        book.worksheets[0].insert_cols(place + 1)
    book.save(path)


def insert_columns_into_table(path: Path, places: list[int]) -> None:
    """Insert an empty column before each of *places*, one after the other."""
    rows = list(csv.reader(path.read_text("utf-8-sig").splitlines()))
    for row in rows:
        for place in places:
            row.insert(place, "")
    with path.open("w", encoding="utf-8-sig", newline="") as stream:
        csv.writer(stream).writerows(rows)


def retitle(path: Path, titles: dict[str, str]) -> None:
    """Write other titles into the header of the sheet."""
    book = openpyxl.load_workbook(path)
    header = next(row for row in book.worksheets[0].iter_rows() if row[0].value == "Mã")
    for cell in header:
        cell.value = titles.get(str(cell.value), cell.value)
    book.save(path)


def test_what_is_no_sheet_is_refused(tmp_path: Path) -> None:
    """Another workbook, a broken one, and a repeated or unknown key are refused."""
    other = tmp_path / "other.xlsx"
    openpyxl.Workbook().save(other)
    assert "dondoc sheet" in faults_of(other)[0]
    (tmp_path / "broken.xlsx").write_bytes(b"PK\x03\x04")
    assert "XLSX" in faults_of(tmp_path / "broken.xlsx")[0]
    path = a_filled_sheet(tmp_path)
    fill_keys(path, {"document.title": "document.number"})
    assert "bị lặp" in faults_of(path)[0]
    fill_keys(a_filled_sheet(tmp_path), {"document.title": "nope.x"})
    assert f"report.xlsx!A{row_of(path, 'nope.x')}: không có dòng nào" in faults_of(path)[0]


@pytest.mark.parametrize("name", ["none.xlsx", "none.csv"])
def test_a_file_that_is_not_there_is_named(tmp_path: Path, name: str) -> None:
    """A missing file is named, for XLSX and CSV."""
    assert name in faults_of(tmp_path / name)[0]


def test_a_broken_table_is_refused(tmp_path: Path) -> None:
    """A CSV file with an unclosed quote or in an unknown encoding is refused at its line."""
    (tmp_path / "a.csv").write_text('Mã,Nội dung\nperiod,"2026', encoding="utf-8")
    assert faults_of(tmp_path / "a.csv", "en")[0].startswith("a.csv:2: not CSV")
    (tmp_path / "b.csv").write_bytes("Mã,Nội dung\n".encode("cp1252", "replace") + b"\xff")
    assert "UTF-8" in faults_of(tmp_path / "b.csv")[0]


def test_a_sheet_that_was_tampered_with_is_refused_at_its_cells(tmp_path: Path) -> None:
    """Another form, an unknown time zone and a file of an unknown type are each refused at their cell."""
    path = a_filled_sheet(tmp_path, format="dondoc-sheet/9", zone="Mars/Olympus", attachments__1="a.exe")
    (tmp_path / "a.exe").write_bytes(b"MZ")
    places = [row_of(path, key) for key in ("format", "zone", "attachments.1")]
    assert [one.split(": ")[0] for one in faults_of(path)] == [f"report.xlsx!C{row}" for row in places]


def test_ticks_and_times_of_a_spreadsheet_are_understood(tmp_path: Path) -> None:
    """TRUE in a cell counts as yes, and a time without a day is no instant."""
    path = a_filled_sheet(tmp_path, content__nil_return=True)
    assert json.loads(sheet_to_event.read_event(path, "vi").event)["data"]["content"]["nil_return"] is True
    fill_workbook(path, {"dispatch.sent_at": time(8, 30), "content.nil_return": False})
    assert [one.split(": ")[0] for one in faults_of(path)] == [f"report.xlsx!C{row_of(path, 'dispatch.sent_at')}"]


def format_cell(path: Path, key: str, value: Any, code: str) -> None:
    """Fill a cell in, and give it a number format."""
    book = openpyxl.load_workbook(path)
    cell = book.worksheets[0].cell(row=row_of(path, key), column=3)
    cell.value, cell.number_format = value, code
    book.save(path)


def set_unit(path: Path, key: str, unit: str) -> None:
    """Write the unit of a line, as the sheet of another plan has it."""
    book = openpyxl.load_workbook(path)
    book.worksheets[0].cell(row=row_of(path, key), column=4).value = unit
    book.save(path)


def test_a_percent_cell_is_what_it_shows_in_a_line_of_percents_and_refused_elsewhere(tmp_path: Path) -> None:
    """12.5% is 12.5 where the unit is percent; in a line of money it is a fault of its cell."""
    path = a_filled_sheet(tmp_path)
    format_cell(path, "indicators.entrusted", 0.125, "0.0%")
    row = row_of(path, "indicators.entrusted")
    assert [one.split(": ")[0] for one in faults_of(path)] == [f"report.xlsx!C{row}"]
    set_unit(path, "indicators.entrusted", "%")
    for value, code, figure in (
        (0.125, "0.0%", "12.5"),
        (0.07, "0%", 7),
        ("12,5%", "@", "12.5"),
        ("12,50%", "@", "12.50"),
        (12.5, "0.0", "12.5"),
    ):
        format_cell(path, "indicators.entrusted", value, code)
        data = json.loads(sheet_to_event.read_event(path, "vi").event)["data"]
        assert data["content"]["indicators"] == {"entrusted": figure}


def test_a_figure_has_no_digits_that_nobody_wrote(tmp_path: Path) -> None:
    """What a spreadsheet saves with seventeen digits has the fifteen to which it computes."""
    path = a_filled_sheet(tmp_path, indicators__entrusted=0.1 + 0.2)
    data = json.loads(sheet_to_event.read_event(path, "vi").event)["data"]
    assert data["content"]["indicators"] == {"entrusted": "0.3"}


def test_a_day_is_read_however_its_cell_holds_it(tmp_path: Path) -> None:
    """As its number, in words, or as a program exports it; a number of a document that became a day is refused."""
    path = a_filled_sheet(tmp_path)
    for written in (46356, "ngày 30 tháng 11 năm 2026", "30/11/2026 00:00:00", "Thanh Hóa, ngày 30 tháng 11 năm 2026"):
        format_cell(path, "document.issued_on", written, "General")
        data = json.loads(sheet_to_event.read_event(path, "vi").event)["data"]
        assert data["document"]["issued_on"] == "2026-11-30"
    format_cell(path, "document.number", datetime(2026, 5, 12), "d/m")  # noqa: DTZ001 - a cell has no zone
    assert "đã đổi nội dung này thành ngày" in faults_of(path)[0]


def test_answers_in_an_older_encoding_are_converted(tmp_path: Path) -> None:
    """Text pasted from a document in TCVN3 or VNI is recorded in Unicode, beside the sheet's own words."""
    answers = {"document__signed_by": "Lª V¨n §øc", "sections__results": "Ñaõ thöïc hieän Keá hoaïch"}
    data = json.loads(sheet_to_event.read_event(a_filled_sheet(tmp_path, **answers), "vi").event)["data"]
    assert data["document"]["signed_by"] == "Lê Văn Đức"
    assert data["content"]["sections"] == {"results": "Đã thực hiện Kế hoạch"}


def test_a_sheet_of_another_kind_is_refused_with_the_remedy(tmp_path: Path) -> None:
    """A workbook of the old form is named as one, in the language of the caller."""
    (tmp_path / "report.xls").write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600))
    assert faults_of(tmp_path / "report.xls")[0].startswith("report.xls: bảng tính kiểu cũ (.xls)")
    assert "save it as .xlsx" in faults_of(tmp_path / "report.xls", "en")[0]
