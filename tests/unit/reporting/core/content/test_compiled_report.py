"""What the middle level sees of the reports that it compiles."""

import io
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import openpyxl

from schemas.events.assessments import Status
from schemas.plan.indicators import Indicator
from services.reporting.core.content import compiled_report
from services.reporting.core.content.compiled_report import CompiledReports, ConsolidatedReport
from services.reporting.core.reported_duties import ReportedDuty, StandingSubmission
from services.reporting.core.results import ResultsQuestion
from services.reporting.documents import compiled_workbook
from tests.support.builders import plans

AS_OF = datetime(2024, 12, 20, 2, tzinfo=UTC)

LOANS = Indicator(code="loans", unit="million_vnd")
RATIO = Indicator(code="ratio", kind="ratio", formula="loans / loans")


def a_duty(agency: str, loans: str | None, *, parts: frozenset[str] = frozenset()) -> ReportedDuty:
    """Build a duty with a report of *loans*, or an overdue one."""
    if loans is None:
        return ReportedDuty(agency=agency, status=Status.OVERDUE)
    submission = StandingSubmission(source="s", id=agency, figures={"loans": Decimal(loans)}, parts=parts)
    return ReportedDuty(agency=agency, status=Status.ON_TIME, submission=submission)


def compile_for(agency: str, own: ReportedDuty, *parts: ReportedDuty) -> list[ConsolidatedReport]:
    """Return what *agency* compiles where the district compiles *parts*."""
    question = ResultsQuestion(
        obligation="districts",
        period="2024",
        indicators=[LOANS, RATIO],
        groups=[],
        sections=[],
        duties=[own],
        parts={own.agency: parts},
    )
    return list(compiled_report.list_compiled_reports([question], agency))


def some_compiled_reports(*found: ConsolidatedReport) -> CompiledReports:
    """Build everything that a district compiles of its communes."""
    names = {"h-mot": "UBND huyện Một", "x-hai": "UBND xã Hai"}
    plan = plans.a_plan(plans.an_obligation(id="districts", report_title={"vi": "Báo cáo {period} của huyện"}))
    return CompiledReports(
        plan=plan, period="2024", agency="h-mot", reports=found, names=names, as_of=AS_OF, known_at=AS_OF
    )


def test_it_says_who_has_reported_and_what_that_adds_up_to() -> None:
    """While a part is outstanding the sum is that of the others, and nothing differs yet; a ratio is not added up."""
    own = a_duty("h-mot", "10", parts=frozenset({"x-hai"}))
    (found,) = compile_for("h-mot", own, a_duty("x-hai", "4.5"), a_duty("x-ba", None))
    assert [(one.agency, one.status, one.is_named) for one in found.parts] == [
        ("x-ba", Status.OVERDUE, False),
        ("x-hai", Status.ON_TIME, True),
    ]
    document = compiled_report.build_document(some_compiled_reports(found))["compiled"][0]
    assert document["parts"][1] == {
        "agency": "x-hai",
        "name": "UBND xã Hai",
        "status": "on_time",
        "named": True,
        "figures": {"loans": "4.5"},
    }
    assert document["indicators"] == [
        {"code": "loans", "unit": "million_vnd", "own": "10", "parts_total": "4.5", "given": 1, "parts_differ": False}
    ]


def test_a_sum_that_differs_is_told_once_every_part_is_in() -> None:
    """0.1 and 0.2 are 0.3, exactly."""
    parts = a_duty("x-mot", "0.1"), a_duty("x-hai", "0.2")
    for own, differs in (("0.3", False), ("0.30000001", True)):
        (found,) = compile_for("h-mot", a_duty("h-mot", own), *parts)
        assert [one.differs for one in found.totals] == [differs]


def test_nothing_is_compiled_by_who_has_nobody_below() -> None:
    """Neither by another agency, nor where the agency has no parts."""
    own = a_duty("h-mot", "1")
    assert compile_for("h-hai", own, a_duty("x-mot", "1")) == []
    assert compile_for("h-mot", own) == []


def read_rows(workbook: bytes, *, cached: bool) -> list[list[Any]]:
    """Return the cells of the first sheet, formulas by their text or by the value that is stored with them."""
    sheet = openpyxl.load_workbook(io.BytesIO(workbook), data_only=cached).worksheets[0]
    return [list(row) for row in sheet.iter_rows(min_row=1, values_only=True)]


def test_the_workbook_adds_up_by_formulas_and_says_what_differs() -> None:
    """A row an agency, and below them the sum, who gave it, the compiled figure and the difference; names stay text."""
    own = a_duty("h-mot", "10.5", parts=frozenset({"x-hai"}))
    (found,) = compile_for("h-mot", own, a_duty("x-hai", "4.25"), a_duty("x-ba", None), a_duty("x-bon", "6"))
    compiled = some_compiled_reports(found)
    hostile = replace(compiled, names={**compiled.names, "x-ba": "=1+1\x00"})
    written = compiled_workbook.render_compiled_xlsx(hostile, "vi")
    assert written == compiled_workbook.render_compiled_xlsx(hostile, "vi")
    rows = read_rows(written, cached=True)
    assert rows[0][0] == "UBND huyện Một: Báo cáo năm 2024 của huyện"
    assert rows[1][0] == "Số liệu lúc 09:00 ngày 20/12/2024, theo thông tin ghi nhận đến 09:00 ngày 20/12/2024."
    assert [row[1:] for row in rows[4:]] == [
        ["=1+1", "x-ba", "Quá hạn, chưa gửi", "", None],
        ["x-bon", "x-bon", "Đúng hạn", "", 6],
        ["UBND xã Hai", "x-hai", "Đúng hạn", "có", 4.25],
        ["Cộng các đơn vị", None, None, None, 10.25],
        ["Số đơn vị có số liệu", None, None, None, 2],
        ["Báo cáo tổng hợp", None, None, None, 10.5],
        ["Chênh lệch", None, None, None, 0.25],
    ]
    formulas = [row[5] for row in read_rows(written, cached=False)[7:]]
    assert formulas == ["=SUM(F5:F7)", "=COUNT(F5:F7)", 10.5, "=F10-F8"]
    assert openpyxl.load_workbook(io.BytesIO(compiled_workbook.render_compiled_xlsx(hostile, "en"))).sheetnames
