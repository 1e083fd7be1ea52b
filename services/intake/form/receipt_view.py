"""Receipts for people: verified from their own signature, shown as a page, rendered as a PDF.

No store is read: the signature alone proves that intake issued the receipt.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import msgspec

from schemas.plan.values import Bilingual, Language
from services.intake.core.fact_record import Receipt
from services.intake.core.forms import date_parsing
from services.intake.form import texts
from services.intake.form.duty_view import FormDuty
from services.intake.receipts import verification
from services.intake.receipts.verification import InvalidReceiptError
from services.runtime import typst

TYPST = Path(__file__).parent / "templates" / "receipt.typ"

# The receipt of a form has about 1 KiB; a much longer text in the address is not parsed at all.
JWS_LENGTH_MAX = 8192

# Characters of a document's number that a receipt shows: they are part of its address, which must stay short.
DOCUMENT_NUMBER_LENGTH_MAX = 100

_LINE = re.compile(r"(.{64})")  # characters of a signature in one printed line


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptView:
    """A genuine receipt with the duty and the document that it was given for, the latter by its number and date."""

    duty: FormDuty
    receipt: Receipt
    signed: str
    document: Bilingual | None


class _SenderDocument(msgspec.Struct):
    number: str
    issued_on: date


class _ReportData(msgspec.Struct):
    document: _SenderDocument


class UnknownReceiptError(ValueError):
    """The text is not a receipt that we signed."""


def verify_receipt(signed: str, key_set: bytes) -> Receipt:
    """Return the one receipt in *signed*, a compact JWS; raise `UnknownReceiptError` unless *key_set* verifies it."""
    if len(signed) > JWS_LENGTH_MAX:
        raise UnknownReceiptError("too long")
    try:
        _, receipts = verification.verify_receipts(signed, verification.parse_key_set(key_set))
        (receipt,) = msgspec.convert(receipts, list[Receipt])
    except (InvalidReceiptError, msgspec.ValidationError, ValueError) as cause:
        raise UnknownReceiptError("not signed by us") from cause
    return receipt


def document_reference(data: bytes) -> dict[str, str]:
    """Return number and date of the document in the report *data* (JSON), as a receipt shows them."""
    document = msgspec.json.decode(data, type=_ReportData).document
    number = document.number.strip()
    shown = number if len(number) <= DOCUMENT_NUMBER_LENGTH_MAX else number[: DOCUMENT_NUMBER_LENGTH_MAX - 1] + "…"
    return {"number": shown, "issued_on": document.issued_on.isoformat()}


def render_document(document: Mapping[str, str]) -> Bilingual:
    """Return number and date of *document* (from `document_reference`) in words."""
    number, day = document["number"], date.fromisoformat(document["issued_on"])
    return Bilingual.of(vi=f"số {number} ngày {day:%d/%m/%Y}", en=f"{number} of {day:%d/%m/%Y}")


def receipt_rows(view: ReceiptView) -> list[tuple[Bilingual, Bilingual]]:
    """Return the rows of a receipt (label and value), the most important to its holder first."""
    duty, receipt = view.duty, view.receipt
    received_at = datetime.fromisoformat(receipt.receivedtime)
    title = duty.titled_period
    clause, source = duty.clause, duty.source
    basis = Bilingual.of(vi=f"{clause.vi}, {source.vi}", en=f"{clause.en}, {source.in_language('en')}")
    rows = [
        ("receiptid", _same_text(receipt.receiptid)),
        ("receivedtime", date_parsing.render_instant(received_at, duty.zone)),
        ("agency", duty.agency),
        ("filer", duty.filer),
        ("proof_document", view.document),
        ("proof_duty", title),
        ("basis", basis),
        ("event", _same_text(receipt.id)),
        ("sha256", _same_text(receipt.sha256)),
    ]
    return [(texts.TEXTS[name], value) for name, value in rows if value is not None]


def render_pdf(view: ReceiptView, language: Language) -> bytes:
    """Return the receipt as a PDF. The same receipt gives the same bytes."""
    content = {
        "language": language,
        "recipient": (view.duty.recipient or view.duty.agency).in_language(language),
        "title": texts.TEXTS["proof_title"].in_language(language),
        "rows": [[label.in_language(language), value.in_language(language)] for label, value in receipt_rows(view)],
        "note": texts.TEXTS["proof_note"].in_language(language),
        "signature_title": texts.TEXTS["proof_signature"].in_language(language),
        "signature": _LINE.sub(r"\1 ", view.signed).split(),
    }
    return typst.render_pdf(TYPST, {"content": content}, dated=datetime.fromisoformat(view.receipt.receivedtime))


def _same_text(text: str) -> Bilingual:
    return Bilingual.of(vi=text, en=text)
