"""The parts of the report: reasons of grades, findings, quotations and tables as a reader expects them."""

from dataclasses import replace
from typing import Any

import pytest
from msgspec import structs

from schemas.events.assessments import Status
from services.reporting.core.duty_lines import DutyLine
from services.reporting.core.report import outline as outlines
from services.reporting.core.report import printed_report, words
from services.reporting.core.report.blocks import Paragraph, Table
from services.reporting.core.report.inputs import GradedAgency, ReportFinding
from services.reporting.core.report.parts import evaluation, quotations
from tests.support.builders.reports.report_inputs import some_report_inputs

INPUTS = some_report_inputs()
OUTLINE = outlines.build_outline(INPUTS)
LINES = INPUTS.report.chapters[0].lines


def a_line(status: Status, **changes: Any) -> DutyLine:
    """Build a line with that status."""
    line = next(line for line in LINES if line.status is status)
    return structs.replace(line, **changes)


@pytest.mark.parametrize(
    ("line", "late_before", "reason"),
    [
        (a_line(Status.ON_TIME, flags=()), 0, "Đúng hạn, đầy đủ"),
        (a_line(Status.ON_TIME, flags=("nil_return",)), 0, "Đúng hạn, đầy đủ; báo cáo không phát sinh"),
        (a_line(Status.LATE, days_late=3, flags=()), 2, "Trễ 03 ngày; trễ 02 kỳ trong 03 kỳ trước"),
        (a_line(Status.OVERDUE, flags=("withdrawn",)), 0, "Chưa gửi; đã thu hồi một văn bản"),
        (
            a_line(Status.INCOMPLETE, missing=("returned", "signed"), flags=()),
            0,
            "Bị trả lại, chưa sửa; thiếu chữ ký",
        ),
    ],
)
def test_the_reason_of_a_grade_is_what_the_agency_did(line: DutyLine, late_before: int, reason: str) -> None:
    """A reader can check it; the conditions of the grades stand once, beside the grades."""
    graded = GradedAgency(agency=line.key.agency, grade="A", title="", reason="", late_before=late_before)
    assert evaluation.describe_work(line, graded, OUTLINE) == reason


def test_what_a_grade_asks_for_stands_beside_it_in_words() -> None:
    """No condition is printed as a formula, and no reason repeats one."""
    blocks = evaluation.build_evaluation(OUTLINE)
    grades = next(one for one in blocks if isinstance(one, Table) and one.name == "grades")
    assert [row.cells[2] for row in grades.rows] == ["Đúng hạn", "Trễ hạn", "Mọi trường hợp còn lại"]


def test_many_figures_with_one_kind_of_slip_are_one_sentence() -> None:
    """Who sent last year's figures again is named once, with how many they are; a single one has its own sentence."""
    codes = ("entrusted_local_budget", "outstanding_loans", "overdue_debt", "customers")
    same = [ReportFinding(agency="h-02", code=code, sentence=f"{code}.", kind="unchanged") for code in codes]
    single = ReportFinding(agency="h-03", code="customers", sentence="gấp 1.000 lần.", kind="thousandfold")
    content = printed_report.compile_content(replace(INPUTS, findings=(*same, single)))
    (found,) = [one for one in content.body if isinstance(one, Paragraph) and one.lead == "Chất lượng số liệu:"]
    names = OUTLINE.names
    assert f"{names['h-02']}: 04 chỉ tiêu đúng bằng số liệu cùng kỳ năm trước" in found.text
    assert "(vốn ngân sách địa phương ủy thác (lũy kế), tổng dư nợ, nợ quá hạn và 01 chỉ tiêu khác)" in found.text
    assert found.text.endswith(f"; {names['h-03']}: gấp 1.000 lần.")


@pytest.mark.parametrize(
    ("needs", "rooms"),
    [([50, 500, 1000], [50, 475, 475]), ([10, 20], [10, 20]), ([900, 900, 900], [333, 333, 334]), ([], [])],
)
def test_no_section_takes_the_room_of_another(needs: list[int], rooms: list[int]) -> None:
    """All get the same; what a short one does not need goes to the others."""
    assert quotations.share_room(needs, 1000) == rooms


def test_the_tables_of_an_appendix_are_about_equally_wide() -> None:
    """Eleven indicators are six and five beside each other, not ten and a table of one."""
    (of_period,) = INPUTS.results
    first = of_period.results.indicators[0]
    several = tuple(
        replace(first, indicator=first.indicator.model_copy(update={"code": f"i{number}"})) for number in range(11)
    )
    inputs = replace(INPUTS, results=(replace(of_period, results=replace(of_period.results, indicators=several)),))
    content = printed_report.compile_content(inputs)
    tables = [one for one in content.appendices[0].blocks if isinstance(one, Table)]
    assert [len(one.columns) - 2 for one in tables[:2]] == [6, 5]
    assert tables[0].title.endswith(" (1/2)")


@pytest.mark.parametrize(
    ("title", "task"),
    [
        ("Gửi kết quả thực hiện Kế hoạch", "việc gửi kết quả thực hiện Kế hoạch"),
        ("Báo cáo quý", "báo cáo quý"),
        ("UBND báo cáo.", "UBND báo cáo"),
    ],
)
def test_a_title_that_begins_with_a_verb_becomes_a_noun(title: str, task: str) -> None:
    """`Theo gửi kết quả` is no Vietnamese."""
    assert words.name_task(title) == task
