"""The report as PDF: the content as texts, which `report.typ` lays out according to Decree 30/2020, Appendix I."""

from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from services.reporting.core.report import blocks, letterhead
from services.reporting.core.report.blocks import Appendix, Block, Heading, Paragraph, ReportChart, Table, TableRow
from services.reporting.core.report.printed_report import PrintedReport, VerificationNote
from services.reporting.documents import pdf_signature, qr_code
from services.runtime import typst

REPORT_PAGE = Path(__file__).parent / "report.typ"
SIGNATURE_MARK = "signature"  # of the place in `report.typ` where the signature stands
VERIFICATION_TITLE = "Kiểm chứng số liệu."


def render_pdf(content: PrintedReport) -> bytes:
    """Render the report as PDF, fonts embedded, with a signature field; the same content gives the same bytes."""
    inputs = {"content": build_page_content(content)}
    body, position = typst.render_marked_pdf(REPORT_PAGE, inputs, dated=content.report.as_of, mark=SIGNATURE_MARK)
    return pdf_signature.add_signature_field(body, position)


def build_page_content(content: PrintedReport) -> dict[str, Any]:
    """Return everything that `report.typ` prints, as texts."""
    local = content.report.as_of.astimezone(content.zone)
    return {
        "title": content.name,
        "dated": {"year": local.year, "month": local.month, "day": local.day},
        "letterhead": _build_letterhead(content),
        "body": [_build_block(block, content.zone) for block in content.body],
        "appendices": [_build_appendix(one, content.zone) for one in content.appendices],
        "verification": _build_verification(content.verification),
    }


def _build_letterhead(content: PrintedReport) -> dict[str, Any]:
    head = content.letterhead
    return {
        "nation": letterhead.NATION,
        "motto": letterhead.MOTTO,
        "document_type": letterhead.DOCUMENT_TYPE,
        "author": head.issuer_name or head.issuer,
        "superior": head.superior,
        "issuer": head.issuer,
        "number_line": head.number_line,
        "place_line": head.place_line,
        "draft": letterhead.DRAFT if head.is_draft else "",
        "subject": head.subject,
        "addressee": head.addressee,
        "recipients": head.recipients,
        "authority": head.authority,
        "signer_title": head.title,
        "signer": head.signer,
        "reference": head.reference,
    }


def _build_appendix(appendix: Appendix, zone: ZoneInfo) -> dict[str, Any]:
    return {
        "number": appendix.number,
        "title": appendix.title,
        "spreads": [
            {"landscape": one.is_landscape, "blocks": [_build_block(block, zone) for block in one.blocks]}
            for one in appendix.spreads
        ],
    }


def _build_block(block: Block, zone: ZoneInfo) -> dict[str, Any]:
    match block:
        case Heading():
            return {"type": "heading", "level": block.level, "text": block.text}
        case Paragraph():
            return {
                "type": "paragraph", "lead": block.lead, "text": block.text, "source": block.source,
                "item": block.is_item, "leads_on": block.leads_on, "blank": block.has_blank,
            }  # fmt: skip
        case Table():
            return {"type": "table", **_build_table(block, zone)}
        case ReportChart():
            return {
                "type": "chart", "kind": block.kind, "title": block.title,
                "alternative": block.alternative, "values": dict(block.values),
            }  # fmt: skip


def _build_table(table: Table, zone: ZoneInfo) -> dict[str, Any]:
    columns = [
        {"title": one.title, "share": one.share, "heading": one.heading, "align": blocks.align_of(one)}
        for one in table.columns
    ]
    rows = [{"cells": blocks.format_row(row, table, zone), "kind": _name_kind(row)} for row in table.rows]
    return {
        "title": table.title, "unit": table.unit, "notes": table.notes, "size": table.size,
        "columns": columns, "rows": rows,
    }  # fmt: skip


def _name_kind(row: TableRow) -> str:
    if row.is_heading:
        return "heading"
    if row.is_total:
        return "total"
    return "note" if row.is_note else "record"


def _build_verification(note: VerificationNote) -> dict[str, str]:
    qr = qr_code.draw_svg(note.address) if note.address else ""
    return {"title": VERIFICATION_TITLE, "text": note.text, "check_code": note.check_code, "qr": qr}
