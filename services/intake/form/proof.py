"""Receipts as people keep them: read back from their own signature, shown as a page, printed as a PDF.

Nothing is looked up: the signature alone proves that the receipt was given.
"""

import re
from datetime import datetime
from pathlib import Path

import msgspec

from services.intake import verification
from services.intake.core import moments
from services.intake.core.digest import Receipt
from services.intake.core.refusals import Language, Said
from services.intake.form import texts
from services.intake.form.duties import FormDuty
from services.intake.verification import NotGenuineError
from services.runtime import typesetting

TYPST = Path(__file__).parent / "templates" / "receipt.typ"
JWS_LENGTH_MAX = 8192
_BREAKS = re.compile(r"(.{64})")


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


def lines(duty: FormDuty, receipt: Receipt) -> list[tuple[Said, Said]]:
    """Return what a receipt tells, labelled, in the order of its importance to whoever keeps it."""
    received_at = datetime.fromisoformat(receipt.receivedtime)
    period = duty.period
    title = duty.title
    if period is not None:
        title = Said(vi=f"{title.vi}, {period.vi}", en=f"{title.en}, {period.en}")
    clause = duty.obligation.citation.clause
    told = [
        ("receiptid", _plain(receipt.receiptid)),
        ("receivedtime", moments.clock_time(received_at, duty.zone)),
        ("agency", duty.agency),
        ("proof_duty", title),
        ("basis", Said(vi=f"mục {clause}, văn bản số {duty.source}", en=f"clause {clause}, document {duty.source}")),
        ("event", _plain(receipt.id)),
        ("sha256", _plain(receipt.sha256)),
    ]
    return [(texts.TEXTS[name], said) for name, said in told]


def pdf(duty: FormDuty, receipt: Receipt, signed: str, language: Language) -> bytes:
    """Return the receipt on paper: the same receipt gives the same bytes."""
    content = {
        "language": language,
        "recipient": (duty.recipient or duty.agency).in_language(language),
        "title": texts.TEXTS["proof_title"].in_language(language),
        "rows": [[label.in_language(language), said.in_language(language)] for label, said in lines(duty, receipt)],
        "note": texts.TEXTS["proof_note"].in_language(language),
        "signature_title": texts.TEXTS["proof_signature"].in_language(language),
        "signature": _BREAKS.sub(r"\1 ", signed).split(),
    }
    return typesetting.typeset(TYPST, {"content": content}, dated=datetime.fromisoformat(receipt.receivedtime))


def _plain(text: str) -> Said:
    return Said(vi=text, en=text)
