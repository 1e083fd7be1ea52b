"""The report as XLSX: a sheet a table, with real dates and numbers, formulas, filters, frozen headers, a chart."""

import gc
import io
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache
from zoneinfo import ZoneInfo

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.utility import xl_range_abs
from xlsxwriter.workbook import Workbook
from xlsxwriter.worksheet import Worksheet

from schemas.text import normal_form
from services.reporting.core.duty_counts import EXPECTED_STATUSES
from services.reporting.core.report import blocks
from services.reporting.core.report.blocks import Cell, CellType, Column, Table, TableRow
from services.reporting.core.report.printed_report import PrintedReport
from services.reporting.documents.workbook import formulas, sheets
from services.reporting.documents.workbook.formulas import CellFormula
from services.reporting.documents.workbook.sheets import Sheet

# The same names, units and states stand in most of the cells of a large report.
_show = lru_cache(maxsize=2**16)(normal_form.drop_unseen)

NUMBER_FORMATS = {
    CellType.TEXT: "@",
    CellType.NUMBER: "#,##0",
    CellType.PERCENT: "0.0%",
    CellType.HUNDREDTHS: "0.0",
    CellType.RATIO: "#,##0.00",
    CellType.CHANGE: "+#,##0;-#,##0;0",
    CellType.RATIO_CHANGE: "+#,##0.00;-#,##0.00;0.00",
    CellType.PERCENT_CHANGE: "+0.0;-0.0;0.0",
    CellType.DATE: "dd/mm/yyyy",
    CellType.INSTANT: "hh:mm dd/mm/yyyy",
}
DECIMALS = "#,##0.0#####"  # of a figure that is no whole number
COLOURS = {"on_time": "#1B6E45", "late": "#E0A126", "incomplete": "#D08A3C", "overdue": "#A3232B", "pending": "#D7D7D7"}
HEADER_ROW = 3  # below the title, the note on the figures and a blank line
FIRST_ROW = HEADER_ROW + 1
LINE_PT = 16.0  # one line of text at 11 pt
EXACT_INTEGERS = 2**53  # below it a binary float holds every whole number
LINES_MAX = 25  # the file format ends at 409 points a row
A4 = 9  # the paper code of the file format (ST_PaperSize)
CHARACTERS_PER_SHARE = 1.3  # the width of a column, in characters, for each share of the page that it has
RANGE_NAMES = {"Đơn vị x chỉ tiêu": "DonViChiTieu", "Số liệu": "SoLieu"}  # by the name of the sheet
CHART_TITLE = "Tình hình gửi báo cáo"


def render_xlsx(content: PrintedReport) -> bytes:
    """Render the report as a workbook; the same content gives the same bytes."""
    buffer = io.BytesIO()
    with (
        _pause_collector(),
        xlsxwriter.Workbook(
            buffer, {"in_memory": True, "default_date_format": NUMBER_FORMATS[CellType.DATE]}
        ) as workbook,
    ):
        # Without these the library writes the wall clock; reprints of a report must be the same bytes.
        as_of_utc = content.report.as_of.astimezone(UTC).replace(tzinfo=None)
        workbook.set_properties({"title": normal_form.drop_unseen(content.name)[:255], "created": as_of_utc})
        formats = CellFormats(workbook)
        for sheet in sheets.build_sheets(content):
            _add_sheet(workbook, formats, sheet, content)
    return buffer.getvalue()


