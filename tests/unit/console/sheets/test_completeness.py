"""What a filled sheet lacks is reported by cell, in the reader's language, and the report is taken all the same."""

import csv
import io
import json
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from schemas.content.requested_content import RequestedContent, RequestedFigure
from schemas.plan.indicators import Indicator
from schemas.plan.plan import Requirements
from services.console.sheets import completeness, sheet_to_event
from services.console.sheets.layout import SheetLine
from services.console.sheets.sheet_reader import SheetCell
from services.intake.core.forms import form_fields
from tests.support.builders.sheets import a_filled_sheet, faults_of, row_of

PAGE = "xl/worksheets/sheet1.xml"


def warnings(path: Path, language: Any = "en") -> list[str]:
    """Return the warnings about an accepted sheet, without its folder."""
    return [one.replace(f"{path.parent}/", "") for one in sheet_to_event.read_event(path, language).warnings]


def write_results(path: Path, results: Mapping[str, str]) -> None:
    """Write the results of formulas into the workbook, as a spreadsheet program saves them; a text has its own type."""
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


def row_number(path: Path, key: str) -> int:
    """Return the number of the row with *key*, in a workbook or a CSV file."""
    if path.suffix == ".xlsx":
        return row_of(path, key)
    rows = csv.reader(io.StringIO(path.read_text("utf-8-sig"), newline=""))
    return next(number for number, row in enumerate(rows, 1) if row[0] == key)


def test_a_full_sheet_has_no_gaps(tmp_path: Path) -> None:
    """A full sheet has no warnings, and neither has a nil return that is otherwise empty."""
    assert warnings(a_filled_sheet(tmp_path)) == []
    nothing = {"content__nil_return": "x", "sections__results": "", "indicators__entrusted": "", "attachments__1": ""}
    assert warnings(a_filled_sheet(tmp_path, **nothing)) == []


@pytest.mark.parametrize("name", ["report.xlsx", "report.csv"])
def test_what_is_empty_under_a_star_is_reported_at_its_cell(tmp_path: Path, name: str) -> None:
    """An empty answer with a star gives a warning at its cell, and the event is made without it."""
    blank = {"document__signed_by": " ", "sections__results": "", "indicators__entrusted": "", "attachments__1": ""}
    days = {"document__issued_on": "30/11/2026"} if name.endswith("csv") else {}
    path = a_filled_sheet(tmp_path, name, **blank, **days)
    empty = "this is empty; the report will not be complete without it"
    mark = ":" if name.endswith("csv") else "!C"
    rows = [row_number(path, key.replace("__", ".")) for key in blank]
    assert warnings(path) == [f"{name}{mark}{row}: warning: {empty}" for row in rows]
    assert "ô này còn để trống" in warnings(path, "vi")[0]
    content = json.loads(sheet_to_event.read_event(path, "vi").event)["data"]["content"]
    assert (content["sections"], content["indicators"]) == ({}, {})


def test_any_of_the_files_will_do(tmp_path: Path) -> None:
    """One attached file is enough, whichever of the lines it stands in."""
    assert warnings(a_filled_sheet(tmp_path, attachments__1="", attachments__2="bao cao.pdf")) == []


def test_a_figure_outside_its_range_is_reported(tmp_path: Path) -> None:
    """A figure outside the range that the sheet states gives a warning at its cell in either language."""
    path = a_filled_sheet(tmp_path, indicators__entrusted=-1234.5)
    place = f"report.xlsx!C{row_of(path, 'indicators.entrusted')}"
    message = "-1,234.5 is outside the range that the sheet states, from 0; the report will not be complete"
    assert warnings(path) == [f"{place}: warning: {message}"]
    message = "-1.234,5 nằm ngoài khoảng ghi trên phiếu, từ 0; báo cáo sẽ chưa đầy đủ"
    assert warnings(path, "vi") == [f"{place}: cảnh báo: {message}"]
    assert json.loads(sheet_to_event.read_event(path, "vi").event)["data"]["content"]["indicators"] == {
        "entrusted": "-1234.5"
    }


@pytest.mark.parametrize("low", [None, 0, -9984.25, 1e15])
@pytest.mark.parametrize("high", [None, 1e15, 2e16])
def test_the_range_on_a_sheet_is_read_as_it_is_written(low: float | None, high: float | None) -> None:
    """The ends of a range are within it, and a hint that was changed to other text states no range."""
    wanted = RequestedFigure(
        indicator=Indicator.model_validate({"code": "x", "min": low, "max": high}), is_required=True
    )
    content = RequestedContent(sections=(), figures=(wanted,), ratios=())
    (asked,) = (one for one in form_fields.build_fields(Requirements(), content) if one.key == "indicators.x")

    def is_outside(figure: float, hint: str) -> bool:
        cells = {asked.key: SheetCell(key=asked.key, row=1, answer=str(figure), hint=hint)}
        data = {"content": {"nil_return": False, "indicators": {"x": str(figure)}}}
        return bool(list(completeness.find_gaps(cells, data)))

    hint = SheetLine(question=asked).hint
    within = [one for one in (low, high) if one is not None]
    assert not any(is_outside(one, hint) for one in within)
    assert is_outside(-1e17, hint) is (low is not None)
    assert is_outside(1e17, hint) is (high is not None)
    assert not is_outside(-1e17, f"{hint} đâu đó")


def test_a_formula_without_its_result_is_refused_at_its_cell(tmp_path: Path) -> None:
    """A formula without a stored result is refused, because the figure would be lost without notice."""
    path = a_filled_sheet(
        tmp_path, indicators__entrusted="=1000+234.5", document__number="=A1", sections__results="=A2"
    )
    rows = [row_of(path, key) for key in ("document.number", "sections.results", "indicators.entrusted")]
    reported = faults_of(path)
    assert [one.split(": ")[0] for one in reported] == [f"report.xlsx!C{row}" for row in rows]
    assert all("công thức ở ô này chưa có kết quả" in one for one in reported)
    assert "open the sheet in a spreadsheet program and save it" in faults_of(path, "en")[0]


def test_a_formula_with_its_result_is_an_answer(tmp_path: Path) -> None:
    """The stored result of a formula is the answer, also where it is an empty text."""
    path = a_filled_sheet(tmp_path, indicators__entrusted="=1000+234.5", document__title='=""')
    write_results(path, {"indicators.entrusted": "1234.5", "document.title": ""})
    data = json.loads(sheet_to_event.read_event(path, "vi").event)["data"]
    assert data["content"]["indicators"] == {"entrusted": "1234.5"}
    assert data["document"]["title"] == ""
