"""ASGI for handlers without a framework: its types, reading the content of a request, sending one whole response."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
AsgiHandler = Callable[[Scope, Receive, Send], Awaitable[None]]

JSON = "application/json"


async def read_content(receive: Receive, *, largest: int) -> bytes | None:
    """Return the content of a request, or None if it has more than *largest* bytes."""
    content = b""
    while True:
        message = await receive()
        content += bytes(message.get("body", b""))
        if len(content) > largest:
            return None
        if not message.get("more_body"):
            return content


async def send_response(send: Send, body: bytes, *, status: int = 200, content_type: str = JSON) -> None:
    """Send one whole response."""
    headers = [(b"content-type", content_type.encode()), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
