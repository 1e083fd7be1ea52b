"""The addresses of the form, ready for intake's router; none where no key for links is set."""

from dataclasses import dataclass

from prometheus_client import CollectorRegistry

from schemas.events.form_links import LinkKey
from services.intake.form import pages, receipt_handlers
from services.intake.form.attachments import AttachmentStore
from services.intake.form.duty_view import PlanLookup
from services.intake.form.handlers import FORM_PATH, RECEIPT_PATH, FormHandlers
from services.intake.form.link_guard import LinkGuard
from services.intake.form.metrics import FormMetrics
from services.intake.form.receipt_handlers import ReceiptHandlers
from services.intake.form.submit_report import SubmitReport
from services.intake.http.router import Route
from services.intake.settings import IntakeSettings
from services.runtime.clock import Clock, SystemClock


@dataclass(frozen=True, slots=True, kw_only=True)
class FormDependencies:
    """What the form shares with the rest of intake."""

    settings: IntakeSettings
    counter: SubmitReport
    documents: PlanLookup
    clock: Clock
    registry: CollectorRegistry


def build_routes(parts: FormDependencies) -> dict[str, Route]:
    """Return the routes of the form."""
    secret = parts.settings.form_key
    if secret is None:
        return {}
    key = LinkKey(secret.get_secret_value())
    metrics = FormMetrics(parts.registry)
    form = FormHandlers(
        key=key,
        counter=parts.counter,
        attachments=AttachmentStore(parts.settings.attachments, SystemClock()),
        clock=parts.clock,
        metrics=metrics,
        bytes_max=parts.settings.form_max_bytes,
        patience_seconds=parts.settings.form_timeout_seconds,
    )
    receipt = ReceiptHandlers(key=key, signing_keys=parts.counter.signing_keys, metrics=metrics)
    door = LinkGuard(key=key, documents=parts.documents, clock=parts.clock, metrics=metrics)
    return {
        FORM_PATH: Route(methods={"GET": door.protect(form.show), "POST": door.protect(form.take)}),
        RECEIPT_PATH: Route(methods={"GET": door.protect(receipt.show, after_expiry=True)}),
        receipt_handlers.PDF_PATH: Route(methods={"GET": door.protect(receipt.print, after_expiry=True)}),
        pages.STYLE_PATH: Route(methods={"GET": pages.get_style}),
    }
