"""Receipts as people keep them: read back from their own signature, shown as a page, printed as a PDF.

Nothing is looked up: the signature alone proves that the receipt was given.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import msgspec

from services.intake.core import date_parsing
from services.intake.core.event_id import Receipt
from services.intake.core.problems import Language, Said
from services.intake.form import texts
from services.intake.form.duty_view import FormDuty
from services.intake.receipts import verification
from services.intake.receipts.verification import NotGenuineError
from services.runtime import typst

TYPST = Path(__file__).parent / "templates" / "receipt.typ"
JWS_LENGTH_MAX = 8192
NUMBER_LENGTH_MAX = 100
"""Letters of a document's number that a receipt shows: its address has to stay short."""

_BREAKS = re.compile(r"(.{64})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """A genuine receipt with what it was given for: the duty, and the document as its sender numbers and dates it."""

    duty: FormDuty
    receipt: Receipt
    signed: str
    document: Said | None


class _Document(msgspec.Struct):
    number: str
    issued_on: date


class _Reported(msgspec.Struct):
    document: _Document


class NoReceipt(ValueError):  # noqa: N818 - it reads as a claim about the text
    """The text is no receipt that we signed."""


def read(signed: str, published: bytes) -> Receipt:
    """Return the one receipt in *signed*, checked against the *published* keys; raise `NoReceipt` otherwise."""
    if len(signed) > JWS_LENGTH_MAX:
        raise NoReceipt("too long")
    try:
        _, receipts = verification.receipts_of(signed, verification.keys_of(published))
        (receipt,) = msgspec.convert(receipts, list[Receipt])
    except (NotGenuineError, msgspec.ValidationError, ValueError) as cause:
        raise NoReceipt("not signed by us") from cause
    return receipt


def document_in(data: bytes) -> dict[str, str]:
    """Return what a receipt tells of the document that the report *data* (JSON) is."""
    document = msgspec.json.decode(data, type=_Reported).document
    number = document.number.strip()
    shown = number if len(number) <= NUMBER_LENGTH_MAX else number[: NUMBER_LENGTH_MAX - 1] + "…"
    return {"number": shown, "issued_on": document.issued_on.isoformat()}


def document_named(document: Mapping[str, str]) -> Said:
    """Return *document* in words, by the number and date that its sender gave it."""
    number, day = document["number"], date.fromisoformat(document["issued_on"])
    return Said(vi=f"số {number} ngày {day:%d/%m/%Y}", en=f"{number} of {day:%d/%m/%Y}")


def lines(proof: Proof) -> list[tuple[Said, Said]]:
    """Return what a receipt tells, labelled, in the order of its importance to whoever keeps it."""
    duty, receipt = proof.duty, proof.receipt
    received_at = datetime.fromisoformat(receipt.receivedtime)
    period = duty.period
    title = duty.title
    if period is not None:
        title = Said(vi=f"{title.vi}, {period.vi}", en=f"{title.en}, {period.en}")
    clause = duty.obligation.citation.clause
    told = [
        ("receiptid", _plain(receipt.receiptid)),
        ("receivedtime", date_parsing.clock_time(received_at, duty.zone)),
        ("agency", duty.agency),
        ("proof_document", proof.document),
        ("proof_duty", title),
        ("basis", Said(vi=f"mục {clause}, văn bản số {duty.source}", en=f"clause {clause}, document {duty.source}")),
        ("event", _plain(receipt.id)),
        ("sha256", _plain(receipt.sha256)),
    ]
    return [(texts.TEXTS[name], said) for name, said in told if said is not None]


def pdf(proof: Proof, language: Language) -> bytes:
    """Return the receipt on paper: the same receipt gives the same bytes."""
    content = {
        "language": language,
        "recipient": (proof.duty.recipient or proof.duty.agency).in_language(language),
        "title": texts.TEXTS["proof_title"].in_language(language),
        "rows": [[label.in_language(language), said.in_language(language)] for label, said in lines(proof)],
        "note": texts.TEXTS["proof_note"].in_language(language),
        "signature_title": texts.TEXTS["proof_signature"].in_language(language),
        "signature": _BREAKS.sub(r"\1 ", proof.signed).split(),
    }
    return typst.render_pdf(TYPST, {"content": content}, dated=datetime.fromisoformat(proof.receipt.receivedtime))


def _plain(text: str) -> Said:
    return Said(vi=text, en=text)
