"""What stands on the annual report of a plan beside its figures (contract section 7; Decree 30/2020, Appendix I).

What is absent follows from the plan, its registry and the recipient.
"""

from schemas.plan.document_model import DocumentModel
from schemas.plan.values import Bilingual, NonBlank


class ReportSigner(DocumentModel):
    """Who signs: a deputy has an authority line before the title, such as `KT. GIÁM ĐỐC`."""

    authority: str = ""
    title: NonBlank | None = None
    name: str = ""


class ReportForm(DocumentModel):
    """The parts of an official report that a plan may set: who issues it, about what, to whom, and who signs it."""

    superior: NonBlank | None = None
    issuer: NonBlank | None = None
    issuer_name: NonBlank | Bilingual | None = None
    subject: Bilingual | None = None
    symbol: NonBlank | None = None
    place: NonBlank | None = None
    addressee: NonBlank | None = None
    recipients: tuple[NonBlank, ...] = ()
    filing: NonBlank | None = None
    signer: ReportSigner = ReportSigner()
