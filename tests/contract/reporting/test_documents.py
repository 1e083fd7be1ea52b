"""The annual report in every format: the same content and figures, the layout of Decree 30/2020, every letter."""

import csv
import io
import json
import unicodedata
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import docx
import jsonschema_rs
import openpyxl
import pytest
from docx.document import Document
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml.ns import qn
from docx.shared import Mm
from msgspec import structs
from pypdf import PdfReader

from schemas.events.assessments import Status
from services.reporting.core.report import figures, letterhead, printed_report
from services.reporting.core.report.blocks import ReportChart, Table
from services.reporting.core.report.inputs import ReportSeal
from services.reporting.core.report.printed_report import EmptyReportError
from services.reporting.documents import charts, csv_json, xlsx
from services.reporting.documents import docx as docx_format
from services.reporting.documents import pdf as pdf_format
from services.reporting.documents.formats import FORMATS
from tests.support.builders.annual_report import AS_OF
from tests.support.builders.reports.report_inputs import REPORT_FORM, a_results_plan, some_report_inputs

SCHEMA = Path(__file__).parents[3] / "schemas" / "jsonschema" / "annual-report.schema.json"
BASES = "aăâeêioôơuưyAĂÂEÊIOÔƠUƯY"
TONES = ("", "\u0300", "\u0301", "\u0303", "\u0309", "\u0323")

# Every letter that Vietnamese has beyond plain ASCII consonants.
LETTERS = [unicodedata.normalize("NFC", base + tone) for base in BASES for tone in TONES] + ["đ", "Đ"]

INPUTS = some_report_inputs()
CONTENT = printed_report.compile_content(INPUTS)
CHAPTER = INPUTS.report.chapters[0]


@pytest.fixture(scope="module")
def pdf() -> PdfReader:
    """Render the report as PDF and read it back."""
    return PdfReader(io.BytesIO(pdf_format.render_pdf(CONTENT)))


@pytest.fixture(scope="module")
def document() -> Document:
    """Render the report as DOCX and read it back."""
    return docx.Document(io.BytesIO(docx_format.render_docx(CONTENT)))


@pytest.fixture(scope="module")
def workbook() -> openpyxl.Workbook:
    """Render the report as XLSX and read it back."""
    return openpyxl.load_workbook(io.BytesIO(xlsx.render_xlsx(CONTENT)))


@pytest.fixture(scope="module")
def calculated() -> openpyxl.Workbook:
    """Render the report as XLSX and read it back with the values of its formulas."""
    return openpyxl.load_workbook(io.BytesIO(xlsx.render_xlsx(CONTENT)), data_only=True)


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
    form = REPORT_FORM | {"addressee": alphabet, "superior": alphabet[:70], "issuer": alphabet[70:]}
    content = printed_report.compile_content(some_report_inputs(a_results_plan(report=form)))
    text = text_of(PdfReader(io.BytesIO(pdf_format.render_pdf(content)))).replace(" ", "")
    assert [letter for letter in LETTERS if text.count(letter) < 2] == []


def test_every_chart_is_drawn_as_one_picture() -> None:
    """The charts that the DOCX contains are PNG pictures, each with a text for those who cannot see it."""
    shown = [block for block in CONTENT.body if isinstance(block, ReportChart)]
    assert [chart.kind for chart in shown] == ["ranking", "arrivals"]
    assert all(charts.draw_chart(chart, dated=AS_OF).startswith(b"\x89PNG") for chart in shown)
    assert all(chart.alternative for chart in shown)


