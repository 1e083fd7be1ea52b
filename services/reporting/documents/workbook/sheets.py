"""The sheets of the workbook as tables: what the report prints, and what it only counts because it is too long.

`build_sheets` returns every sheet in order; the workbook adds formulas, filters and charts to them.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from schemas.events.assessments import Status
from services.reporting.core import labels
from services.reporting.core.annual_report import Chapter
from services.reporting.core.duty_lines import DutyLine
from services.reporting.core.report import words
from services.reporting.core.report.blocks import Cell, CellType, Column, Table, TableRow
from services.reporting.core.report.outline import ObligationChapter, Outline
from services.reporting.core.report.parts import appendices, changes, indicator_tables, quotations, shortcomings
from services.reporting.core.report.printed_report import PrintedReport
from services.reporting.core.results import PARTS_DIFFER, RETURNED, UNASKED, AgencyFigure, IndicatorResult
from services.reporting.documents.workbook import duty_sheets
from services.reporting.documents.workbook.duty_sheets import AGENCY, NUMBER, PERIOD

GROUP = Column(name="group", title="Nhóm đơn vị", share=34)
FIGURE_COLUMNS = (
    GROUP, AGENCY, PERIOD,
    Column(name="code", title="Mã chỉ tiêu", share=18),
    Column(name="title", title="Chỉ tiêu", share=30),
    Column(name="unit", title="Đơn vị tính", share=10, is_centred=True),
    Column(name="value", title="Số liệu", share=14, cell_type=CellType.NUMBER),
    Column(name="cut_off", title="Ngày chốt", share=10, cell_type=CellType.DATE, is_centred=True),
    Column(name="status", title="Tình trạng", share=14),
    Column(name="mark", title="Ghi chú", share=16),
    Column(name="evidence", title="Mã sự kiện", share=22),
)  # fmt: skip
COUNTS = (
    ("expected", "Phải gửi"), ("actual", "Đã gửi đầy đủ"), ("on_time", "Đúng hạn"), ("late", "Trễ hạn"),
    ("incomplete", "Chưa đầy đủ"), ("overdue", "Chưa gửi"), ("pending", "Chưa đến hạn"),
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """One sheet: its name, and the table that fills it."""

    name: str
    table: Table


def build_sheets(content: PrintedReport) -> list[Sheet]:
    """Return the sheets in order; those about an obligation are numbered from the second obligation on."""
    sheets: list[Sheet] = []
    outline = content.outline
    for index, chapter in enumerate(outline.chapters):
        suffix = f" {index + 1}" if index else ""
        sheets += [Sheet(name=f"{name}{suffix}", table=table) for name, table in _build_chapter(chapter, outline)]
    sheets += [Sheet(name=name, table=table) for name, table in _build_common(outline)]
    return sheets


def _build_chapter(chapter: ObligationChapter, outline: Outline) -> Iterable[tuple[str, Table]]:
    results = chapter.newest_results
    yield "Tổng hợp", build_summary(chapter, outline)
    if results is not None and results.indicators:
        yield "Chỉ tiêu", indicator_tables.build_comparison_table(chapter, results, outline)
        yield "Đơn vị x chỉ tiêu", build_matrix(chapter, outline)
        yield "Số liệu", build_figures(chapter, outline)
    yield "Đơn vị", build_agencies(chapter, outline)
    yield "Đôn đốc", duty_sheets.build_urgings(chapter, outline)
    yield "Còn thiếu", duty_sheets.build_missing(chapter, outline)
    yield "Không tính", duty_sheets.build_excluded(chapter, outline)
    if results is not None:
        yield "Thuyết minh", build_texts(chapter, outline)


def _build_common(outline: Outline) -> Iterable[tuple[str, Table]]:
    if outline.inputs.evaluations:
        yield "Xếp loại", build_evaluations(outline)
    if outline.inputs.changes is not None:
        yield "Thay đổi", changes.build_all_changes(outline.inputs.changes, outline)
    if outline.report.undated:
        yield "Không thời hạn", build_undated(outline)


def build_summary(chapter: ObligationChapter, outline: Outline) -> Table:
    """Return the counts by group, of several periods by period, and overall."""
    rows = []
    if chapter.is_periodic:
        for of_period in chapter.periods:
            name = words.name_period_briefly(of_period.period or "", outline.report.period)
            rows.append(TableRow(cells=(name, *(getattr(of_period.total, count) for count, _ in COUNTS))))
    else:
        rows += [
            TableRow(cells=(group.name, *(getattr(group.counts, count) for count, _ in COUNTS)))
            for group in chapter.periods[0].groups
        ]
    total = chapter.total
    rows.append(TableRow(cells=("Tổng cộng", *(getattr(total, count) for count, _ in COUNTS)), is_total=True))
    return Table(
        name="summary",
        title=f"Tổng hợp kết quả: {chapter.title}",
        columns=(
            Column(name="group", title="Kỳ báo cáo" if chapter.is_periodic else "Nhóm đơn vị", share=27),
            *(Column(name=name, title=title, share=9, cell_type=CellType.NUMBER) for name, title in COUNTS),
            Column(name="reporting_rate", title="Tỷ lệ gửi", share=9, cell_type=CellType.PERCENT),
            Column(name="reporting_rate_on_time", title="Tỷ lệ đúng hạn", share=10, cell_type=CellType.PERCENT),
        ),
        rows=tuple(TableRow(cells=(*row.cells, None, None), is_total=row.is_total) for row in rows),
    )


def build_matrix(chapter: ObligationChapter, outline: Outline) -> Table:
    """Return one line an agency and one column an indicator, of the newest period with figures."""
    results = chapter.newest_results
    indicators = () if results is None else results.indicators
    # What nobody asked for, or an exempt agency gave, is part of no total; it stands on the sheet of all figures.
    figures = {
        one.indicator.code: {
            figure.agency: figure
            for figure in one.figures
            if UNASKED not in figure.flags and figure.status is not Status.EXEMPT
        }
        for one in indicators
    }
    of_period = next(one for one in chapter.periods if one.period == chapter.newest_period)
    rows = []
    for number, line in enumerate(of_period.lines, start=1):
        given = [figures[one.indicator.code].get(line.key.agency) for one in indicators]
        has_any = any(one is not None for one in given)
        note = (
            mark_of(next((one for one in given if one is not None), None))
            if has_any
            else appendices.describe_absence(line)
        )
        values = (None if one is None else one.value for one in given)
        rows.append(TableRow(cells=(number, line.group_name, line.agency_name, *values, note)))
    return Table(
        name="matrix",
        title=f"Số liệu từng đơn vị {words.name_period(chapter.newest_period or outline.report.period)}",
        columns=(
            NUMBER, GROUP, AGENCY,
            *(_matrix_column(one) for one in indicators),
            Column(name="mark", title="Ghi chú", share=18),
        ),
        rows=tuple(rows),
    )  # fmt: skip


def _matrix_column(result: IndicatorResult) -> Column:
    indicator, unit = result.indicator, words.name_unit(result.indicator.unit)
    return Column(
        name=indicator.code,
        title=f"{indicator.label_in('vi')}{f' ({unit})' if unit else ''}",
        share=13,
        cell_type=CellType.RATIO if indicator.kind == "ratio" else CellType.NUMBER,
    )


def build_figures(chapter: ObligationChapter, outline: Outline) -> Table:
    """Return one line a figure of every period, ready for a pivot table; each with the event that it came with."""
    rows = []
    for of_period in chapter.periods:
        results = chapter.results.get(of_period.period)
        lines = {line.key.agency: line for line in of_period.lines}
        for result in () if results is None else results.indicators:
            indicator = result.indicator
            named = indicator.code, indicator.label_in("vi"), words.name_unit(indicator.unit)
            rows += [
                _figure_row(figure, named, of_period, lines[figure.agency])
                for figure in result.figures
                if figure.agency in lines
            ]
    return Table(
        name="pivot",
        title=f"Số liệu theo đơn vị, kỳ báo cáo và chỉ tiêu {words.name_period(outline.report.period)}",
        columns=FIGURE_COLUMNS,
        rows=tuple(rows),
    )


def _figure_row(figure: AgencyFigure, named: tuple[str, str, str], chapter: Chapter, line: DutyLine) -> TableRow:
    """Return the row of a figure of the indicator that has the code, title and unit *named*."""
    cells: tuple[Cell, ...] = (
        line.group_name, line.agency_name, chapter.period, *named, figure.value, figure.cut_off,
        labels.status_label(figure.status), mark_of(figure), figure.id,
    )  # fmt: skip
    return TableRow(cells=cells)


def mark_of(figure: AgencyFigure | None) -> str:
    """Return in words what a reader must know of a figure; empty where there is nothing."""
    if figure is None:
        return ""
    parts = ["bị trả lại, chưa sửa"] if RETURNED in figure.flags else []
    parts += ["không thuộc diện phải báo cáo"] if UNASKED in figure.flags else []
    parts += ["khác tổng số liệu của các đơn vị trực thuộc"] if PARTS_DIFFER in figure.flags else []
    status = {"late": "gửi trễ", "incomplete": "chưa đầy đủ", "exempt": "được miễn, tự nguyện gửi"}
    parts += [status[figure.status.value]] if figure.status.value in status and not parts else []
    return "; ".join(parts)


def build_agencies(chapter: ObligationChapter, outline: Outline) -> Table:
    """Return every duty of the obligation, with its document, its status and what it lacks."""
    columns = (
        NUMBER, GROUP, AGENCY, PERIOD,
        Column(name="due_on", title="Hạn cuối (hết ngày)", share=13, cell_type=CellType.DATE, is_centred=True),
        Column(name="received_at", title="Thời điểm gửi", share=15, cell_type=CellType.INSTANT, is_centred=True),
        Column(name="status", title="Tình trạng", share=14),
        Column(name="days_late", title="Số ngày trễ", share=8, cell_type=CellType.NUMBER, is_centred=True),
        Column(name="document", title="Số, ký hiệu", share=14),
        Column(name="missing", title="Còn thiếu, ghi chú", share=30),
    )  # fmt: skip
    rows = []
    for number, line in enumerate(chapter.lines, start=1):
        document = outline.inputs.documents.get(line.key)
        notes = [shortcomings.describe_missing(line, chapter, outline), *labels.describe_notes(line)]
        rows.append(
            TableRow(
                cells=(
                    number,
                    line.group_name,
                    line.agency_name,
                    line.key.period,
                    line.due_on,
                    line.effective_at,
                    labels.status_label(line.status),
                    line.days_late,
                    document.number if document else None,
                    "; ".join(note for note in notes if note),
                )
            )
        )
    return Table(name="agencies", title="Chi tiết theo từng đơn vị", columns=columns, rows=tuple(rows))


def build_texts(chapter: ObligationChapter, outline: Outline) -> Table:
    """Return every text of every agency whole, the proposals too."""
    rows = []
    for of_period in chapter.periods:
        results = chapter.results.get(of_period.period)
        for section, texts in {} if results is None else results.sections.items():
            title = quotations.name_section(section, chapter)
            rows += [
                TableRow(
                    cells=(title, outline.names.get(text.agency, text.agency), of_period.period, text.text, text.id)
                )
                for text in texts
            ]
    return Table(
        name="texts",
        title="Toàn văn nội dung các đơn vị báo cáo",
        columns=(
            Column(name="section", title="Mục", share=20), AGENCY, PERIOD,
            Column(name="text", title="Nội dung", share=70),
            Column(name="evidence", title="Mã sự kiện", share=22),
        ),
        rows=tuple(rows),
    )  # fmt: skip


def build_evaluations(outline: Outline) -> Table:
    """Return the grade of each agency with its reason, and what an officer says beside it."""
    rows = (
        TableRow(
            cells=(
                number,
                outline.names.get(one.agency, one.agency),
                one.grade,
                one.title,
                one.reason,
                one.officer_grade,
                one.officer_sentence,
            )
        )
        for number, one in enumerate(outline.inputs.evaluations, start=1)
    )
    return Table(
        name="evaluations",
        title="Đánh giá từng đơn vị",
        columns=(
            NUMBER, AGENCY,
            Column(name="grade", title="Xếp loại", share=9, is_centred=True),
            Column(name="title", title="Mức", share=20),
            Column(name="reason", title="Lý do", share=40),
            Column(name="officer_grade", title="Loại đề nghị", share=10, is_centred=True),
            Column(name="officer_sentence", title="Ý kiến", share=30),
        ),
        rows=tuple(rows),
    )  # fmt: skip


def build_undated(outline: Outline) -> Table:
    """Return all obligations without a due date. No result on record does not mean that nothing was done."""
    rows = (
        TableRow(cells=(number, one.title, one.clause, one.fulfilled + one.open, one.fulfilled))
        for number, one in enumerate(outline.report.undated, start=1)
    )
    return Table(
        name="undated",
        title="Nhiệm vụ không quy định thời hạn",
        columns=(
            NUMBER,
            Column(name="title", title="Nhiệm vụ", share=58),
            Column(name="clause", title="Mục", share=10, is_centred=True),
            Column(name="agencies", title="Số đơn vị được giao", share=13, cell_type=CellType.NUMBER),
            Column(name="fulfilled", title="Đã ghi nhận kết quả", share=13, cell_type=CellType.NUMBER),
        ),
        rows=tuple(rows),
    )  # fmt: skip
