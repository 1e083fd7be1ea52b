"""`dondoc sheet`, and reading the filled sheet back: round trip, faults by cell, the same event each time."""

import csv
import json
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from typer.testing import CliRunner, Result

from schemas.facts import ReportSubmitted
from services.console import inputs
from services.console.main import app
from services.console.sheets import filled
from tests.support.builders import AGENCIES, a_version, an_obligation
from tests.support.form import PDF, REQUIRES
from tests.support.plan_folders import a_folder

FILL: dict[str, Any] = {
    "document.number": "12/BC-UBND",
    "document.issued_on": datetime(2026, 11, 30),  # noqa: DTZ001 - a cell has no zone
    "document.signed_by": "Lê Văn A",
    "sections.results": "Đã làm",
    "indicators.entrusted": 1234.5,
    "attachments.1": "bao cao.pdf",
}
Fill = Callable[[Path, Mapping[str, Any]], None]


def made(folder: Path, name: str, *options: str) -> Result:
    """The run of `dondoc sheet` for the usual obligation with requirements."""
    a_folder(folder, obligations=[an_obligation(a_version(requires=REQUIRES))])
    return CliRunner().invoke(app, ["sheet", str(folder), "results", "-o", str(folder / name), *options])


def fill_workbook(path: Path, answers: Mapping[str, Any]) -> None:
    """Write *answers* into column C as a person does in a spreadsheet program."""
    book = openpyxl.load_workbook(path)
    page = book.worksheets[0]
    for row in page.iter_rows(max_col=3):
        if str(row[0].value) in answers:
            row[2].value = answers[str(row[0].value)]
    book.save(path)


def fill_table(path: Path, answers: Mapping[str, Any], *, delimiter: str = ",", encoding: str = "utf-8-sig") -> None:
    """Write *answers* into the third column, as a spreadsheet program saves CSV."""
    rows = list(csv.reader(path.read_text("utf-8-sig").splitlines()))
    for row in rows:
        if row[:1] and row[0] in answers:
            row[2] = str(answers[row[0]])
    with path.open("w", encoding=encoding, newline="") as stream:
        csv.writer(stream, delimiter=delimiter).writerows(rows)


def a_filled(folder: Path, name: str = "report.xlsx", **changes: Any) -> Path:
    """A sheet of the first agency for 2026 with its file beside it, filled in; *changes* by key, `__` for the dot."""
    assert made(folder, name, "--period", "2026", "--agency", AGENCIES[0]).exit_code == 0
    (folder / "bao cao.pdf").write_bytes(PDF)
    answers = FILL | {key.replace("__", "."): value for key, value in changes.items()}
    (fill_workbook if name.endswith("xlsx") else fill_table)(folder / name, answers)
    return folder / name


def faults(path: Path, language: Any = "vi") -> list[str]:
    """What is wrong with a sheet, without the folder."""
    with pytest.raises(inputs.Unusable) as caught:
        filled.read(path, language)
    return str(caught.value).replace(f"{path.parent}/", "").splitlines()


def row_of(path: Path, key: str) -> int:
    """The number of the row with *key*."""
    page = openpyxl.load_workbook(path).worksheets[0]
    return next(row[0].row for row in page.iter_rows(max_col=1) if row[0].value == key)


def test_a_filled_workbook_states_the_report(tmp_path: Path) -> None:
    """Agency, period, figures, days and the file's digest arrive in the event."""
    event = json.loads(filled.read(a_filled(tmp_path), "vi").event)
    fact = ReportSubmitted.model_validate(event["data"])
    assert (fact.agency, fact.period, fact.obligation) == (AGENCIES[0], "2026", "results")
    assert str(fact.document.issued_on) == "2026-11-30"
    assert fact.content.indicators == {"entrusted": "1234.5"}
    assert [(one.name, one.media_type, one.size) for one in fact.attachments] == [
        ("bao cao.pdf", "application/pdf", len(PDF))
    ]


def test_a_table_states_the_same(tmp_path: Path) -> None:
    """The CSV of the same answers is the same event, whatever sign parts its columns."""
    workbook = filled.read(a_filled(tmp_path), "vi").event
    table = a_filled(tmp_path, "report.csv", document__issued_on="30/11/2026", indicators__entrusted="1.234,5")
    assert filled.read(table, "vi").event == workbook
    fill_table(table, {}, delimiter=";")
    assert filled.read(table, "vi").event == workbook


def test_a_table_saved_as_unicode_text_is_read(tmp_path: Path) -> None:
    """What spreadsheet programs call Unicode text is UTF-16 with tabs."""
    table = a_filled(tmp_path, "report.csv", document__issued_on="30/11/2026")
    before = filled.read(table, "vi").event
    fill_table(table, {}, delimiter="\t", encoding="utf-16")
    assert filled.read(table, "vi").event == before


