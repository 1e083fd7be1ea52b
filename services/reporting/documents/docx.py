"""The report as DOCX in the layout of Decree 30/2020, Appendix I, with native paragraphs and tables for editing.

The charts are the same as the PDF's, as pictures with an alternative text.
"""

from datetime import UTC

from docx.document import Document
from docx.enum.section import WD_ORIENT, WD_SECTION
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.shared import Mm, Pt
from docx.table import _Cell
from docx.text.paragraph import Paragraph as DocxParagraph

from schemas.text import normal_form
from services.reporting.core.report import letterhead
from services.reporting.core.report.blocks import Appendix, Block, Heading, Paragraph, ReportChart, Table
from services.reporting.core.report.letterhead import Letterhead
from services.reporting.core.report.printed_report import PrintedReport
from services.reporting.documents import charts, docx_markup, docx_styles, docx_xml, qr_code
from services.reporting.documents.docx_xml import FontStyle

PAGE_NUMBER_PT = 13.0
CHART_MM = docx_styles.PORTRAIT_MM
QR_MM = 26.0

# The head of the document: the issuer on the left, the national title on the right.
ISSUER_MM, NATION_MM = 72.0, 91.0
MOTTO_MM = 56.0  # the rule below the motto is as wide as its words at 13 pt
SIGNATURE_SPACE_PT = 88.0  # 31 mm: the room for a signature, or for its picture with the seal
WORDS_OF_A_LINE = 4  # in capitals beside the national title
SUBJECT_INDENT_MM = 8.0  # lines of a centred text that are shorter than the page's are more equally long
VERIFICATION_TITLE = "Kiểm chứng số liệu."


def render_docx(content: PrintedReport) -> bytes:
    """Render the report as DOCX; the same content gives the same bytes."""
    document = docx_styles.create_document()
    docx_xml.number_pages(document, size=PAGE_NUMBER_PT)
    _set_properties(document, content)
    _add_letterhead(document, content.letterhead)
    _add_title(document, content.letterhead)
    for block in content.body:
        _add_block(document, block, content, width_mm=docx_styles.PORTRAIT_MM)
    _add_recipients_and_signature(document, content.letterhead)
    for appendix in content.appendices:
        _add_appendix(document, appendix, content)
    _add_verification(document, content)
    return docx_xml.save(document)


def _set_properties(document: Document, content: PrintedReport) -> None:
    # The report's own instant: the library's template would say 2013, and the wall clock would differ at each reprint.
    as_of_utc = content.report.as_of.astimezone(UTC).replace(tzinfo=None)
    properties = document.core_properties
    properties.title = normal_form.drop_unseen(content.name)[: docx_xml.PROPERTY_CHARACTERS_MAX]
    properties.author = normal_form.drop_unseen(content.letterhead.issuer_name)[: docx_xml.PROPERTY_CHARACTERS_MAX]
    properties.language, properties.comments = docx_styles.LANGUAGE, ""
    properties.created = properties.modified = as_of_utc


def _add_letterhead(document: Document, head: Letterhead) -> None:
    """Append the two columns of the head: issuer and number on the left, national title and date on the right."""
    table = document.add_table(rows=2, cols=2)
    docx_xml.set_widths(table, (ISSUER_MM, NATION_MM))
    docx_xml.set_side_margins(table, 0)
    issuer, nation = table.rows[0].cells
    if head.superior:
        _add_cell_line(issuer, _keep_last_words(head.superior), FontStyle(12))
    _add_cell_line(issuer, _keep_last_words(head.issuer), FontStyle(12, bold=True))
    issuer_rule = _add_cell_line(issuer, "", FontStyle(4))
    issuer_rule.paragraph_format.space_before = Pt(2)
    docx_xml.draw_rule(issuer_rule, width_mm=ISSUER_MM * 0.4, within_mm=ISSUER_MM)
    _add_cell_line(nation, letterhead.NATION, FontStyle(12, bold=True))
    _add_cell_line(nation, letterhead.MOTTO, FontStyle(13, bold=True))
    docx_xml.draw_rule(_add_cell_line(nation, "", FontStyle(4)), width_mm=MOTTO_MM, within_mm=NATION_MM)
    number, place = table.rows[1].cells
    _add_cell_line(number, head.number_line, FontStyle(13))
    _add_cell_line(place, head.place_line, FontStyle(13, italic=True))
    if head.is_draft:
        _add_cell_line(number, letterhead.DRAFT, FontStyle(12, bold=True))


