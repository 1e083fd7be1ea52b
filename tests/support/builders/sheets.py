"""Report sheets made by `dondoc sheet` and filled in as people do: in a spreadsheet program, or as CSV."""

import csv
import unicodedata
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from typer.testing import CliRunner, Result

from services.console.main import app
from services.console.sheets import sheet_to_event
from services.console.support import inputs
from tests.support.builders.plan_folders import a_folder
from tests.support.builders.plans import AGENCIES, a_version, an_obligation
from tests.support.clients.form import PDF, REQUIRES

FILL: dict[str, Any] = {
    "document.number": "12/BC-UBND",
    "document.issued_on": datetime(2026, 11, 30),  # noqa: DTZ001 - a cell has no zone
    "document.signed_by": "Lê Văn A",
    "sections.results": "Đã làm",
    "indicators.entrusted": 1234.5,
    "attachments.1": "bao cao.pdf",
}


def make_sheet(folder: Path, name: str, *options: str) -> Result:
    """Run `dondoc sheet` for the usual obligation with requirements."""
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


def a_filled_sheet(folder: Path, name: str = "report.xlsx", **changes: Any) -> Path:
    """Build a filled sheet of the first agency for 2026 with its file beside it.

    *changes* are answers by key, with `__` for the dot: `document__number=""`.
    """
    assert make_sheet(folder, name, "--period", "2026", "--agency", AGENCIES[0]).exit_code == 0
    (folder / "bao cao.pdf").write_bytes(PDF)
    answers = FILL | {key.replace("__", "."): value for key, value in changes.items()}
    (fill_workbook if name.endswith("xlsx") else fill_table)(folder / name, answers)
    return folder / name


def decompose_sheet(path: Path) -> None:
    """Write all text of a sheet in Unicode NFD, its own words too."""
    if path.suffix == ".csv":
        text = unicodedata.normalize("NFD", path.read_text("utf-8-sig"))
        path.write_text(text, "utf-8-sig")
        return
    book = openpyxl.load_workbook(path)
    for row in book.worksheets[0].iter_rows():
        for cell in row:
            if isinstance(cell.value, str):
                cell.value = unicodedata.normalize("NFD", cell.value)
    book.save(path)


def faults_of(path: Path, language: Any = "vi") -> list[str]:
    """Return the faults of a sheet, without the folder."""
    with pytest.raises(inputs.UnusableInputError) as caught:
        sheet_to_event.read_event(path, language)
    return str(caught.value).replace(f"{path.parent}/", "").splitlines()


def row_of(path: Path, key: str) -> int:
    """Return the number of the row with *key*."""
    page = openpyxl.load_workbook(path).worksheets[0]
    return next(row[0].row for row in page.iter_rows(max_col=1) if row[0].value == key)


def fill_keys(path: Path, changes: Mapping[str, str]) -> None:
    """Overwrite keys of column A, as pasting into the wrong column does."""
    book = openpyxl.load_workbook(path)
    for row in book.worksheets[0].iter_rows(max_col=1):
        row[0].value = changes.get(str(row[0].value), row[0].value)
    book.save(path)
