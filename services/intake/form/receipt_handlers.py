"""Handlers that show a receipt as a page and as a PDF. The address of the page itself holds the signed receipt."""

import asyncio
from dataclasses import dataclass

from schemas.events.form_links import LinkKey
from schemas.events.signed_tokens import BadLink
from schemas.plan.values import Bilingual
from services.intake.asgi import Request, Response
from services.intake.form import form_state, pages, receipt_view, texts
from services.intake.form.handlers import FORM_PATH, RECEIPT_PATH
from services.intake.form.link_guard import OpenedDuty
from services.intake.form.metrics import FormMetrics, FormOutcome
from services.intake.form.receipt_view import ReceiptView, UnknownReceiptError
from services.intake.form.submit_report import is_receipt_for
from services.intake.receipts.signing import SigningKeys

PDF_PATH = "/form/receipt.pdf"

# Parameters of the address: the signed receipt, and the token of the document that it was given for.
SIGNED_PARAMETER, DOCUMENT_PARAMETER = "r", "d"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptHandlers:
    """Shows receipts for the duty that a link has opened."""

    key: LinkKey
    signing_keys: SigningKeys
    metrics: FormMetrics

    async def show(self, request: Request, opened: OpenedDuty) -> Response:
        """Answer with the receipt as a page."""
        view = self._find_receipt(request, opened)
        if view is None:
            return pages.notice_page(texts.NO_RECEIPT, opened.language, status=404)
        self.metrics.count(FormOutcome.RECEIPT)
        r, d = view.signed, _parameter(request, DOCUMENT_PARAMETER)
        return pages.render_page(
            "receipt",
            opened.language,
            rows=receipt_view.receipt_rows(view),
            pdf=opened.address(PDF_PATH, r=r, d=d),
            form=opened.address(FORM_PATH),
            other=opened.address(RECEIPT_PATH, form_state.other_language(opened.language), r=r, d=d),
        )

    async def print(self, request: Request, opened: OpenedDuty) -> Response:
        """Answer with the receipt as a PDF."""
        view = self._find_receipt(request, opened)
        if view is None:
            return pages.notice_page(texts.NO_RECEIPT, opened.language, status=404)
        # Typesetting takes tens of milliseconds; in a thread it does not hold up the other requests.
        body = await asyncio.to_thread(receipt_view.render_pdf, view, opened.language)
        return pages.download(body, b"application/pdf", f"bien-nhan-{view.receipt.receiptid}.pdf")

    def _find_receipt(self, request: Request, opened: OpenedDuty) -> ReceiptView | None:
        """Return the receipt in the address if it is genuine and for the duty of the link."""
        signed = _parameter(request, SIGNED_PARAMETER)
        try:
            receipt = receipt_view.verify_receipt(signed, self.signing_keys.signer.public_key_set())
        except UnknownReceiptError:
            return None
        if not is_receipt_for(receipt, opened.duty.key):
            return None
        document = self._find_document(request, signed)
        return ReceiptView(duty=opened.duty, receipt=receipt, signed=signed, document=document)

    def _find_document(self, request: Request, signed: str) -> Bilingual | None:
        """Return the document of the receipt in words; None if the address was cut off after the receipt."""
        try:
            return receipt_view.render_document(
                self.key.verify_document(signed, _parameter(request, DOCUMENT_PARAMETER))
            )
        except BadLink:
            return None


def _parameter(request: Request, name: str) -> str:
    return request.query.get(name, [""])[-1]
