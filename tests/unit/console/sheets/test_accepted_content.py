"""A sheet of plan 6766 asks an agency for what it has, marks what is required, and reads every answer back."""

import csv
import json
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from typer.testing import CliRunner

from schemas.content import requested_content
from schemas.events.facts import ReportSubmitted
from services.console.main import app
from services.console.sheets import sheet_to_event
from services.console.support import inputs
from tests.support.builders.sheets import fill_table, fill_workbook
from tests.support.clients.form import PDF

FOLDER = Path(__file__).parents[4] / "deploy/plans/6766-kh-ubnd"
DISTRICT = "h-tho-xuan"
SECTIONS = ("results", "direction", "shortcomings", "next_year", "proposals")


def make_sheet(path: Path, *options: str) -> list[list[Any]]:
    """Run `dondoc sheet` for the annual results of 2024 and return the rows of the sheet."""
    command = ["sheet", str(FOLDER), "annual-results", "--period", "2024", "-o", str(path), *options]
    assert CliRunner().invoke(app, command).exit_code == 0
    if path.suffix == ".csv":
        return list(csv.reader(path.read_text("utf-8-sig").splitlines()))
    return [[cell.value or "" for cell in row] for row in openpyxl.load_workbook(path).worksheets[0].iter_rows()]


def find_figures(rows: list[list[Any]]) -> dict[str, list[Any]]:
    """Return the rows of figures by code."""
    return {row[0].partition(".")[2]: row for row in rows if str(row[0]).startswith("indicators.")}


def list_figures_of_a_district() -> list[str]:
    """Return the codes that a district is asked for, by the plan."""
    plan = inputs.read_plan_folder(FOLDER).plan
    obligation = plan.obligation("annual-results")
    assert obligation is not None
    asked = requested_content.list_requested(plan, obligation.versions[0], {DISTRICT, "ubnd-huyen"})
    return [one.indicator.code for one in asked.figures]


@pytest.mark.parametrize("name", ["report.csv", "report.xlsx"])
def test_every_answer_of_a_district_comes_back(tmp_path: Path, name: str) -> None:
    """All sections and figures, optional ones too, stand in the event as they were written."""
    path = tmp_path / name
    rows = make_sheet(path, "--agency", DISTRICT)
    codes = list_figures_of_a_district()
    assert list(find_figures(rows)) == codes
    figures = {code: 1000 + place for place, code in enumerate(codes)}
    (tmp_path / "a.pdf").write_bytes(PDF)
    answers: dict[str, Any] = {
        "document.number": "12/BC-UBND",
        "document.issued_on": "05/12/2024",
        "document.signed_by": "Chủ tịch UBND",
        "attachments.1": "a.pdf",
        **{f"sections.{one}": f"Nội dung {one}" for one in SECTIONS},
        **{f"indicators.{code}": figure for code, figure in figures.items()},
    }
    (fill_table if name.endswith("csv") else fill_workbook)(path, answers)
    read = sheet_to_event.read_event(path, "vi")
    fact = ReportSubmitted.model_validate(json.loads(read.event)["data"])
    assert (fact.agency, fact.period, read.warnings) == (DISTRICT, "2024", ())
    assert fact.content.indicators == figures
    assert fact.content.sections == {one: f"Nội dung {one}" for one in SECTIONS}


def test_only_what_is_required_has_a_star(tmp_path: Path) -> None:
    """The other figures say that they may be left empty, with their unit, range and form."""
    figures = find_figures(make_sheet(tmp_path / "report.csv", "--agency", DISTRICT))
    required = figures.pop("entrusted_local_budget")
    assert (required[1], required[4]) == ("Vốn ngân sách địa phương ủy thác (lũy kế) *", "từ 0")
    assert [row[1] for row in figures.values() if row[1].endswith("*")] == []
    customers = ["Số khách hàng còn dư nợ", "", "khách hàng", "từ 0; số nguyên; không bắt buộc"]
    assert figures["customers"][1:] == customers


def test_a_department_is_not_asked_for_loans(tmp_path: Path) -> None:
    """Its sheet has three figures, and all five sections."""
    rows = make_sheet(tmp_path / "report.csv", "--agency", "so-tp")
    assert list(find_figures(rows)) == ["entrusted_local_budget", "inspections", "publicity_items"]
    assert [row[0] for row in rows if row[0].startswith("sections.")] == [f"sections.{one}" for one in SECTIONS]


def test_a_sheet_for_anybody_says_who_is_asked(tmp_path: Path) -> None:
    """Where the reporter is to choose the agency, every figure is there and names its agencies."""
    figures = find_figures(make_sheet(tmp_path / "report.csv"))
    assert figures["households"][4].endswith(
        "dành cho: Sở Lao động - Thương binh và Xã hội, Sở Nông nghiệp và Môi trường"
    )
    assert figures["outstanding_loans"][4].endswith("dành cho: Ủy ban nhân dân các huyện, thị xã, thành phố")


def test_a_fraction_of_a_customer_is_reported(tmp_path: Path) -> None:
    """A sheet warns of a figure that must be whole, at its cell, before it is sent."""
    path = tmp_path / "report.csv"
    make_sheet(path, "--agency", DISTRICT)
    (tmp_path / "a.pdf").write_bytes(PDF)
    answers = {"document.number": "1/BC", "document.issued_on": "05/12/2024", "indicators.customers": "10,5"}
    fill_table(path, answers)
    warnings = [one for one in sheet_to_event.read_event(path, "vi").warnings if "số nguyên" in one]
    assert len(warnings) == 1
    assert warnings[0].endswith("10,5 không phải số nguyên; báo cáo sẽ chưa đầy đủ")
