"""A connection ends when its client sends no whole head, sends too large a one, or never reads its answer."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any

import pytest
from uvicorn import Config
from uvicorn.server import ServerState

from services.runtime import connections
from services.runtime.connections import (
    HEAD_BYTES_MAX,
    HEAD_TOO_LARGE,
    HEADERS_MAX,
    NOT_HTTP,
    TOO_SLOW,
    Connection,
    Fault,
)

PATIENCE_SECONDS = 0.4
WHOLE = b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\nhi"
LARGE_ANSWER = bytes(64 * 1024 * 1024)

Open = Callable[[], Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]


async def app(scope: dict[str, Any], receive: Callable[[], Any], send: Callable[[Any], Any]) -> None:
    """Answer with the body; to `/large` with more than any buffer holds; to `/refuse` before the body is here."""
    body = b"refused" if scope["path"] == "/refuse" else LARGE_ANSWER if scope["path"] == "/large" else b""
    has_more = not body
    while has_more:
        message = await receive()
        body += message.get("body", b"")
        has_more = message.get("more_body", False)
    headers = [(b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


@pytest.fixture
async def open_one(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Open]:
    """Open a connection to a server whose patience is short."""
    monkeypatch.setattr(connections, "HEAD_SECONDS", PATIENCE_SECONDS)
    monkeypatch.setattr(connections, "READING_SECONDS", PATIENCE_SECONDS)
    config = Config(app, log_config=None, access_log=False, ws="none", timeout_keep_alive=2)
    config.load()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(config, ServerState(), {}, loop), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    writers = []

    async def open_one() -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1024 * 1024)
        writers.append(writer)
        return reader, writer

    yield open_one
    for writer in writers:
        writer.close()
    server.close()


@asynccontextmanager
async def within(seconds: float) -> AsyncIterator[None]:
    """What happens here takes at least half of *seconds* and at most five times as long."""
    loop = asyncio.get_running_loop()
    begun_at = loop.time()
    async with asyncio.timeout(5 * seconds):
        yield
    assert loop.time() - begun_at > seconds / 2


async def answered(reader: asyncio.StreamReader) -> bytes:
    """Everything until the server closes."""
    return await asyncio.wait_for(reader.read(), 10)


async def one_answer(reader: asyncio.StreamReader) -> bytes:
    """One answer to WHOLE, on a connection that stays."""
    return await asyncio.wait_for(reader.readuntil(b"hi"), 10)


async def read_in_all(reader: asyncio.StreamReader, *, pause_seconds: float = 0.0) -> int:
    """How many bytes come until the end, read a mebibyte at a time."""
    read = 0
    while part := await reader.read(1024 * 1024):
        read += len(part)
        await asyncio.sleep(pause_seconds)
    return read


def assert_is(answer: bytes, fault: Fault) -> None:
    """Whether *answer* is the problem document of *fault*, whole and nothing else."""
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 %d " % fault.status.value)
    assert b"content-type: application/problem+json" in head
    assert b"connection: close" in head
    assert b"content-length: %d" % len(body) in head
    assert json.loads(body)["type"] == f"/problems/{fault.slug}"
    assert json.loads(body)["status"] == fault.status == HTTPStatus(fault.status.value)


async def test_who_says_nothing_is_closed_without_a_word(open_one: Open) -> None:
    """There is nothing to answer."""
    reader, _ = await open_one()
    async with within(PATIENCE_SECONDS):
        assert await answered(reader) == b""


@pytest.mark.parametrize("begun", [b"G", b"GET / HTTP/1.1\r\n", WHOLE[:40]])
async def test_a_head_that_is_never_whole_gets_408(open_one: Open, begun: bytes) -> None:
    """However far it came."""
    reader, writer = await open_one()
    writer.write(begun)
    async with within(PATIENCE_SECONDS):
        assert_is(await answered(reader), TOO_SLOW)


async def test_a_dripping_head_gains_no_time(open_one: Open) -> None:
    """The time counts from its first byte, not from its last."""
    reader, writer = await open_one()

    async def drip() -> None:
        writer.write(b"GET / HTTP/1.1\r\n")
        while not reader.at_eof():
            writer.write(b"a: b\r\n")
            await asyncio.sleep(PATIENCE_SECONDS / 10)

    dripping = asyncio.create_task(drip())
    async with within(PATIENCE_SECONDS):
        assert_is(await answered(reader), TOO_SLOW)
    await dripping


async def test_empty_lines_are_no_head(open_one: Open) -> None:
    """They may come before a request (RFC 9112), but not instead of one."""
    reader, writer = await open_one()
    async with within(PATIENCE_SECONDS):
        while not reader.at_eof():
            writer.write(b"\r\n")
            await asyncio.sleep(PATIENCE_SECONDS / 10)


async def test_a_head_in_pieces_is_served(open_one: Open) -> None:
    """Byte by byte, if it is whole in time; and the body may take longer."""
    reader, writer = await open_one()
    for at in range(len(WHOLE) - 1):
        writer.write(WHOLE[at : at + 1])
        await asyncio.sleep(0)
    await asyncio.sleep(2 * PATIENCE_SECONDS)
    writer.write(WHOLE[-1:])
    assert (await one_answer(reader)).startswith(b"HTTP/1.1 200")


async def test_a_second_head_has_the_same_time(open_one: Open) -> None:
    """Counted from its own first byte; whole ones before it, alone or in one piece, are answered."""
    reader, writer = await open_one()
    for _ in range(2):
        writer.write(WHOLE)
        assert (await one_answer(reader)).startswith(b"HTTP/1.1 200")
        await asyncio.sleep(2 * PATIENCE_SECONDS)
    writer.write(WHOLE + WHOLE + b"POST /")
    for _ in range(2):
        assert (await one_answer(reader)).startswith(b"HTTP/1.1 200")
    writer.write(b" HTTP/1.1\r\n")
    async with within(PATIENCE_SECONDS):
        assert_is(await answered(reader), TOO_SLOW)


@pytest.mark.parametrize("pieces", [1, 7])
async def test_a_head_over_the_bound_gets_431(open_one: Open, pieces: int) -> None:
    """In one piece or in several; the request is not heard, even if its head is whole in the end."""
    reader, writer = await open_one()
    head = b"GET / HTTP/1.1\r\nhost: x\r\nlong: " + b"x" * HEAD_BYTES_MAX + b"\r\n\r\n"
    size = -(-len(head) // pieces)
    for at in range(0, len(head), size):
        writer.write(head[at : at + size])
        await asyncio.sleep(0.01)
    assert_is(await answered(reader), HEAD_TOO_LARGE)


async def test_an_unfinished_head_of_many_headers_gets_431(open_one: Open) -> None:
    """Each takes memory of its own, however short it is."""
    reader, writer = await open_one()
    writer.write(b"GET / HTTP/1.1\r\n" + b"a:\r\n" * (HEADERS_MAX + 2))
    assert_is(await answered(reader), HEAD_TOO_LARGE)


async def test_a_large_body_with_a_small_head_is_served(open_one: Open) -> None:
    """The bound is one of the head."""
    reader, writer = await open_one()
    body = bytes(4 * HEAD_BYTES_MAX) + b"hi"
    for _ in range(2):
        writer.write(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n" % len(body) + body)
        assert (await one_answer(reader)).endswith(body)


@pytest.mark.parametrize("offered", [b"h2c", b"websocket"])
async def test_who_offers_another_protocol_is_served_over_this_one(open_one: Open, offered: bytes) -> None:
    """With its body, however it comes, and as often as it offers; Java's own client does so with a first request."""
    reader, writer = await open_one()
    offer = b"host: x\r\nconnection: Upgrade, HTTP2-Settings\r\nupgrade: %b\r\nhttp2-settings: AAEA\r\n" % offered
    offering = WHOLE.replace(b"host: x\r\n", offer)
    chunked = offering.replace(b"content-length: 2", b"transfer-encoding: chunked").replace(
        b"hi", b"2\r\nhi\r\n0\r\n\r\n"
    )
    for request in (offering, chunked, WHOLE, offering + WHOLE + chunked + offering):
        writer.write(request)
        for _ in range(request.count(b"POST")):
            assert (await one_answer(reader)).startswith(b"HTTP/1.1 200")
    writer.write(offering[:-1])
    await asyncio.sleep(PATIENCE_SECONDS)
    writer.write(offering[-1:] + b"GET / HTTP/1.1\r\nhost: x\r\nupgrade: h2c\r\nconnection: upgrade\r\n\r\n" + WHOLE)
    assert (await one_answer(reader)).startswith(b"HTTP/1.1 200")
    assert b"content-length: 0\r\n" in await one_answer(reader)