@contextmanager
def _pause_collector() -> Iterator[None]:
    """Keep the collector of reference cycles from walking the cells of the workbook again and again.

    The library keeps a tuple for each cell until the file is written, and no cycle among them. With 800,000 cells the
    walks were a sixth of the time. Of two threads that pause it the one that found it running lets it run again.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


class CellFormats:
    """The cell formats of a workbook, each created once."""

    def __init__(self, workbook: Workbook) -> None:
        self._workbook = workbook
        self._base = {"font_name": "Times New Roman", "font_size": 11, "valign": "vcenter"}
        self._grid = self._base | {"border": 1, "text_wrap": True}
        self.title = workbook.add_format(self._base | {"bold": True, "font_size": 14})
        self.note = workbook.add_format(self._base | {"italic": True, "font_color": "#555555"})
        self.header = workbook.add_format(self._grid | {"bold": True, "align": "center", "bg_color": "#EEEEEE"})
        self._cells: dict[tuple[str, bool, bool], Format] = {}

    def format_of(self, code: str, *, is_total: bool, is_centred: bool = False) -> Format:
        """Return the format of cells that are written with the number format *code*."""
        key = (code, is_total, is_centred)
        if key not in self._cells:
            given = {"num_format": code, "bold": is_total, **({"align": "center"} if is_centred else {})}
            self._cells[key] = self._workbook.add_format(self._grid | given)
        return self._cells[key]


def _add_sheet(workbook: Workbook, formats: CellFormats, sheet: Sheet, content: PrintedReport) -> None:
    written = workbook.add_worksheet(sheet.name)
    table = sheet.table
    written.write_string(0, 0, normal_form.drop_unseen(table.title), formats.title)
    written.write_string(1, 0, normal_form.drop_unseen(content.verification.text), formats.note)
    _fill_sheet(written, formats, table=table, zone=content.zone)
    notes_row = FIRST_ROW + len(table.rows) + 1
    if table.name == "matrix":
        _add_matrix_totals(written, formats, table, content)
        notes_row += 2
    for offset, note in enumerate(table.notes):
        written.write_string(notes_row + offset, 0, normal_form.drop_unseen(note), formats.note)
    _set_up_view(written, table)
    # A pivot table or a formula of the reader's own finds the figures of the first obligation by name.
    if sheet.name in RANGE_NAMES and table.rows:
        place = xl_range_abs(HEADER_ROW, 0, FIRST_ROW + len(table.rows) - 1, len(table.columns) - 1)
        workbook.define_name(RANGE_NAMES[sheet.name], f"='{sheet.name}'!{place}")
    if table.name == "summary":
        _add_chart(workbook, written, table)


def _fill_sheet(sheet: Worksheet, formats: CellFormats, *, table: Table, zone: ZoneInfo) -> None:
    headings = [f"{one.heading}: {one.title}" if one.heading else one.title for one in table.columns]
    widths = [_column_width(column) for column in table.columns]
    # Words wrap before the width is full, so a heading takes a line more than its letters do.
    lines = max(1 + math.ceil(len(heading) / width) for heading, width in zip(headings, widths, strict=True))
    sheet.set_row(HEADER_ROW, lines * LINE_PT)
    for index, (heading, width) in enumerate(zip(headings, widths, strict=True)):
        sheet.set_column(index, index, width)
        sheet.write_string(HEADER_ROW, index, normal_form.drop_unseen(heading), formats.header)
    writer = _RowWriter(sheet, formats, table=table, widths=widths, zone=zone)
    for at, row in enumerate(table.rows, start=FIRST_ROW):
        line_count = writer.write(at, row)
        if line_count > 1:
            sheet.set_row(at, line_count * LINE_PT)


class _RowWriter:
    """Writes the rows of one table.

    A large report has hundreds of thousands of cells, nearly all of them texts in the usual format of their column. So
    what is the same in every row is looked up once, and a text goes to the sheet without a detour.
    """

    def __init__(
        self, sheet: Worksheet, formats: CellFormats, *, table: Table, widths: Sequence[float], zone: ZoneInfo
    ) -> None:
        self._sheet = sheet
        self._formats = formats
        self._columns = table.columns
        self._widths = widths
        self._zone = zone
        self._formulas = formulas.build_formulas(table, FIRST_ROW)
        self._usual, self._total = (
            [
                formats.format_of(NUMBER_FORMATS[one.cell_type], is_total=is_total, is_centred=one.is_centred)
                for one in table.columns
            ]
            for is_total in (False, True)
        )

    def write(self, at: int, row: TableRow) -> int:
        """Write *row* into the sheet's row *at*; return how many lines its longest text wraps to."""
        # Not every program measures the height of wrapped rows when it opens a file, so the file states the height.
        lines = 1
        usual = self._total if row.is_total else self._usual
        write_string = self._sheet.write_string
        for index, (cell, width) in enumerate(zip(row.cells, self._widths, strict=False)):
            if isinstance(cell, str) and not row.types and not self._formulas:
                write_string(at, index, _show(cell), usual[index])
            else:
                self._write_other(at, index, row)
            if isinstance(cell, str) and len(cell) > width:
                lines = max(lines, math.ceil(len(cell) / width))
        return min(lines, LINES_MAX)

    def _write_other(self, at: int, index: int, row: TableRow) -> None:
        """Write what is no text, or what is not written as the rest of its column is."""
        value, column = blocks.value_of(row.cells[index]), self._columns[index]
        code = _format_code(value, blocks.type_of(row, index, column))
        cell_format = self._formats.format_of(code, is_total=row.is_total, is_centred=column.is_centred)
        formula = self._formulas.get((at, index))
        if formula is not None:
            self._sheet.write_formula(at, index, formula.text, cell_format, formula.value)
        else:
            _write_cell(self._sheet, (at, index), value, cell_format=cell_format, zone=self._zone)


