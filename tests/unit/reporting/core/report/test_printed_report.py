"""The content of the report: what it says where data is missing, and how it speaks of any plan and any period."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from msgspec import structs

from schemas.events.assessments import Status
from schemas.plan.values import Bilingual
from services.reporting.core.report import letterhead, printed_report, words
from services.reporting.core.report import outline as outlines
from services.reporting.core.report.blocks import Heading, Paragraph, Table, format_row
from services.reporting.core.report.inputs import (
    GradedAgency,
    ReportedDecision,
    ReportInputs,
    SealedVersionChanges,
)
from services.reporting.core.report.parts import changes, quotations
from services.reporting.core.report.printed_report import EmptyReportError, PrintedReport
from services.reporting.core.results import AgencyText, ComparedTotals
from services.reporting.core.sealing import figure_changes
from services.reporting.core.sealing.figure_changes import FigureChange
from services.reporting.documents.workbook import sheets
from tests.support.builders.annual_report import a_plan
from tests.support.builders.reports.report_inputs import some_report_inputs

INPUTS = some_report_inputs()
CONTENT = printed_report.compile_content(INPUTS)
SAME_NAME = "Báo cáo {period} gửi Chính phủ"


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


def test_each_appendix_is_referred_to_and_ends_as_the_report_does() -> None:
    """Decree 30/2020: Appendix I, part one, III.1, and form 2.1 of Appendix III."""
    body = " ".join(block.text for block in CONTENT.body if isinstance(block, Paragraph))
    assert [one.number for one in CONTENT.appendices if f"Phụ lục {one.number} (" not in body] == []
    last = [one.blocks[-1] for one in CONTENT.appendices]
    said = [one.notes[-1] if isinstance(one, Table) else one.text for one in last if isinstance(one, Table | Paragraph)]
    assert len(said) == len(CONTENT.appendices)
    assert [text for text in said if not text.endswith("./.") or text.endswith("../.")] == []


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


def comparison_rows(content: PrintedReport) -> tuple[Table, list[dict[str, str]]]:
    """Return the table of indicators, and its rows as texts by the name of their column."""
    table = next(block for block in content.body if isinstance(block, Table) and block.name == "indicators")
    names = [column.name for column in table.columns]
    return table, [dict(zip(names, format_row(row, table, content.zone), strict=True)) for row in table.rows]


def compare_with(inputs: ReportInputs, *, agencies: int, total: int, previous: int) -> ReportInputs:
    """Return *inputs* in which so many agencies gave the entrusted budget in both years, with these totals."""
    code = "entrusted_local_budget"
    result = next(one for one in inputs.results[0].results.indicators if one.indicator.code == code)
    assert result.previous is not None
    same = ComparedTotals(agencies=agencies, total=Decimal(total), previous=Decimal(previous))
    changed = replace(result.previous, is_comparable=False, same=same)
    days = {date(2026, 11, 30): result.agencies - 1, date(2026, 12, 31): 1}
    return change_indicator(inputs, code, previous=changed, cut_offs=days)


def test_a_change_is_told_of_the_agencies_that_compare() -> None:
    """One agency with another cut-off takes the change from nobody else: the others have columns that subtract."""
    content = printed_report.compile_content(compare_with(INPUTS, agencies=20, total=100_000, previous=90_000))
    table, (row, *_) = comparison_rows(content)
    compared = {name: row[name] for name in ("total", "before", "same", "change", "percent", "same_agencies")}
    assert compared == {
        "total": "144.333", "before": "90.000", "same": "100.000", "change": "+10.000", "percent": "+11,1",
        "same_agencies": "20",
    }  # fmt: skip
    headings = {column.title for column in table.columns if "đơn vị có số liệu cả hai kỳ" in column.heading}
    assert headings == {"Năm 2025", "Năm 2026", "Tăng, giảm", "%", "Số đơn vị"}
    assert "tăng 10 tỷ đồng (11,1%) so với năm 2025 (tính trên 20 đơn vị)" in text_of(content).replace(
        "10,0 tỷ", "10 tỷ"
    )


def test_no_change_is_told_where_no_agency_compares() -> None:
    """Then last year's total stands in the footnote that says why, and in no column of comparable figures."""
    content = printed_report.compile_content(compare_with(INPUTS, agencies=0, total=0, previous=0))
    table, (row, *_) = comparison_rows(content)
    assert (row["before"], row["change"], row["percent"]) == ("", "(1)", "")
    note = next(one for one in table.notes if one.startswith("(1) Không so sánh được với năm 2025"))
    assert "30/11/2026, 31/12/2026; tổng số năm 2025:" in note
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


