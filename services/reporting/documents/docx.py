"""The report as DOCX in the layout of Decree 30/2020, Appendix I, with native paragraphs and tables for editing.

It names Times New Roman, which the reader's machine supplies. The chart is the same as the PDF's, as a picture.
"""

import io
from datetime import UTC
from zoneinfo import ZoneInfo

import docx
from docx.document import Document
from docx.enum.table import WD_CELL_VERTICAL_ALIGNMENT, WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.shared import Mm, Pt
from docx.table import Table as DocxTable
from docx.table import _Cell
from docx.text.paragraph import Paragraph

from services.reporting.core.annual_report import AnnualReport
from services.reporting.documents import chart, docx_xml, narrative, table_model, xml_text
from services.reporting.documents import letterhead as letterheads
from services.reporting.documents.docx_xml import FontStyle
from services.reporting.documents.letterhead import Letterhead
from services.reporting.documents.narrative import ReportSection
from services.reporting.documents.table_model import Column, Table, TableRow

# The page: A4 with the margins that Decree 30/2020 allows (left 30-35 mm, right 15-20, top and bottom 20-25).
LEFT_MM, RIGHT_MM, TOP_MM, BOTTOM_MM = 30.0, 18.0, 22.0, 20.0
TEXT_WIDTH_MM = 162.0
BODY_PT = 13.0
FIRST_LINE_MM = 12.7
PAGE_NUMBER_PT = 13.0
CHART_MM = 160.0
LANGUAGE = "vi-VN"

# The head of the document: the issuer on the left, the national title on the right.
ISSUER_MM, NATION_MM = 72.0, 90.0
MOTTO_MM = 56.0  # the rule below the motto is as wide as its words at 13 pt
SIGNATURE_SPACE_PT = 70.0

CELL_PT = 10.0
CAPTION_PT = 12.0
CELL_MARGIN_MM = 0.8
HEADER_GREY, GROUP_GREY = "EEEEEE", "F7F7F7"


def render_docx(report: AnnualReport, letterhead: Letterhead) -> bytes:
    """Render the report as DOCX; the same report gives the same bytes."""
    document = _create_document(report)
    zone = ZoneInfo(report.plan.zone)
    _add_letterhead(document, letterhead, year=report.as_of.astimezone(zone).year)
    _add_title(document, narrative.subject_of(report), letterhead.addressee)
    for section in narrative.build_sections(report):
        _add_section(document, section, report)
    _add_recipients_and_signature(document, letterhead)
    _add_small_print(document, narrative.verification_note(report))
    _add_appendix(document, report, letterhead)
    return docx_xml.save(document)


def _create_document(report: AnnualReport) -> Document:
    document = docx.Document()
    section = document.sections[0]
    section.page_width, section.page_height = Mm(210), Mm(297)
    section.left_margin, section.right_margin = Mm(LEFT_MM), Mm(RIGHT_MM)
    section.top_margin, section.bottom_margin = Mm(TOP_MM), Mm(BOTTOM_MM)
    section.header_distance = Mm(10)
    normal = document.styles["Normal"]
    normal.font.name, normal.font.size = docx_xml.FONT, Pt(BODY_PT)
    docx_xml.number_pages(document, size=PAGE_NUMBER_PT)
    # The report's own instant: the library's template would say 2013, and the wall clock would differ at each reprint.
    as_of_utc = report.as_of.astimezone(UTC).replace(tzinfo=None)
    properties = document.core_properties
    title = xml_text.drawable(narrative.subject_of(report))[: docx_xml.PROPERTY_CHARACTERS_MAX]
    properties.title, properties.author, properties.language = title, "", LANGUAGE
    properties.comments = f"sha256:{report.digest}"
    properties.created = properties.modified = as_of_utc
    return document


def _add_letterhead(document: Document, letterhead: Letterhead, *, year: int) -> None:
    """Append the two columns of the head: issuer and number on the left, national title and date on the right."""
    table = document.add_table(rows=2, cols=2)
    docx_xml.set_widths(table, (ISSUER_MM, NATION_MM))
    docx_xml.set_side_margins(table, 0)
    issuer, nation = table.rows[0].cells
    _add_cell_line(issuer, letterhead.superior, FontStyle(12))
    _add_cell_line(issuer, letterhead.issuer, FontStyle(12, bold=True))
    issuer_rule = _add_cell_line(issuer, "", FontStyle(4))
    docx_xml.draw_rule(issuer_rule, width_mm=ISSUER_MM * 0.35, within_mm=ISSUER_MM)
    _add_cell_line(nation, letterheads.NATION, FontStyle(12, bold=True))
    _add_cell_line(nation, letterheads.MOTTO, FontStyle(13, bold=True))
    docx_xml.draw_rule(_add_cell_line(nation, "", FontStyle(4)), width_mm=MOTTO_MM, within_mm=NATION_MM)
    number, place = table.rows[1].cells
    _add_cell_line(number, letterhead.number_line, FontStyle(13))
    _add_cell_line(place, letterhead.place_line(year), FontStyle(13, italic=True))


