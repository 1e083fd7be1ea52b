"""What python-docx has no words for: rules, table borders, repeated header rows, the page number, fixed zip dates.

Every function changes one element and returns nothing; none knows what the report says.
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
from docx.shared import Mm, Pt
from docx.table import Table, _Cell, _Row
from docx.text.paragraph import Paragraph
from docx.text.run import Run

FONT = "Times New Roman"
TWIPS_PER_MM = 1440 / 25.4
ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest date a zip can write: it says nothing, and always the same


def element(tag: str, **attributes: str) -> BaseOxmlElement:
    """Return a new element of the w: namespace with w: attributes."""
    made = OxmlElement(f"w:{tag}")
    for name, value in attributes.items():
        made.set(qn(f"w:{name}"), value)
    return made


@dataclass(frozen=True, slots=True)
class Look:
    """A size in points, and the face."""

    size: float
    bold: bool = False
    italic: bool = False


def set_font(run: Run, look: Look) -> None:
    """Set a run in Times New Roman for every script it may hold."""
    run.font.name, run.font.size, run.font.bold, run.font.italic = FONT, Pt(look.size), look.bold, look.italic
    fonts = run._element.get_or_add_rPr().get_or_add_rFonts()  # noqa: SLF001 - the library's own way to the XML
    for script in ("ascii", "hAnsi", "cs", "eastAsia"):
        fonts.set(qn(f"w:{script}"), FONT)


def underline_part(paragraph: Paragraph, *, width_mm: float, within_mm: float) -> None:
    """Draw a rule of *width_mm* below a paragraph centred in a column of *within_mm*."""
    side = Mm((within_mm - width_mm) / 2)
    paragraph.paragraph_format.left_indent = paragraph.paragraph_format.right_indent = side
    borders = element("pBdr")
    borders.append(element("top", val="single", sz="6", space="1", color="000000"))
    properties = paragraph._element.get_or_add_pPr()  # noqa: SLF001 - as above
    properties.insert_element_before(
        borders, "w:shd", "w:tabs", "w:suppressAutoHyphens", "w:spacing", "w:ind", "w:jc", "w:rPr"
    )


def set_widths(table: Table, widths_mm: Iterable[float]) -> None:
    """Fix the columns of a table, for readers that trust the grid and for those that trust the cells."""
    table.autofit = False
    for column, width in zip(table.columns, widths_mm, strict=True):
        column.width = Mm(width)
        for cell in column.cells:
            cell.width = Mm(width)


def set_side_margins(table: Table, margin_mm: float) -> None:
    """Set how far the text of every cell stays from the cell's sides."""
    margins = element("tblCellMar")
    for side in ("left", "right"):
        margins.append(element(side, w=str(round(margin_mm * TWIPS_PER_MM)), type="dxa"))
    look = table._tbl.tblPr.find(qn("w:tblLook"))  # noqa: SLF001 - as above
    if look is None:
        table._tbl.tblPr.append(margins)  # noqa: SLF001 - as above
    else:
        look.addprevious(margins)


def repeat_as_header(row: _Row) -> None:
    """Print *row* again at the top of every page its table reaches."""
    row._tr.get_or_add_trPr().append(element("tblHeader"))  # noqa: SLF001 - as above


def keep_whole(row: _Row) -> None:
    """Let no page break fall inside *row*."""
    row._tr.get_or_add_trPr().append(element("cantSplit"))  # noqa: SLF001 - as above


def shade(cell: _Cell, colour: str) -> None:
    """Fill a cell."""
    cell._tc.get_or_add_tcPr().append(element("shd", val="clear", color="auto", fill=colour))  # noqa: SLF001 - as above


def number_pages(document: Document, *, size: float) -> None:
    """Put the page number in the middle of the top margin, not on the first page (Decree 30/2020)."""
    section = document.sections[0]
    section.different_first_page_header_footer = True
    paragraph = section.header.paragraphs[0]
    paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
    run = paragraph.add_run()
    set_font(run, Look(size))
    instruction = OxmlElement("w:instrText")
    instruction.set(qn("xml:space"), "preserve")
    instruction.text = "PAGE"
    for part in (element("fldChar", fldCharType="begin"), instruction, element("fldChar", fldCharType="end")):
        run._element.append(part)  # noqa: SLF001 - as above


def saved(document: Document) -> bytes:
    """Return the document's bytes, the same for the same content: the library stamps its zip with the wall clock."""
    written, settled = io.BytesIO(), io.BytesIO()
    document.save(written)
    with zipfile.ZipFile(written) as loose, zipfile.ZipFile(settled, "w", zipfile.ZIP_DEFLATED) as fixed:
        for name in sorted(loose.namelist(), key=lambda part: (part != "[Content_Types].xml", part)):
            fixed.writestr(zipfile.ZipInfo(name, ZIP_EPOCH), loose.read(name), zipfile.ZIP_DEFLATED)
    return settled.getvalue()
