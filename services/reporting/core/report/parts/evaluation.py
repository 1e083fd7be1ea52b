"""Part IV of the report: the grade of each agency with a reason that can be checked, and what officers say."""

from collections.abc import Iterable

from schemas.content import period_names
from services.reporting.core.report import grading, words
from services.reporting.core.report.blocks import Block, CellType, Column, Heading, Paragraph, Table, TableRow
from services.reporting.core.report.inputs import GradedAgency
from services.reporting.core.report.outline import Outline

WITHOUT_GRADES = (
    "Kế hoạch không quy định tiêu chí xếp loại, Báo cáo không xếp loại đơn vị; tình hình của từng đơn vị tại Phụ lục."
)
NOT_YET = "Chưa có đơn vị nào đến hạn để xếp loại."
WHAT_IS_GRADED = (
    "Việc xếp loại áp dụng thống nhất theo tiêu chí công bố trước, căn cứ tình trạng gửi, số ngày trễ, việc bị trả lại "
    "báo cáo và kết quả các kỳ trước. Xếp loại đánh giá việc chấp hành báo cáo, không thay cho đánh giá kết quả tại "
    "mục II. Đơn vị được miễn không xếp loại."
)


def build_evaluation(outline: Outline) -> tuple[Block, ...]:
    """Return part IV."""
    heading = Heading(level=1, text="IV. ĐÁNH GIÁ KẾT QUẢ CỦA TỪNG ĐƠN VỊ")
    if not outline.report.plan.grading:
        return heading, Paragraph(text=WITHOUT_GRADES)
    graded_by = grading.choose_graded_chapter(outline.report)
    if not outline.inputs.evaluations or graded_by is None:
        return heading, Paragraph(text=NOT_YET)
    title = period_names.add_period(graded_by.title, graded_by.period or outline.report.period)
    grouped = _group(outline)
    return (
        heading,
        Paragraph(text=f"Các đơn vị được xếp loại theo {words.decapitalize(title)}. {WHAT_IS_GRADED}", leads_on=True),
        _build_summary(grouped, outline),
        _build_grades(grouped, outline),
        *_print_opinions(outline),
    )


def _group(outline: Outline) -> dict[str, list[GradedAgency]]:
    """Return the graded agencies under the name of their group, in the order of the report."""
    graded = {one.agency: one for one in outline.inputs.evaluations}
    grouped: dict[str, list[GradedAgency]] = {}
    for chapter in outline.chapters:
        for line in chapter.lines:
            if (one := graded.pop(line.key.agency, None)) is not None:
                grouped.setdefault(line.group_name, []).append(one)
    return grouped


def _build_summary(grouped: dict[str, list[GradedAgency]], outline: Outline) -> Table:
    all_graded = [one for graded in grouped.values() for one in graded]
    with_groups = 1 < len(grouped) <= 4  # noqa: PLR2004 - so many columns fit beside the others
    columns = [
        Column(name="grade", title="Loại", share=10, is_centred=True),
        Column(name="title", title="Mức", share=36),
        *(
            Column(name=f"group{number}", title=name, share=16, cell_type=CellType.NUMBER, is_centred=True)
            for number, name in enumerate(grouped if with_groups else ())
        ),
        Column(name="count", title="Cộng", share=10, cell_type=CellType.NUMBER, is_centred=True),
        Column(name="share", title="Tỷ lệ", share=12, cell_type=CellType.PERCENT, is_centred=True),
    ]
    rows = []
    for rule in _list_grades(outline):
        counts = [sum(one.grade == rule[0] for one in graded) for graded in grouped.values()]
        total = sum(counts)
        share = words.divide(total, len(all_graded))
        rows.append(TableRow(cells=(*rule, *(counts if with_groups else ()), total, share)))
    return Table(name="grades", title="Tổng hợp xếp loại", columns=tuple(columns), rows=tuple(rows), size=10.5)


def _list_grades(outline: Outline) -> list[tuple[str, str]]:
    """Return the grades of the plan in its order, each once, with their titles."""
    return list({rule.grade: (rule.grade, rule.title.vi) for rule in reversed(outline.report.plan.grading)}.values())[
        ::-1
    ]


def _build_grades(grouped: dict[str, list[GradedAgency]], outline: Outline) -> Table:
    rows: list[TableRow] = []
    number = 0
    for name, graded in grouped.items():
        rows += [TableRow(cells=(name,), is_heading=True)] if len(grouped) > 1 else []
        for one in graded:
            number += 1
            agency = outline.names.get(one.agency, one.agency)
            reference = " (có ý kiến dưới Bảng)" if one.officer_grade or one.officer_sentence else ""
            rows.append(TableRow(cells=(number, agency, one.grade, f"{one.reason}{reference}")))
    return Table(
        name="evaluations",
        title="Kết quả đánh giá từng đơn vị",
        columns=(
            Column(name="number", title="TT", share=6, cell_type=CellType.NUMBER, is_centred=True),
            Column(name="agency", title="Đơn vị", share=32),
            Column(name="grade", title="Xếp loại", share=9, is_centred=True),
            Column(name="reason", title="Lý do", share=53),
        ),
        rows=tuple(rows),
    )


def _print_opinions(outline: Outline) -> Iterable[Paragraph]:
    """Yield what officers recorded beside the grades: it stands beside them, never over them."""
    spoken = [one for one in outline.inputs.evaluations if one.officer_grade or one.officer_sentence]
    for number, one in enumerate(spoken):
        name = outline.names.get(one.agency, one.agency)
        proposed = f", đề nghị xếp loại {one.officer_grade}" if one.officer_grade else ""
        sentence = f": {one.officer_sentence.rstrip('.')}" if one.officer_sentence else ""
        lead = f"Ý kiến của {outline.speaker}:" if number == 0 else ""
        yield Paragraph(lead=lead, text=f"{name} (loại {one.grade} theo tiêu chí){proposed}{sentence}.")
