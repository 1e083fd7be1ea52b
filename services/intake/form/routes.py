"""The addresses of the form, ready for intake's router; none where no key for links is set."""

from dataclasses import dataclass

from prometheus_client import CollectorRegistry

from schemas.events.form_links import LinkKey
from services.intake.form import pages, receipts
from services.intake.form.attachments import Attachments
from services.intake.form.duty_view import Documents
from services.intake.form.handlers import FORM, RECEIPT, FormHandlers
from services.intake.form.link_guard import Doorway
from services.intake.form.metrics import FormMetrics
from services.intake.form.receipts import ReceiptHandlers
from services.intake.form.submit_report import Counter
from services.intake.http.router import Route
from services.intake.settings import IntakeSettings
from services.runtime.clock import Clock, SystemClock


@dataclass(frozen=True, slots=True, kw_only=True)
class FormParts:
    """What the form shares with the rest of intake."""

    settings: IntakeSettings
    counter: Counter
    documents: Documents
    clock: Clock
    registry: CollectorRegistry


def form_routes(parts: FormParts) -> dict[str, Route]:
    """Return the routes of the form."""
    secret = parts.settings.form_key
    if secret is None:
        return {}
    key = LinkKey(secret.get_secret_value())
    metrics = FormMetrics(parts.registry)
    form = FormHandlers(
        key=key,
        counter=parts.counter,
        attachments=Attachments(parts.settings.attachments, SystemClock()),
        clock=parts.clock,
        metrics=metrics,
        bytes_max=parts.settings.form_max_bytes,
        patience_seconds=parts.settings.form_timeout_seconds,
    )
    receipt = ReceiptHandlers(key=key, signing_keys=parts.counter.signing_keys, metrics=metrics)
    door = Doorway(key=key, documents=parts.documents, clock=parts.clock, metrics=metrics)
    return {
        FORM: Route(methods={"GET": door.leading_to(form.show), "POST": door.leading_to(form.take)}),
        RECEIPT: Route(methods={"GET": door.leading_to(receipt.show, after_expiry=True)}),
        receipts.PDF: Route(methods={"GET": door.leading_to(receipt.print, after_expiry=True)}),
        pages.STYLE_PATH: Route(methods={"GET": pages.get_style}),
    }
