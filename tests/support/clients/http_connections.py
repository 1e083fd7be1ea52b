"""A server with short timeouts for tests of connections, and functions that read its responses."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any

from services.runtime.http.connection import ConnectionFault

TIMEOUT_SECONDS = 1.0  # long enough that a busy machine does not stop a client from reading for as long
# The buffers of the kernel hold megabytes, so the server sees only now and then that a slow client has read.
UNREAD_TIMEOUT_SECONDS = 2.0
WHOLE = b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\nhi"
LARGE_ANSWER = bytes(64 * 1024 * 1024)

Open = Callable[[], Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]


async def app(scope: dict[str, Any], receive: Callable[[], Any], send: Callable[[Any], Any]) -> None:
    """Answer with the body; for `/large` with more than any buffer holds; for `/refuse` before the body has arrived."""
    body = b"refused" if scope["path"] == "/refuse" else LARGE_ANSWER if scope["path"] == "/large" else b""
    has_more = not body
    while has_more:
        message = await receive()
        body += message.get("body", b"")
        has_more = message.get("more_body", False)
    headers = [(b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


@asynccontextmanager
async def within(seconds: float) -> AsyncIterator[None]:
    """Assert that the block takes at least half of *seconds* and at most five times as long."""
    loop = asyncio.get_running_loop()
    begun_at = loop.time()
    async with asyncio.timeout(5 * seconds):
        yield
    assert loop.time() - begun_at > seconds / 2


async def read_all(reader: asyncio.StreamReader) -> bytes:
    """Read everything until the server closes."""
    return await asyncio.wait_for(reader.read(), 10)


async def read_answer(reader: asyncio.StreamReader) -> bytes:
    """Read one response to WHOLE on a connection that stays open."""
    return await asyncio.wait_for(reader.readuntil(b"hi"), 10)


async def read_in_all(reader: asyncio.StreamReader, *, pause_seconds: float = 0.0) -> int:
    """Return how many bytes come until the end, reading a mebibyte at a time."""
    read = 0
    while part := await reader.read(1024 * 1024):
        read += len(part)
        await asyncio.sleep(pause_seconds)
    return read


def assert_is(answer: bytes, fault: ConnectionFault) -> None:
    """Assert that *answer* is the whole problem document of *fault* and nothing else."""
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 %d " % fault.status.value)
    assert b"content-type: application/problem+json" in head
    assert b"connection: close" in head
    assert b"content-length: %d" % len(body) in head
    assert json.loads(body)["type"] == f"/problems/{fault.slug}"
    assert json.loads(body)["status"] == fault.status == HTTPStatus(fault.status.value)