def test_who_is_exempt_or_extended_is_named_with_the_decision() -> None:
    """Kind, number, date in words and signer stand where the report says it, kind and number in the appendix."""
    chapter = INPUTS.report.chapters[0]
    late = next(line for line in chapter.lines if line.status is Status.LATE)
    extended = structs.replace(late, flags=(*late.flags, "under_extension"))
    exempt = next(line for line in chapter.lines if line.status is Status.EXEMPT)
    lines = tuple(extended if line is late else line for line in chapter.lines)
    decision = ReportedDecision(number="3905/QĐ-UBND", issued_on=date(2026, 10, 6), signed_by="Chủ tịch UBND tỉnh")
    report = replace(INPUTS.report, chapters=(replace(chapter, lines=lines), *INPUTS.report.chapters[1:]))
    decisions = {late.key: decision, exempt.key: decision}
    text = text_of(printed_report.compile_content(replace(INPUTS, report=report, decisions=decisions)))
    cited = "theo Quyết định số 3905/QĐ-UBND ngày 06 tháng 10 năm 2026 do Chủ tịch Ủy ban nhân dân tỉnh ký"
    assert f"{exempt.agency_name} được miễn {cited}" in text
    assert f"{late.agency_name} được gia hạn đến hết ngày 09 tháng 12 năm 2026 {cited}." in text
    assert "được gia hạn; Quyết định số 3905/QĐ-UBND" in text


def a_change(figure: str, before: str | int | None, after: str | int | None, unit: str = "") -> FigureChange:
    """Build the change of one figure as it is found between two versions."""
    document = {name: {"value": value, "unit": unit} for name, value in ((figure, before),)}
    later = {figure: {"value": after, "unit": unit, "evidence": ["e-9"]}}
    (change,) = figure_changes.find_changes({"figures": document}, {"figures": later})
    return change


def test_what_changed_since_the_last_sealed_version_is_printed_in_words() -> None:
    """Whose status changed, counts, totals, then agencies; what follows from them is counted and in the workbook."""
    path = "annual-results/2026"
    changes = (
        a_change(f"{path}/agencies/h-02/indicators/outstanding_loans", "314400", "324400", "million_vnd"),
        a_change(f"{path}/agencies/h-02/status", "overdue", "late"),
        a_change(f"{path}/agencies/h-02/sections/proposals", None, "Đề nghị."),
        a_change(f"{path}/duties/late", 3, 4),
        a_change(f"{path}/duties/reporting_rate", "0.861111", "0.888889"),
        a_change(f"{path}/groups/ubnd-huyen/duties/late", 2, 3),
        a_change(f"{path}/indicators/outstanding_loans/total", "9990000", "10000000", "million_vnd"),
        a_change(f"{path}/indicators/outstanding_loans/agencies", 20, 21),
    )
    since = SealedVersionChanges(version=1, sealed_at=datetime(2026, 12, 20, 2, tzinfo=UTC), changes=changes)
    content = printed_report.compile_content(replace(INPUTS, changes=since))
    table = next(block for block in content.body if isinstance(block, Table) and block.name == "changes")
    name = INPUTS.registry.name_on("h-02", date(2026, 12, 9))
    assert [format_row(row, table, content.zone)[1:] for row in table.rows] == [
        [f"{name}: tình trạng", "Quá hạn, chưa gửi", "Trễ hạn"],
        ["Số báo cáo trễ hạn", "3", "4"],
        ["Tổng dư nợ", "9.990.000", "10.000.000"],
        [f"{name}: Tổng dư nợ", "314.400", "324.400"],
        [f"{name}: mục “Kiến nghị, đề xuất”", "chưa có", "đã gửi"],
    ]
    text = text_of(content)
    assert "4. Thay đổi so với phiên bản 01" in text
    assert "08 số liệu thay đổi" in text
    assert "03 số liệu khác theo đó thay đổi, có tại trang tính “Thay đổi”" in text
    whole = next(sheet.table for sheet in sheets.build_sheets(content) if sheet.name == "Thay đổi")
    assert [len(whole.rows), whole.rows[0].cells[-1]] == [8, "e-9"]


def test_an_unchanged_draft_says_so_and_a_first_version_says_nothing() -> None:
    """Without a version before there is nothing to compare with."""
    since = SealedVersionChanges(version=2, sealed_at=datetime(2026, 12, 20, 2, tzinfo=UTC), changes=())
    unchanged = text_of(printed_report.compile_content(replace(INPUTS, changes=since)))
    assert "không thay đổi so với phiên bản 02 chốt lúc 09 giờ 00 phút ngày 20 tháng 12 năm 2026" in unchanged
    assert "Thay đổi so với" not in text_of(CONTENT)


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


def test_a_circular_is_not_called_a_plan() -> None:
    """After its citation the document is called what it is."""
    source = {"id": "tt-01", "number": "01/2024/TT-TTCP", "issued_on": date(2024, 1, 20)}
    content = printed_report.compile_content(
        some_report_inputs(a_plan(sources=[source]), results=(), evaluations=(), findings=())
    )
    text = text_of(content)
    assert "Thông tư không quy định tiêu chí xếp loại" in text
    assert "Kế hoạch không" not in text


