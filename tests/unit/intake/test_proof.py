"""What a receipt tells of the document that it was given for."""

import json

from services.intake.core.problems import Said
from services.intake.form import receipt_view
from services.intake.form.receipt_view import DOCUMENT_NUMBER_LENGTH_MAX


def a_report(number: str) -> bytes:
    """The data of a report, as far as it matters here."""
    return json.dumps({"document": {"number": number, "issued_on": "2026-11-30"}, "content": {}}).encode()


def test_a_document_is_told_by_number_and_date() -> None:
    """As its sender numbered and dated it, in the words of either language."""
    named = receipt_view.render_document(receipt_view.document_reference(a_report(" 12/BC-UBND ")))
    assert named == Said(vi="số 12/BC-UBND ngày 30/11/2026", en="12/BC-UBND of 30/11/2026")


def test_a_number_that_is_too_long_for_an_address_is_cut() -> None:
    """And shows that it was."""
    whole = "9" * DOCUMENT_NUMBER_LENGTH_MAX
    assert receipt_view.document_reference(a_report(whole))["number"] == whole
    cut = receipt_view.document_reference(a_report(whole + "9"))["number"]
    assert (len(cut), cut[-1]) == (DOCUMENT_NUMBER_LENGTH_MAX, "…")
