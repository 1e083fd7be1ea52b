"""Part IV of the report: the grade of each agency with a reason that can be checked, and what officers say."""

from collections.abc import Iterable, Mapping, Sequence

from schemas.events.assessments import Status
from schemas.plan import periods
from schemas.plan.grading import GradeRule
from services.reporting.core import evaluation, labels
from services.reporting.core.content import condition_words
from services.reporting.core.duty_lines import DutyLine
from services.reporting.core.report import grading, words
from services.reporting.core.report.blocks import Block, CellType, Column, Heading, Paragraph, Table, TableRow
from services.reporting.core.report.inputs import GradedAgency
from services.reporting.core.report.outline import Outline
from services.reporting.core.report.parts import shortcomings

WITHOUT_GRADES = (
    "{plan} không quy định tiêu chí xếp loại, Báo cáo không xếp loại đơn vị; tình hình của từng đơn vị tại Phụ lục II."
)
NOT_YET = "Chưa có đơn vị nào đến hạn để xếp loại."
WHAT_IS_GRADED = (
    "Việc xếp loại áp dụng thống nhất theo tiêu chí công bố trước, căn cứ tình trạng gửi, số ngày trễ, việc bị trả lại "
    "báo cáo và kết quả các kỳ trước. Xếp loại đánh giá việc chấp hành báo cáo, không thay cho đánh giá kết quả tại "
    "mục II. Đơn vị được miễn không xếp loại."
)


GROUPS_BESIDE = 4  # so many groups have columns beside the others
HOW_RULES_ARE_READ = "Đơn vị được xếp vào loại đầu tiên theo thứ tự trên có tiêu chí phù hợp."
# What a reader of a grade asks about beside the status, by flag.
WORTH_SAYING = (
    ("nil_return", "báo cáo không phát sinh"),
    ("under_extension", "theo thời hạn được gia hạn"),
    ("returned_and_corrected", "bị trả lại, đã sửa trong thời hạn"),
    ("needs_reconciliation", "còn nhiều văn bản phải đối chiếu"),
    ("first_sent_on_time", "bản đầu gửi đúng hạn"),
    ("amended_after_deadline", "có bổ sung sau hạn, không đổi thời điểm gửi"),
    ("filed_by_successor", "đơn vị kế thừa gửi thay"),
    ("withdrawn", "đã thu hồi một văn bản"),
)


def build_evaluation(outline: Outline) -> tuple[Block, ...]:
    """Return part IV."""
    heading = Heading(level=1, text="IV. ĐÁNH GIÁ KẾT QUẢ CỦA TỪNG ĐƠN VỊ")
    if not outline.report.plan.grading:
        return heading, Paragraph(text=WITHOUT_GRADES.format(plan=outline.plan_name))
    graded_by = grading.choose_graded_chapter(outline.report)
    if not outline.inputs.evaluations or graded_by is None:
        return heading, Paragraph(text=NOT_YET)
    named = graded_by.obligation.letter_title.vi
    title = words.name_task(periods.add_period(named, graded_by.period or outline.report.period))
    grouped = _group(outline)
    lines = {line.key.agency: line for line in graded_by.lines}
    return (
        heading,
        Paragraph(text=f"Các đơn vị được xếp loại theo {title}. {WHAT_IS_GRADED}", leads_on=True),
        _build_summary(grouped, outline),
        _build_grades(grouped, lines, outline),
        *_print_opinions(outline),
    )


def _group(outline: Outline) -> Mapping[str, Sequence[GradedAgency]]:
    """Return the graded agencies under the name of their group, in the order of the report."""
    graded = {one.agency: one for one in outline.inputs.evaluations}
    grouped: dict[str, list[GradedAgency]] = {}
    for chapter in outline.chapters:
        for line in chapter.lines:
            if (one := graded.pop(line.key.agency, None)) is not None:
                grouped.setdefault(line.group_name, []).append(one)
    return grouped