@pytest.mark.parametrize(
    "render",
    [
        lambda: pdf_format.render_pdf(CONTENT),
        lambda: docx_format.render_docx(CONTENT),
        lambda: xlsx.render_xlsx(CONTENT),
        lambda: csv_json.render_csv(INPUTS),
        lambda: csv_json.render_json(INPUTS),
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
            "Số: /BC-NHCS", "Thanh Hóa, ngày tháng năm 2026", "BÁO CÁO",
            "Kính gửi: Chủ tịch Ủy ban nhân dân tỉnh Thanh Hóa.",
            "Nơi nhận:", "- Như trên;", "- Lưu: VT, KHNV.", "GIÁM ĐỐC", "Nguyễn Văn A",
        ):  # fmt: skip
            assert words in text
        for numeral in ("I. CĂN CỨ", "II. KẾT QUẢ", "III. CHẤP HÀNH", "IV. ĐÁNH GIÁ", "V. TỒN TẠI", "VI. KIẾN NGHỊ"):
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
    """No run falls back to the template's own font: each has ours, or its paragraph's style does."""
    cells = [paragraph for table in document.tables for cell in table._cells for paragraph in cell.paragraphs]
    written = [
        (run, paragraph) for paragraph in [*document.paragraphs, *cells] for run in paragraph.runs if run.text.strip()
    ]
    assert {run.font.name or font_of_style(paragraph.style) for run, paragraph in written} == {"Times New Roman"}


def font_of_style(style: Any) -> str | None:
    """Return the font of a style, or of the first style that it is based on which has one."""
    while style is not None:
        if style.font.name:
            return str(style.font.name)
        style = style.base_style
    return None


def test_the_docx_has_a_language_headings_and_texts_for_its_pictures(document: Document) -> None:
    """A reader finds the parts in the navigation, the spelling is Vietnamese, and every picture says what it shows."""
    headings = [one.text for one in document.paragraphs if one.style is not None and one.style.name == "Heading 1"]
    assert [text.partition(".")[0] for text in headings[:6]] == ["I", "II", "III", "IV", "V", "VI"]
    assert headings[6:] == ["Phụ lục I", "Phụ lục II", "Phụ lục III"]
    assert document.styles.element.find(f".//{qn('w:lang')}").get(qn("w:val")) == "vi-VN"
    assert all(shape._inline.docPr.get("descr") for shape in document.inline_shapes)
    assert len(document.inline_shapes) == 2


def test_header_rows_repeat_and_no_row_breaks_in_two(document: Document) -> None:
    """A table that reaches the next page has its header there too, and its rows stay whole."""
    for table in document.tables:
        if table.style is not None and table.style.name == "Table Grid":
            properties = [row._tr.trPr for row in table.rows]
            assert properties[0].find(qn("w:tblHeader")) is not None
            assert all(one.find(qn("w:cantSplit")) is not None for one in properties)


def test_the_figures_are_the_same_in_every_format(
    pdf: PdfReader, document: Document, calculated: openpyxl.Workbook
) -> None:
    """The totals of PDF, DOCX, XLSX and JSON are the same."""
    total = CHAPTER.total
    counts = (total.expected, total.actual, total.on_time, total.late, total.incomplete, total.overdue, total.pending)
    printed = (total.expected, total.on_time, total.late, total.incomplete, total.overdue)
    words = " ".join(["Tổng cộng", *map(str, printed), "77,1%", "62,9%"])
    assert words in text_of(pdf)
    summary = next(table for table in document.tables if table.rows[0].cells[0].text == "Nhóm đơn vị")
    assert " ".join(cell.text for cell in summary.rows[-1].cells) == words
    last = next(row for row in calculated["Tổng hợp"].iter_rows(values_only=True) if row[0] == "Tổng cộng")
    assert last[1:8] == counts
    assert last[8:10] == pytest.approx((float(total.reporting_rate or 0), float(total.reporting_rate_on_time or 0)))
    view = json.loads(csv_json.render_json(INPUTS))["chapters"][0]
    assert [view["total"][name] for name in ("expected_reports", "actual_reports", "on_time", "overdue")] == [
        35,
        27,
        22,
        3,
    ]
    assert len(view["duties"]) == len(CHAPTER.lines)


def test_the_csv_lists_every_duty_and_opens_in_a_spreadsheet_program() -> None:
    """The CSV has a byte order mark, one line a duty, and the last day on time as a date."""
    raw = csv_json.render_csv(INPUTS)
    assert raw.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(io.StringIO(raw.decode("utf-8-sig"))))
    assert [row["agency"] for row in rows] == [line.key.agency for line in CHAPTER.lines]
    assert {row["due_on"] for row in rows} == {"2026-12-09"}
    late = next(row for row in rows if row["status"] == Status.LATE.value)
    assert late["effective_at"].endswith("+07:00")


