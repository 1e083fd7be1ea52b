"""A connection ends if its client sends no complete head in time, or too large a head."""

import asyncio

import pytest

from services.runtime.http.connection import (
    HEAD_BYTES_MAX,
    HEAD_TOO_LARGE,
    HEADERS_MAX,
    NOT_HTTP,
    TOO_SLOW,
    WRONG_HOST,
    WRONG_LENGTH,
    WRONG_VERSION,
    ConnectionFault,
)
from tests.support.clients.http_connections import (
    TIMEOUT_SECONDS,
    WHOLE,
    Open,
    assert_is,
    read_all,
    read_answer,
    within,
)


async def test_who_says_nothing_is_closed_without_a_word(open_one: Open) -> None:
    """An idle connection is closed without an answer."""
    reader, _ = await open_one()
    async with within(TIMEOUT_SECONDS):
        assert await read_all(reader) == b""


@pytest.mark.parametrize("begun", [b"G", b"GET / HTTP/1.1\r\n", WHOLE[:40]])
async def test_a_head_that_is_never_whole_gets_408(open_one: Open, begun: bytes) -> None:
    """An unfinished head is answered with a problem document, wherever it stopped."""
    reader, writer = await open_one()
    writer.write(begun)
    async with within(TIMEOUT_SECONDS):
        assert_is(await read_all(reader), TOO_SLOW)