def _add_title(document: Document, subject: str, addressee: str) -> None:
    """Append the type of document, its subject and its addressee."""
    _add_centred(document, letterheads.DOCUMENT_TYPE, FontStyle(14, bold=True)).paragraph_format.space_before = Pt(14)
    _add_centred(document, subject, FontStyle(14, bold=True)).paragraph_format.space_after = Pt(3)
    rule = document.add_paragraph()
    rule.paragraph_format.space_after = Pt(6)
    docx_xml.add_text(rule, "", FontStyle(4))
    docx_xml.draw_rule(rule, width_mm=TEXT_WIDTH_MM * 0.3, within_mm=TEXT_WIDTH_MM)
    _add_centred(document, f"Kính gửi: {addressee}.", FontStyle(13)).paragraph_format.space_after = Pt(12)


def _add_section(document: Document, section: ReportSection, report: AnnualReport) -> None:
    heading = _add_paragraph(document, f"{section.numeral}. {section.title}", is_heading=True)
    heading.paragraph_format.keep_with_next = True
    for text in section.paragraphs:
        _add_paragraph(document, text)
    zone = ZoneInfo(report.plan.zone)
    if section.tables:
        document.paragraphs[-1].paragraph_format.keep_with_next = True
    for table in section.tables:
        _add_table(document, table, zone)
    if section.has_chart:
        _add_charts(document, report)


def _add_charts(document: Document, report: AnnualReport) -> None:
    for chapter in report.chapters:
        picture = chart.draw_chart(chapter, dated=report.as_of)
        paragraph = document.add_paragraph()
        paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
        paragraph.paragraph_format.space_before = Pt(12)
        paragraph.add_run().add_picture(io.BytesIO(picture), width=Mm(CHART_MM))


def _add_recipients_and_signature(document: Document, letterhead: Letterhead) -> None:
    """Append the recipients, and the space left blank for the signature."""
    document.add_paragraph().paragraph_format.space_after = Pt(0)
    table = document.add_table(rows=1, cols=2)
    docx_xml.set_widths(table, (TEXT_WIDTH_MM / 2, TEXT_WIDTH_MM / 2))
    docx_xml.keep_on_one_page(table.rows[0])
    recipients, signature = table.rows[0].cells
    heading = _add_cell_line(recipients, "Nơi nhận:", FontStyle(12, bold=True, italic=True))
    heading.alignment = WD_ALIGN_PARAGRAPH.LEFT
    for recipient in letterhead.recipients:
        _add_cell_line(recipients, recipient, FontStyle(11)).alignment = WD_ALIGN_PARAGRAPH.LEFT
    _add_cell_line(signature, letterhead.authority, FontStyle(13, bold=True))
    draft = _add_cell_line(signature, "(Dự thảo, chờ ký)", FontStyle(11, italic=True))
    draft.paragraph_format.space_before = Pt(SIGNATURE_SPACE_PT)


def _add_small_print(document: Document, text: str) -> None:
    paragraph = document.add_paragraph()
    paragraph.paragraph_format.space_before = Pt(12)
    docx_xml.add_text(paragraph, text, FontStyle(9))


def _add_appendix(document: Document, report: AnnualReport, letterhead: Letterhead) -> None:
    tables = narrative.build_appendix(report)
    if not tables:
        return
    heading = _add_centred(document, "PHỤ LỤC", FontStyle(14, bold=True))
    heading.paragraph_format.page_break_before = True
    reference = f"(Kèm theo Báo cáo {letterhead.number_line.replace('Số', 'số')})"
    _add_centred(document, reference, FontStyle(13, italic=True))
    for table in tables:
        _add_table(document, table, ZoneInfo(report.plan.zone))


