"""The formats of the report: the media type of each, and the function that draws it."""

from collections.abc import Callable
from dataclasses import dataclass

from schemas.events.reports import ReportFormat
from services.reporting.core.report.inputs import ReportInputs
from services.reporting.documents import csv_json, docx, pdf, xlsx
from services.reporting.documents.letterhead import Letterhead

RenderDocument = Callable[[ReportInputs, Letterhead], bytes]

DOCX_MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
XLSX_MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
FORMATS: dict[str, tuple[str, RenderDocument]] = {
    "docx": (DOCX_MEDIA_TYPE, lambda inputs, letterhead: docx.render_docx(inputs.report, letterhead)),
    "pdf": ("application/pdf", lambda inputs, letterhead: pdf.render_pdf(inputs.report, letterhead)),
    "xlsx": (XLSX_MEDIA_TYPE, lambda inputs, _letterhead: xlsx.render_xlsx(inputs.report)),
    "csv": ("text/csv; charset=utf-8", lambda inputs, _letterhead: csv_json.render_csv(inputs.report)),
    "json": ("application/json", lambda inputs, _letterhead: csv_json.render_json(inputs.report)),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderedDocument:
    """A document of the report in one format."""

    form: ReportFormat
    media_type: str
    content: bytes


def render_documents(inputs: ReportInputs, letterhead: Letterhead) -> list[RenderedDocument]:
    """Render the report in every format."""
    return [
        RenderedDocument(form=ReportFormat(name), media_type=media_type, content=render(inputs, letterhead))
        for name, (media_type, render) in FORMATS.items()
    ]
