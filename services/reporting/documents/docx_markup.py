"""Paragraphs and tables of the DOCX as WordprocessingML text.

python-docx takes about 5 ms for a row of a table; written as text, a table of a thousand rows takes a few hundredths of
a second.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape
from zoneinfo import ZoneInfo

from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls
from docx.oxml.xmlchemy import BaseOxmlElement

from schemas.text import normal_form
from services.reporting.core.report import blocks
from services.reporting.core.report.blocks import Column, Paragraph, Table, TableRow
from services.reporting.documents import docx_styles

TWIPS_PER_MM = 1440 / 25.4
CELL_MARGIN_TWIPS = 45
ROWS_KEPT_TOGETHER = 14  # so many fit on a page with the header, whatever stands before them
TEXT_STYLE = f'<w:pStyle w:val="{docx_styles.TABLE_TEXT}"/>'
HEADER_GREY, GROUP_GREY = "EEEEEE", "F7F7F7"

# The number of a document, whose hyphen must not end a line.
_DOCUMENT_NUMBER = re.compile(r"(\d+/[A-ZĐ][A-Za-zĐ]*(?:-[A-ZĐ][A-Za-zĐ&]*)+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class _CellLayout:
    """How a cell of a table is laid out: its width in twips, its letters in half points, what it is merged with."""

    width: int
    align: str
    half_points: int
    merge: str = ""
    fill: str = ""


def build_paragraph(paragraph: Paragraph) -> BaseOxmlElement:
    """Return a paragraph of the body: its lead in bold, its source in italics, its blank as a dotted line."""
    parts = [_run("- ")] if paragraph.is_item else []
    parts += [_run(f"{paragraph.lead} ", "<w:b/>")] if paragraph.lead else []
    parts += [_run(paragraph.text)] if paragraph.text else []
    parts += [_run(f" {paragraph.source}", "<w:i/>")] if paragraph.source else []
    properties = f'<w:pStyle w:val="{docx_styles.ITEM}"/>' if paragraph.is_item else ""
    properties += "<w:keepNext/>" if paragraph.leads_on else ""
    if paragraph.has_blank:
        end = round(docx_styles.PORTRAIT_MM * TWIPS_PER_MM)
        properties += f'<w:tabs><w:tab w:val="right" w:leader="dot" w:pos="{end}"/></w:tabs><w:jc w:val="left"/>'
        parts.append("<w:r><w:tab/></w:r>")
    return parse_xml(f"<w:p {nsdecls('w')}><w:pPr>{properties}</w:pPr>{''.join(parts)}</w:p>")


def build_line(text: str, style: str) -> BaseOxmlElement:
    """Return a paragraph that is one text in one of our styles."""
    return parse_xml(f'<w:p {nsdecls("w")}><w:pPr><w:pStyle w:val="{style}"/></w:pPr>{_run(text)}</w:p>')


def build_table(table: Table, zone: ZoneInfo, *, width_mm: float) -> BaseOxmlElement:
    """Return a table: its header repeats on every page, no row breaks in two, its title is its alternative text."""
    shares = sum(column.share for column in table.columns)
    widths = [round(width_mm * TWIPS_PER_MM * column.share / shares) for column in table.columns]
    half_points = round(table.size * 2)
    rows = [*_build_header(table, widths, half_points)]
    rows += [_build_row(row, table, zone, widths) for row in table.rows]
    if len(table.rows) <= ROWS_KEPT_TOGETHER:
        # A paragraph in every row but the last asks for the next row on its page.
        rows[:-1] = [row.replace(TEXT_STYLE, f"{TEXT_STYLE}<w:keepNext/>") for row in rows[:-1]]
    grid = "".join(f'<w:gridCol w:w="{width}"/>' for width in widths)
    return parse_xml(
        f"<w:tbl {nsdecls('w')}>{_table_properties(table, sum(widths))}<w:tblGrid>{grid}</w:tblGrid>"
        f"{''.join(rows)}</w:tbl>"
    )


def _table_properties(table: Table, width: int) -> str:
    sides = "".join(f'<w:{side} w:w="{CELL_MARGIN_TWIPS}" w:type="dxa"/>' for side in ("left", "right"))
    return (
        f'<w:tblPr><w:tblStyle w:val="TableGrid"/><w:tblW w:w="{width}" w:type="dxa"/><w:jc w:val="center"/>'
        f'<w:tblLayout w:type="fixed"/><w:tblCellMar>{sides}</w:tblCellMar><w:tblLook w:val="0620" w:firstRow="1"/>'
        f"<w:tblCaption w:val={_quote(table.title or table.name)}/></w:tblPr>"
    )


def _build_header(table: Table, widths: Sequence[int], half_points: int) -> Iterable[str]:
    """Yield the header: one row, or two where columns stand under a heading together."""
    columns = list(zip(table.columns, widths, strict=True))
    if not any(column.heading for column, _ in columns):
        yield _header_row(_header_cell(column.title, width, half_points) for column, width in columns)
        return
    upper, index = [], 0
    while index < len(columns):
        column, width = columns[index]
        if not column.heading:
            upper.append(_header_cell(column.title, width, half_points, merge='<w:vMerge w:val="restart"/>'))
            index += 1
            continue
        under = _take_under(columns[index:], column.heading)
        merge = f'<w:gridSpan w:val="{len(under)}"/>'
        upper.append(_header_cell(column.heading, sum(width for _, width in under), half_points, merge=merge))
        index += len(under)
    yield _header_row(upper)
    yield _header_row(
        _header_cell(column.title, width, half_points)
        if column.heading
        else _header_cell("", width, half_points, merge="<w:vMerge/>")
        for column, width in columns
    )


def _take_under(columns: Sequence[tuple[Column, int]], heading: str) -> list[tuple[Column, int]]:
    taken = []
    for column, width in columns:
        if column.heading != heading:
            break
        taken.append((column, width))
    return taken


def _header_row(cells: Iterable[str]) -> str:
    return f"<w:tr><w:trPr><w:cantSplit/><w:tblHeader/></w:trPr>{''.join(cells)}</w:tr>"


def _header_cell(text: str, width: int, half_points: int, *, merge: str = "") -> str:
    layout = _CellLayout(width=width, align="center", half_points=half_points, merge=merge, fill=HEADER_GREY)
    return _cell(text, layout, marks="<w:b/>")


def _build_row(row: TableRow, table: Table, zone: ZoneInfo, widths: Sequence[int]) -> str:
    half_points = round(table.size * 2)
    texts = blocks.format_row(row, table, zone)
    marks = "<w:b/>" if row.is_total else "<w:i/>" if row.is_note else ""
    cells = [
        _cell(text, _CellLayout(width=width, align=blocks.align_of(column), half_points=half_points), marks=marks)
        for text, column, width in zip(texts, table.columns, widths, strict=False)
    ]
    missing = len(widths) - len(texts)
    if missing:
        # The last cell of a short row spans the rest: a heading, or what is said in place of figures.
        layout = _CellLayout(
            width=sum(widths[len(texts) - 1 :]),
            align="center" if len(texts) == 1 and not row.is_heading else "left",
            half_points=half_points,
            merge=f'<w:gridSpan w:val="{missing + 1}"/>',
            fill=GROUP_GREY if row.is_heading else "",
        )
        cells[-1] = _cell(texts[-1], layout, marks="<w:b/><w:i/>" if row.is_heading else "<w:i/>")
    return f"<w:tr><w:trPr><w:cantSplit/></w:trPr>{''.join(cells)}</w:tr>"


def _cell(text: str, layout: _CellLayout, *, marks: str) -> str:
    shade = f'<w:shd w:val="clear" w:color="auto" w:fill="{layout.fill}"/>' if layout.fill else ""
    size = f'<w:sz w:val="{layout.half_points}"/><w:szCs w:val="{layout.half_points}"/>'
    run = _run(text, f"{marks}{size}") if text else ""
    return (
        f'<w:tc><w:tcPr><w:tcW w:w="{layout.width}" w:type="dxa"/>{layout.merge}{shade}<w:vAlign w:val="center"/>'
        f'</w:tcPr><w:p><w:pPr>{TEXT_STYLE}<w:spacing w:before="20" w:after="20"/>'
        f'<w:jc w:val="{layout.align}"/></w:pPr>{run}</w:p></w:tc>'
    )


def _run(text: str, properties: str = "") -> str:
    """Return a run; the hyphen in the number of a document is one at which no line ends."""
    parts = []
    for index, part in enumerate(_DOCUMENT_NUMBER.split(normal_form.drop_unseen(text))):
        is_number = index % 2 == 1
        pieces = part.split("-") if is_number else [part]
        parts.append("<w:noBreakHyphen/>".join(f'<w:t xml:space="preserve">{escape(one)}</w:t>' for one in pieces))
    return f"<w:r><w:rPr>{properties}</w:rPr>{''.join(parts)}</w:r>"


def _quote(text: str) -> str:
    return f'"{escape(normal_form.drop_unseen(text), {chr(34): "&quot;"})}"'
