"""The annual report in every format: the same content and figures, the layout of Decree 30/2020, every letter."""

import csv
import io
import json
import unicodedata
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import docx
import openpyxl
import pytest
from docx.document import Document
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml.ns import qn
from docx.shared import Mm
from pypdf import PdfReader

from schemas.events.assessments import Status
from services.reporting.core.annual_report import AnnualReport
from services.reporting.documents import chart, csv_json, xlsx
from services.reporting.documents import docx as docx_format
from services.reporting.documents import pdf as pdf_format
from services.reporting.documents.letterhead import Letterhead
from tests.support.builders.annual_report import AS_OF, a_report

BASES = "aăâeêioôơuưyAĂÂEÊIOÔƠUƯY"
TONES = ("", "\u0300", "\u0301", "\u0303", "\u0309", "\u0323")

# Every letter that Vietnamese has beyond plain ASCII consonants.
LETTERS = [unicodedata.normalize("NFC", base + tone) for base in BASES for tone in TONES] + ["đ", "Đ"]

LETTERHEAD = Letterhead()
REPORT = a_report()
CHAPTER = REPORT.chapters[0]


@pytest.fixture(scope="module")
def pdf() -> PdfReader:
    """Render the report as PDF and read it back."""
    return PdfReader(io.BytesIO(pdf_format.render_pdf(REPORT, LETTERHEAD)))


@pytest.fixture(scope="module")
def document() -> Document:
    """Render the report as DOCX and read it back."""
    return docx.Document(io.BytesIO(docx_format.render_docx(REPORT, LETTERHEAD)))


@pytest.fixture(scope="module")
def workbook() -> openpyxl.Workbook:
    """Render the report as XLSX and read it back."""
    return openpyxl.load_workbook(io.BytesIO(xlsx.render_xlsx(REPORT)))


def text_of(reader: PdfReader) -> str:
    """Return the text of all pages on one line, composed."""
    return unicodedata.normalize("NFC", " ".join(" ".join(page.extract_text() for page in reader.pages).split()))


def fonts_of(reader: PdfReader) -> Iterator[Any]:
    """Yield every font of every page: the descendant font, which contains the glyphs."""
    for page in reader.pages:
        for font in page["/Resources"]["/Font"].values():  # type: ignore[index]  # a PDF dictionary
            yield font.get_object()["/DescendantFonts"][0].get_object()


def test_the_pdf_embeds_our_fonts_and_no_other(pdf: PdfReader) -> None:
    """The only fonts are ours and they are embedded, so that a page looks the same on every machine."""
    fonts = list(fonts_of(pdf))
    assert {font["/BaseFont"].split("+")[1].split("-")[0] for font in fonts} == {"LiberationSerif"}
    assert all("/FontFile2" in font["/FontDescriptor"].get_object() for font in fonts)


def test_every_vietnamese_letter_is_in_the_pdf() -> None:
    """No Vietnamese letter is missing from the embedded font."""
    alphabet = "".join(LETTERS)
    letterhead = replace(LETTERHEAD, addressee=alphabet, superior=alphabet[:70], issuer=alphabet[70:])
    text = text_of(PdfReader(io.BytesIO(pdf_format.render_pdf(REPORT, letterhead)))).replace(" ", "")
    assert [letter for letter in LETTERS if text.count(letter) < 2] == []


def test_the_chart_is_drawn_as_one_picture() -> None:
    """The chart that the DOCX contains is one PNG picture."""
    picture = chart.draw_chart(CHAPTER, dated=AS_OF)
    assert picture.startswith(b"\x89PNG")


@pytest.mark.parametrize(
    "render",
    [
        lambda: pdf_format.render_pdf(REPORT, LETTERHEAD),
        lambda: docx_format.render_docx(REPORT, LETTERHEAD),
        lambda: xlsx.render_xlsx(REPORT),
        lambda: csv_json.render_csv(REPORT),
        lambda: csv_json.render_json(REPORT),
    ],
    ids=["pdf", "docx", "xlsx", "csv", "json"],
)
def test_the_same_report_gives_the_same_bytes(render: Any) -> None:
    """Rendering a report twice gives the same bytes, so that last year's report can be printed again exactly."""
    assert render() == render()


