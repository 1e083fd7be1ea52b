"""The formats of the annual report, and how each is rendered from what the report is compiled from."""

from collections.abc import Callable
from dataclasses import dataclass

from schemas.events.reports import ReportFormat
from services.reporting.core.report import printed_report
from services.reporting.core.report.inputs import ReportInputs
from services.reporting.core.report.printed_report import EmptyReportError, PrintedReport
from services.reporting.documents import csv_json, docx, pdf, xlsx

DOCX_MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
XLSX_MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@dataclass(frozen=True, slots=True, kw_only=True)
class FormatRenderer:
    """One format: its media type, how it is rendered, and whether it is for programs and follows the language asked."""

    media_type: str
    render: Callable[[ReportInputs, str], bytes]
    takes_language: bool = False


def _print(render: Callable[[PrintedReport], bytes]) -> Callable[[ReportInputs, str], bytes]:
    return lambda inputs, _language: render(printed_report.compile_content(inputs))


def _export(render: Callable[[ReportInputs, str], bytes]) -> Callable[[ReportInputs, str], bytes]:
    """Return *render* so that it refuses a report on nobody, as the documents for people do."""

    def render_some(inputs: ReportInputs, language: str) -> bytes:
        if inputs.is_empty:
            raise EmptyReportError
        return render(inputs, language)

    return render_some


FORMATS: dict[str, FormatRenderer] = {
    "docx": FormatRenderer(media_type=DOCX_MEDIA_TYPE, render=_print(docx.render_docx)),
    "pdf": FormatRenderer(media_type="application/pdf", render=_print(pdf.render_pdf)),
    "xlsx": FormatRenderer(media_type=XLSX_MEDIA_TYPE, render=_print(xlsx.render_xlsx)),
    "csv": FormatRenderer(
        media_type="text/csv; charset=utf-8",
        render=_export(lambda inputs, _language: csv_json.render_csv(inputs)),
        takes_language=True,
    ),
    "json": FormatRenderer(media_type="application/json", render=_export(csv_json.render_json), takes_language=True),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderedDocument:
    """A document of the report in one format."""

    form: ReportFormat
    media_type: str
    content: bytes


def render_documents(inputs: ReportInputs) -> list[RenderedDocument]:
    """Render the report in every format, in Vietnamese."""
    return [
        RenderedDocument(form=ReportFormat(name), media_type=renderer.media_type, content=renderer.render(inputs, "vi"))
        for name, renderer in FORMATS.items()
    ]
