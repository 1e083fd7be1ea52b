"""The report as PDF: the content in words, handed to `report.typ`, which lays it out as Decree 30/2020 asks."""

from typing import Any
from zoneinfo import ZoneInfo

from services.reporting.core.annual_report import AnnualReport
from services.reporting.documents import letterhead as heads
from services.reporting.documents import narrative, typst_sources
from services.reporting.documents.chart import chart_of
from services.reporting.documents.letterhead import Letterhead
from services.reporting.documents.narrative import Section
from services.reporting.documents.table import Row, Table, written


def pdf(report: AnnualReport, letterhead: Letterhead) -> bytes:
    """Return the report as a PDF with its fonts embedded; the same report gives the same bytes."""
    return typst_sources.typeset("report.typ", {"content": content_of(report, letterhead)}, dated=report.as_of)


def content_of(report: AnnualReport, letterhead: Letterhead) -> dict[str, Any]:
    """Return everything `report.typ` prints, in words."""
    zone = ZoneInfo(report.plan.zone)
    local = report.as_of.astimezone(zone)
    return {
        "nation": heads.NATION,
        "motto": heads.MOTTO,
        "document_type": heads.DOCUMENT_TYPE,
        "subject": narrative.subject(report),
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
        "sections": [_section(section, zone) for section in narrative.sections(report)],
        "charts": [chart_of(chapter) for chapter in report.chapters],
        "appendix": [_table(table, zone) for table in narrative.appendix(report)],
        "colophon": narrative.colophon(report),
    }


def _section(section: Section, zone: ZoneInfo) -> dict[str, Any]:
    return {
        "numeral": section.numeral,
        "title": section.title,
        "paragraphs": section.paragraphs,
        "tables": [_table(table, zone) for table in section.tables],
        "chart": section.has_chart,
    }


def _table(table: Table, zone: ZoneInfo) -> dict[str, Any]:
    columns = [{"title": one.title, "share": one.share, "centred": one.is_centred} for one in table.columns]
    return {"title": table.title, "columns": columns, "rows": [_row(row, table, zone) for row in table.rows]}


def _row(row: Row, table: Table, zone: ZoneInfo) -> dict[str, Any]:
    cells = [written(cell, column.form, zone) for cell, column in zip(row.cells, table.columns, strict=False)]
    return {"cells": cells, "total": row.is_total, "heading": row.is_heading}