def test_the_head_and_foot_have_what_the_decree_requires(pdf: PdfReader, document: Document) -> None:
    """Both formats have the national title, the motto, a blank number and date, the addressee and the recipients."""
    head, *_ = document.tables
    foot = next(table for table in document.tables if table._cells[0].text.startswith("Nơi nhận:"))
    docx_text = " ".join([*(cell.text for cell in head._cells), *(cell.text for cell in foot._cells)])
    docx_text = " ".join((docx_text + " ".join(paragraph.text for paragraph in document.paragraphs)).split())
    for text in (text_of(pdf), docx_text):
        for words in (
            "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", "Độc lập - Tự do - Hạnh phúc", "CHI NHÁNH TỈNH THANH HÓA",
            "Số: /BC-NHCSXH", "Thanh Hóa, ngày tháng năm 2026", "BÁO CÁO",
            "Kính gửi: Chủ tịch Ủy ban nhân dân tỉnh Thanh Hóa.",
            "Nơi nhận:", "- Như trên;", "- Lưu: VT.", "GIÁM ĐỐC",
        ):  # fmt: skip
            assert words in text
        for numeral in ("I. CĂN CỨ", "II. KẾT QUẢ", "III. TỒN TẠI", "IV. CÔNG TÁC", "V. KIẾN NGHỊ"):
            assert numeral in text


def test_the_page_is_a4_with_the_decrees_margins(pdf: PdfReader, document: Document) -> None:
    """The margins are 30 to 35 mm left, 15 to 20 right, 20 to 25 top and bottom."""
    section = document.sections[0]
    assert [round((side or 0) / Mm(1)) for side in (section.page_width, section.page_height)] == [210, 297]
    margins = [section.left_margin, section.right_margin, section.top_margin, section.bottom_margin]
    bounds = [(30, 35), (15, 20), (20, 25), (20, 25)]
    assert all(low <= round((margin or 0) / Mm(1)) <= high for margin, (low, high) in zip(margins, bounds, strict=True))
    assert [round(float(side)) for side in pdf.pages[0].mediabox[2:]] == [595, 842]


def test_the_page_number_is_in_the_top_margin_from_the_second_page(pdf: PdfReader, document: Document) -> None:
    """The page number is centred and is not shown on the first page."""
    section = document.sections[0]
    (number,) = section.header.paragraphs
    assert section.different_first_page_header_footer
    assert section.first_page_header.paragraphs[0].text == ""
    assert number.alignment == WD_ALIGN_PARAGRAPH.CENTER
    assert "PAGE" in number._element.xml
    assert not pdf.pages[0].extract_text().startswith("1")
    assert pdf.pages[1].extract_text().startswith("2")


def test_every_run_of_the_docx_is_times_new_roman(document: Document) -> None:
    """No run falls back to the template's own font."""
    cells = [paragraph for table in document.tables for cell in table._cells for paragraph in cell.paragraphs]
    runs = [run for paragraph in [*document.paragraphs, *cells] for run in paragraph.runs if run.text]
    assert {run.font.name for run in runs} == {"Times New Roman"}


def test_header_rows_repeat_and_no_row_breaks_in_two(document: Document) -> None:
    """A table that reaches the next page has its header there too, and its rows stay whole."""
    for table in document.tables:
        if table.style is not None and table.style.name == "Table Grid":
            properties = [row._tr.trPr for row in table.rows]
            assert properties[0].find(qn("w:tblHeader")) is not None
            assert all(one.find(qn("w:cantSplit")) is not None for one in properties)


