"""The sheet of a middle level lists the agencies below, and what is answered becomes the parts of the report."""

import json
from pathlib import Path

import openpyxl
from typer.testing import CliRunner

from services.console.main import app
from services.console.sheets import sheet_to_event
from tests.support.builders.plan_folders import write_documents
from tests.support.builders.plans import a_plan, a_registry, a_version, an_agency, an_obligation
from tests.support.builders.sheets import FILL, fill_workbook, row_of


def test_a_sheet_asks_for_each_report_below_and_gives_back_those_that_are_in(tmp_path: Path) -> None:
    """Two communes are listed by name and required; the one that is ticked is named in the event."""
    requires = {"sections": ["results"], "parts": "all"}
    plan = a_plan(
        an_obligation(id="communes", addressees=["xa"]),
        an_obligation(a_version(requires=requires), id="districts", compiles={"obligation": "communes"}),
    )
    groups = [{"id": "huyen", "name": {"vi": "Huyện"}}, {"id": "xa", "name": {"vi": "Xã"}}]
    below = {"groups": [{"id": "xa"}], "parent": "h-mot"}
    communes = [an_agency(one, **below) for one in ("x-hai", "x-mot")]
    folder = write_documents(tmp_path / "plan", plan, a_registry(an_agency("h-mot"), *communes, groups=groups))
    path = tmp_path / "report.xlsx"
    made = CliRunner().invoke(
        app, ["sheet", str(folder), "districts", "--period", "2026", "--agency", "h-mot", "-o", str(path)]
    )
    assert made.exit_code == 0, made.output
    page = openpyxl.load_workbook(path).worksheets[0]
    rows = {str(row[0].value): str(row[1].value) for row in page.iter_rows(max_col=2)}
    assert rows["parts.x-hai"] == "Đã tổng hợp báo cáo của UBND huyện x-hai *"
    answers = {key: FILL[key] for key in ("document.number", "document.issued_on", "sections.results")}
    fill_workbook(path, {**answers, "parts.x-mot": "có", "parts.x-hai": "không"})
    filled = sheet_to_event.read_event(path, "vi")
    assert json.loads(filled.event)["data"]["content"]["parts"] == ["x-mot"]
    (warning,) = filled.warnings
    assert f"!C{row_of(path, 'parts.x-hai')}: " in warning
