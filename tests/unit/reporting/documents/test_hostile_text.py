"""Whatever stands in a name or a text: every document is made, shows it as text, and runs nothing of it."""

import csv
import io
import itertools
import json
import zipfile
from dataclasses import replace

import docx as python_docx
import openpyxl
import pypdf
from msgspec import structs

from services.reporting.core.report import printed_report
from services.reporting.core.report.inputs import ReportInputs
from services.reporting.core.report.printed_report import PrintedReport
from services.reporting.core.results import AgencyText
from services.reporting.documents import csv_json, docx, pdf, xlsx
from tests.support.builders.reports.report_inputs import some_report_inputs

HOSTILE = (
    "a\x00b\x07c\x1bd\x85e\ufffef",
    "a\ud800b",  # half of a surrogate pair
    "\u202eGNÀOH\u202c\u200b\u2066x\ufeff",
    "中文 😀 ﷽ \U000e0041",  # not in the fonts of the PDF
    "40\u2011CT/TW",  # the non-breaking hyphen of Word
    "ộ" * 3_000,
    "<b>&amp;]]></b> {{ 7*7 }} #let x = 1 $x$ *a* _b_ \\u0041",
    '=HYPERLINK("http://x","y")',
    " =1+1",
    "＝1+1",
)


def compile_hostile() -> tuple[ReportInputs, PrintedReport]:
    """Compile a report whose agencies are called by hostile texts, and have written them."""
    inputs = some_report_inputs()
    (of_period,) = inputs.results
    wrote = tuple(
        AgencyText(agency=f"h-{n:02d}", text=text, source="urn:test", id=f"e{n}") for n, text in enumerate(HOSTILE)
    )
    results = replace(of_period.results, sections={"results": wrote, "proposals": wrote})
    named = itertools.cycle(HOSTILE)
    chapters = tuple(
        replace(chapter, lines=tuple(structs.replace(line, agency_name=next(named)) for line in chapter.lines))
        for chapter in inputs.report.chapters
    )
    report = replace(inputs.report, chapters=chapters)
    hostile = replace(inputs, report=report, results=(replace(of_period, results=results),))
    return hostile, printed_report.compile_content(hostile)


def test_every_document_is_made_of_any_text() -> None:
    """Each opens again, and holds no formula and no unseen character of it."""
    inputs, content = compile_hostile()
    printed = "".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(pdf.render_pdf(content))).pages)
    word = python_docx.Document(io.BytesIO(docx.render_docx(content)))
    texts = [cell.text for table in word.tables for row in table.rows for cell in row.cells]
    workbook = openpyxl.load_workbook(io.BytesIO(xlsx.render_xlsx(content)))
    cells = [cell for sheet in workbook for row in sheet.iter_rows() for cell in row]
    texts += [str(cell.value) for cell in cells if cell.data_type == "s"]
    rows = list(csv.reader(io.StringIO(csv_json.render_csv(inputs).decode("utf-8-sig"))))
    assert not [one for one in texts if any(sign in one for sign in "\x00\x07\u202e\u200b")]
    assert not [
        cell for cell in cells if cell.data_type == "f" and ("HYPERLINK" in str(cell.value) or "1+1" in str(cell.value))
    ]
    assert not [one for row in rows for one in row if one.strip()[:1] in ("=", "＝")]
    assert "40-CT/TW" in printed.replace("\u2010", "-")
    assert json.loads(csv_json.render_json(inputs))


def test_a_picture_says_in_words_what_it_shows() -> None:
    """Every chart of the DOCX has an alternative text, and the PDF is tagged."""
    _, content = compile_hostile()
    with zipfile.ZipFile(io.BytesIO(docx.render_docx(content))) as parts:
        document = parts.read("word/document.xml").decode()
    described = [part.partition('"')[0] for part in document.split('descr="')[1:]]
    assert len(described) == document.count("<pic:pic") > 0
    assert all(len(one) > 20 for one in described)
