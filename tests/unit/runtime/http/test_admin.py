"""Metrics and AsyncAPI are on a port of their own, or for this machine alone."""

import asyncio
from collections.abc import MutableMapping
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from services.runtime.http.admin import AdminApp
from services.runtime.http.asgi import AsgiHandler, send_response
from services.runtime.http.request_metrics import OPERATIONS, RequestMetrics

SERVICE_PORT = 8002


def an_answer(text: bytes) -> AsgiHandler:
    """Return a handler that answers *text*."""

    async def handle(_scope: Any, _receive: Any, send: Any) -> None:
        await send_response(send, text)

    return handle


ROUTES = [(path, an_answer(path.encode())) for path in ("/livez", "/readyz", "/metrics", "/asyncapi")]


def ask(handler: Any, path: str, *, client: str = "127.0.0.1", method: str = "GET", header: bytes = b"host") -> int:
    """Return the status of the answer to one request."""
    sent: list[MutableMapping[str, Any]] = []

    async def receive() -> MutableMapping[str, Any]:
        return {"type": "http.request"}

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    scope = {"type": "http", "path": path, "method": method, "client": (client, 5), "headers": [(header, b"x")]}
    asyncio.run(_call(handler, scope, receive, send))
    return int(sent[0]["status"])


async def _call(handler: Any, scope: Any, receive: Any, send: Any) -> None:
    await handler(scope, receive, send)


def test_a_port_of_its_own_leaves_the_probes_to_the_port_of_the_service() -> None:
    """Whoever can reach the service finds no metrics there; whoever can reach the admin port finds everything."""
    admin = AdminApp(9002, ROUTES, RequestMetrics(CollectorRegistry(), (OPERATIONS,)), service_port=SERVICE_PORT)
    assert [path for path, _ in admin.routes_on_service_port()] == ["/livez", "/readyz"]
    assert [ask(admin, path, client="10.0.0.9") for path, _ in ROUTES] == [200, 200, 200, 200]
    assert ask(admin, "/v1/events") == 404
    assert ask(admin, "/metrics", method="POST") == 405


@pytest.mark.parametrize("admin_port", [None, SERVICE_PORT])
@pytest.mark.parametrize(
    "client, header, status",
    [
        ("127.0.0.1", b"host", 200),
        ("::1", b"host", 200),
        ("::ffff:127.0.0.1", b"host", 200),
        ("10.0.0.9", b"host", 403),
        ("::ffff:10.0.0.9", b"host", 403),
        ("127.0.0.1", b"x-forwarded-for", 403),
        ("127.0.0.1", b"forwarded", 403),
    ],
)
def test_a_shared_port_shows_metrics_to_this_machine_alone(
    admin_port: int | None, client: str, header: bytes, status: int
) -> None:
    """Another machine gets 403, also through a proxy on this machine; probes answer everybody."""
    admin = AdminApp(admin_port, ROUTES, RequestMetrics(CollectorRegistry(), (OPERATIONS,)), service_port=SERVICE_PORT)
    assert admin.port is None
    shown = dict(admin.routes_on_service_port())
    assert [ask(shown[path], path, client=client, header=header) for path in ("/metrics", "/asyncapi")] == [status] * 2
    assert [ask(shown[path], path, client=client, header=header) for path in ("/livez", "/readyz")] == [200, 200]
