"""The head and foot of the DOCX, to the cell: issuer, national title, number, date, subject, recipients, signature."""

from docx.document import Document
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.shared import Mm, Pt
from docx.table import _Cell
from docx.text.paragraph import Paragraph

from services.reporting.documents import docx_xml
from services.reporting.documents import letterhead as heads
from services.reporting.documents.docx_xml import Look
from services.reporting.documents.letterhead import Letterhead

LEFT_MM, RIGHT_MM = 72.0, 90.0
TEXT_MM = LEFT_MM + RIGHT_MM
MOTTO_MM = 56.0  # the rule below the motto is as wide as its words at 13 pt
SIGNATURE_SPACE_PT = 70.0


def head(document: Document, letterhead: Letterhead, *, year: int) -> None:
    """Append the two columns of the head."""
    table = document.add_table(rows=2, cols=2)
    docx_xml.set_widths(table, (LEFT_MM, RIGHT_MM))
    docx_xml.set_side_margins(table, 0)
    issuer, nation = table.rows[0].cells
    _line(issuer, letterhead.superior, Look(12))
    _line(issuer, letterhead.issuer, Look(12, bold=True))
    docx_xml.underline_part(_line(issuer, "", Look(4)), width_mm=LEFT_MM * 0.35, within_mm=LEFT_MM)
    _line(nation, heads.NATION, Look(12, bold=True))
    _line(nation, heads.MOTTO, Look(13, bold=True))
    docx_xml.underline_part(_line(nation, "", Look(4)), width_mm=MOTTO_MM, within_mm=RIGHT_MM)
    number, place = table.rows[1].cells
    _line(number, letterhead.number_line, Look(13))
    _line(place, letterhead.place_line(year), Look(13, italic=True))


def title(document: Document, subject: str, addressee: str) -> None:
    """Append the kind of document, its subject and whom it addresses."""
    centred(document, heads.DOCUMENT_TYPE, Look(14, bold=True)).paragraph_format.space_before = Pt(14)
    centred(document, subject, Look(14, bold=True)).paragraph_format.space_after = Pt(3)
    rule = document.add_paragraph()
    rule.paragraph_format.space_after = Pt(6)
    docx_xml.set_font(rule.add_run(""), Look(4))
    docx_xml.underline_part(rule, width_mm=TEXT_MM * 0.3, within_mm=TEXT_MM)
    centred(document, f"Kính gửi: {addressee}.", Look(13)).paragraph_format.space_after = Pt(12)


def foot(document: Document, letterhead: Letterhead) -> None:
    """Append the recipients, and the place left blank for the signature."""
    document.add_paragraph().paragraph_format.space_after = Pt(0)
    table = document.add_table(rows=1, cols=2)
    docx_xml.set_widths(table, (TEXT_MM / 2, TEXT_MM / 2))
    docx_xml.keep_whole(table.rows[0])
    recipients, signature = table.rows[0].cells
    _line(recipients, "Nơi nhận:", Look(12, bold=True, italic=True)).alignment = WD_ALIGN_PARAGRAPH.LEFT
    for recipient in letterhead.recipients:
        _line(recipients, recipient, Look(11)).alignment = WD_ALIGN_PARAGRAPH.LEFT
    _line(signature, letterhead.authority, Look(13, bold=True))
    draft = _line(signature, "(Dự thảo, chờ ký)", Look(11, italic=True))
    draft.paragraph_format.space_before = Pt(SIGNATURE_SPACE_PT)


def centred(document: Document, text: str, look: Look) -> Paragraph:
    """Append a centred line and return it."""
    paragraph = document.add_paragraph()
    paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
    paragraph.paragraph_format.space_after = Pt(0)
    paragraph.paragraph_format.left_indent = paragraph.paragraph_format.right_indent = Mm(8)
    docx_xml.set_font(paragraph.add_run(text), look)
    return paragraph


def _line(cell: _Cell, text: str, look: Look) -> Paragraph:
    """Write *text* as the next centred line of *cell*; an untouched cell already holds its first, empty line."""
    is_untouched = len(cell.paragraphs) == 1 and not cell.paragraphs[0].runs
    paragraph = cell.paragraphs[0] if is_untouched else Paragraph(cell._element.add_p(), cell)  # noqa: SLF001 - typed, unlike add_paragraph
    paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
    paragraph.paragraph_format.space_after = Pt(0)
    docx_xml.set_font(paragraph.add_run(text), look)
    return paragraph
