"""The receipt as a page after sending, and as a PDF to keep. Its address itself holds the signed receipt."""

import asyncio
from dataclasses import dataclass

from schemas.events.form_links import BadLink, LinkKey
from services.intake.asgi import Request, Response
from services.intake.core.problems import Said
from services.intake.form import form_state, pages, receipt_view, texts
from services.intake.form.handlers import FORM, RECEIPT
from services.intake.form.link_guard import Opened
from services.intake.form.metrics import FormMetrics, Outcome
from services.intake.form.receipt_view import NoReceipt, Proof
from services.intake.form.submit_report import is_about
from services.intake.receipts.signing import SigningKeys

PDF = "/form/receipt.pdf"
SIGNED, DOCUMENT = "r", "d"
"""The parameters of the address: the signed receipt, and the document that it was given for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptHandlers:
    """Shows receipts for the duty that a link has opened."""

    key: LinkKey
    signing_keys: SigningKeys
    metrics: FormMetrics

    async def show(self, request: Request, opened: Opened) -> Response:
        """Answer with the receipt as a page."""
        found = self._found(request, opened)
        if found is None:
            return pages.notice(texts.NO_RECEIPT, opened.language, status=404)
        self.metrics.count(Outcome.RECEIPT)
        r, d = found.signed, _last(request, DOCUMENT)
        return pages.page(
            "receipt",
            opened.language,
            rows=receipt_view.lines(found),
            pdf=opened.address(PDF, r=r, d=d),
            form=opened.address(FORM),
            other=opened.address(RECEIPT, form_state.other_language(opened.language), r=r, d=d),
        )

    async def print(self, request: Request, opened: Opened) -> Response:
        """Answer with the receipt as a PDF."""
        found = self._found(request, opened)
        if found is None:
            return pages.notice(texts.NO_RECEIPT, opened.language, status=404)
        # Typesetting takes tens of milliseconds: the loop goes on with other requests meanwhile.
        body = await asyncio.to_thread(receipt_view.pdf, found, opened.language)
        return pages.document(body, b"application/pdf", f"bien-nhan-{found.receipt.receiptid}.pdf")

    def _found(self, request: Request, opened: Opened) -> Proof | None:
        signed = _last(request, SIGNED)
        try:
            receipt = receipt_view.read(signed, self.signing_keys.signer.published())
        except NoReceipt:
            return None
        if not is_about(receipt, opened.duty.key):
            return None
        return Proof(duty=opened.duty, receipt=receipt, signed=signed, document=self._document(request, signed))

    def _document(self, request: Request, signed: str) -> Said | None:
        """Return the document of the receipt in words; nothing where the address was cut short behind the receipt."""
        try:
            return receipt_view.document_named(self.key.verify_document(signed, _last(request, DOCUMENT)))
        except BadLink:
            return None


def _last(request: Request, name: str) -> str:
    return request.query.get(name, [""])[-1]
