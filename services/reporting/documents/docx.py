"""The report as DOCX in the layout of Decree 30/2020, Appendix I: native paragraphs and tables to go on editing.

It names Times New Roman, which the reader's machine supplies. The chart is the PDF's own, as a picture.
"""

import io
from datetime import UTC
from zoneinfo import ZoneInfo

import docx
from docx.document import Document
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.shared import Mm, Pt
from docx.text.paragraph import Paragraph

from services.reporting.core.annual_report import AnnualReport
from services.reporting.documents import docx_header, docx_tables, narrative, typst_sources
from services.reporting.documents.chart import chart_of
from services.reporting.documents.docx_xml import Look, number_pages, saved, set_font
from services.reporting.documents.letterhead import Letterhead
from services.reporting.documents.narrative import Section

BODY_PT = 13.0
FIRST_LINE_MM = 12.7
PAGE_NUMBER_PT = 13.0
CHART_MM = 160.0
LEFT_MM, RIGHT_MM, TOP_MM, BOTTOM_MM = 30.0, 18.0, 22.0, 20.0
LANGUAGE = "vi-VN"


def docx_bytes(report: AnnualReport, letterhead: Letterhead) -> bytes:
    """Return the report as DOCX; the same report gives the same bytes."""
    document = _blank(report)
    zone = ZoneInfo(report.plan.zone)
    docx_header.head(document, letterhead, year=report.as_of.astimezone(zone).year)
    docx_header.title(document, narrative.subject(report), letterhead.addressee)
    for section in narrative.sections(report):
        _section(document, section, report)
    docx_header.foot(document, letterhead)
    _small(document, narrative.colophon(report))
    _appendix(document, report, letterhead)
    return saved(document)


def _blank(report: AnnualReport) -> Document:
    document = docx.Document()
    section = document.sections[0]
    section.page_width, section.page_height = Mm(210), Mm(297)
    section.left_margin, section.right_margin = Mm(LEFT_MM), Mm(RIGHT_MM)
    section.top_margin, section.bottom_margin = Mm(TOP_MM), Mm(BOTTOM_MM)
    section.header_distance = Mm(10)
    normal = document.styles["Normal"]
    normal.font.name, normal.font.size = "Times New Roman", Pt(BODY_PT)
    number_pages(document, size=PAGE_NUMBER_PT)
    made_at = report.as_of.astimezone(UTC).replace(tzinfo=None)
    properties = document.core_properties
    properties.title, properties.author, properties.language = narrative.subject(report), "", LANGUAGE
    properties.comments = f"sha256:{report.digest}"
    properties.created = properties.modified = made_at
    return document


def _section(document: Document, section: Section, report: AnnualReport) -> None:
    heading = _paragraph(document, f"{section.numeral}. {section.title}", is_heading=True)
    heading.paragraph_format.keep_with_next = True
    for text in section.paragraphs:
        _paragraph(document, text)
    zone = ZoneInfo(report.plan.zone)
    if section.tables:
        document.paragraphs[-1].paragraph_format.keep_with_next = True
    for table in section.tables:
        docx_tables.add(document, table, zone)
    if section.has_chart:
        _charts(document, report)


def _paragraph(document: Document, text: str, *, is_heading: bool = False) -> Paragraph:
    paragraph = document.add_paragraph()
    paragraph.alignment = WD_ALIGN_PARAGRAPH.JUSTIFY
    shape = paragraph.paragraph_format
    shape.first_line_indent, shape.space_before, shape.space_after = Mm(FIRST_LINE_MM), Pt(0), Pt(6)
    shape.line_spacing = 1.15
    set_font(paragraph.add_run(text), Look(BODY_PT, bold=is_heading))
    return paragraph


def _charts(document: Document, report: AnnualReport) -> None:
    for chapter in report.chapters:
        picture = typst_sources.draw("chart_page.typ", {"chart": chart_of(chapter)}, dated=report.as_of)
        paragraph = document.add_paragraph()
        paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
        paragraph.paragraph_format.space_before = Pt(12)
        paragraph.add_run().add_picture(io.BytesIO(picture), width=Mm(CHART_MM))


def _small(document: Document, text: str) -> None:
    paragraph = document.add_paragraph()
    paragraph.paragraph_format.space_before = Pt(12)
    set_font(paragraph.add_run(text), Look(9))


def _appendix(document: Document, report: AnnualReport, letterhead: Letterhead) -> None:
    tables = narrative.appendix(report)
    if not tables:
        return
    docx_header.centred(document, "PHỤ LỤC", Look(14, bold=True)).paragraph_format.page_break_before = True
    docx_header.centred(
        document, f"(Kèm theo Báo cáo {letterhead.number_line.replace('Số', 'số')})", Look(13, italic=True)
    )
    for table in tables:
        docx_tables.add(document, table, ZoneInfo(report.plan.zone))
