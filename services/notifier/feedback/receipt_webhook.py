"""`/v1/receipts`: where HTTP gateways report what became of a message, by GET or POST, as each of them does it.

`?route=NAME` names the route. Whoever reports shows the secret that was agreed with the gateway, in a header or as
`key`. Nothing of a request is logged or quoted, because it may hold the number.
"""

import hmac
import json
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import parse_qsl

from schemas.cel.compiler import Evaluate
from schemas.cel.values import Value
from schemas.events.deliveries import AttemptOutcome
from services.notifier.channels import http_gateway
from services.notifier.core.dispatch.receipts import DeliveryReceipt
from services.notifier.errors import LedgerUnavailableError
from services.runtime.http.asgi import Receive, Scope, Send, read_content, send_response

RECEIPTS_PATH = "/v1/receipts"
VARIABLES = ("query", "body")
_LARGEST_REQUEST = 64 * 1024
_PROBLEM = "application/problem+json"

# Stores a receipt. If it raises, the gateway is asked to come again.
OnReceipt = Callable[[DeliveryReceipt], Coroutine[None, None, None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptGateway:
    """How one gateway reports: the secret that it shows, in which header (None: as `key`), and what its words mean.

    The expressions are over `query` and `body`. What is none of confirmed, failed and no_number is not final.
    """

    secret: str
    header: str | None
    message_id: Evaluate
    confirmed: Evaluate
    failed: Evaluate
    no_number: Evaluate


class ReceiptWebhook:
    """The handler. *gateways* are those of the routes that report, by the name of the route."""

    def __init__(self, gateways: Mapping[str, ReceiptGateway], on_receipt: OnReceipt) -> None:
        self._gateways = gateways
        self._on_receipt = on_receipt

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take one report. An answer of 503 asks the gateway to repeat it."""
        status = await self._take(scope, receive)
        if status is HTTPStatus.OK:
            await send_response(send, b"{}")
            return
        problem = json.dumps({"type": "about:blank", "title": status.phrase, "status": status.value})
        await send_response(send, problem.encode(), status=status.value, content_type=_PROBLEM)

    async def _take(self, scope: Scope, receive: Receive) -> HTTPStatus:
        if scope["method"] not in {"GET", "POST"}:
            return HTTPStatus.METHOD_NOT_ALLOWED
        query = dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True))
        gateway = self._gateways.get(query.get("route", ""))
        if gateway is None:
            return HTTPStatus.NOT_FOUND
        if not _shows_secret(gateway, scope, query):
            return HTTPStatus.UNAUTHORIZED
        content = await read_content(receive, largest=_LARGEST_REQUEST)
        if content is None:
            return HTTPStatus.REQUEST_ENTITY_TOO_LARGE
        body = _decode_content(scope, content)
        receipt = read_receipt(gateway, {"query": dict(query), "body": body}, prefix=f"{query['route']}:")
        if receipt is None:
            return HTTPStatus.UNPROCESSABLE_ENTITY
        try:
            await self._on_receipt(receipt)
        except LedgerUnavailableError:
            return HTTPStatus.SERVICE_UNAVAILABLE
        return HTTPStatus.OK


def read_receipt(gateway: ReceiptGateway, variables: dict[str, Value], *, prefix: str) -> DeliveryReceipt | None:
    """Return what a gateway reports, or None where its report does not name a message."""
    identity = http_gateway.evaluate(gateway.message_id, variables)
    if identity in {None, ""}:
        return None
    has_no_number = http_gateway.evaluate(gateway.no_number, variables) is True
    outcome = None
    if has_no_number or http_gateway.evaluate(gateway.failed, variables) is True:
        outcome = AttemptOutcome.BOUNCED
    elif http_gateway.evaluate(gateway.confirmed, variables) is True:
        outcome = AttemptOutcome.CONFIRMED
    return DeliveryReceipt(ids=(f"{prefix}{identity}",), outcome=outcome, reason="receipt", is_hard=has_no_number)


def _shows_secret(gateway: ReceiptGateway, scope: Scope, query: Mapping[str, str]) -> bool:
    shown = query.get("key", "")
    if gateway.header is not None:
        name = gateway.header.lower().encode("latin-1")
        shown = next((value.decode("latin-1") for header, value in scope["headers"] if header == name), "")
    return hmac.compare_digest(shown.encode(), gateway.secret.encode())


def _decode_content(scope: Scope, content: bytes) -> Value:
    kinds = [value for header, value in scope["headers"] if header == b"content-type"]
    if kinds and kinds[0].startswith(b"application/x-www-form-urlencoded"):
        return dict(parse_qsl(content.decode("utf-8", "replace"), keep_blank_values=True))
    return http_gateway.decode(content)