def _keep_last_words(name: str) -> str:
    """Return a long name with its last three words tied together, so that no line is `HÓA` alone."""
    first = name.split()
    return name if len(first) <= WORDS_OF_A_LINE else " ".join((*first[:-3], "\u00a0".join(first[-3:])))


def _add_title(document: Document, head: Letterhead) -> None:
    """Append the type of document, its subject and its addressee."""
    _add_centred(document, letterhead.DOCUMENT_TYPE, FontStyle(14, bold=True)).paragraph_format.space_before = Pt(14)
    subject = _add_centred(document, _keep_year(head.subject), FontStyle(14, bold=True)).paragraph_format
    subject.space_after, subject.left_indent, subject.right_indent = Pt(3), Mm(SUBJECT_INDENT_MM), Mm(SUBJECT_INDENT_MM)
    rule = document.add_paragraph(style=docx_styles.STYLE_NAMES[docx_styles.FORM])
    rule.paragraph_format.space_after = Pt(6)
    docx_xml.add_text(rule, "", FontStyle(4))
    docx_xml.draw_rule(rule, width_mm=52.0, within_mm=docx_styles.PORTRAIT_MM)
    if head.addressee:
        addressee = _add_centred(document, f"Kính gửi: {head.addressee}.", FontStyle(13))
        addressee.paragraph_format.space_after = Pt(12)


def _keep_year(subject: str) -> str:
    """Return the subject with its year tied to the word before it, so that no line is a year alone."""
    words, _, year = subject.rpartition(" ")
    return f"{words}\u00a0{year}" if words and year.isdigit() else subject


def _add_block(document: Document, block: Block, content: PrintedReport, *, width_mm: float) -> None:
    match block:
        case Heading():
            document.add_heading(normal_form.drop_unseen(block.text), level=block.level)
        case Paragraph():
            docx_xml.append(document, docx_markup.build_paragraph(block))
        case Table():
            _add_table(document, block, content, width_mm=width_mm)
        case ReportChart():
            _add_chart(document, block, content)


def _add_table(document: Document, table: Table, content: PrintedReport, *, width_mm: float) -> None:
    if table.title:
        docx_xml.append(document, docx_markup.build_line(table.title, docx_styles.CAPTION))
    if table.unit:
        docx_xml.append(document, docx_markup.build_line(table.unit, docx_styles.TABLE_UNIT))
    docx_xml.append(document, docx_markup.build_table(table, content.zone, width_mm=width_mm))
    # Two tables without a paragraph between them would become one.
    for note in table.notes or ("",):
        docx_xml.append(document, docx_markup.build_line(note, docx_styles.TABLE_NOTE))


def _add_chart(document: Document, chart: ReportChart, content: PrintedReport) -> None:
    docx_xml.append(document, docx_markup.build_line(chart.title, docx_styles.CAPTION))
    picture = charts.draw_chart(chart, dated=content.report.as_of)
    paragraph = document.add_paragraph(style=docx_styles.STYLE_NAMES[docx_styles.FORM])
    docx_xml.add_picture(paragraph, picture, width_mm=CHART_MM, alternative=chart.alternative)


def _add_recipients_and_signature(document: Document, head: Letterhead) -> None:
    """Append the recipients, and the room for the signature above the signer's name; nothing stands below it."""
    gap = document.add_paragraph().paragraph_format
    gap.space_after, gap.keep_with_next = Pt(0), True
    table = document.add_table(rows=1, cols=2)
    docx_xml.set_widths(table, (docx_styles.PORTRAIT_MM / 2, docx_styles.PORTRAIT_MM / 2))
    docx_xml.keep_on_one_page(table.rows[0])
    recipients, signature = table.rows[0].cells
    heading = _add_cell_line(recipients, "Nơi nhận:", FontStyle(12, bold=True, italic=True))
    heading.alignment = WD_ALIGN_PARAGRAPH.LEFT
    for recipient in head.recipients:
        _add_cell_line(recipients, recipient, FontStyle(11)).alignment = WD_ALIGN_PARAGRAPH.LEFT
    if head.authority:
        _add_cell_line(signature, head.authority, FontStyle(13, bold=True))
    _add_cell_line(signature, head.title, FontStyle(13, bold=True))
    name = _add_cell_line(signature, head.signer, FontStyle(14, bold=True))
    name.paragraph_format.space_before = Pt(SIGNATURE_SPACE_PT)


