"""The document on a receipt, by number and date."""

import json

from schemas.plan.values import Bilingual
from services.intake.form import receipt_view
from services.intake.form.receipt_view import DOCUMENT_NUMBER_LENGTH_MAX


def a_report(number: str) -> bytes:
    """Build the part of a report's data that a receipt needs."""
    return json.dumps({"document": {"number": number, "issued_on": "2026-11-30"}, "content": {}}).encode()


def test_a_document_is_rendered_by_number_and_date() -> None:
    """A receipt shows the number and the date that the sender gave the document, in both languages."""
    rendered = receipt_view.render_document(receipt_view.document_reference(a_report(" 12/BC-UBND ")))
    assert rendered == Bilingual.of(vi="số 12/BC-UBND ngày 30/11/2026", en="12/BC-UBND of 30/11/2026")


def test_a_number_that_is_too_long_for_an_address_is_cut() -> None:
    """A number longer than the limit ends in an ellipsis."""
    whole = "9" * DOCUMENT_NUMBER_LENGTH_MAX
    assert receipt_view.document_reference(a_report(whole))["number"] == whole
    cut = receipt_view.document_reference(a_report(whole + "9"))["number"]
    assert (len(cut), cut[-1]) == (DOCUMENT_NUMBER_LENGTH_MAX, "…")