def test_the_figures_are_the_same_in_every_format(
    pdf: PdfReader, document: Document, workbook: openpyxl.Workbook
) -> None:
    """The totals of PDF, DOCX, XLSX and JSON are the same."""
    total = CHAPTER.total
    counts = (total.expected, total.actual, total.on_time, total.late, total.incomplete, total.overdue, total.pending)
    words = " ".join(["Tổng cộng", *map(str, counts), "77,1%", "62,9%"])
    assert words in text_of(pdf)
    summary = next(table for table in document.tables if "Nhóm đơn vị" in table.rows[0].cells[0].text)
    assert " ".join(cell.text for cell in summary.rows[-1].cells) == words
    last = next(row for row in workbook["Tổng hợp"].iter_rows(values_only=True) if row[0] == "Tổng cộng")
    assert last[1:8] == counts
    assert last[8:10] == pytest.approx((float(total.reporting_rate or 0), float(total.reporting_rate_on_time or 0)))
    view = json.loads(csv_json.render_json(REPORT))["chapters"][0]
    assert [view["total"][name] for name in ("expected_reports", "actual_reports", "on_time", "overdue")] == [
        35,
        27,
        22,
        3,
    ]
    assert len(view["duties"]) == len(CHAPTER.lines)


def test_the_csv_lists_every_duty_and_opens_in_a_spreadsheet_program() -> None:
    """The CSV has a byte order mark, one line a duty, and the last day on time as a date."""
    raw = csv_json.render_csv(REPORT)
    assert raw.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(io.StringIO(raw.decode("utf-8-sig"))))
    assert [row["agency"] for row in rows] == [line.key.agency for line in CHAPTER.lines]
    assert {row["due_on"] for row in rows} == {"2026-12-09"}
    late = next(row for row in rows if row["status"] == Status.LATE.value)
    assert late["effective_at"].endswith("+07:00")


def test_a_name_cannot_become_a_formula() -> None:
    """A text that a spreadsheet program would take for a formula is quoted."""
    lines = (replace(CHAPTER.lines[0], agency_name="=1+1"), *CHAPTER.lines[1:])
    report = replace(REPORT, chapters=(replace(CHAPTER, lines=lines),))
    assert b"'=1+1" in csv_json.render_csv(report)


def test_the_workbook_has_real_dates_filters_frozen_headers_and_a_native_chart(workbook: openpyxl.Workbook) -> None:
    """The workbook can be sorted, filtered and calculated with, and its chart is one of the program's own."""
    agencies = workbook["Đơn vị"]
    assert agencies.auto_filter.ref == f"A4:I{4 + len(CHAPTER.lines)}"
    assert agencies.freeze_panes == "C5"
    assert isinstance(agencies["D5"].value, datetime)
    assert workbook.sheetnames == ["Tổng hợp", "Đơn vị", "Đôn đốc", "Còn thiếu", "Không tính", "Không thời hạn"]
    with zipfile.ZipFile(io.BytesIO(xlsx.render_xlsx(REPORT))) as parts:
        assert "xl/charts/chart1.xml" in parts.namelist()


def test_the_digest_is_in_every_format(pdf: PdfReader, document: Document, workbook: openpyxl.Workbook) -> None:
    """Every format states the digest by which the report can be verified."""
    assert REPORT.digest in text_of(pdf).replace(" ", "")
    assert any(REPORT.digest in paragraph.text for paragraph in document.paragraphs)
    assert REPORT.digest in str(workbook["Tổng hợp"]["A2"].value)
    assert json.loads(csv_json.render_json(REPORT))["digest"] == REPORT.digest


def test_a_period_in_which_nobody_owes_anything_still_makes_a_report() -> None:
    """A report without chapters is rendered in every format."""
    nothing: AnnualReport = replace(REPORT, chapters=(), undated=(), as_of=datetime(2030, 1, 1, tzinfo=UTC))
    assert pdf_format.render_pdf(nothing, LETTERHEAD).startswith(b"%PDF")
    assert docx.Document(io.BytesIO(docx_format.render_docx(nothing, LETTERHEAD))).tables
    assert openpyxl.load_workbook(io.BytesIO(xlsx.render_xlsx(nothing))).sheetnames == ["Tổng hợp"]
    assert json.loads(csv_json.render_json(nothing))["chapters"] == []
