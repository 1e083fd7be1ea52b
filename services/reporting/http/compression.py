"""Compress answers for whoever takes them compressed (RFC 9110 section 8.4), and keep their entity tags true.

A page that holds a token and echoes a search could be guessed at by its size (the BREACH attack). That needs another
site to send requests with the session, which its cookie forbids (`SameSite=Strict`).
"""

import asyncio

from starlette.datastructures import MutableHeaders
from starlette.middleware.gzip import DEFAULT_EXCLUDED_CONTENT_TYPES, GZipMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# What is compressed already: PDF, and the office formats, which are ZIP archives.
_OFFICE = "application/vnd.openxmlformats-officedocument"
_EXCLUDED = (
    *DEFAULT_EXCLUDED_CONTENT_TYPES,
    "application/pdf",
    f"{_OFFICE}.wordprocessingml.document",
    f"{_OFFICE}.spreadsheetml.sheet",
    "application/octet-stream",
)
_BYTES_MIN = 1_000  # shorter answers fit into one packet as they are
_LEVEL = 5  # three times as fast as the highest level, for answers that are a tenth longer
_PORTION_BYTES = 65_536  # compressed in one to two milliseconds
_STRONG = '"'


class CompressionMiddleware:
    """Compresses by gzip. The bytes of a compressed answer are others, so that its tag is a weak one."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = GZipMiddleware(
            PortionedAnswers(app), minimum_size=_BYTES_MIN, compresslevel=_LEVEL, exclude_content_types=_EXCLUDED
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(scope, receive, _weaken_tags(send))


class PortionedAnswers:
    """Hands a long answer on in portions, between which other requests are answered.

    It is compressed on the event loop, which the results of ten thousand agencies would hold up for 40 ms.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_portions(message: Message) -> None:
            body = message.get("body", b"")
            if message["type"] != "http.response.body" or len(body) <= _PORTION_BYTES:
                await send(message)
                return
            for start in range(0, len(body), _PORTION_BYTES):
                end = start + _PORTION_BYTES
                has_more = end < len(body) or message.get("more_body", False)
                await send({**message, "body": body[start:end], "more_body": has_more})
                await asyncio.sleep(0)

        await self._app(scope, receive, send_portions)


def _weaken_tags(send: Send) -> Send:
    async def send_weakened(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            tag = headers.get("etag", "")
            if "content-encoding" in headers and tag.startswith(_STRONG):
                headers["etag"] = f"W/{tag}"
        await send(message)

    return send_weakened
