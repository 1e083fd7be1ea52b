"""Compress answers for whoever takes them compressed (RFC 9110 section 8.4), and keep their entity tags true.

A page that holds a token and echoes a search could be guessed at by its size (the BREACH attack). That needs another
site to send requests with the session, which its cookie forbids (`SameSite=Strict`).
"""

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
_STRONG = '"'


class CompressionMiddleware:
    """Compresses by gzip. The bytes of a compressed answer are others, so that its tag is a weak one."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = GZipMiddleware(app, minimum_size=_BYTES_MIN, compresslevel=_LEVEL, exclude_content_types=_EXCLUDED)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(scope, receive, _weaken_tags(send))


def _weaken_tags(send: Send) -> Send:
    async def send_weakened(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            tag = headers.get("etag", "")
            if "content-encoding" in headers and tag.startswith(_STRONG):
                headers["etag"] = f"W/{tag}"
        await send(message)

    return send_weakened
