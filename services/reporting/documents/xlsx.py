"""The report as XLSX: a sheet for each table, with real dates and numbers, frozen headers, filters, a native chart."""

import io
import math
from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.workbook import Workbook
from xlsxwriter.worksheet import Worksheet

from services.reporting.core.annual_report import AnnualReport, Chapter
from services.reporting.core.duty_counts import EXPECTED_STATUSES
from services.reporting.documents import chart, narrative, report_tables, xml_text
from services.reporting.documents.table_model import Cell, CellType, Column, Table, TableRow

SHEET_NAMES = {
    "summary": "Tổng hợp",
    "agencies": "Đơn vị",
    "urgings": "Đôn đốc",
    "missing": "Còn thiếu",
    "excluded": "Không tính",
    "undated": "Không thời hạn",
}
NUMBER_FORMATS = {
    CellType.TEXT: "@",
    CellType.NUMBER: "#,##0",
    CellType.PERCENT: "0.0%",
    CellType.DATE: "dd/mm/yyyy",
    CellType.INSTANT: "hh:mm dd/mm/yyyy",
}
COLOURS = {"on_time": "#1B6E45", "late": "#E0A126", "incomplete": "#D08A3C", "overdue": "#A3232B", "pending": "#D7D7D7"}
HEADER_ROW = 3  # below the title, the verification note and a blank line
LINE_PT = 16.0  # one line of text at 11 pt
A4 = 9  # the paper code of the file format (ST_PaperSize)
CHARACTERS_PER_SHARE = 1.3  # the width of a column, in characters, for each share of the page that it has


def render_xlsx(report: AnnualReport) -> bytes:
    """Render the report as a workbook; the same report gives the same bytes."""
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(
        buffer, {"in_memory": True, "default_date_format": NUMBER_FORMATS[CellType.DATE]}
    ) as workbook:
        # Without these the library writes the wall clock; reprints of a report must be the same bytes.
        as_of_utc = report.as_of.astimezone(UTC).replace(tzinfo=None)
        workbook.set_properties(
            {
                "title": xml_text.drawable(narrative.subject_of(report)),
                "created": as_of_utc,
                "comments": f"sha256:{report.digest}",
            }
        )
        formats = CellFormats(workbook)
        for index, chapter in enumerate(report.chapters):
            _add_chapter(workbook, formats, report=report, chapter=chapter, suffix=f" {index + 1}" if index else "")
        if report.undated:
            _add_sheet(workbook, formats, report=report, table=report_tables.build_undated_table(report))
        if not report.chapters:
            workbook.add_worksheet(SHEET_NAMES["summary"]).write(0, 0, narrative.subject_of(report))
    return buffer.getvalue()


class CellFormats:
    """The cell formats of a workbook, each created once."""

    def __init__(self, workbook: Workbook) -> None:
        base = {"font_name": "Times New Roman", "font_size": 11, "valign": "vcenter"}
        grid = base | {"border": 1, "text_wrap": True}
        self.title = workbook.add_format(base | {"bold": True, "font_size": 14})
        self.note = workbook.add_format(base | {"italic": True, "font_color": "#555555"})
        self.header = workbook.add_format(grid | {"bold": True, "align": "center", "bg_color": "#EEEEEE"})
        self._cells = {
            cell_type: workbook.add_format(grid | {"num_format": code}) for cell_type, code in NUMBER_FORMATS.items()
        }
        self._totals = {
            cell_type: workbook.add_format(grid | {"num_format": code, "bold": True})
            for cell_type, code in NUMBER_FORMATS.items()
        }

    def format_of(self, cell_type: CellType, row: TableRow) -> Format:
        """Return the format of a cell of *row*."""
        return (self._totals if row.is_total else self._cells)[cell_type]


def _add_chapter(
    workbook: Workbook, formats: CellFormats, *, report: AnnualReport, chapter: Chapter, suffix: str
) -> None:
    for table in report_tables.build_chapter_tables(report, chapter):
        sheet_table = _add_group_column(table, chapter) if table.name == "agencies" else table
        sheet = _add_sheet(workbook, formats, report=report, table=sheet_table, suffix=suffix)
        if table.name == "summary":
            _add_chart(workbook, sheet, table)


def _add_sheet(
    workbook: Workbook, formats: CellFormats, *, report: AnnualReport, table: Table, suffix: str = ""
) -> Worksheet:
    sheet = workbook.add_worksheet(f"{SHEET_NAMES[table.name]}{suffix}")
    _fill_sheet(sheet, formats, table=table, zone=ZoneInfo(report.plan.zone))
    sheet.write(0, 0, xml_text.drawable(f"{table.title}, {report.period}"), formats.title)
    notes = (narrative.verification_note(report), narrative.note_unreadable(report))
    sheet.write(1, 0, " ".join(note for note in notes if note is not None), formats.note)
    return sheet


