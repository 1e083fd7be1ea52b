"""WordprocessingML that python-docx has no calls for: rules, cell margins, pictures with a text, page numbers.

It also fixes the dates in the zip file. Except for `build_element` and `save`, each function changes one element and
returns nothing. No function knows what the report says.
"""

import io
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass

from docx.document import Document
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.oxml.xmlchemy import BaseOxmlElement
from docx.section import Section
from docx.shared import Mm, Pt
from docx.table import Table, _Row
from docx.text.paragraph import Paragraph
from docx.text.run import Run

from schemas.text import normal_form
from services.reporting.documents.docx_styles import FONT

TWIPS_PER_MM = 1440 / 25.4
PROPERTY_CHARACTERS_MAX = 255  # of a property of the document; python-docx refuses a longer one
ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest date that a zip file can hold


@dataclass(frozen=True, slots=True)
class FontStyle:
    """A font size in points, bold and italic."""

    size: float
    bold: bool = False
    italic: bool = False


def build_element(tag: str, **attributes: str) -> BaseOxmlElement:
    """Return a new element of the w: namespace with w: attributes."""
    built = OxmlElement(f"w:{tag}")
    for name, value in attributes.items():
        built.set(qn(f"w:{name}"), value)
    return built


def add_text(paragraph: Paragraph, text: str, style: FontStyle) -> None:
    """Append *text* to a paragraph as a run."""
    set_font(paragraph.add_run(normal_form.drop_unseen(text)), style)


def set_font(run: Run, style: FontStyle) -> None:
    """Set a run in Times New Roman for every script that it may contain."""
    run.font.name, run.font.size, run.font.bold, run.font.italic = FONT, Pt(style.size), style.bold, style.italic
    # `font.name` sets only ascii and hAnsi; the other scripts would fall back to the font of the template's theme.
    fonts = run._element.get_or_add_rPr().get_or_add_rFonts()  # noqa: SLF001 - the library's own way to the XML
    for script in ("ascii", "hAnsi", "cs", "eastAsia"):
        fonts.set(qn(f"w:{script}"), FONT)


def draw_rule(paragraph: Paragraph, *, width_mm: float, within_mm: float) -> None:
    """Draw a rule of *width_mm* at the top of a paragraph, centred in a column of *within_mm*."""
    side = Mm((within_mm - width_mm) / 2)
    paragraph.paragraph_format.left_indent = paragraph.paragraph_format.right_indent = side
    borders = build_element("pBdr")
    borders.append(build_element("top", val="single", sz="6", space="1", color="000000"))
    properties = paragraph._element.get_or_add_pPr()  # noqa: SLF001 - as above
    # The schema fixes the order of a paragraph's properties, and Word may refuse a file that breaks it.
    properties.insert_element_before(
        borders, "w:shd", "w:tabs", "w:suppressAutoHyphens", "w:spacing", "w:ind", "w:jc", "w:rPr"
    )


def set_widths(table: Table, widths_mm: Iterable[float]) -> None:
    """Fix the column widths of a table, on the columns and on every cell."""
    table.autofit = False
    for column, width in zip(table.columns, widths_mm, strict=True):
        # Some programs follow the table's grid and some only the cells, so both carry the width.
        column.width = Mm(width)
        for cell in column.cells:
            cell.width = Mm(width)


def set_side_margins(table: Table, margin_mm: float) -> None:
    """Set the left and right margin of every cell of a table."""
    margins = build_element("tblCellMar")
    for side in ("left", "right"):
        margins.append(build_element(side, w=str(round(margin_mm * TWIPS_PER_MM)), type="dxa"))
    look = table._tbl.tblPr.find(qn("w:tblLook"))  # noqa: SLF001 - as above
    if look is None:
        table._tbl.tblPr.append(margins)  # noqa: SLF001 - as above
    else:
        look.addprevious(margins)


def draw_frame(table: Table) -> None:
    """Draw a thin line around a table, and none inside it."""
    borders = build_element("tblBorders")
    for side in ("top", "left", "bottom", "right"):
        borders.append(build_element(side, val="single", sz="4", space="0", color="808080"))
    properties = table._tbl.tblPr  # noqa: SLF001 - as above
    # The schema fixes the order of a table's properties: the borders stand before the layout and the margins.
    following = [
        one for tag in ("w:shd", "w:tblLayout", "w:tblCellMar", "w:tblLook") for one in properties.findall(qn(tag))
    ]
    following[0].addprevious(borders)


def keep_on_one_page(row: _Row) -> None:
    """Allow no page break inside *row*."""
    row._tr.get_or_add_trPr().append(build_element("cantSplit"))  # noqa: SLF001 - as above


def append(document: Document, element: BaseOxmlElement) -> None:
    """Append an element to the body, before the properties of its last section."""
    document.element.body.sectPr.addprevious(element)


def add_picture(paragraph: Paragraph, picture: bytes, *, width_mm: float, alternative: str) -> None:
    """Append a picture with the text that a screen reader says in its place."""
    shape = paragraph.add_run().add_picture(io.BytesIO(picture), width=Mm(width_mm))
    shape._inline.docPr.set("descr", normal_form.drop_unseen(alternative))  # noqa: SLF001 - as above


def begin_page_numbers(section: Section) -> None:
    """Let the page numbers of *section* begin with 1, and show none on its first page."""
    section.different_first_page_header_footer = True
    properties = section._sectPr  # noqa: SLF001 - as above
    for old in properties.findall(qn("w:pgNumType")):
        properties.remove(old)
    # The schema fixes the order of a section's properties: the page numbers follow the margins.
    properties.find(qn("w:pgMar")).addnext(build_element("pgNumType", start="1"))


def go_on_with_page_numbers(section: Section) -> None:
    """Let the page numbers of *section* go on from the section before, and show them from its first page on."""
    section.different_first_page_header_footer = False
    properties = section._sectPr  # noqa: SLF001 - as above
    for old in properties.findall(qn("w:pgNumType")):
        properties.remove(old)


def number_pages(document: Document, *, size: float) -> None:
    """Put the page number in the middle of the top margin, not on the first page (Decree 30/2020, Appendix I)."""
    section = document.sections[0]
    section.different_first_page_header_footer = True
    paragraph = section.header.paragraphs[0]
    # The body's first line is indented; a number in the middle is not.
    paragraph.alignment, paragraph.paragraph_format.first_line_indent = WD_ALIGN_PARAGRAPH.CENTER, Mm(0)
    run = paragraph.add_run()
    set_font(run, FontStyle(size))
    instruction = OxmlElement("w:instrText")
    instruction.set(qn("xml:space"), "preserve")
    instruction.text = "PAGE"
    begin, end = build_element("fldChar", fldCharType="begin"), build_element("fldChar", fldCharType="end")
    for part in (begin, instruction, end):
        run._element.append(part)  # noqa: SLF001 - as above


def save(document: Document) -> bytes:
    """Return the document's bytes; the same content gives the same bytes."""
    saved, repacked = io.BytesIO(), io.BytesIO()
    document.save(saved)
    # The library stamps the zip with the wall clock, so every part is packed again under one fixed date and in
    # one order. [Content_Types].xml stays first: programs that recognise a file by its first bytes look for it there.
    with zipfile.ZipFile(saved) as source, zipfile.ZipFile(repacked, "w", zipfile.ZIP_DEFLATED) as target:
        for name in sorted(source.namelist(), key=lambda part: (part != "[Content_Types].xml", part)):
            target.writestr(zipfile.ZipInfo(name, ZIP_EPOCH), source.read(name), zipfile.ZIP_DEFLATED)
    return repacked.getvalue()
