"""An SMS over a provider's HTTP interface is asked for as its template says, and ends as its answer says."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from schemas.events.deliveries import AttemptOutcome
from services.notifier.channels import http_gateway
from services.notifier.channels.http_gateway import HttpChannel, HttpGateway
from services.notifier.channels.message_channel import OutgoingMessage, SendResult
from services.notifier.core.rendering.render import RenderedMessage
from tests.support.clients.notifier import NOON

ACCEPTED, UNKNOWN = AttemptOutcome.ACCEPTED, AttemptOutcome.UNKNOWN
PERMANENT, TEMPORARY = AttemptOutcome.PERMANENT_FAILURE, AttemptOutcome.TEMPORARY_FAILURE
TECHNICAL = AttemptOutcome.TECHNICAL_FAILURE
MESSAGE = OutgoingMessage(
    id="ab" * 32,
    address="+84912345678",
    message_id="",
    language="vi",
    content=RenderedMessage(subject=None, body='Nhac han {secret} "09/12"', html=None, segments=1),
    at=NOON,
)


@dataclass
class Gateway:
    """A provider that gives one answer (None: it hangs up), and keeps what it was asked."""

    answer: str | None
    asked: list[dict[str, Any]] = field(default_factory=list)
    headers: list[str] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one request."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        self.headers = head.lower().splitlines()
        length = next(int(line.partition(":")[2]) for line in self.headers if line.startswith("content-length"))
        self.asked.append(json.loads(await reader.readexactly(length)))
        if self.answer is not None:
            writer.write(self.answer.encode())
            await writer.drain()
        writer.close()


def an_answer(status: int, body: str) -> str:
    """Return an HTTP answer."""
    return f"HTTP/1.1 {status} x\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n{body}"


@asynccontextmanager
async def open_channel(gateway: Gateway) -> AsyncIterator[HttpChannel]:
    """Start the provider and a channel to it."""
    server = await asyncio.start_server(gateway.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    channel = HttpChannel(
        HttpGateway(
            url=f"http://127.0.0.1:{port}/send",
            headers={"Authorization": "Bearer {secret}"},
            body={"Phone": "{to}", "Content": "{text}", "RequestId": "{id}", "Brandname": "{sender}", "Unicode": 0},
            encoding="json",
            success=http_gateway.compile_expression("status == 200 && body.CodeResult == '100'"),
            busy=http_gateway.compile_expression("body.CodeResult == '103'"),
            elsewhere=http_gateway.compile_expression("body.CodeResult == '98'"),
            bad_address=http_gateway.compile_expression("body.CodeResult == '99'"),
            message_id=http_gateway.compile_expression("body.SMSID"),
            sender="NHCSXH",
            secret="geheim",
            timeout_seconds=2.0,
            connections=1,
        ),
        id_prefix="esms:",
    )
    try:
        yield channel
    finally:
        await channel.close()
        server.close()


async def _send(gateway: Gateway) -> SendResult:
    async with open_channel(gateway) as channel:
        return await channel.send(MESSAGE)


async def test_the_request_is_the_template_filled_in_once() -> None:
    """Quotes and braces of a text stay text; the id is the same on every attempt; the secret is in its header alone."""
    gateway = Gateway(an_answer(200, '{"CodeResult": "100", "SMSID": "s-1"}'))
    result = await _send(gateway)
    assert (result.outcome, result.provider_ids) == (ACCEPTED, ("esms:s-1",))
    assert gateway.asked == [
        {
            "Phone": "84912345678",
            "Content": 'Nhac han {secret} "09/12"',
            "RequestId": "ab" * 20,
            "Brandname": "NHCSXH",
            "Unicode": 0,
        }
    ]
    assert "authorization: bearer geheim" in gateway.headers


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (an_answer(200, '{"CodeResult": "99"}'), PERMANENT),
        (an_answer(200, '{"CodeResult": "98"}'), TEMPORARY),
        (an_answer(200, '{"CodeResult": "103"}'), TEMPORARY),
        (an_answer(200, '{"CodeResult": "104"}'), TECHNICAL),
        (an_answer(200, "no JSON"), TECHNICAL),
        (an_answer(401, "{}"), TECHNICAL),
        (an_answer(429, "{}"), TEMPORARY),
        (an_answer(503, ""), TEMPORARY),
        (an_answer(502, "{}"), UNKNOWN),
        (None, UNKNOWN),
    ],
    ids=["bad number", "elsewhere", "busy", "other", "no JSON", "key", "429", "503", "502", "hung up"],
)
async def test_an_answer_means_what_the_expressions_say(answer: str | None, outcome: AttemptOutcome) -> None:
    """What may have been sent is unknown; what the provider refuses is nobody's fault unless it names the number."""
    assert (await _send(Gateway(answer))).outcome is outcome


async def test_a_provider_that_is_away_was_surely_not_asked() -> None:
    """No connection: the SMS may be tried again, or go by the next provider."""
    closed = HttpChannel(_without_server(), id_prefix="")
    try:
        result = await closed.send(MESSAGE)
    finally:
        await closed.close()
    assert (result.outcome, result.reason) == (TECHNICAL, "http_connection")


def _without_server() -> HttpGateway:
    never = http_gateway.compile_expression("false")
    return HttpGateway(
        url="http://127.0.0.1:9/",
        headers={},
        body={},
        encoding="json",
        success=never,
        busy=never,
        elsewhere=never,
        bad_address=never,
        message_id=never,
        sender="S",
        secret="",
        timeout_seconds=2.0,
        connections=1,
    )
