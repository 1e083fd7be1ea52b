"""The content of the report: what it says where data is missing, and how it speaks of any plan and any period."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from schemas.events.assessments import Status
from services.reporting.core.report import letterhead, printed_report, words
from services.reporting.core.report.blocks import Heading, Paragraph, Table, format_row
from services.reporting.core.report.inputs import GradedAgency, ReportInputs
from services.reporting.core.report.parts import quotations
from services.reporting.core.report.printed_report import EmptyReportError, PrintedReport
from services.reporting.core.results import AgencyText
from tests.support.builders.annual_report import a_plan
from tests.support.builders.reports.report_inputs import some_report_inputs

INPUTS = some_report_inputs()
CONTENT = printed_report.compile_content(INPUTS)


def text_of(content: PrintedReport) -> str:
    """Return every sentence and every cell of the body and the appendices, a line each."""
    blocks = [*content.body, *(block for appendix in content.appendices for block in appendix.blocks)]
    return "\n".join(line for block in blocks for line in lines_of(block, content))


def lines_of(block: object, content: PrintedReport) -> Iterable[str]:
    """Return the texts of one block."""
    match block:
        case Paragraph():
            yield f"{block.lead} {block.text} {block.source}".strip()
        case Heading():
            yield block.text
        case Table():
            yield block.title
            yield from ("|".join(format_row(row, block, content.zone)) for row in block.rows)
            yield from block.notes


def change_indicator(inputs: ReportInputs, code: str, **changes: Any) -> ReportInputs:
    """Return *inputs* with the result of one indicator changed."""
    (of_period,) = inputs.results
    indicators = tuple(
        replace(one, **changes) if one.indicator.code == code else one for one in of_period.results.indicators
    )
    return replace(inputs, results=(replace(of_period, results=replace(of_period.results, indicators=indicators)),))


def test_the_parts_and_appendices_have_their_numbers() -> None:
    """Six parts and three appendices, in the order of the report."""
    parts = [block.text.partition(".")[0] for block in CONTENT.body if isinstance(block, Heading) and block.level == 1]
    assert parts == ["I", "II", "III", "IV", "V", "VI"]
    assert [one.number for one in CONTENT.appendices] == ["I", "II", "III"]


def test_who_gave_nothing_stays_in_the_table_without_a_number() -> None:
    """Not given, nothing to report and exempt each have their word; none of them is a zero."""
    table = next(block for block in CONTENT.appendices[0].blocks if isinstance(block, Table))
    said = {
        row[1].partition(" (")[0]: row[2] for row in (format_row(one, table, CONTENT.zone) for one in table.records)
    }
    assert said["Sở Nông nghiệp và Môi trường"] == "không phát sinh"
    assert said["Sở Văn hóa - Thể thao và Du lịch"] == "chưa có số liệu"
    assert said["Sở Y tế"] == "được miễn báo cáo"


def test_a_late_and_an_incomplete_figure_are_marked() -> None:
    """T stands beside a late agency and C beside an incomplete one, and the marks are explained under the table."""
    text = text_of(CONTENT)
    assert "Sở Tài chính (T)" in text
    assert "Sở Xây dựng (C)" in text
    assert "T: gửi trễ hạn. C: chưa đầy đủ." in text


def test_a_change_is_not_told_where_the_cut_offs_differ() -> None:
    """Both totals are printed, the change is not, and a footnote says why."""
    code = "entrusted_local_budget"
    result = next(one for one in INPUTS.results[0].results.indicators if one.indicator.code == code)
    assert result.previous is not None
    changed = change_indicator(
        INPUTS,
        code,
        previous=replace(result.previous, is_comparable=False),
        cut_offs={date(2026, 11, 30): 30, date(2026, 12, 31): 1},
    )
    content = printed_report.compile_content(changed)
    table = next(block for block in content.body if isinstance(block, Table) and block.name == "indicators")
    row = format_row(table.rows[0], table, content.zone)
    assert row[3:7] == [
        words.write_number(result.previous.total or Decimal(0)),
        "144.333",
        "không so sánh được (1)",
        "",
    ]
    assert any("khác thời điểm chốt" in note for note in table.notes)
    assert any(note.startswith("Riêng các đơn vị có cùng thời điểm chốt: dòng 1 (") for note in table.notes)
    assert "không so sánh được với năm 2025" in text_of(content)


def test_a_column_of_targets_goes_where_no_indicator_has_one() -> None:
    """Without a target there is no share of it, neither in the table nor in a sentence."""
    inputs = INPUTS
    for code in ("entrusted_local_budget", "entrusted_added_in_year"):
        inputs = change_indicator(inputs, code, target=None)
    content = printed_report.compile_content(inputs)
    table = next(block for block in content.body if isinstance(block, Table) and block.name == "indicators")
    assert "target" not in [column.name for column in table.columns]
    assert "% chỉ tiêu" not in text_of(content)


def test_an_officers_opinion_stands_beside_the_grade() -> None:
    """The grade by the rules stays; the officer's grade and sentence follow the table."""
    first = INPUTS.evaluations[0]
    opinion = replace(first, officer_grade="C", officer_sentence="Chưa nêu kết quả.")
    content = printed_report.compile_content(replace(INPUTS, evaluations=(opinion, *INPUTS.evaluations[1:])))
    assert "(loại A theo tiêu chí), đề nghị xếp loại C: Chưa nêu kết quả." in text_of(content)
    assert isinstance(opinion, GradedAgency)


