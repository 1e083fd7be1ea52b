"""How a connection treats offered upgrades, bodies, trailers and responses that nobody reads."""

import asyncio

import pytest

from services.runtime.http.connection import HEAD_BYTES_MAX
from tests.support.clients.http_connections import (
    LARGE_ANSWER,
    TIMEOUT_SECONDS,
    UNREAD_TIMEOUT_SECONDS,
    WHOLE,
    Open,
    read_all,
    read_answer,
    read_in_all,
    within,
)

SHORT = b"GET / HTTP/1.1\r\nhost: x\r\nlong: " + b"x" * 1024 + b"\r\n\r\n"


async def test_a_large_body_with_a_small_head_is_served(open_one: Open) -> None:
    """The limit applies to the head and not to the body."""
    reader, writer = await open_one()
    body = bytes(4 * HEAD_BYTES_MAX) + b"hi"
    for _ in range(2):
        writer.write(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n" % len(body) + body)
        assert (await read_answer(reader)).endswith(body)


@pytest.mark.parametrize("offered", [b"h2c", b"websocket"])
async def test_who_offers_another_protocol_is_served_over_this_one(open_one: Open, offered: bytes) -> None:
    """A request that offers an upgrade is read with its body, as Java's client sends it."""
    reader, writer = await open_one()
    offer = b"host: x\r\nconnection: Upgrade, HTTP2-Settings\r\nupgrade: %b\r\nhttp2-settings: AAEA\r\n" % offered
    offering = WHOLE.replace(b"host: x\r\n", offer)
    chunked = offering.replace(b"content-length: 2", b"transfer-encoding: chunked").replace(
        b"hi", b"2\r\nhi\r\n0\r\n\r\n"
    )
    for request in (offering, chunked, WHOLE, offering + WHOLE + chunked + offering):
        writer.write(request)
        for _ in range(request.count(b"POST")):
            assert (await read_answer(reader)).startswith(b"HTTP/1.1 200")
    writer.write(offering[:-1])
    await asyncio.sleep(TIMEOUT_SECONDS)
    writer.write(offering[-1:] + b"GET / HTTP/1.1\r\nhost: x\r\nupgrade: h2c\r\nconnection: upgrade\r\n\r\n" + WHOLE)
    assert (await read_answer(reader)).startswith(b"HTTP/1.1 200")
    assert b"content-length: 0\r\n" in await read_answer(reader)


async def test_a_refused_body_may_not_drip_for_ever(open_one: Open) -> None:
    """The rest of a refused body is read, so that the client sees the refusal, but not without limit."""
    reader, writer = await open_one()
    writer.write(b"POST /refuse HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000000\r\n\r\n")
    await asyncio.wait_for(reader.readuntil(b"refused"), 10)
    async with within(TIMEOUT_SECONDS):
        while not reader.at_eof():
            writer.write(bytes(HEAD_BYTES_MAX))
            await asyncio.sleep(TIMEOUT_SECONDS / 10)
    assert await read_all(reader) == b""


@pytest.mark.parametrize("path", [b"/", b"/refuse"])
@pytest.mark.parametrize("flood", [b"a:\r\n" * 1024, b"x" * 4096], ids=["many", "one"])
async def test_a_trailer_has_the_bound_of_a_head(open_one: Open, path: bytes, flood: bytes) -> None:
    """Trailers are limited during and after a request, because the parser would keep them all in memory."""
    _, writer = await open_one()
    writer.write(b"POST %b HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\na: " % path)
    sent = 0
    async with asyncio.timeout(5):
        while not writer.is_closing():
            writer.write(flood)
            sent += len(flood)
            await asyncio.sleep(0.001)
    assert sent < 8 * HEAD_BYTES_MAX


async def test_a_trailer_within_bounds_is_read_over(open_one: Open) -> None:
    """The next request is served, and so are many small ones without a body."""
    reader, writer = await open_one()
    chunked = b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n2;a=b\r\nhi\r\n0\r\na: "
    for piece in (chunked, b"x" * 4096, b"\r\n\r\n"):
        writer.write(piece)
        await asyncio.sleep(0.01)
    assert (await read_answer(reader)).startswith(b"HTTP/1.1 200")
    for _ in range(3 * HEAD_BYTES_MAX // len(SHORT)):
        writer.write(SHORT)
        await asyncio.wait_for(reader.readuntil(b"content-length: 0\r\n\r\n"), 10)


async def test_an_answer_that_nobody_reads_is_given_up(open_one: Open) -> None:
    """A client that reads slowly gets the whole response; one that has stopped reading is disconnected."""
    slow, writer = await open_one()
    stopped, other = await open_one()
    for one in (writer, other):
        one.write(b"GET /large HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
    # Three times as long: the other one is given up at the second look, for until the first the kernel's buffers fill.
    assert await read_in_all(slow, pause_seconds=3 * UNREAD_TIMEOUT_SECONDS / 64) > len(LARGE_ANSWER)
    assert await read_in_all(stopped) < len(LARGE_ANSWER)