def test_a_name_cannot_become_a_formula() -> None:
    """A text that a spreadsheet program would take for a formula is quoted."""
    lines = (structs.replace(CHAPTER.lines[0], agency_name="=1+1"), *CHAPTER.lines[1:])
    report = replace(INPUTS.report, chapters=(replace(CHAPTER, lines=lines),))
    assert b"'=1+1" in csv_json.render_csv(replace(INPUTS, report=report))


def test_the_workbook_has_real_dates_filters_frozen_headers_and_a_native_chart(workbook: openpyxl.Workbook) -> None:
    """The workbook can be sorted, filtered and calculated with, and its chart is one of the program's own."""
    agencies = workbook["Đơn vị"]
    assert agencies.auto_filter.ref == f"A4:J{4 + len(CHAPTER.lines)}"
    assert agencies.freeze_panes == "D5"
    assert isinstance(agencies["F5"].value, datetime)
    assert workbook.sheetnames == [
        "Tổng hợp", "Chỉ tiêu", "Đơn vị x chỉ tiêu", "Số liệu", "Đơn vị", "Đôn đốc", "Còn thiếu", "Không tính",
        "Thuyết minh", "Xếp loại", "Không thời hạn",
    ]  # fmt: skip
    with zipfile.ZipFile(io.BytesIO(xlsx.render_xlsx(CONTENT))) as parts:
        assert "xl/charts/chart1.xml" in parts.namelist()


def test_what_the_workbook_works_out_is_a_formula_with_the_value_of_the_report(
    workbook: openpyxl.Workbook, calculated: openpyxl.Workbook
) -> None:
    """A total, a change and a ratio are formulas, and the values that the file keeps for them are the report's."""
    path = "annual-results/2026/indicators/outstanding_loans"
    matrix, values = workbook["Đơn vị x chỉ tiêu"], calculated["Đơn vị x chỉ tiêu"]
    headers = [str(cell.value) for cell in matrix[4]]
    row = next(number for number, cells in enumerate(matrix.iter_rows(values_only=True), 1) if cells[2] == "Cộng")
    column = next(number for number, one in enumerate(headers, 1) if one.startswith("Tổng dư nợ"))
    ratio = next(number for number, one in enumerate(headers, 1) if one.startswith("Tỷ lệ nợ quá hạn"))
    assert str(matrix.cell(row, column).value).startswith("=SUBTOTAL(9,")
    assert values.cell(row, column).value == pytest.approx(float(CONTENT.figures[f"{path}/total"].value or 0))
    assert values.cell(row + 1, column).value == CONTENT.figures[f"{path}/agencies"].value
    worked_out = CONTENT.figures["annual-results/2026/indicators/overdue_ratio/total"].value
    assert str(matrix.cell(row, ratio).value).startswith("=IFERROR(ROUND(")
    assert values.cell(row, ratio).value == pytest.approx(float(worked_out or 0))
    changes = [cell.value for cell in workbook["Chỉ tiêu"]["F"] if str(cell.value).startswith("=")]
    assert changes[0] == "=E5-D5"


def test_one_sheet_has_a_line_for_every_figure_with_the_event_behind_it(calculated: openpyxl.Workbook) -> None:
    """A pivot table finds agency, period, indicator and value in columns of their own, and no line sums others."""
    rows = list(calculated["Số liệu"].iter_rows(min_row=5, values_only=True))
    given = [one for result in INPUTS.results[0].results.indicators for one in result.figures]
    assert len([row for row in rows if row[0]]) == len(given)
    assert {row[10] for row in rows if row[10]} == {one.id for one in given}
    assert calculated.defined_names["SoLieu"].attr_text == f"'Số liệu'!$A$4:$K${len(given) + 4}"
    assert "DonViChiTieu" in calculated.defined_names


def test_the_documents_print_no_digest_and_nothing_below_the_signature(pdf: PdfReader, document: Document) -> None:
    """No machine's word stands in a document; the last words of the body are the signer's name."""
    body = next(page.extract_text() for page in pdf.pages if "Nơi nhận" in page.extract_text())
    assert unicodedata.normalize("NFC", body.split("\n")[-1].strip()) == "Nguyễn Văn A"
    text = text_of(pdf) + " ".join(paragraph.text for paragraph in document.paragraphs)
    for word in ("SHA-256", "hệ thống", "Đôn Đốc", INPUTS.report.digest, "annual-results", "h-0"):
        assert word not in text
    assert json.loads(csv_json.render_json(INPUTS))["digest"] == INPUTS.report.digest