def test_the_same_content_is_the_same_event(tmp_path: Path) -> None:
    """A retry has the same id; another figure makes another event."""
    path = a_filled(tmp_path)
    first = json.loads(filled.read(path, "vi").event)["id"]
    assert json.loads(filled.read(path, "vi").event)["id"] == first
    fill_workbook(path, {"indicators.entrusted": 1234.6})
    assert json.loads(filled.read(path, "vi").event)["id"] != first


def test_every_fault_is_told_at_its_cell(tmp_path: Path) -> None:
    """All faults in one run, each `report.xlsx!C7: …`, in the language asked for."""
    path = a_filled(
        tmp_path, document__number="", indicators__entrusted="1.234", attachments__1="khong co.pdf", dispatch__proof="?"
    )
    told = faults(path)
    assert len(told) == 4
    number, figure = row_of(path, "document.number"), row_of(path, "indicators.entrusted")
    assert f"report.xlsx!C{number}: cần được điền" in told
    assert any(one.startswith(f"report.xlsx!C{figure}: “1.234” có thể hiểu là") for one in told)
    assert any("không tìm thấy tệp “khong co.pdf”" in one for one in told)
    assert f"report.xlsx!C{number}: is needed" in faults(path, "en")


def test_a_fault_that_intake_finds_has_its_cell_too(tmp_path: Path) -> None:
    """A pointer into the event is told as the cell that answered it."""
    path = a_filled(tmp_path)
    sheet = filled.read(path, "vi").sheet
    for pointer, key in (
        ("/data/period", "period"),
        ("/data/document/issued_on", "document.issued_on"),
        ("/data/content/indicators/entrusted", "indicators.entrusted"),
        ("/data/attachments/0/sha256", "attachments.1"),
    ):
        assert sheet.place(pointer) == f"{path}!C{row_of(path, key)}"
    assert sheet.place("/id") == str(path)


def test_an_open_sheet_asks_for_agency_and_period(tmp_path: Path) -> None:
    """Without both it offers the agencies that are addressed, and reads the id before the name."""
    assert made(tmp_path, "report.xlsx").exit_code == 0
    path = tmp_path / "report.xlsx"
    (tmp_path / "bao cao.pdf").write_bytes(PDF)
    fill_workbook(path, FILL | {"agency": "h-hai – UBND huyện h-hai", "period": 2026})
    data = json.loads(filled.read(path, "vi").event)["data"]
    assert (data["agency"], data["period"]) == ("h-hai", "2026")
    fill_workbook(path, {"agency": None, "period": "tháng 7"})
    assert [one.split(": ")[0] for one in faults(path)] == [
        f"report.xlsx!C{row_of(path, key)}" for key in ("agency", "period")
    ]


def test_what_is_no_sheet_is_refused(tmp_path: Path) -> None:
    """Another workbook, a broken one, a line twice or of no meaning."""
    other = tmp_path / "other.xlsx"
    openpyxl.Workbook().save(other)
    assert "dondoc sheet" in faults(other)[0]
    (tmp_path / "broken.xlsx").write_bytes(b"PK\x03\x04")
    assert "XLSX" in faults(tmp_path / "broken.xlsx")[0]
    path = a_filled(tmp_path)
    fill_keys(path, {"document.title": "document.number"})
    assert "bị lặp" in faults(path)[0]
    fill_keys(a_filled(tmp_path), {"document.title": "nope.x"})
    assert f"report.xlsx!A{row_of(path, 'nope.x')}: không có dòng nào" in faults(path)[0]


def fill_keys(path: Path, changes: Mapping[str, str]) -> None:
    """Overwrite keys of column A, as a careless paste does."""
    book = openpyxl.load_workbook(path)
    for row in book.worksheets[0].iter_rows(max_col=1):
        row[0].value = changes.get(str(row[0].value), row[0].value)
    book.save(path)


def test_only_answers_can_be_changed(tmp_path: Path) -> None:
    """Labels, keys and what is known already are locked; answers are not, and figures are checked as they are typed."""
    path = a_filled(tmp_path)
    page = openpyxl.load_workbook(path).worksheets[0]
    assert page.protection.sheet
    assert page.freeze_panes == "C7"
    locked = {
        str(row[0].value): row[2].protection.locked for row in page.iter_rows(min_row=8, max_col=3) if row[0].value
    }
    assert [key for key, is_locked in locked.items() if is_locked] == [
        "format",
        "plan",
        "obligation",
        "zone",
        "agency",
        "period",
    ]
    cell = f"C{row_of(path, 'indicators.entrusted')}"
    checks = {str(one.sqref): (one.type, one.formula1) for one in page.data_validations.dataValidation}
    assert checks[cell] == ("decimal", "0.0")


def test_a_sheet_for_nobody_is_not_made(tmp_path: Path) -> None:
    """An unknown agency, obligation or period, or one that does not owe it, is named."""
    assert made(tmp_path, "a.xlsx", "--agency", "nobody").exit_code == 2
    assert "does not fit" in made(tmp_path, "a.xlsx", "--period", "2026-Q1").stderr
    assert made(tmp_path, "a.txt").exit_code == 2
    assert not (tmp_path / "a.xlsx").exists()