def test_reports_of_one_name_are_told_apart_by_their_rhythm() -> None:
    """What the plan calls the duty stands where two reports have the same name without their period."""
    chapter = INPUTS.report.chapters[0]
    titles = {"month": "Báo cáo định kỳ hằng tháng gửi Chính phủ", "quarter": "Báo cáo định kỳ hằng quý gửi Chính phủ"}
    several = tuple(
        replace(
            chapter,
            obligation=chapter.obligation.model_copy(
                update={"id": name, "title": Bilingual(vi=title), "report_title": Bilingual(vi=SAME_NAME)}
            ),
        )
        for name, title in titles.items()
    )
    outline = outlines.build_outline(replace(INPUTS, report=replace(INPUTS.report, chapters=several)))
    assert [one.title for one in outline.chapters] == [*titles.values()]
    (alone,) = outlines.build_outline(replace(INPUTS, report=replace(INPUTS.report, chapters=several[:1]))).chapters
    assert alone.title == "Báo cáo gửi Chính phủ"


@pytest.mark.parametrize(
    ("issuer", "speaker"),
    [
        ("Chi nhánh Ngân hàng Chính sách xã hội tỉnh Thanh Hóa", "Chi nhánh"),
        ("Thanh tra tỉnh Thanh Hóa", "Thanh tra tỉnh"),
        ("Ủy ban nhân dân xã Hoằng Lộc", "Ủy ban nhân dân"),
        ("Hội Nông dân tỉnh", "Hội Nông dân tỉnh"),
        ("Văn phòng Chính phủ", "Văn phòng Chính phủ"),
    ],
)
def test_an_office_calls_itself_as_its_readers_do(issuer: str, speaker: str) -> None:
    """After its name was written in full: by its kind, by its full name where that is short or of no known kind."""
    plan = INPUTS.report.plan
    block = plan.report.model_copy(update={"issuer_name": Bilingual(vi=issuer)})
    inputs = replace(INPUTS, report=replace(INPUTS.report, plan=plan.model_copy(update={"report": block})))
    assert outlines.build_outline(inputs).speaker == speaker


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


def test_a_number_of_members_needs_no_plural() -> None:
    """After a number nobody says `các`; an abbreviation keeps its capitals."""
    assert words.count_members(27, "Ủy ban nhân dân các huyện, thị xã") == "27 ủy ban nhân dân huyện, thị xã"
    assert words.count_members(3, "Các sở, ban, ngành") == "03 sở, ban, ngành"
    assert words.count_members(166, "UBND xã, phường") == "166 UBND xã, phường"


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


def test_the_plans_own_title_of_a_report_is_used_with_its_period() -> None:
    """`report_title` stands wherever the report names what was sent, never the words of the clause beside it."""
    chapter, *others = INPUTS.report.chapters
    named = chapter.obligation.model_copy(update={"report_title": Bilingual(vi="Báo cáo {period} về vốn ủy thác")})
    report = replace(INPUTS.report, chapters=(replace(chapter, obligation=named), *others))
    text = text_of(printed_report.compile_content(replace(INPUTS, report=report)))
    assert "Báo cáo năm 2026 về vốn ủy thác: 38 đơn vị thuộc diện gửi" in text
    assert "xếp loại theo báo cáo năm 2026 về vốn ủy thác." in text
    assert chapter.obligation.title.vi not in text
    assert "{period}" not in text


def test_a_page_lists_changes_in_the_words_of_the_report() -> None:
    """Names and titles for ids; first what the report prints, in its order, then what follows from it."""
    path = "annual-results/2026"
    listed = (
        a_change(f"{path}/agencies/h-02/reminders", 1, 2),
        a_change(f"{path}/agencies/h-02/indicators/outstanding_loans", "314400", "324400", "million_vnd"),
        a_change(f"{path}/agencies/h-02/status", "overdue", "late"),
    )
    since = SealedVersionChanges(version=1, sealed_at=datetime(2026, 12, 20, 2, tzinfo=UTC), changes=listed)
    outline = outlines.build_outline(replace(INPUTS, changes=since))
    name = INPUTS.registry.name_on("h-02", date(2026, 12, 9))
    described = [(one.what, one.before, one.after) for one in changes.describe_changes(outline, 10)]
    assert described == [
        (f"{name}: tình trạng", "Quá hạn, chưa gửi", "Trễ hạn"),
        (f"{name}: Tổng dư nợ", "314.400", "324.400"),
        (f"{name}: số lượt nhắc trước hạn", "1", "2"),
    ]
    assert len(list(changes.describe_changes(outline, 2))) == 2
