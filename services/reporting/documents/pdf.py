"""The report as PDF: the content as texts, which `report.typ` lays out according to Decree 30/2020, Appendix I."""

from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from services.reporting.core.annual_report import AnnualReport
from services.reporting.documents import chart, narrative, table_model
from services.reporting.documents import letterhead as letterheads
from services.reporting.documents.letterhead import Letterhead
from services.reporting.documents.narrative import ReportSection
from services.reporting.documents.table_model import Table, TableRow
from services.runtime import typst

REPORT_PAGE = Path(__file__).parent / "report.typ"


def render_pdf(report: AnnualReport, letterhead: Letterhead) -> bytes:
    """Render the report as a PDF with its fonts embedded; the same report gives the same bytes."""
    return typst.render_pdf(REPORT_PAGE, {"content": build_content(report, letterhead)}, dated=report.as_of)


def build_content(report: AnnualReport, letterhead: Letterhead) -> dict[str, Any]:
    """Return everything that `report.typ` prints, as texts."""
    zone = ZoneInfo(report.plan.zone)
    local = report.as_of.astimezone(zone)
    return {
        "nation": letterheads.NATION,
        "motto": letterheads.MOTTO,
        "document_type": letterheads.DOCUMENT_TYPE,
        "subject": narrative.subject_of(report),
        "dated": {"year": local.year, "month": local.month, "day": local.day},
        "letterhead": {
            "superior": letterhead.superior,
            "issuer": letterhead.issuer,
            "number_line": letterhead.number_line,
            "place_line": letterhead.place_line(local.year),
            "addressee": letterhead.addressee,
            "authority": letterhead.authority,
            "recipients": letterhead.recipients,
        },
        "sections": [_build_section(section, zone) for section in narrative.build_sections(report)],
        "charts": [chart.build_chart_data(chapter) for chapter in report.chapters],
        "appendix": [_build_table(table, zone) for table in narrative.build_appendix(report)],
        "verification_note": narrative.verification_note(report),
    }


def _build_section(section: ReportSection, zone: ZoneInfo) -> dict[str, Any]:
    return {
        "numeral": section.numeral,
        "title": section.title,
        "paragraphs": section.paragraphs,
        "tables": [_build_table(table, zone) for table in section.tables],
        "chart": section.has_chart,
    }


def _build_table(table: Table, zone: ZoneInfo) -> dict[str, Any]:
    columns = [{"title": column.title, "share": column.share, "centred": column.is_centred} for column in table.columns]
    return {"title": table.title, "columns": columns, "rows": [_build_row(row, table, zone) for row in table.rows]}


def _build_row(row: TableRow, table: Table, zone: ZoneInfo) -> dict[str, Any]:
    # A heading has one cell under several columns: not strict.
    pairs = zip(row.cells, table.columns, strict=False)
    cells = [table_model.format_cell(cell, column.cell_type, zone) for cell, column in pairs]
    return {"cells": cells, "total": row.is_total, "heading": row.is_heading}
