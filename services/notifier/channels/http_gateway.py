"""SMS over a provider's HTTP interface: one request a message, as a template of the request and of the answer say.

A request that was surely not received is a failure of the route. One that may have been received and was not answered
is unknown, and is not repeated.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

import httpx
from pydantic import JsonValue

from schemas.cel import compiler, syntax
from schemas.cel.compiler import CostExceeded, Evaluate, Frame, Scope
from schemas.cel.costs import Shape
from schemas.cel.values import Value
from schemas.events.deliveries import AttemptOutcome
from services.notifier.channels.message_channel import OutgoingMessage, SendResult
from services.notifier.core.dispatch import template_parameters
from services.notifier.core.dispatch.refusals import BROKEN_CONNECTION, DeliveryRefusal, RefusalFault
from services.notifier.core.scheduling.routing import PUBLIC_DIGITS

_PLACEHOLDER = re.compile(rf"\{{(to|text|sender|id|secret|receipts_key|{'|'.join(template_parameters.NAMES)})\}}")
_LARGEST_ANSWER = 64 * 1024
VARIABLES = ("status", "body")
_ANY_TEXT = Shape(size=_LARGEST_ANSWER, is_map=True)
_OURS = DeliveryRefusal(fault=RefusalFault.OURS, is_permanent=False, concerns_route=True)
_BUSY = DeliveryRefusal(fault=RefusalFault.BUSY, is_permanent=False, concerns_route=True)
_ADDRESS = DeliveryRefusal(fault=RefusalFault.ADDRESS, is_permanent=True, concerns_route=False, is_hard=True)
_ELSEWHERE = DeliveryRefusal(fault=RefusalFault.ADDRESS, is_permanent=False, concerns_route=False, goes_elsewhere=True)
_REQUEST_NOT_MADE = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
_TOO_MANY, _UNAVAILABLE, _FIRST_SERVER_ERROR = 429, 503, 500


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpGateway:
    """How one provider is asked, and how its answer is read.

    In `headers` and in every text of `body`, `{to}`, `{text}`, `{sender}`, `{id}`, `{secret}` and `{receipts_key}`
    stand for the number (84912345678), the text, the brand name, the id of the delivery, the provider's secret, and the
    secret with which it reports; the names of `template_parameters` for what a template of the provider's is filled
    with. `success`, `busy`,
    `elsewhere`, `bad_address` and `message_id` are expressions (CEL) over `status` and `body`, the decoded answer.
    """

    url: str
    headers: Mapping[str, str]
    body: JsonValue
    encoding: Literal["json", "form"]
    success: Evaluate
    busy: Evaluate
    elsewhere: Evaluate
    bad_address: Evaluate
    message_id: Evaluate
    sender: str
    secret: str
    receipts_key: str = ""
    timeout_seconds: float
    connections: int


def compile_expression(expression: str, variables: Sequence[str] = VARIABLES) -> Evaluate:
    """Return *expression* compiled; raise `InvalidExpression` if it is not CEL over *variables*."""
    scope = Scope({name: (name, _ANY_TEXT) for name in variables}, set())
    return compiler.compile_node(syntax.parse(expression), scope).evaluate


class HttpChannel:
    """Sends SMS through one gateway, on connections that it keeps open."""

    def __init__(self, gateway: HttpGateway, *, id_prefix: str) -> None:
        self._gateway = gateway
        self._id_prefix = id_prefix  # another gateway may give out the same ids
        limits = httpx.Limits(max_connections=gateway.connections, max_keepalive_connections=gateway.connections)
        self._client = httpx.AsyncClient(timeout=gateway.timeout_seconds, limits=limits, follow_redirects=False)

    async def send(self, message: OutgoingMessage) -> SendResult:
        gateway = self._gateway
        values = {
            "to": message.address.removeprefix("+"),
            "text": message.content.body,
            "sender": gateway.sender,
            "id": message.id[:PUBLIC_DIGITS],
            "secret": gateway.secret,
            "receipts_key": gateway.receipts_key,
            **message.parameters,
        }
        headers = {name: _fill_text(value, values) for name, value in gateway.headers.items()}
        body: Any = _fill(gateway.body, values)
        content = {"json": body} if gateway.encoding == "json" else {"data": body}
        try:
            answer = await self._client.post(gateway.url, headers=headers, **content)
        except _REQUEST_NOT_MADE:
            return SendResult.from_refusal(BROKEN_CONNECTION, "http_connection")
        except httpx.HTTPError:
            return SendResult(outcome=AttemptOutcome.UNKNOWN, reason="http_unanswered")
        return self._read_answer(answer.status_code, answer.content, values["id"])

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    def _read_answer(self, status: int, content: bytes, own_id: str) -> SendResult:
        gateway, reason = self._gateway, f"http_{status}"
        variables: dict[str, Value] = {"status": Decimal(status), "body": decode(content)}
        if evaluate(gateway.success, variables) is True:
            identity = evaluate(gateway.message_id, variables)
            # Without an id of its own the gateway can report under ours alone.
            name = own_id if identity in {None, ""} else identity
            said = None if name is own_id else str(name)
            return SendResult(outcome=AttemptOutcome.ACCEPTED, provider_ids=(f"{self._id_prefix}{name}",), answer=said)
        if evaluate(gateway.elsewhere, variables) is True:
            return SendResult.from_refusal(_ELSEWHERE, reason)
        if evaluate(gateway.bad_address, variables) is True:
            return SendResult.from_refusal(_ADDRESS, reason)
        if status in {_TOO_MANY, _UNAVAILABLE} or evaluate(gateway.busy, variables) is True:
            return SendResult.from_refusal(_BUSY, reason)
        if status >= _FIRST_SERVER_ERROR:
            # The gateway failed at some point, perhaps after it had sent the message.
            return SendResult(outcome=AttemptOutcome.UNKNOWN, reason=reason)
        return SendResult.from_refusal(_OURS, reason)


def evaluate(evaluate: Evaluate, variables: dict[str, Value]) -> Value:
    """Return the value of an expression; one that cannot be evaluated (a member is missing) is null."""
    try:
        return evaluate(Frame(variables))
    except (*compiler.NOT_EVALUABLE, CostExceeded):
        return None


def decode(content: bytes) -> Value:
    """Return an answer of JSON as values of expressions, any other one as text."""
    cut = content[:_LARGEST_ANSWER]
    try:
        decoded: Value = json.loads(cut, parse_float=Decimal, parse_int=Decimal)
    except (ValueError, RecursionError):
        return cut.decode("utf-8", "replace")
    return decoded


def _fill(template: JsonValue, values: Mapping[str, str]) -> JsonValue:
    match template:
        case str():
            return _fill_text(template, values)
        case list():
            return [_fill(one, values) for one in template]
        case dict():
            return {name: _fill(one, values) for name, one in template.items()}
        case _:
            return template


def _fill_text(template: str, values: Mapping[str, str]) -> str:
    """Return *template* with its placeholders filled, each once: a text that holds `{secret}` is left as it is."""
    parts: Sequence[str] = _PLACEHOLDER.split(template)
    return "".join(values.get(one, f"{{{one}}}") if place % 2 else one for place, one in enumerate(parts))
