"""`/acknowledge`: the page behind the link of a letter, at which an agency says that it has read it.

Opening the page records nothing, because programs that look through mails open links; its button does. A day may be
named, at most `FURTHEST_DAY` ahead. It quiets the repeated urgings until then and moves no deadline.
"""

from collections.abc import Callable, Coroutine, Mapping
from datetime import date, timedelta
from functools import cache
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs
from zoneinfo import ZoneInfo

from jinja2 import Environment, PackageLoader, StrictUndefined

from schemas.events.acknowledge_links import AcknowledgeLink, AcknowledgeLinkKey
from schemas.events.signed_tokens import BadLink
from services.notifier.errors import LedgerUnavailableError
from services.notifier.feedback.acknowledgement_store import Acknowledgement
from services.runtime.clock import Clock
from services.runtime.http.asgi import Receive, Scope, Send

FURTHEST_DAY = timedelta(days=30)
_ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
_LARGEST_REQUEST = 4096
# The address holds the link, which is a capability: it is not cached, passed on as a referrer, framed or indexed.
_HEADERS = (
    (b"content-type", b"text/html; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (
        b"content-security-policy",
        b"default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    ),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-robots-tag", b"noindex, nofollow"),
)

# What the page shows, and with which status.
_STATUSES = {
    "asked": HTTPStatus.OK,
    "recorded": HTTPStatus.OK,
    "refused": HTTPStatus.UNPROCESSABLE_ENTITY,
    "unknown": HTTPStatus.NOT_FOUND,
    "not_allowed": HTTPStatus.METHOD_NOT_ALLOWED,
    "unavailable": HTTPStatus.SERVICE_UNAVAILABLE,
}

# Records what an agency says; returns whether the letter is known.
OnAcknowledged = Callable[[Acknowledgement], Coroutine[Any, Any, bool]]


class AcknowledgePage:
    """The handler of the page."""

    def __init__(self, key: AcknowledgeLinkKey, on_acknowledged: OnAcknowledged, *, clock: Clock) -> None:
        self._key = key
        self._on_acknowledged = on_acknowledged
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Show the page, or record what its form says."""
        query = parse_qs(scope["query_string"].decode("latin-1"))
        language = "en" if query.get("lang") == ["en"] else "vi"
        link = self._read_link(query.get("t", [""])[0])
        if link is None:
            await _send_page(send, language, state="unknown", today=self._today())
        elif scope["method"] == "GET":
            await _send_page(send, language, state="asked", today=self._today())
        elif scope["method"] == "POST":
            await self._record(link, await _read_form(receive), send, language)
        else:
            await _send_page(send, language, state="not_allowed", today=self._today())

    async def _record(self, link: AcknowledgeLink, form: Mapping[str, list[str]], send: Send, language: str) -> None:
        written, today = form.get("promised_on", [""])[-1].strip(), self._today()
        try:
            promised_on = date.fromisoformat(written) if written else None
        except ValueError:
            await _send_page(send, language, state="refused", today=today)
            return
        if promised_on is not None and not today <= promised_on <= today + FURTHEST_DAY:
            await _send_page(send, language, state="refused", today=today)
            return
        said = Acknowledgement(delivery=link.delivery, agency=link.agency, promised_on=promised_on)
        try:
            is_known = await self._on_acknowledged(said)
        except LedgerUnavailableError:
            await _send_page(send, language, state="unavailable", today=today)
            return
        state = "recorded" if is_known else "unknown"
        await _send_page(send, language, state=state, today=today, promised_on=promised_on)

    def _read_link(self, token: str) -> AcknowledgeLink | None:
        try:
            link = self._key.verify_link(token)
        except BadLink:
            return None
        return None if link.has_expired(self._clock.now()) else link

    def _today(self) -> date:
        return self._clock.now().astimezone(_ZONE).date()


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("services.notifier.feedback"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )


async def _read_form(receive: Receive) -> Mapping[str, list[str]]:
    """Return the fields of a posted form; none where there is too much of it."""
    content = b""
    while True:
        message = await receive()
        content += bytes(message.get("body", b""))
        if len(content) > _LARGEST_REQUEST:
            return {"promised_on": ["?"]}
        if not message.get("more_body"):
            return parse_qs(content.decode("utf-8", "replace"))


async def _send_page(send: Send, language: str, *, state: str, today: date, promised_on: date | None = None) -> None:
    page = _environment().get_template("acknowledge.html")
    html = page.render(
        language=language, state=state, today=today, latest=today + FURTHEST_DAY, promised_on=promised_on
    ).encode()
    headers = [*_HEADERS, (b"content-length", str(len(html)).encode())]
    await send({"type": "http.response.start", "status": _STATUSES[state].value, "headers": headers})
    await send({"type": "http.response.body", "body": html})