@pytest.mark.parametrize(
    "head, fault",
    [
        (b"GET / HTTP/1.1\r\n\r\n", WRONG_HOST),
        (b"GET / HTTP/1.1\r\nhost: a\r\nhost: a\r\n\r\n", WRONG_HOST),
        (b"GET / HTTP/1.1\r\nhost: a\r\nHOST: b\r\n\r\n", WRONG_HOST),
        (b"GET / HTTP/1.0\r\nhost: a\r\nhost: b\r\n\r\n", WRONG_HOST),
        (b"GET http://a/ HTTP/1.1\r\n\r\n", WRONG_HOST),
        *[
            (b"GET / HTTP/1.1\r\nhost: " + host + b"\r\n\r\n", WRONG_HOST)
            for host in (
                b"a b",
                b"a/b",
                b"a@b",
                b"a,b:1:2",
                b"http://a",
                b"a:x",
                b"a:123456",
                b"[::1",
                b"[a b]",
                b"\xc4\x91.vn",
            )
        ],
        (b"GET / HTTP/1.1\r\nhost: " + b"a" * 256 + b"\r\n\r\n", WRONG_HOST),
        (b"GET /\r\n\r\n", WRONG_VERSION),
        (b"GET / HTTP/0.9\r\nhost: a\r\n\r\n", WRONG_VERSION),
        (b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: " + b"0" * 4_399 + b"7\r\n\r\n", WRONG_LENGTH),
        (b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: " + b"9" * 4_400 + b"\r\n\r\n", NOT_HTTP),
        (b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\ncontent-length: 2\r\n\r\nhi", NOT_HTTP),
        (b"GET / HTTP/2.0\r\nhost: a\r\n\r\n", WRONG_VERSION),
    ],
)
async def test_a_head_that_can_be_read_in_two_ways_gets_400(
    open_one: Open, head: bytes, fault: ConnectionFault
) -> None:
    """A missing, doubled or invalid Host, another version and an absurd length are refused, and the connection ends."""
    reader, writer = await open_one()
    writer.write(head)
    assert_is(await read_all(reader), fault)


@pytest.mark.parametrize(
    "host", [b"", b"a", b"dondoc.thanhhoa.gov.vn:8001", b"127.0.0.1:1", b"[::1]:80", b"my_service", b"a:", b"a \t"]
)
async def test_every_valid_host_is_served(open_one: Open, host: bytes) -> None:
    """Names, addresses, a port or none, and an empty host are valid; HTTP/1.0 needs none."""
    reader, writer = await open_one()
    writer.write(WHOLE.replace(b"host: x", b"host: " + host))
    assert (await read_answer(reader)).startswith(b"HTTP/1.1 200")
    reader, writer = await open_one()
    writer.write(WHOLE.replace(b"host: x\r\n", b"").replace(b"HTTP/1.1", b"HTTP/1.0"))
    assert (await read_answer(reader)).startswith(b"HTTP/1.1 200")


async def test_a_dripping_head_gains_no_time(open_one: Open) -> None:
    """The time for a head counts from its first byte and not from its last one."""
    reader, writer = await open_one()

    async def drip() -> None:
        writer.write(b"GET / HTTP/1.1\r\n")
        while not reader.at_eof():
            writer.write(b"a: b\r\n")
            await asyncio.sleep(TIMEOUT_SECONDS / 10)

    dripping = asyncio.create_task(drip())
    async with within(TIMEOUT_SECONDS):
        assert_is(await read_all(reader), TOO_SLOW)
    await dripping


async def test_empty_lines_are_no_head(open_one: Open) -> None:
    """Empty lines may come before a request (RFC 9112), but not instead of one."""
    reader, writer = await open_one()
    async with within(TIMEOUT_SECONDS):
        while not reader.at_eof():
            writer.write(b"\r\n")
            await asyncio.sleep(TIMEOUT_SECONDS / 10)


async def test_a_head_in_pieces_is_served(open_one: Open) -> None:
    """A head may arrive byte by byte if it is complete in time; the body may take longer."""
    reader, writer = await open_one()
    for at in range(len(WHOLE) - 1):
        writer.write(WHOLE[at : at + 1])
        await asyncio.sleep(0)
    await asyncio.sleep(2 * TIMEOUT_SECONDS)
    writer.write(WHOLE[-1:])
    assert (await read_answer(reader)).startswith(b"HTTP/1.1 200")


async def test_a_second_head_has_the_same_time(open_one: Open) -> None:
    """The time counts from the first byte of that head; complete requests before it are answered."""
    reader, writer = await open_one()
    for _ in range(2):
        writer.write(WHOLE)
        assert (await read_answer(reader)).startswith(b"HTTP/1.1 200")
        await asyncio.sleep(2 * TIMEOUT_SECONDS)
    writer.write(WHOLE + WHOLE + b"POST /")
    for _ in range(2):
        assert (await read_answer(reader)).startswith(b"HTTP/1.1 200")
    writer.write(b" HTTP/1.1\r\n")
    async with within(TIMEOUT_SECONDS):
        assert_is(await read_all(reader), TOO_SLOW)


@pytest.mark.parametrize("pieces", [1, 7])
async def test_a_head_over_the_bound_gets_431(open_one: Open, pieces: int) -> None:
    """A head that is too large is refused in one piece or in several, even if it is complete in the end."""
    reader, writer = await open_one()
    head = b"GET / HTTP/1.1\r\nhost: x\r\nlong: " + b"x" * HEAD_BYTES_MAX + b"\r\n\r\n"
    size = -(-len(head) // pieces)
    for at in range(0, len(head), size):
        writer.write(head[at : at + size])
        await asyncio.sleep(0.01)
    assert_is(await read_all(reader), HEAD_TOO_LARGE)


async def test_an_unfinished_head_of_many_headers_gets_431(open_one: Open) -> None:
    """Too many headers are refused, because each takes memory, however short it is."""
    reader, writer = await open_one()
    writer.write(b"GET / HTTP/1.1\r\n" + b"a:\r\n" * (HEADERS_MAX + 2))
    assert_is(await read_all(reader), HEAD_TOO_LARGE)


async def test_what_is_no_http_gets_400(open_one: Open) -> None:
    """What is no HTTP is answered with a problem document."""
    reader, writer = await open_one()
    writer.write(b"\x16\x03\x01 hello")
    assert_is(await read_all(reader), NOT_HTTP)