async def test_what_is_no_http_gets_400(open_one: Open) -> None:
    """As a problem document, like every other refusal."""
    reader, writer = await open_one()
    writer.write(b"\x16\x03\x01 hello")
    assert_is(await answered(reader), NOT_HTTP)


async def test_a_refused_body_may_not_drip_for_ever(open_one: Open) -> None:
    """Its rest is read and forgotten, so that the refusal is seen; not without end."""
    reader, writer = await open_one()
    writer.write(b"POST /refuse HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000000\r\n\r\n")
    await asyncio.wait_for(reader.readuntil(b"refused"), 10)
    async with within(PATIENCE_SECONDS):
        while not reader.at_eof():
            writer.write(bytes(HEAD_BYTES_MAX))
            await asyncio.sleep(PATIENCE_SECONDS / 10)
    assert await answered(reader) == b""


async def test_an_answer_that_nobody_reads_is_given_up(open_one: Open) -> None:
    """Who reads slowly is served to the end; who has stopped is cut off."""
    slow, writer = await open_one()
    stopped, other = await open_one()
    for one in (writer, other):
        one.write(b"GET /large HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
    assert await read_in_all(slow, pause_seconds=4 * PATIENCE_SECONDS / 64) > len(LARGE_ANSWER)
    assert await read_in_all(stopped) < len(LARGE_ANSWER)
