"""The routes of the form for intake's router; none if no key for links is set."""

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
from services.intake.http.limits import InflightLimit
from services.intake.http.router import Handler, Route
from services.intake.metrics import Surface
from services.intake.settings import IntakeSettings
from services.runtime.access.link_revocations import LinkRevocations
from services.runtime.clock import Clock, SystemClock


@dataclass(frozen=True, slots=True, kw_only=True)
class FormDependencies:
    """What the form shares with the rest of intake."""

    settings: IntakeSettings
    submit_report: SubmitReport
    plans: PlanLookup
    clock: Clock
    inflight_limit: InflightLimit
    revocations: LinkRevocations
    registry: CollectorRegistry


def build_routes(dependencies: FormDependencies) -> dict[str, Route]:
    """Return the routes of the form."""
    secret = dependencies.settings.form_key
    if secret is None:
        return {}
    key = LinkKey(secret.get_secret_value())
    metrics = FormMetrics(dependencies.registry)
    form = FormHandlers(
        key=key,
        submit_report=dependencies.submit_report,
        attachments=AttachmentStore(dependencies.settings.attachments, SystemClock()),
        clock=dependencies.clock,
        metrics=metrics,
        inflight_limit=dependencies.inflight_limit,
        bytes_max=dependencies.settings.form_max_bytes,
        timeout_seconds=dependencies.settings.form_timeout_seconds,
    )
    receipt = ReceiptHandlers(key=key, signing_keys=dependencies.submit_report.signing_keys, metrics=metrics)
    guard = LinkGuard(
        key=key,
        revocations=dependencies.revocations,
        plans=dependencies.plans,
        clock=dependencies.clock,
        metrics=metrics,
    )

    def form_route(**methods: Handler) -> Route:
        return Route(methods=methods, surface=Surface.FORM)

    return {
        FORM_PATH: form_route(GET=guard.protect(form.show), POST=guard.protect(form.submit)),
        RECEIPT_PATH: form_route(GET=guard.protect(receipt.show, accepts_expired=True)),
        receipt_handlers.PDF_PATH: form_route(GET=guard.protect(receipt.print, accepts_expired=True)),
        pages.STYLE_PATH: form_route(GET=pages.get_style),
    }