def test_equal_proposals_are_quoted_once_with_everybody_who_made_them() -> None:
    """A proposal stands verbatim under its group, and who proposed nothing is counted."""
    text = text_of(CONTENT)
    assert text.count("“Đề nghị bổ sung nguồn vốn cho vay giải quyết việc làm.”") == 2
    assert "27 đơn vị đã gửi báo cáo không có kiến nghị" in text


def test_texts_beyond_two_pages_are_counted_and_none_is_cut() -> None:
    """A text stands whole or not at all; the rest is counted with the place where it stands."""
    (of_period,) = INPUTS.results
    long = tuple(
        AgencyText(agency=f"h-{number:02d}", text=f"{number} {'rất dài ' * 400}", source="urn:test", id=f"e{number}")
        for number in range(5)
    )
    sections = {**of_period.results.sections, "results": long}
    inputs = replace(INPUTS, results=(replace(of_period, results=replace(of_period.results, sections=sections)),))
    text = text_of(printed_report.compile_content(inputs))
    assert f"04 nội dung khác có toàn văn tại {quotations.WHERE_ALL_STAND}" in text
    assert f"“{' '.join(long[0].text.split())}”" in text


def test_without_figures_grades_and_proposals_each_part_says_so_in_one_sentence() -> None:
    """A plan without indicators, grades and words of its own still makes a whole report."""
    content = printed_report.compile_content(some_report_inputs(a_plan(), results=(), evaluations=(), findings=()))
    text = text_of(content)
    for sentence in ("không có chỉ tiêu số liệu", "không quy định tiêu chí xếp loại", "không có mục kiến nghị"):
        assert sentence in text
    assert content.letterhead.subject == "Kết quả thực hiện Kế hoạch số 6766/KH-UBND năm 2026"
    assert content.letterhead.number_line.endswith("/BC")


def test_an_empty_roster_is_no_report() -> None:
    """Where nobody owes anything there is nothing that could be all right."""
    nothing = replace(INPUTS.report, chapters=(), undated=(), as_of=datetime(2030, 1, 1, tzinfo=UTC))
    with pytest.raises(EmptyReportError):
        printed_report.compile_content(replace(INPUTS, report=nothing))


def test_the_plan_is_cited_in_full_once_and_dates_are_in_words() -> None:
    """Kind, number, date and subject at the first mention, kind and number from then on (Decree 30/2020)."""
    first, *rest = [block.text for block in CONTENT.body if isinstance(block, Paragraph)]
    assert first.startswith("Thực hiện Kế hoạch số 6766/KH-UBND ngày 05 tháng 5 năm 2016 triển khai")
    assert not any("ngày 05 tháng 5 năm 2016" in text for text in rest)


@pytest.mark.parametrize(
    ("period", "name"),
    [
        ("2026", "năm 2026"), ("2026-Q3", "quý III năm 2026"), ("2026-H1", "6 tháng đầu năm 2026"),
        ("2026-H2", "6 tháng cuối năm 2026"), ("2026-9M", "9 tháng đầu năm 2026"), ("2026-07", "tháng 7 năm 2026"),
        ("2026-W07", "tuần 7 năm 2026"),
    ],
)  # fmt: skip
def test_a_period_is_named_as_people_say_it(period: str, name: str) -> None:
    """Every kind of period has its words."""
    assert words.name_period(period) == name


@pytest.mark.parametrize(
    ("title", "period", "joined"),
    [
        ("Báo cáo quý", "2025-Q4", "Báo cáo quý IV năm 2025"),
        ("Kết quả thực hiện Kế hoạch hằng năm", "2025", "Kết quả thực hiện Kế hoạch năm 2025"),
        ("Vốn ủy thác bổ sung trong năm", "2026", "Vốn ủy thác bổ sung trong năm 2026"),
        ("Kết quả thực hiện", "2026-07", "Kết quả thực hiện tháng 7 năm 2026"),
    ],
)
def test_no_word_of_the_period_is_said_twice(title: str, period: str, joined: str) -> None:
    """`Báo cáo năm năm 2025` is what nobody writes."""
    assert words.join_period(title, period) == joined


def test_a_small_month_and_a_small_day_have_a_leading_zero() -> None:
    """Days below ten and the months 1 and 2 (Decree 30/2020, Appendix I)."""
    assert words.write_date(date(2025, 2, 5)) == "ngày 05 tháng 02 năm 2025"
    assert words.write_date(date(2025, 3, 10)) == "ngày 10 tháng 3 năm 2025"


def test_prose_says_billions_and_tables_do_not() -> None:
    """From a thousand million on prose says tỷ đồng."""
    assert words.write_amount(Decimal(375540), "million_vnd") == "375,5 tỷ đồng"
    assert words.write_amount(Decimal(300), "million_vnd") == "300 triệu đồng"


def test_the_deputy_signs_with_an_authority_line() -> None:
    """Authority, title and name come from the plan."""
    head = letterhead.build_letterhead(INPUTS)
    assert (head.authority, head.title, head.signer) == ("", "GIÁM ĐỐC", "Nguyễn Văn A")
    assert head.recipients[-1] == "- Lưu: VT, KHNV."
    assert Status.EXEMPT not in {one.grade for one in INPUTS.evaluations}
