"""The report as XLSX: one sheet a table, real dates and numbers, frozen headers, filters and a native chart."""

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
from services.reporting.documents import narrative, tables
from services.reporting.documents.chart import SHOWN
from services.reporting.documents.table import Cell, Column, Form, Row, Table

SHEETS = {
    "summary": "Tổng hợp",
    "agencies": "Đơn vị",
    "urgings": "Đôn đốc",
    "missing": "Còn thiếu",
    "apart": "Không tính",
    "undated": "Không thời hạn",
}
NUMBER_FORMATS = {
    Form.TEXT: "@",
    Form.NUMBER: "#,##0",
    Form.PERCENT: "0.0%",
    Form.DATE: "dd/mm/yyyy",
    Form.INSTANT: "hh:mm dd/mm/yyyy",
}
COLOURS = {"on_time": "#1B6E45", "late": "#E0A126", "incomplete": "#D08A3C", "overdue": "#A3232B", "pending": "#D7D7D7"}
HEADER_ROW = 3  # below the title, the statement of what the figures rest on, and a blank line
LINE_PT = 16.0  # one line of text at 11 pt
A4 = 9  # the number that the file format gives this paper
CHARACTERS_PER_SHARE = 1.3


def xlsx(report: AnnualReport) -> bytes:
    """Return the report as a workbook; the same report gives the same bytes."""
    written = io.BytesIO()
    with xlsxwriter.Workbook(
        written, {"in_memory": True, "default_date_format": NUMBER_FORMATS[Form.DATE]}
    ) as workbook:
        made_at = report.as_of.astimezone(UTC).replace(tzinfo=None)
        workbook.set_properties(
            {"title": narrative.subject(report), "created": made_at, "comments": f"sha256:{report.digest}"}
        )
        look = Look(workbook)
        for index, chapter in enumerate(report.chapters):
            _chapter(workbook, look, report, chapter, suffix=f" {index + 1}" if index else "")
        if report.undated:
            _sheet(workbook, look, report, tables.undated(report))
        if not report.chapters:
            workbook.add_worksheet(SHEETS["summary"]).write(0, 0, narrative.subject(report))
    return written.getvalue()


class Look:
    """The cell formats of a workbook, each made once."""

    def __init__(self, workbook: Workbook) -> None:
        base = {"font_name": "Times New Roman", "font_size": 11, "valign": "vcenter"}
        grid = base | {"border": 1, "text_wrap": True}
        self.title = workbook.add_format(base | {"bold": True, "font_size": 14})
        self.note = workbook.add_format(base | {"italic": True, "font_color": "#555555"})
        self.header = workbook.add_format(grid | {"bold": True, "align": "center", "bg_color": "#EEEEEE"})
        self.cells = {form: workbook.add_format(grid | {"num_format": code}) for form, code in NUMBER_FORMATS.items()}
        self.totals = {
            form: workbook.add_format(grid | {"num_format": code, "bold": True})
            for form, code in NUMBER_FORMATS.items()
        }

    def of(self, form: Form, row: Row) -> Format:
        """Return the format of a cell."""
        return (self.totals if row.is_total else self.cells)[form]


def _chapter(workbook: Workbook, look: Look, report: AnnualReport, chapter: Chapter, *, suffix: str) -> None:
    for table in tables.tables_of(report, chapter):
        shown = _with_groups(table, chapter) if table.name == "agencies" else table
        sheet = _sheet(workbook, look, report, shown, suffix=suffix)
        if table.name == "summary":
            _chart(workbook, sheet, table)


def _sheet(workbook: Workbook, look: Look, report: AnnualReport, table: Table, *, suffix: str = "") -> Worksheet:
    sheet = workbook.add_worksheet(f"{SHEETS[table.name]}{suffix}")
    _fill(sheet, look, table, ZoneInfo(report.plan.zone))
    sheet.write(0, 0, f"{table.title}, {report.period}", look.title)
    sheet.write(1, 0, narrative.colophon(report), look.note)
    return sheet