def _format_code(value: Cell, cell_type: CellType) -> str:
    if cell_type is CellType.NUMBER and isinstance(value, Decimal) and value != value.to_integral_value():
        return DECIMALS
    return NUMBER_FORMATS[cell_type]


def _add_matrix_totals(sheet: Worksheet, formats: CellFormats, table: Table, content: PrintedReport) -> None:
    """Add below the agencies what the shown ones sum to, how many they are, and each ratio from the sums."""
    at = FIRST_ROW + len(table.rows)
    bold = formats.format_of(NUMBER_FORMATS[CellType.TEXT], is_total=True)
    sheet.write_string(at, 2, "Cộng", bold)
    sheet.write_string(at + 1, 2, "Số đơn vị có số liệu", bold)
    columns = {one.name: index for index, one in enumerate(table.columns)}
    for indicator in content.outline.list_indicators():
        index = columns.get(indicator.code)
        formula = indicator.parse_formula()
        if index is None:
            continue
        total: CellFormula | None = formulas.sum_column(table, FIRST_ROW, index)
        if formula is not None:
            total = formulas.work_out_ratio(formula, columns, at, table)
        number = formats.format_of(NUMBER_FORMATS[table.columns[index].cell_type], is_total=True)
        if total is not None:
            sheet.write_formula(at, index, total.text, number, total.value)
        counted = formulas.count_column(table, FIRST_ROW, index)
        whole = formats.format_of(NUMBER_FORMATS[CellType.NUMBER], is_total=True)
        sheet.write_formula(at + 1, index, counted.text, whole, counted.value)


def _set_up_view(sheet: Worksheet, table: Table) -> None:
    """Freeze the header, filter the records but not the total, and fit the width of a printed page."""
    # A filter needs at least one row below its header, also in an empty table.
    last = HEADER_ROW + max(1, len(table.records))
    sheet.autofilter(HEADER_ROW, 0, last, len(table.columns) - 1)
    names = [column.name for column in table.columns]
    # What names the line stays in view: the agency, where there is one.
    sheet.freeze_panes(FIRST_ROW, names.index("agency") + 1 if "agency" in names else 1)
    sheet.set_paper(A4)
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(HEADER_ROW)


def _column_width(column: Column) -> float:
    return max(8, column.share * CHARACTERS_PER_SHARE)


def _write_cell(sheet: Worksheet, place: tuple[int, int], cell: Cell, *, cell_format: Format, zone: ZoneInfo) -> None:
    match cell:
        case str():
            sheet.write_string(*place, _show(cell), cell_format)
        case None:
            sheet.write_blank(*place, None, cell_format)
        case datetime():
            sheet.write_datetime(*place, cell.astimezone(zone).replace(tzinfo=None), cell_format)
        case date():
            sheet.write_datetime(*place, cell, cell_format)
        case Decimal() | int():
            write_number(sheet, place, cell, cell_format)


def write_number(sheet: Worksheet, place: tuple[int, int], value: Decimal | int, cell_format: Format) -> None:
    """Write a figure, as a text where the binary floats of the file format would lose digits of it."""
    number = float(value)
    if (number == value and abs(number) < EXACT_INTEGERS) or Decimal(repr(number)) == value:
        sheet.write_number(*place, number, cell_format)
    else:
        sheet.write_string(*place, blocks.format_figure(value, CellType.NUMBER), cell_format)


def _add_chart(workbook: Workbook, sheet: Worksheet, table: Table) -> None:
    bar_chart = workbook.add_chart({"type": "bar", "subtype": "stacked"})
    first, last = FIRST_ROW, HEADER_ROW + len(table.rows)
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
    bar_chart.set_title({"name": CHART_TITLE, "name_font": {"size": 12}})
    bar_chart.set_y_axis({"reverse": True})
    # Reversed categories run from top to bottom and move the value axis to the top; "high" puts its labels below.
    bar_chart.set_x_axis({"label_position": "high", "major_gridlines": {"visible": True, "line": {"color": "#DDDDDD"}}})
    bar_chart.set_legend({"position": "bottom"})
    bar_chart.set_size({"width": 820, "height": 90 + 48 * len(table.rows)})
    sheet.insert_chart(last + 2, 0, bar_chart, {"description": CHART_TITLE})
