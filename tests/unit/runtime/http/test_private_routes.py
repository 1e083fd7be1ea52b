"""Routes that answer this machine alone, or whoever has the key."""

from typing import Any

import pytest

from services.runtime.http.asgi import Receive, Scope, Send
from services.runtime.http.private_routes import guard_route

KEY = "a key that is long enough for two services"


async def answer(_scope: Scope, _receive: Receive, send: Send) -> None:
    """Answer 200 with nothing."""
    await send({"type": "http.response.start", "status": 200, "headers": []})


async def ask(key: str | None, client: str | None, **headers: str) -> int:
    """Return the status of the answer to a request from the address *client*."""
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request"}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "client": None if client is None else (client, 1),
        "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()],
    }
    await guard_route(answer, key)(scope, receive, send)
    return int(sent[0]["status"])


@pytest.mark.parametrize("client", ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"])
async def test_without_a_key_this_machine_may_ask(client: str) -> None:
    """A process on the same machine is answered, unless it asks for somebody else."""
    assert await ask(None, client) == 200
    for header in ("x_forwarded_for", "forwarded", "via", "x_real_ip"):
        assert await ask(None, client, **{header: "10.0.0.1"}) == 403


@pytest.mark.parametrize("client", [None, "10.0.0.1", "192.168.1.1", "::2", "::ffff:10.0.0.1"])
async def test_without_a_key_nobody_else_may(client: str | None) -> None:
    """A request from another machine, or from who knows where, gets 403."""
    assert await ask(None, client) == 403


async def test_with_a_key_it_is_needed_from_everywhere() -> None:
    """The right key is answered from any machine, and nothing else is from this one."""
    assert await ask(KEY, "10.0.0.1", authorization=f"Bearer {KEY}") == 200
    for given in ({}, {"authorization": KEY}, {"authorization": f"Bearer {KEY}x"}, {"authorization": "Bearer "}):
        assert await ask(KEY, "127.0.0.1", **given) == 401
