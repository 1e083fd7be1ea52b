"""Answers as they are compressed: in portions, between which others are answered."""

import asyncio
import gzip

from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from services.reporting.http.compression import CompressionMiddleware

BODY = b"".join(b"%d, " % number for number in range(100_000))


async def give(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with 600 kilobytes in one message."""
    await Response(BODY, media_type="application/json", headers={"ETag": '"t"'})(scope, receive, send)


async def ask(encoding: str) -> tuple[dict[str, str], bytes, list[int]]:
    """Return the headers and the body, and how many other turns of the event loop had passed before each message."""
    turns, sent = 0, []
    body = bytearray()
    headers: dict[str, str] = {}

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers.update((name.decode(), value.decode()) for name, value in message["headers"])
        else:
            body.extend(message.get("body", b""))
            sent.append(turns)

    async def count_turns() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    scope = {"type": "http", "method": "GET", "path": "/", "headers": [(b"accept-encoding", encoding.encode())]}
    counting = asyncio.create_task(count_turns())
    await CompressionMiddleware(give)(scope, receive, send)
    counting.cancel()
    return headers, bytes(body), sent


async def test_a_long_answer_is_compressed_in_portions_between_which_others_have_their_turn() -> None:
    """The whole would hold up a probe; unpacked it is the same answer, with a weak tag."""
    headers, body, sent = await ask("gzip")
    assert gzip.decompress(body) == BODY
    assert headers["etag"] == 'W/"t"'
    assert len(set(sent)) >= len(BODY) // 65_536


async def test_whoever_takes_it_uncompressed_gets_the_same_bytes_and_their_number() -> None:
    """The length that was announced is that of all portions."""
    headers, body, _ = await ask("identity")
    assert body == BODY
    assert headers["content-length"] == str(len(BODY))
