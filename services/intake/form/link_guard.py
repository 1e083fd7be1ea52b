"""Guards the form by links: a request with a valid link reaches the handler of its duty, any other gets a help page."""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from schemas.events.form_links import LinkKey
from schemas.events.signed_tokens import BadLink
from schemas.plan.values import Language
from services.intake.asgi import Request, RequestRefusedError, Response
from services.intake.form import pages, texts
from services.intake.form.duty_view import FormDuty, PlanLookup
from services.intake.form.metrics import FormMetrics, FormOutcome
from services.runtime.access.link_revocations import LinkRevocations
from services.runtime.clock import Clock

TOKEN_PARAMETER = "t"  # noqa: S105 - the name of the query parameter that holds the link's token, not a token
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedDuty:
    """The duty of a valid link, the returned report that the link asks to correct, and the language of the page."""

    duty: FormDuty
    token: str
    language: Language
    corrects: str | None = None

    def address(self, path: str, language: Language | None = None, **query: str) -> str:
        """Return the address of another page of this duty."""
        return pages.page_address(path, {TOKEN_PARAMETER: self.token, **query}, language or self.language)


DutyHandler = Callable[[Request, OpenedDuty], Awaitable[Response]]


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkGuard:
    """Admits requests to the form by the link in their address."""

    key: LinkKey
    revocations: LinkRevocations
    plans: PlanLookup
    clock: Clock
    metrics: FormMetrics

    def protect(
        self, handler: DutyHandler, *, accepts_expired: bool = False
    ) -> Callable[[Request], Awaitable[Response]]:
        """Return *handler* for requests with a valid link; with *accepts_expired* the link may have expired."""

        async def handle(request: Request) -> Response:
            language = pages.language_of(request)
            opened = self._open(request, language, accepts_expired=accepts_expired)
            if isinstance(opened, Response):
                return opened
            try:
                return await handler(request, opened)
            except RequestRefusedError as error:
                self.metrics.count(FormOutcome.REFUSED)
                return pages.refusal_page(error.refusal, language)

        return handle

    def _open(self, request: Request, language: Language, *, accepts_expired: bool) -> OpenedDuty | Response:
        token = request.query.get(TOKEN_PARAMETER, [""])[-1]
        now = self.clock.now()
        try:
            link = self.key.verify_link(token)
        except BadLink:
            self.metrics.count(FormOutcome.NO_LINK)
            log.warning("a request to the form has no valid link", extra={"action": "form_link_refused"})
            return pages.notice_page(texts.NO_LINK, language, status=403)
        holders = {link.duty.agency, link.filed_by or link.duty.agency}
        if any(self.revocations.cover(one, link.issued_at) for one in holders):
            self.metrics.count(FormOutcome.REVOKED)
            log.warning(
                "a request to the form has a revoked link",
                extra={"action": "form_link_refused", "agency": link.filed_by or link.duty.agency},
            )
            return pages.notice_page(texts.REVOKED, language, status=403)
        if link.has_expired(now) and not accepts_expired:
            self.metrics.count(FormOutcome.EXPIRED)
            return pages.notice_page(texts.EXPIRED, language, status=410)
        duty = FormDuty.find(link.duty, self.plans(link.duty.plan), now)
        if duty is None:
            self.metrics.count(FormOutcome.NO_DUTY)
            return pages.notice_page(texts.NO_DUTY, language, status=503)
        duty = replace(duty, filed_by=link.filed_by)
        return OpenedDuty(duty=duty, token=token, language=language, corrects=link.corrects)