def _add_group_column(table: Table, chapter: Chapter) -> Table:
    """Return *table* with a column of groups instead of group headings, so that it can be filtered and sorted."""
    group = report_tables.SUMMARY_COLUMNS[0]
    rows = (
        TableRow(cells=(row.cells[0], line.group_name, *row.cells[1:]))
        for row, line in zip(table.records, chapter.lines, strict=True)
    )
    return Table(
        name=table.name, title=table.title, columns=(table.columns[0], group, *table.columns[1:]), rows=tuple(rows)
    )


def _fill_sheet(sheet: Worksheet, formats: CellFormats, *, table: Table, zone: ZoneInfo) -> None:
    sheet.set_row(HEADER_ROW, 2 * LINE_PT)
    for index, column in enumerate(table.columns):
        sheet.set_column(index, index, _column_width(column))
        sheet.write(HEADER_ROW, index, column.title, formats.header)
    for offset, row in enumerate(table.rows, start=HEADER_ROW + 1):
        sheet.set_row(offset, _count_text_lines(row, table) * LINE_PT)
        for index, (cell, column) in enumerate(zip(row.cells, table.columns, strict=True)):
            cell_format = formats.format_of(column.cell_type, row)
            _write_cell(sheet, (offset, index), cell, cell_format=cell_format, zone=zone)
    _set_up_view(sheet, table)


def _set_up_view(sheet: Worksheet, table: Table) -> None:
    """Freeze the header, filter the records but not the total, and fit the width of a printed page."""
    # A filter needs at least one row below its header, also in an empty table.
    last = HEADER_ROW + max(1, len(table.records))
    sheet.autofilter(HEADER_ROW, 0, last, len(table.columns) - 1)
    sheet.freeze_panes(HEADER_ROW + 1, 2 if table.columns[0].name == "number" else 1)
    sheet.set_paper(A4)
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(HEADER_ROW)


def _column_width(column: Column) -> float:
    return max(8, column.share * CHARACTERS_PER_SHARE)


def _count_text_lines(row: TableRow, table: Table) -> int:
    """Return how many lines the longest text of *row* wraps to."""
    # Not every program measures the height of wrapped rows when it opens a file, so the file states the height.
    line_counts = (
        math.ceil(len(cell) / _column_width(column))
        for cell, column in zip(row.cells, table.columns, strict=True)
        if isinstance(cell, str)
    )
    return max((1, *line_counts))


def _write_cell(sheet: Worksheet, place: tuple[int, int], cell: Cell, *, cell_format: Format, zone: ZoneInfo) -> None:
    match cell:
        case None:
            sheet.write_blank(*place, None, cell_format)
        case datetime():
            sheet.write_datetime(*place, cell.astimezone(zone).replace(tzinfo=None), cell_format)
        case date():
            sheet.write_datetime(*place, cell, cell_format)
        case Decimal() | int():
            sheet.write_number(*place, float(cell), cell_format)
        case str():
            sheet.write_string(*place, xml_text.drawable(cell), cell_format)


def _add_chart(workbook: Workbook, sheet: Worksheet, table: Table) -> None:
    bar_chart = workbook.add_chart({"type": "bar", "subtype": "stacked"})
    first, last = HEADER_ROW + 1, HEADER_ROW + len(table.rows)
    column_indexes = {column.name: index for index, column in enumerate(table.columns)}
    for status in EXPECTED_STATUSES:
        column = column_indexes[status.value]
        bar_chart.add_series(
            {
                "name": [sheet.get_name(), HEADER_ROW, column],
                "categories": [sheet.get_name(), first, 0, last, 0],
                "values": [sheet.get_name(), first, column, last, column],
                "fill": {"color": COLOURS[status.value]},
            }
        )
    bar_chart.set_title({"name": chart.TITLE, "name_font": {"size": 12}})
    bar_chart.set_y_axis({"reverse": True})
    # Reversed categories run from top to bottom and move the value axis to the top; "high" puts its labels below.
    bar_chart.set_x_axis({"label_position": "high", "major_gridlines": {"visible": True, "line": {"color": "#DDDDDD"}}})
    bar_chart.set_legend({"position": "bottom"})
    bar_chart.set_size({"width": 820, "height": 90 + 48 * len(table.rows)})
    sheet.insert_chart(last + 2, 0, bar_chart)
