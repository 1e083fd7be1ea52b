"""The parts of the report: reasons of grades, findings, quotations and tables as a reader expects them."""

from dataclasses import replace
from typing import Any

import pytest
from msgspec import structs

from schemas.events.assessments import Status, StepKind
from schemas.plan.registry import Registry
from schemas.plan.values import Bilingual
from services.reporting.core.duty_lines import DutyLine
from services.reporting.core.registry_index import RegistryIndex
from services.reporting.core.report import outline as outlines
from services.reporting.core.report import printed_report, words
from services.reporting.core.report.blocks import COLUMNS_UPRIGHT, Appendix, Column, Paragraph, Table
from services.reporting.core.report.inputs import GradedAgency, ReportFinding, ReportInputs
from services.reporting.core.report.parts import evaluation, proposals, quotations, shortcomings
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


@pytest.mark.parametrize(
    ("status", "said"),
    [(Status.LATE, "hoàn chỉnh sau hạn."), (Status.INCOMPLETE, "đến nay chưa hoàn chỉnh.")],
)
def test_a_first_report_in_time_is_called_complete_only_where_it_became_so(status: Status, said: str) -> None:
    """The report itself may have been incomplete or returned."""
    line = a_line(status, flags=("first_sent_on_time",))
    chapters = (replace(INPUTS.report.chapters[0], lines=(line,)),)
    content = printed_report.compile_content(replace(INPUTS, report=replace(INPUTS.report, chapters=chapters)))
    (found,) = [one.text for one in content.body if isinstance(one, Paragraph) and "gửi bản đầu đúng hạn" in one.text]
    assert found == f"{line.agency_name} gửi bản đầu đúng hạn, {said}"


def test_a_returned_report_is_a_step_of_its_own() -> None:
    """Its notice asks to mend the report; it is not urging after the deadline."""
    assert shortcomings.name_step(StepKind.RETURNED, "") == "Trả lại báo cáo, đề nghị sửa"


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


def some_chapters(*titles: str) -> ReportInputs:
    """Return the inputs of a report on as many obligations, each like the first one but for its title."""
    (chapter,), (of_period,) = INPUTS.report.chapters, INPUTS.results
    chapters = tuple(
        replace(
            chapter,
            obligation=chapter.obligation.model_copy(update={"id": f"o{number}", "title": Bilingual(vi=title)}),
            lines=tuple(
                structs.replace(line, key=structs.replace(line.key, obligation=f"o{number}")) for line in chapter.lines
            ),
            attempts={
                structs.replace(key, obligation=f"o{number}"): several for key, several in chapter.attempts.items()
            },
        )
        for number, title in enumerate(titles)
    )
    several = tuple(
        replace(of_period, results=replace(of_period.results, obligation=one.obligation.id)) for one in chapters
    )
    return replace(INPUTS, report=replace(INPUTS.report, chapters=chapters), results=several)


def test_each_of_several_reports_is_summed_up_in_a_paragraph_that_names_it() -> None:
    """The same indicator of two reports is never told without saying of which."""
    content = printed_report.compile_content(some_chapters("Báo cáo tháng", "Báo cáo quý"))
    texts = [one for one in content.body if isinstance(one, Paragraph)]
    summed = [one for one in texts if one.lead in {"Báo cáo tháng:", "Báo cáo quý:"}]
    assert [one.text.count("vốn ngân sách địa phương ủy thác (lũy kế) ") for one in summed] == [1, 1]
    assert all("đúng hạn" in one.text for one in summed)


def test_steps_of_several_reports_count_reports() -> None:
    """One agency is asked for each of its reports, so there are more of them than agencies."""

    def name_column(inputs: ReportInputs) -> str:
        blocks = shortcomings.build_shortcomings(outlines.build_outline(inputs))
        return next(one.columns[1].title for one in blocks if isinstance(one, Table) and one.name == "steps")

    assert name_column(INPUTS) == "Số đơn vị được nhắc"
    assert name_column(some_chapters("Báo cáo tháng", "Báo cáo quý")) == "Số báo cáo được nhắc"


def test_many_reports_share_the_room_of_their_texts() -> None:
    """Two pages each for three of them; nine have six pages together."""
    outlines_of = [outlines.build_outline(some_chapters(*map(str, range(count)))) for count in (1, 3, 9)]
    assert [quotations.find_room(one) for one in outlines_of] == [6000, 6000, 2000]


def test_an_office_that_has_ended_is_asked_for_nothing() -> None:
    """Its duty stays overdue in the tables; what the issuer asks for names those that can still act."""
    overdue = next(line for line in LINES if line.status is Status.OVERDUE)
    ended = {"type": "abolish", "from": [overdue.key.agency], "on": "2026-12-15", "act": "Nghị quyết số 1"}
    fields = INPUTS.registry.registry.model_dump(mode="json", by_alias=True)
    registry = Registry.model_validate({**fields, "successions": [ended]})

    def ask(inputs: ReportInputs) -> str:
        blocks = proposals.build_proposals(outlines.build_outline(inputs))
        return next((one.text for one in blocks if isinstance(one, Paragraph) and "gửi báo cáo còn" in one.text), "")

    assert overdue.agency_name in ask(INPUTS)
    assert overdue.agency_name not in ask(replace(INPUTS, registry=RegistryIndex.of(registry)))


def test_nothing_is_compared_with_a_year_for_which_nobody_reported() -> None:
    """No empty columns, and no note about them."""
    (of_period,) = INPUTS.results
    indicators = tuple(
        replace(one, previous=one.previous and replace(one.previous, agencies=0, total=None))
        for one in of_period.results.indicators
    )
    inputs = replace(INPUTS, results=(replace(of_period, results=replace(of_period.results, indicators=indicators)),))
    content = printed_report.compile_content(inputs)
    table = next(one for one in content.body if isinstance(one, Table) and one.name == "indicators")
    assert [one.name for one in table.columns] == ["number", "title", "unit", "total", "target", "agencies"]
    assert not any("so sánh" in note or "Tăng, giảm" in note for note in table.notes)


def test_whom_an_heir_reports_for_has_no_row_among_the_figures() -> None:
    """The table of figures counts them and names the appendix where they stand."""
    superseded = next(line for line in LINES if line.status is Status.SUPERSEDED)
    first = printed_report.compile_content(INPUTS).appendices[0]
    tables = [one for one in first.blocks if isinstance(one, Table)]
    assert not any(superseded.agency_name in map(str, row.cells) for table in tables for row in table.rows)
    assert any("01 đơn vị đã có đơn vị kế thừa" in note for table in tables for note in table.notes)


def test_only_wide_tables_lie_on_their_side() -> None:
    """A narrow one stands upright, where a page holds more rows; the pages of one appendix may turn."""
    narrow, wide = a_table(COLUMNS_UPRIGHT), a_table(COLUMNS_UPRIGHT + 1)
    appendix = Appendix(number="I", title="", blocks=(narrow, Paragraph(text=""), wide, wide, narrow))
    assert [(one.is_landscape, len(one.blocks)) for one in appendix.spreads] == [(False, 2), (True, 2), (False, 1)]
    assert [one.is_landscape for one in Appendix(number="I", title="", blocks=()).spreads] == [False]


def a_table(columns: int) -> Table:
    """Build an empty table of so many columns."""
    return Table(name="t", title="", columns=tuple(Column(name=str(n), title="") for n in range(columns)), rows=())


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