def _build_summary(grouped: Mapping[str, Sequence[GradedAgency]], outline: Outline) -> Table:
    """Return how many agencies have each grade of the plan, and what a grade asks for."""
    all_graded = [one for graded in grouped.values() for one in graded]
    with_groups = 1 < len(grouped) <= GROUPS_BESIDE
    columns = [
        Column(name="grade", title="Loại", share=7, is_centred=True),
        Column(name="title", title="Mức", share=20),
        Column(name="when", title="Tiêu chí", share=36 if with_groups else 52),
        *(
            Column(name=f"group{number}", title=name, share=16, cell_type=CellType.NUMBER, is_centred=True)
            for number, name in enumerate(grouped if with_groups else ())
        ),
        Column(name="count", title="Cộng", share=8, cell_type=CellType.NUMBER, is_centred=True),
        Column(name="share", title="Tỷ lệ", share=10, cell_type=CellType.PERCENT, is_centred=True),
    ]
    rows = []
    for grade, rules in _list_grades(outline).items():
        counts = [sum(one.grade == grade for one in graded) for graded in grouped.values()]
        when = "; hoặc ".join(condition_words.describe_condition(rule.when, "vi") for rule in rules)
        share = words.divide(sum(counts), len(all_graded))
        named = (grade, rules[0].title.vi, words.capitalize(when))
        rows.append(TableRow(cells=(*named, *(counts if with_groups else ()), sum(counts), share)))
    return Table(
        name="grades",
        title="Tổng hợp xếp loại",
        columns=tuple(columns),
        rows=tuple(rows),
        notes=(HOW_RULES_ARE_READ,),
        size=10.5,
    )


def _list_grades(outline: Outline) -> dict[str, list[GradeRule]]:
    """Return the grades of the plan in its order with their rules."""
    grades: dict[str, list[GradeRule]] = {}
    for rule in outline.report.plan.grading:
        grades.setdefault(rule.grade, []).append(rule)
    return grades


def _build_grades(
    grouped: Mapping[str, Sequence[GradedAgency]], lines: Mapping[str, DutyLine], outline: Outline
) -> Table:
    rows: list[TableRow] = []
    number = 0
    for name, graded in grouped.items():
        rows += [TableRow(cells=(name,), is_heading=True)] if len(grouped) > 1 else []
        for one in graded:
            number += 1
            agency = outline.names.get(one.agency, one.agency)
            reason = describe_work(lines[one.agency], one, outline) if one.agency in lines else one.reason
            reference = " (có ý kiến dưới Bảng)" if one.officer_grade or one.officer_sentence else ""
            rows.append(TableRow(cells=(number, agency, one.grade, f"{reason}{reference}")))
    return Table(
        name="evaluations",
        title="Kết quả đánh giá từng đơn vị",
        columns=(
            Column(name="number", title="TT", share=6, cell_type=CellType.NUMBER, is_centred=True),
            Column(name="agency", title="Đơn vị", share=36),
            Column(name="grade", title="Xếp loại", share=10, is_centred=True),
            Column(name="reason", title="Lý do", share=48),
        ),
        rows=tuple(rows),
    )


def describe_work(line: DutyLine, graded: GradedAgency, outline: Outline) -> str:
    """Return what an agency did, as a reason for its grade that can be checked: `Trễ 03 ngày; 01 kỳ trước trễ`."""
    parts = [_describe_status(line, outline), *(said for flag, said in WORTH_SAYING if flag in line.flags)]
    if graded.late_before:
        parts.append(f"trễ {words.count(graded.late_before)} kỳ trong {evaluation.PERIODS_BEFORE:02d} kỳ trước")
    return "; ".join(parts)


def _describe_status(line: DutyLine, outline: Outline) -> str:
    match line.status:
        case Status.ON_TIME:
            return "Đúng hạn, đầy đủ"
        case Status.LATE:
            return f"Trễ {words.count(line.days_late or 0)} ngày"
        case Status.OVERDUE:
            return "Chưa gửi"
        case Status.INCOMPLETE:
            obligation = outline.report.plan.obligation(line.key.obligation)
            lacks = [] if obligation is None else shortcomings.list_missing(line, obligation, outline)
            return words.capitalize("; ".join(lacks)) or "Chưa đầy đủ"
        case _:
            return labels.status_label(line.status)


def _print_opinions(outline: Outline) -> Iterable[Paragraph]:
    """Yield what officers recorded beside the grades: it stands beside them, never over them."""
    spoken = [one for one in outline.inputs.evaluations if one.officer_grade or one.officer_sentence]
    for number, one in enumerate(spoken):
        name = outline.names.get(one.agency, one.agency)
        proposed = f", đề nghị xếp loại {one.officer_grade}" if one.officer_grade else ""
        sentence = f": {one.officer_sentence.rstrip('.')}" if one.officer_sentence else ""
        lead = f"Ý kiến của {outline.speaker}:" if number == 0 else ""
        yield Paragraph(lead=lead, text=f"{name} (loại {one.grade} theo tiêu chí){proposed}{sentence}.")
