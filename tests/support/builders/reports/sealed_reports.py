"""Build sealed versions of a report, with the documents that belong to them."""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from schemas.events.reports import ReportFormat, ReportSealed, SealedDocument, SealedOffsets, SealHead
from services.reporting.core.sealing import canonical_json, check_code

SEALED_AT = datetime(2026, 12, 22, 2, tzinfo=UTC)
FIGURES: Mapping[str, Any] = {"figures": {"annual-results/2026/duties/late": {"value": 3}}}


def a_seal_head(**changes: Any) -> SealHead:
    """Build the head of a seal."""
    values = {
        "plan": "P-1",
        "period": "2026",
        "version": 1,
        "signer": "Nguyễn Văn An",
        "sealed_at": SEALED_AT,
        "at": SEALED_AT,
        "known_at": SEALED_AT,
        "offsets": SealedOffsets(facts={"0": 41}, deliveries={"0": 7}, reports={"0": 0}),
        "plan_version": 1,
        "registry": "R-1",
        "registry_version": 2,
        "figures_sha256": canonical_json.digest_bytes(canonical_json.encode(FIGURES)),
    }
    return SealHead(**{**values, **changes})


def sealed_contents() -> Mapping[ReportFormat, bytes]:
    """The documents of the sealed version: its figures, and a file that stands for a PDF."""
    return {ReportFormat.FIGURES: canonical_json.encode(FIGURES), ReportFormat.PDF: b"%PDF-1.7 \x00\xff" * 10}


def a_sealed_report(**changes: Any) -> ReportSealed:
    """Build a sealed version of `sealed_contents`."""
    head = a_seal_head(**changes)
    documents = tuple(
        SealedDocument(
            format=form,
            media_type="application/pdf" if form is ReportFormat.PDF else "application/json",
            size=len(content),
            sha256=hashlib.sha256(content).hexdigest(),
        )
        for form, content in sealed_contents().items()
    )
    members = {name: getattr(head, name) for name in SealHead.model_fields}
    return ReportSealed(**members, documents=documents, check_code=check_code.compute_check_code(head))
