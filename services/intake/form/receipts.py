"""The receipt as a page after sending, and as a PDF to keep. Its address itself holds the signed receipt."""

import asyncio
from dataclasses import dataclass

from services.intake.core.digest import Receipt
from services.intake.form import filling, pages, proof, texts
from services.intake.form.counter import is_about
from services.intake.form.doorway import Opened
from services.intake.form.handlers import FORM, RECEIPT
from services.intake.form.metrics import FormMetrics, Outcome
from services.intake.form.proof import NoReceipt
from services.intake.http import Request, Response
from services.intake.receipts import SigningKeys

PDF = "/form/receipt.pdf"
SIGNED = "r"
"""The parameter of the address that holds the signed receipt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptHandlers:
    """Shows receipts for the duty that a link has opened."""

    signing_keys: SigningKeys
    metrics: FormMetrics

    async def show(self, request: Request, opened: Opened) -> Response:
        """Answer with the receipt as a page."""
        signed, receipt = self._found(request, opened)
        if receipt is None:
            return pages.notice(texts.NO_RECEIPT, opened.language, status=404)
        self.metrics.count(Outcome.RECEIPT)
        return pages.page(
            "receipt",
            opened.language,
            rows=proof.lines(opened.duty, receipt),
            pdf=opened.address(PDF, r=signed),
            form=opened.address(FORM),
            other=opened.address(RECEIPT, filling.other_language(opened.language), r=signed),
        )

    async def print(self, request: Request, opened: Opened) -> Response:
        """Answer with the receipt as a PDF."""
        signed, receipt = self._found(request, opened)
        if receipt is None:
            return pages.notice(texts.NO_RECEIPT, opened.language, status=404)
        # Typesetting takes tens of milliseconds: the loop goes on with other requests meanwhile.
        body = await asyncio.to_thread(proof.pdf, opened.duty, receipt, signed, opened.language)
        return pages.document(body, b"application/pdf", f"bien-nhan-{receipt.receiptid}.pdf")

    def _found(self, request: Request, opened: Opened) -> tuple[str, Receipt | None]:
        signed = request.query.get(SIGNED, [""])[-1]
        try:
            receipt = proof.read(signed, self.signing_keys.signer.published())
        except NoReceipt:
            return signed, None
        return signed, receipt if is_about(receipt, opened.duty.key) else None