def _with_groups(table: Table, chapter: Chapter) -> Table:
    """Turn group headings into a column, so that the sheet can be filtered and sorted."""
    group = tables.SUMMARY[0]
    rows = (
        Row(cells=(row.cells[0], line.group_name, *row.cells[1:]))
        for row, line in zip(table.records, chapter.lines, strict=True)
    )
    return Table(
        name=table.name, title=table.title, columns=(table.columns[0], group, *table.columns[1:]), rows=tuple(rows)
    )


def _fill(sheet: Worksheet, look: Look, table: Table, zone: ZoneInfo) -> None:
    sheet.set_row(HEADER_ROW, 2 * LINE_PT)
    for index, column in enumerate(table.columns):
        sheet.set_column(index, index, _width(column))
        sheet.write(HEADER_ROW, index, column.title, look.header)
    for offset, row in enumerate(table.rows, start=HEADER_ROW + 1):
        sheet.set_row(offset, _lines(row, table) * LINE_PT)
        for index, (cell, column) in enumerate(zip(row.cells, table.columns, strict=True)):
            _write(sheet, (offset, index), cell, look.of(column.form, row), zone)
    _arrange(sheet, table)


def _arrange(sheet: Worksheet, table: Table) -> None:
    """Let the header stay in sight, filter the records but not the total, and fit the width of a printed page."""
    last = HEADER_ROW + max(1, len(table.records))
    sheet.autofilter(HEADER_ROW, 0, last, len(table.columns) - 1)
    sheet.freeze_panes(HEADER_ROW + 1, 2 if table.columns[0].name == "number" else 1)
    sheet.set_paper(A4)
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(HEADER_ROW)


def _width(column: Column) -> float:
    return max(8, column.share * CHARACTERS_PER_SHARE)


def _lines(row: Row, table: Table) -> int:
    """Return how many lines the longest cell wraps to: not every program measures rows when it opens a file."""
    wrapped = (
        math.ceil(len(cell) / _width(column))
        for cell, column in zip(row.cells, table.columns, strict=True)
        if isinstance(cell, str)
    )
    return max((1, *wrapped))


def _write(sheet: Worksheet, place: tuple[int, int], cell: Cell, form: Format, zone: ZoneInfo) -> None:
    match cell:
        case None:
            sheet.write_blank(*place, None, form)
        case datetime():
            sheet.write_datetime(*place, cell.astimezone(zone).replace(tzinfo=None), form)
        case date():
            sheet.write_datetime(*place, cell, form)
        case Decimal() | int():
            sheet.write_number(*place, float(cell), form)
        case str():
            sheet.write_string(*place, cell, form)


def _chart(workbook: Workbook, sheet: Worksheet, table: Table) -> None:
    chart = workbook.add_chart({"type": "bar", "subtype": "stacked"})
    first, last = HEADER_ROW + 1, HEADER_ROW + len(table.rows)
    places = {column.name: index for index, column in enumerate(table.columns)}
    for status in SHOWN:
        column = places[status.value]
        chart.add_series(
            {
                "name": [sheet.get_name(), HEADER_ROW, column],
                "categories": [sheet.get_name(), first, 0, last, 0],
                "values": [sheet.get_name(), first, column, last, column],
                "fill": {"color": COLOURS[status.value]},
            }
        )
    chart.set_title({"name": "Tình hình gửi kết quả theo nhóm đơn vị", "name_font": {"size": 12}})
    chart.set_y_axis({"reverse": True})
    # With the categories from top to bottom the axis lies on top; its labels belong below.
    chart.set_x_axis({"label_position": "high", "major_gridlines": {"visible": True, "line": {"color": "#DDDDDD"}}})
    chart.set_legend({"position": "bottom"})
    chart.set_size({"width": 820, "height": 90 + 48 * len(table.rows)})
    sheet.insert_chart(last + 2, 0, chart)
