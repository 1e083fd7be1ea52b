"""What a filled sheet lacks is told by cell, in the reader's language, and the report is taken all the same."""

import csv
import io
import json
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from schemas.plan.plan import IndicatorRequirement, Requirements
from services.console.sheets import completeness, sheet_to_event
from services.console.sheets.layout import SheetLine
from services.console.sheets.sheet_reader import SheetCell
from services.intake.core import form_fields
from tests.support.builders.sheets import a_filled, faults, row_of

PAGE = "xl/worksheets/sheet1.xml"


def warnings(path: Path, language: Any = "en") -> list[str]:
    """What is said of a sheet that is taken, without its folder."""
    return [one.replace(f"{path.parent}/", "") for one in sheet_to_event.read_event(path, language).warnings]


def reckon(path: Path, results: Mapping[str, str]) -> None:
    """Put the results of formulas into the workbook, as a spreadsheet program saves them; a text has its own type."""
    with zipfile.ZipFile(io.BytesIO(path.read_bytes())) as before:
        parts = {name: before.read(name).decode() for name in before.namelist()}
    for key, result in results.items():
        written = rf'<c r="C{row_of(path, key)}"([^>]*)><f>(.*?)</f><v></v>'
        kind = "" if result else ' t="str"'
        page = re.sub(written, rf'<c r="C{row_of(path, key)}"\1{kind}><f>\2</f><v>{result}</v>', parts[PAGE])
        assert page != parts[PAGE]
        parts[PAGE] = page
    with zipfile.ZipFile(path, "w") as after:
        for name, content in parts.items():
            after.writestr(name, content)


def place(path: Path, key: str) -> int:
    """The number of the row with *key*, in a workbook or a table."""
    if path.suffix == ".xlsx":
        return row_of(path, key)
    rows = csv.reader(io.StringIO(path.read_text("utf-8-sig"), newline=""))
    return next(number for number, row in enumerate(rows, 1) if row[0] == key)


def test_a_full_sheet_has_no_gaps(tmp_path: Path) -> None:
    """Nor one that there is nothing to report in."""
    assert warnings(a_filled(tmp_path)) == []
    nothing = {"content__nil_return": "x", "sections__results": "", "indicators__entrusted": "", "attachments__1": ""}
    assert warnings(a_filled(tmp_path, **nothing)) == []


@pytest.mark.parametrize("name", ["report.xlsx", "report.csv"])
def test_what_is_empty_under_a_star_is_told_at_its_cell(tmp_path: Path, name: str) -> None:
    """And is not in the event, which is made all the same."""
    blank = {"document__signed_by": " ", "sections__results": "", "indicators__entrusted": "", "attachments__1": ""}
    days = {"document__issued_on": "30/11/2026"} if name.endswith("csv") else {}
    path = a_filled(tmp_path, name, **blank, **days)
    empty = "this is empty; the report will not be complete without it"
    assert warnings(path) == [f"{name}!C{place(path, key.replace('__', '.'))}: warning: {empty}" for key in blank]
    assert "ô này còn để trống" in warnings(path, "vi")[0]
    content = json.loads(sheet_to_event.read_event(path, "vi").event)["data"]["content"]
    assert (content["sections"], content["indicators"]) == ({}, {})


def test_any_of_the_files_will_do(tmp_path: Path) -> None:
    """The star stands at the first only because one is needed."""
    assert warnings(a_filled(tmp_path, attachments__1="", attachments__2="bao cao.pdf")) == []


def test_a_figure_outside_its_range_is_told(tmp_path: Path) -> None:
    """By the range that the sheet itself states."""
    path = a_filled(tmp_path, indicators__entrusted=-1234.5)
    place = f"report.xlsx!C{row_of(path, 'indicators.entrusted')}"
    said = "-1,234.5 is outside the range that the sheet states, from 0; the report will not be complete"
    assert warnings(path) == [f"{place}: warning: {said}"]
    said = "-1.234,5 nằm ngoài khoảng ghi trên phiếu, từ 0; báo cáo sẽ chưa đầy đủ"
    assert warnings(path, "vi") == [f"{place}: cảnh báo: {said}"]
    assert json.loads(sheet_to_event.read_event(path, "vi").event)["data"]["content"]["indicators"] == {
        "entrusted": "-1234.5"
    }


@pytest.mark.parametrize("low", [None, 0, -9984.25, 1e15])
@pytest.mark.parametrize("high", [None, 1e15, 2e16])
def test_the_range_on_a_sheet_is_read_as_it_is_written(low: float | None, high: float | None) -> None:
    """Its ends are within; a hint that was changed to anything else states no range."""
    wanted = IndicatorRequirement(code="x", min=low, max=high)
    (asked,) = (one for one in form_fields.questions(Requirements(indicators=(wanted,))) if one.key == "indicators.x")

    def told(figure: float, hint: str) -> bool:
        cells = {asked.key: SheetCell(key=asked.key, row=1, answer=figure, hint=hint)}
        data = {"content": {"nil_return": False, "indicators": {"x": str(figure)}}}
        return bool(list(completeness.find_gaps(cells, data)))

    hint = SheetLine(question=asked).hint
    within = [one for one in (low, high) if one is not None]
    assert not any(told(one, hint) for one in within)
    assert told(-1e17, hint) is (low is not None)
    assert told(1e17, hint) is (high is not None)
    assert not told(-1e17, f"{hint} đâu đó")


def test_a_formula_without_its_result_is_refused_at_its_cell(tmp_path: Path) -> None:
    """What a program wrote that does not reckon: the figure would be lost and nobody would see it."""
    path = a_filled(tmp_path, indicators__entrusted="=1000+234.5", document__number="=A1", sections__results="=A2")
    rows = [row_of(path, key) for key in ("document.number", "sections.results", "indicators.entrusted")]
    told = faults(path)
    assert [one.split(": ")[0] for one in told] == [f"report.xlsx!C{row}" for row in rows]
    assert all("công thức ở ô này chưa có kết quả" in one for one in told)
    assert "open the sheet in a spreadsheet program and save it" in faults(path, "en")[0]


def test_a_formula_with_its_result_is_an_answer(tmp_path: Path) -> None:
    """An empty text, too, which is what a formula comes to that has nothing to say."""
    path = a_filled(tmp_path, indicators__entrusted="=1000+234.5", document__title='=""')
    reckon(path, {"indicators.entrusted": "1234.5", "document.title": ""})
    data = json.loads(sheet_to_event.read_event(path, "vi").event)["data"]
    assert data["content"]["indicators"] == {"entrusted": "1234.5"}
    assert data["document"]["title"] == ""
