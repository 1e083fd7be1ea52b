"""The template of the DOCX: A4 pages, the language, and named styles, so that a change of a style changes every place.

It names Times New Roman, which the reader's machine supplies.
"""

import docx
from docx.document import Document
from docx.enum.style import WD_STYLE_TYPE
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.section import Section
from docx.shared import Mm, Pt, RGBColor
from docx.styles.style import ParagraphStyle

FONT = "Times New Roman"
LANGUAGE = "vi-VN"
BLACK = RGBColor(0, 0, 0)

# The page: A4 with the margins that Decree 30/2020 allows (left 30-35 mm, right 15-20, top and bottom 20-25).
PAGE_MM = (210.0, 297.0)
LEFT_MM, RIGHT_MM, TOP_MM, BOTTOM_MM = 30.0, 17.0, 20.0, 20.0
PORTRAIT_MM = PAGE_MM[0] - LEFT_MM - RIGHT_MM  # the width of the text
LANDSCAPE_MM = PAGE_MM[1] - LEFT_MM - RIGHT_MM
FIRST_LINE_MM = 12.7
BODY_PT = 13.0

# The styles of our own by their ids, with the names that a Vietnamese reader finds in the list of styles.
FORM, TABLE_TEXT, CAPTION, TABLE_UNIT, TABLE_NOTE, RECIPIENT = (
    "TheThuc", "ChuTrongBang", "TenBangHinh", "DonViTinh", "GhiChuBang", "NoiNhan",
)  # fmt: skip
ITEM = "GachDauDong"
STYLE_NAMES = {
    FORM: "Thể thức",
    TABLE_TEXT: "Chữ trong bảng",
    CAPTION: "Tên bảng, hình",
    TABLE_UNIT: "Đơn vị tính",
    TABLE_NOTE: "Ghi chú bảng",
    RECIPIENT: "Nơi nhận",
    ITEM: "Gạch đầu dòng",
}


def create_document() -> Document:
    """Return an empty document with our page, language and styles."""
    document = docx.Document()
    set_up_page(document.sections[0], is_landscape=False)
    _set_defaults(document)
    _restyle_body(document)
    for level in (1, 2, 3):
        _restyle_heading(document, level)
    _add_style(document, FORM, BODY_PT, alignment=WD_ALIGN_PARAGRAPH.CENTER)
    _add_style(document, TABLE_TEXT, 10, alignment=WD_ALIGN_PARAGRAPH.LEFT)
    caption = _add_style(document, CAPTION, 12, alignment=WD_ALIGN_PARAGRAPH.CENTER)
    caption.font.bold = True
    caption.paragraph_format.space_before, caption.paragraph_format.space_after = Pt(9), Pt(4)
    caption.paragraph_format.keep_with_next = True
    unit = _add_style(document, TABLE_UNIT, 11, alignment=WD_ALIGN_PARAGRAPH.RIGHT)
    unit.font.italic = True
    unit.paragraph_format.keep_with_next = True
    note = _add_style(document, TABLE_NOTE, 10.5, alignment=WD_ALIGN_PARAGRAPH.LEFT)
    note.paragraph_format.space_before = Pt(3)
    _add_style(document, RECIPIENT, 11, alignment=WD_ALIGN_PARAGRAPH.LEFT)
    item = document.styles.add_style(ITEM, WD_STYLE_TYPE.PARAGRAPH)
    item.base_style = document.styles["Normal"]
    item.element.find(qn("w:name")).set(qn("w:val"), STYLE_NAMES[ITEM])
    return document


def set_up_page(section: Section, *, is_landscape: bool) -> None:
    """Give a section the page of the decree: upright, or on its side for a wide table."""
    width, height = PAGE_MM[::-1] if is_landscape else PAGE_MM
    section.page_width, section.page_height = Mm(width), Mm(height)
    section.left_margin, section.right_margin = Mm(LEFT_MM), Mm(RIGHT_MM)
    section.top_margin, section.bottom_margin = Mm(TOP_MM), Mm(BOTTOM_MM)
    section.header_distance = Mm(10)


def _set_defaults(document: Document) -> None:
    """Set font and language for whatever has no style of its own."""
    defaults = document.styles.element.find(f"{qn('w:docDefaults')}/{qn('w:rPrDefault')}/{qn('w:rPr')}")
    for tag in ("w:rFonts", "w:lang"):
        for old in defaults.findall(qn(tag)):
            defaults.remove(old)
    fonts, language = OxmlElement("w:rFonts"), OxmlElement("w:lang")
    for script in ("ascii", "hAnsi", "cs", "eastAsia"):
        fonts.set(qn(f"w:{script}"), FONT)
    for kind in ("val", "eastAsia"):
        language.set(qn(f"w:{kind}"), LANGUAGE)
    defaults.insert(0, fonts)
    defaults.append(language)


def _restyle_body(document: Document) -> None:
    normal = document.styles["Normal"]
    _set_font(normal, BODY_PT)
    layout = normal.paragraph_format
    layout.alignment = WD_ALIGN_PARAGRAPH.JUSTIFY
    layout.first_line_indent, layout.space_before, layout.space_after = Mm(FIRST_LINE_MM), Pt(0), Pt(6)
    layout.line_spacing = 1.15


def _restyle_heading(document: Document, level: int) -> None:
    """Make a heading that navigation knows look as the decree asks: in the size of the text, black, indented."""
    style = document.styles[f"Heading {level}"]
    _set_font(style, BODY_PT)
    style.font.bold, style.font.italic, style.font.color.rgb = level < 3, False, BLACK  # noqa: PLR2004 - a), b), c) are not bold
    layout = style.paragraph_format
    layout.space_before, layout.space_after, layout.keep_with_next = Pt(6), Pt(6), True


def _add_style(document: Document, name: str, size: float, *, alignment: WD_ALIGN_PARAGRAPH) -> ParagraphStyle:
    style: ParagraphStyle = document.styles.add_style(name, WD_STYLE_TYPE.PARAGRAPH)
    style.base_style = document.styles["Normal"]
    # The id is what the text refers to; the name is what the reader sees.
    style.element.find(qn("w:name")).set(qn("w:val"), STYLE_NAMES[name])
    _set_font(style, size)
    layout = style.paragraph_format
    layout.alignment, layout.first_line_indent = alignment, Mm(0)
    layout.space_before = layout.space_after = Pt(0)
    layout.line_spacing = 1.0
    return style


def _set_font(style: ParagraphStyle, size: float) -> None:
    style.font.name, style.font.size = FONT, Pt(size)
    # `font.name` sets only ascii and hAnsi; the theme of the library's template would decide on the other scripts.
    fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
    for old in [name for name in fonts.attrib if name.endswith("Theme")]:
        del fonts.attrib[old]
    for script in ("ascii", "hAnsi", "cs", "eastAsia"):
        fonts.set(qn(f"w:{script}"), FONT)