def _add_table(document: Document, table: Table, zone: ZoneInfo) -> None:
    """Append *table*: its caption stays with it, its header row repeats on every page, no row breaks in two."""
    caption = document.add_paragraph()
    caption.alignment = WD_ALIGN_PARAGRAPH.CENTER
    layout = caption.paragraph_format
    layout.keep_with_next, layout.space_before, layout.space_after = True, Pt(8), Pt(4)
    docx_xml.add_text(caption, table.title, FontStyle(CAPTION_PT, bold=True))
    added = document.add_table(rows=len(table.rows) + 1, cols=len(table.columns))
    added.style, added.alignment = "Table Grid", WD_TABLE_ALIGNMENT.CENTER
    all_shares = sum(column.share for column in table.columns)
    docx_xml.set_widths(added, (TEXT_WIDTH_MM * column.share / all_shares for column in table.columns))
    docx_xml.set_side_margins(added, CELL_MARGIN_MM)
    _fill_header_row(added, table.columns)
    # By way of its rows the library walks the whole grid once a cell, which is quadratic; this list is one walk.
    cells = added._cells  # noqa: SLF001 - as said
    for index, row in enumerate(table.rows, start=1):
        start = index * len(table.columns)
        _fill_row(cells[start : start + len(table.columns)], row, columns=table.columns, zone=zone)
        docx_xml.keep_on_one_page(added.rows[index])
    document.add_paragraph().paragraph_format.space_after = Pt(2)


def _fill_header_row(added: DocxTable, columns: tuple[Column, ...]) -> None:
    row = added.rows[0]
    docx_xml.repeat_as_header(row)
    docx_xml.keep_on_one_page(row)
    for cell, column in zip(row.cells, columns, strict=True):
        docx_xml.shade(cell, HEADER_GREY)
        _fill_cell(cell, column.title, FontStyle(CELL_PT, bold=True), is_centred=True)


def _fill_row(cells: list[_Cell], row: TableRow, *, columns: tuple[Column, ...], zone: ZoneInfo) -> None:
    if row.is_heading:
        merged = cells[0].merge(cells[-1])
        docx_xml.shade(merged, GROUP_GREY)
        _fill_cell(merged, str(row.cells[0]), FontStyle(CELL_PT, bold=True, italic=True))
        return
    style = FontStyle(CELL_PT, bold=row.is_total)
    for cell, value, column in zip(cells, row.cells, columns, strict=True):
        text = table_model.format_cell(value, column.cell_type, zone)
        _fill_cell(cell, text, style, is_centred=column.is_centred)


def _fill_cell(cell: _Cell, text: str, style: FontStyle, *, is_centred: bool = False) -> None:
    cell.vertical_alignment = WD_CELL_VERTICAL_ALIGNMENT.CENTER
    paragraph = cell.paragraphs[0]
    paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER if is_centred else WD_ALIGN_PARAGRAPH.LEFT
    paragraph.paragraph_format.space_before = paragraph.paragraph_format.space_after = Pt(1.5)
    docx_xml.add_text(paragraph, text, style)


def _add_paragraph(document: Document, text: str, *, is_heading: bool = False) -> Paragraph:
    """Append a paragraph of the body and return it."""
    paragraph = document.add_paragraph()
    paragraph.alignment = WD_ALIGN_PARAGRAPH.JUSTIFY
    layout = paragraph.paragraph_format
    layout.first_line_indent, layout.space_before, layout.space_after = Mm(FIRST_LINE_MM), Pt(0), Pt(6)
    layout.line_spacing = 1.15
    docx_xml.add_text(paragraph, text, FontStyle(BODY_PT, bold=is_heading))
    return paragraph


def _add_centred(document: Document, text: str, style: FontStyle) -> Paragraph:
    """Append a centred line and return it."""
    paragraph = document.add_paragraph()
    paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
    paragraph.paragraph_format.space_after = Pt(0)
    paragraph.paragraph_format.left_indent = paragraph.paragraph_format.right_indent = Mm(8)
    docx_xml.add_text(paragraph, text, style)
    return paragraph


def _add_cell_line(cell: _Cell, text: str, style: FontStyle) -> Paragraph:
    """Add *text* as the next centred line of *cell* and return it; a new cell already has one empty line to fill."""
    is_untouched = len(cell.paragraphs) == 1 and not cell.paragraphs[0].runs
    paragraph = cell.paragraphs[0] if is_untouched else Paragraph(cell._element.add_p(), cell)  # noqa: SLF001 - typed, unlike add_paragraph
    paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
    paragraph.paragraph_format.space_after = Pt(0)
    docx_xml.add_text(paragraph, text, style)
    return paragraph