def test_a_sealed_report_has_its_code_and_a_draft_says_that_it_is_one(pdf: PdfReader) -> None:
    """The last page of a sealed report has version, check code and QR; a draft has neither and is marked."""
    seal = ReportSeal(version=2, check_code="4C1E-09D7", verification_address="https://report.example/verify/4C1E-09D7")
    content = printed_report.compile_content(replace(INPUTS, seal=seal))
    sealed = PdfReader(io.BytesIO(pdf_format.render_pdf(content)))
    assert letterhead.DRAFT in text_of(pdf)
    assert letterhead.DRAFT not in text_of(sealed)
    assert "Phiên bản 02" in sealed.pages[-1].extract_text()
    assert "4C1E-09D7" in sealed.pages[-1].extract_text()
    written = docx.Document(io.BytesIO(docx_format.render_docx(content)))
    assert written.inline_shapes[-1]._inline.docPr.get("descr") == "Mã QR mở trang kiểm chứng của Báo cáo."


def test_every_printed_figure_of_the_indicators_is_one_of_the_report(pdf: PdfReader) -> None:
    """A figure in the table of indicators is a figure of the report, with unit and the events behind it."""
    table = next(block for block in CONTENT.body if isinstance(block, Table) and block.name == "indicators")
    totals = [row.cells[4] for row in table.rows]
    assert all(isinstance(one, figures.ReportFigure) and one.evidence and one.unit for one in totals)
    assert all(one is CONTENT.figures[one.id] for one in totals if isinstance(one, figures.ReportFigure))
    assert "11.049.200" in text_of(pdf)


@pytest.mark.parametrize("extension", FORMATS)
def test_a_report_on_nobody_is_refused(extension: str) -> None:
    """An empty roster would read as a clean bill, so there is no report in any format."""
    nothing = replace(INPUTS.report, chapters=(), undated=(), as_of=datetime(2030, 1, 1, tzinfo=UTC))
    with pytest.raises(EmptyReportError):
        FORMATS[extension].render(replace(INPUTS, report=nothing), "vi")


def test_the_pdf_is_tagged_for_screen_readers(pdf: PdfReader) -> None:
    """The file states that it follows PDF/UA-1, and has a tree of its structure."""
    root: Any = pdf.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"]
    assert "/StructTreeRoot" in root
    assert b"pdfuaid" in root["/Metadata"].get_object().get_data()
    assert root["/Lang"] == "vi-VN"


@pytest.mark.parametrize("language", ["vi", "en"])
def test_the_json_is_what_its_published_schema_says(language: str) -> None:
    """The whole report is valid against the schema in either language, and only its words differ."""
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    document = json.loads(csv_json.render_json(INPUTS, language))
    jsonschema_rs.validator_for(schema, validate_formats=True).validate(document)
    assert document["language"] == language
    assert document["figures"] == json.loads(csv_json.render_json(INPUTS))["figures"]


def test_the_pdf_has_an_empty_signature_field_above_the_signers_name(pdf: PdfReader) -> None:
    """The field stands on the page of the signature, in the right column, is empty, and is part of the structure."""
    (page,) = [page for page in pdf.pages if "/Annots" in page]
    (widget,) = [one.get_object() for one in page["/Annots"]]  # type: ignore[attr-defined]  # a PDF array
    left, bottom, right, top = (float(side) for side in widget["/Rect"])
    assert "Nơi nhận" in unicodedata.normalize("NFC", page.extract_text())
    assert (widget["/FT"], "/V" in widget) == ("/Sig", False)
    assert 297 < left < right < 595 - 40
    assert 70 < top - bottom < 31 * 72 / 25.4
    tree: Any = pdf.trailer["/Root"]["/StructTreeRoot"]  # type: ignore[index]  # a PDF dictionary
    numbers = tree["/ParentTree"]["/Nums"]
    element = numbers[numbers.index(widget["/StructParent"]) + 1].get_object()
    assert element["/S"] == "/Form"
