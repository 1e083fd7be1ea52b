"""The door of the form: a request with a good link goes on to its duty, any other gets a courteous page."""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from schemas.events.form_links import BadLink, LinkKey
from services.intake.asgi import RefusedError, Request, Response
from services.intake.core.problems import Language
from services.intake.form import duty_view, pages, texts
from services.intake.form.duty_view import Documents, FormDuty
from services.intake.form.metrics import FormMetrics, Outcome
from services.runtime.clock import Clock

LINK = "t"
"""The parameter of the address that holds the link's token."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A duty that a link has opened."""

    duty: FormDuty
    token: str
    language: Language

    def address(self, path: str, language: Language | None = None, **query: str) -> str:
        """Return the address of another page of this duty."""
        return pages.address(path, {LINK: self.token, **query}, language or self.language)


Handler = Callable[[Request, Opened], Awaitable[Response]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Doorway:
    """Opens duties by links."""

    key: LinkKey
    documents: Documents
    clock: Clock
    metrics: FormMetrics

    def leading_to(self, handler: Handler, *, after_expiry: bool = False) -> Callable[[Request], Awaitable[Response]]:
        """Return *handler* behind the door; *after_expiry* it still opens for a genuine link that has expired."""

        async def handle(request: Request) -> Response:
            language = pages.language_of(request)
            opened = self._opened(request, language, after_expiry=after_expiry)
            if isinstance(opened, Response):
                return opened
            try:
                return await handler(request, opened)
            except RefusedError as error:
                self.metrics.count(Outcome.REFUSED)
                return pages.refused(error.refusal, language)

        return handle

    def _opened(self, request: Request, language: Language, *, after_expiry: bool) -> Opened | Response:
        token = request.query.get(LINK, [""])[-1]
        now = self.clock.now()
        try:
            link = self.key.verify_link(token)
        except BadLink:
            self.metrics.count(Outcome.NO_LINK)
            log.warning("a link that is not ours", extra={"action": "form_link_refused"})
            return pages.notice(texts.NO_LINK, language, status=403)
        if link.has_expired(now) and not after_expiry:
            self.metrics.count(Outcome.EXPIRED)
            return pages.notice(texts.EXPIRED, language, status=410)
        duty = duty_view.find(link.duty, self.documents, now)
        if duty is None:
            self.metrics.count(Outcome.NO_DUTY)
            return pages.notice(texts.NO_DUTY, language, status=503)
        return Opened(duty=duty, token=token, language=language)
