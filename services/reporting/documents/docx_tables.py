"""A table of the report in DOCX: a caption kept with it, a header row repeated on every page, no row broken in two."""

from zoneinfo import ZoneInfo

from docx.document import Document
from docx.enum.table import WD_CELL_VERTICAL_ALIGNMENT, WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.shared import Pt
from docx.table import Table as WordTable
from docx.table import _Cell

from services.reporting.documents import docx_xml
from services.reporting.documents.docx_xml import Look
from services.reporting.documents.table import Column, Row, Table, written

TEXT_WIDTH_MM = 162.0
CELL_PT = 10.0
CAPTION_PT = 12.0
CELL_MARGIN_MM = 0.8
HEADER_GREY, GROUP_GREY = "EEEEEE", "F7F7F7"


def add(document: Document, table: Table, zone: ZoneInfo) -> None:
    """Append *table* with its caption."""
    caption = document.add_paragraph()
    caption.alignment = WD_ALIGN_PARAGRAPH.CENTER
    shape = caption.paragraph_format
    shape.keep_with_next, shape.space_before, shape.space_after = True, Pt(8), Pt(4)
    docx_xml.set_font(caption.add_run(table.title), Look(CAPTION_PT, bold=True))
    made = document.add_table(rows=len(table.rows) + 1, cols=len(table.columns))
    made.style, made.alignment = "Table Grid", WD_TABLE_ALIGNMENT.CENTER
    whole = sum(column.share for column in table.columns)
    docx_xml.set_widths(made, (TEXT_WIDTH_MM * column.share / whole for column in table.columns))
    docx_xml.set_side_margins(made, CELL_MARGIN_MM)
    _header(made, table.columns)
    cells = made._cells  # noqa: SLF001 - one pass over the grid: by way of rows the library walks it once a cell
    for index, row in enumerate(table.rows, start=1):
        start = index * len(table.columns)
        _fill(cells[start : start + len(table.columns)], row, table.columns, zone)
        docx_xml.keep_whole(made.rows[index])
    document.add_paragraph().paragraph_format.space_after = Pt(2)


def _header(made: WordTable, columns: tuple[Column, ...]) -> None:
    row = made.rows[0]
    docx_xml.repeat_as_header(row)
    docx_xml.keep_whole(row)
    for cell, column in zip(row.cells, columns, strict=True):
        docx_xml.shade(cell, HEADER_GREY)
        _write(cell, column.title, Look(CELL_PT, bold=True), is_centred=True)


def _fill(cells: list[_Cell], row: Row, columns: tuple[Column, ...], zone: ZoneInfo) -> None:
    if row.is_heading:
        whole = cells[0].merge(cells[-1])
        docx_xml.shade(whole, GROUP_GREY)
        _write(whole, str(row.cells[0]), Look(CELL_PT, bold=True, italic=True))
        return
    for cell, value, column in zip(cells, row.cells, columns, strict=True):
        _write(cell, written(value, column.form, zone), Look(CELL_PT, bold=row.is_total), is_centred=column.is_centred)


def _write(cell: _Cell, text: str, look: Look, *, is_centred: bool = False) -> None:
    cell.vertical_alignment = WD_CELL_VERTICAL_ALIGNMENT.CENTER
    paragraph = cell.paragraphs[0]
    paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER if is_centred else WD_ALIGN_PARAGRAPH.LEFT
    paragraph.paragraph_format.space_before = paragraph.paragraph_format.space_after = Pt(1.5)
    docx_xml.set_font(paragraph.add_run(text), look)
