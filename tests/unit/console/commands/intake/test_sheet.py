"""`dondoc sheet`: what a sheet offers, asks and locks, and for whom none is made."""

from pathlib import Path

import openpyxl
from typer.testing import CliRunner

from services.console.main import app
from tests.support.builders.plan_folders import a_folder
from tests.support.builders.plans import AGENCIES, a_version, an_obligation
from tests.support.builders.sheets import a_filled_sheet, make_sheet, row_of


def test_only_answers_can_be_changed(tmp_path: Path) -> None:
    """Labels, keys and known answers are locked, other answers are not, and figures are validated as they are typed."""
    path = a_filled_sheet(tmp_path)
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
    """An unknown agency, a period that does not fit or an unknown file type exits 2 and writes nothing."""
    assert make_sheet(tmp_path, "a.xlsx", "--agency", "nobody").exit_code == 2
    assert "does not fit" in make_sheet(tmp_path, "a.xlsx", "--period", "2026-Q1").stderr
    assert make_sheet(tmp_path, "a.txt").exit_code == 2
    assert not (tmp_path / "a.xlsx").exists()


def test_a_sheet_tells_the_checks_of_the_plan(tmp_path: Path) -> None:
    """The messages of the plan's checks stand at the end of the sheet, and a one-off duty asks for no period."""
    check = {"id": "c", "cel": "true", "message": {"vi": "Nợ quá hạn không lớn hơn dư nợ.", "en": "…"}}
    version = a_version(recurrence="once", due=None, requires={"checks": [check]})
    a_folder(tmp_path, obligations=[an_obligation(version)])
    for name in ("a.csv", "a.xlsx"):
        assert CliRunner().invoke(app, ["sheet", str(tmp_path), "results", "-o", str(tmp_path / name)]).exit_code == 0
    text = (tmp_path / "a.csv").read_text("utf-8-sig")
    assert "Nợ quá hạn không lớn hơn dư nợ." in text
    assert "\nperiod," not in text
    shown = [cell.value for row in openpyxl.load_workbook(tmp_path / "a.xlsx").worksheets[0].rows for cell in row]
    assert "– Nợ quá hạn không lớn hơn dư nợ." in shown


def test_a_sheet_asks_for_sections_and_figures_by_their_titles(tmp_path: Path) -> None:
    """Sections and figures have the plan's Vietnamese titles, with their key in the first column."""
    assert make_sheet(tmp_path, "a.csv").exit_code == 0
    lines = (tmp_path / "a.csv").read_text("utf-8-sig").splitlines()
    for start in ("sections.results,Kết quả thực hiện *,", "indicators.entrusted,Vốn ủy thác *,"):
        assert any(line.startswith(start) for line in lines), start


def test_a_period_lists_the_agencies_that_owe_it(tmp_path: Path) -> None:
    """With a period and no agency the sheet offers those who owe the report for it."""
    assert make_sheet(tmp_path, "a.csv", "--period", "2026").exit_code == 0
    text = (tmp_path / "a.csv").read_text("utf-8-sig")
    assert all(f"{agency} – UBND huyện {agency}" in text for agency in AGENCIES)


def test_an_unknown_obligation_is_named(tmp_path: Path) -> None:
    """An obligation that is not in the plan exits 2 and is named."""
    a_folder(tmp_path)
    answer = CliRunner().invoke(app, ["sheet", str(tmp_path), "nope", "-o", str(tmp_path / "a.csv")])
    assert (answer.exit_code, "obligation: 'nope'" in answer.stderr) == (2, True)


def test_a_place_that_cannot_hold_a_sheet_is_named(tmp_path: Path) -> None:
    """A folder that does not exist exits 2 and is named, for XLSX and CSV."""
    for name in ("nowhere/a.xlsx", "nowhere/a.csv"):
        result = make_sheet(tmp_path, name)
        assert (result.exit_code, f"{tmp_path / name}: No such file" in result.stderr) == (2, True)