def _add_appendix(document: Document, appendix: Appendix, content: PrintedReport) -> None:
    """Append an appendix on pages of its own, numbered from 1; where it has wide tables its pages turn."""
    for number, spread in enumerate(appendix.spreads):
        section = document.add_section(WD_SECTION.NEW_PAGE)
        section.orientation = WD_ORIENT.LANDSCAPE if spread.is_landscape else WD_ORIENT.PORTRAIT
        docx_styles.set_up_page(section, is_landscape=spread.is_landscape)
        width_mm = docx_styles.LANDSCAPE_MM if spread.is_landscape else docx_styles.PORTRAIT_MM
        if number == 0:
            docx_xml.begin_page_numbers(section)
            _add_appendix_title(document, appendix, content, width_mm=width_mm)
        else:
            docx_xml.go_on_with_page_numbers(section)
        for block in spread.blocks:
            _add_block(document, block, content, width_mm=width_mm)


def _add_appendix_title(document: Document, appendix: Appendix, content: PrintedReport, *, width_mm: float) -> None:
    heading = document.add_heading(f"Phụ lục {appendix.number}", level=1)
    heading.alignment = WD_ALIGN_PARAGRAPH.CENTER
    heading.paragraph_format.first_line_indent, heading.runs[0].font.size = Mm(0), Pt(14)
    _add_centred(document, appendix.title, FontStyle(13, bold=True))
    _add_centred(document, content.letterhead.reference, FontStyle(12, italic=True))
    rule = document.add_paragraph(style=docx_styles.STYLE_NAMES[docx_styles.FORM])
    docx_xml.add_text(rule, "", FontStyle(4))
    docx_xml.draw_rule(rule, width_mm=40.0, within_mm=width_mm)


def _add_verification(document: Document, content: PrintedReport) -> None:
    """Append the note by which the figures can be verified, with its QR code where the report is sealed."""
    note = content.verification
    document.add_paragraph().paragraph_format.space_after = Pt(6)
    table = document.add_table(rows=1, cols=2 if note.address else 1)
    docx_xml.draw_frame(table)
    docx_xml.keep_on_one_page(table.rows[0])
    if note.address:
        docx_xml.set_widths(table, (QR_MM + 6, docx_styles.PORTRAIT_MM - QR_MM - 6))
        code = _add_cell_line(table.rows[0].cells[0], "", FontStyle(4))
        alternative = "Mã QR mở trang kiểm chứng của Báo cáo."
        docx_xml.add_picture(code, qr_code.draw_png(note.address), width_mm=QR_MM, alternative=alternative)
    said = _add_cell_line(table.rows[0].cells[-1], f"{VERIFICATION_TITLE} ", FontStyle(10.5, bold=True))
    said.alignment = WD_ALIGN_PARAGRAPH.LEFT
    docx_xml.add_text(said, note.text, FontStyle(10.5))
    if note.check_code:
        docx_xml.add_text(said, f" Mã kiểm chứng: {note.check_code}.", FontStyle(10.5, bold=True))


def _add_centred(document: Document, text: str, style: FontStyle) -> DocxParagraph:
    """Append a centred line and return it."""
    paragraph = document.add_paragraph(style=docx_styles.STYLE_NAMES[docx_styles.FORM])
    paragraph.paragraph_format.left_indent = paragraph.paragraph_format.right_indent = Mm(8)
    docx_xml.add_text(paragraph, text, style)
    return paragraph


def _add_cell_line(cell: _Cell, text: str, style: FontStyle) -> DocxParagraph:
    """Add *text* as the next centred line of *cell* and return it; a new cell already has one empty line to fill."""
    is_untouched = len(cell.paragraphs) == 1 and not cell.paragraphs[0].runs
    paragraph = cell.paragraphs[0] if is_untouched else DocxParagraph(cell._element.add_p(), cell)  # noqa: SLF001 - typed, unlike add_paragraph
    paragraph.style = docx_styles.STYLE_NAMES[docx_styles.FORM]
    paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
    docx_xml.add_text(paragraph, text, style)
    return paragraph
