"""What operators and Prometheus ask of a service: probes, metrics, and the AsyncAPI document of its topics.

They have a port of their own (`DONDOC_ADMIN_PORT_<SERVICE>`), which nobody else can be let in to reach. Without one, as
on a development machine, they are on the port of the service, and all but the probes answer this machine alone.
"""

import ipaddress
import json
from collections.abc import Mapping, Sequence
from http import HTTPStatus

from faststream.asgi import AsyncAPIRoute
from faststream.kafka import KafkaBroker
from faststream.specification import AsyncAPI

from services.runtime.http.probes import AsgiHandler, Receive, Scope, Send, send_response

ASYNCAPI_PATH = "/asyncapi"
PUBLIC_PATHS = frozenset({"/livez", "/readyz"})  # a load balancer asks for them where it sends requests to
SAFE_METHODS = frozenset({"GET", "HEAD"})

# The headers by which a proxy says that it passes on somebody's request (RFC 7239, and what came before it).
_FORWARDING_HEADERS = frozenset({b"forwarded", b"via", b"x-forwarded-for", b"x-real-ip"})

Routes = Sequence[tuple[str, AsgiHandler]]


class AdminApp:
    """The ASGI application of the admin port, and the part of it that the port of the service shows.

    *admin_port* is None, or the port of the service, where there is no port of its own.
    """

    def __init__(self, admin_port: int | None, routes: Routes, *, service_port: int) -> None:
        self.port = None if admin_port == service_port else admin_port
        """The port of its own, or None."""
        self._routes: Mapping[str, AsgiHandler] = dict(routes)

    def routes_on_service_port(self) -> Routes:
        """Return what the port of the service answers besides its own routes."""
        if self.port is not None:
            return [(path, handler) for path, handler in self._routes.items() if path in PUBLIC_PATHS]
        return [
            (path, handler if path in PUBLIC_PATHS else _only_for_this_machine(handler))
            for path, handler in self._routes.items()
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request on the admin port."""
        handler = self._routes.get(scope["path"])
        if handler is None:
            await _refuse(send, HTTPStatus.NOT_FOUND, f"there is {', '.join(self._routes)}")
        elif scope["method"] not in SAFE_METHODS:
            await _refuse(send, HTTPStatus.METHOD_NOT_ALLOWED, "use GET")
        else:
            await handler(scope, receive, send)


def asyncapi_route(broker: KafkaBroker, *, title: str, description: str) -> tuple[str, AsgiHandler]:
    """Return the path and the handler of the page that describes the topics of *broker*."""
    specification = AsyncAPI(title=title, version="1", description=description)
    specification.add_broker(broker)
    # Without "try it out": that page would publish to Kafka for anybody who asks.
    handler: AsgiHandler = AsyncAPIRoute(ASYNCAPI_PATH, try_it_out_path=None)(specification)
    return ASYNCAPI_PATH, handler


def _only_for_this_machine(handler: AsgiHandler) -> AsgiHandler:
    async def guard(scope: Scope, receive: Receive, send: Send) -> None:
        if _is_from_this_machine(scope):
            await handler(scope, receive, send)
        else:
            await _refuse(send, HTTPStatus.FORBIDDEN, "only this machine may ask here; others ask the admin port")

    return guard


def _is_from_this_machine(scope: Scope) -> bool:
    """Whether a process on this machine asks for itself, and not as a proxy for somebody else."""
    client = scope.get("client")
    if client is None or any(name in _FORWARDING_HEADERS for name, _ in scope["headers"]):
        return False
    address = ipaddress.ip_address(client[0])
    mapped = getattr(address, "ipv4_mapped", None)  # of a socket that takes IPv4 and IPv6
    return (mapped or address).is_loopback


async def _refuse(send: Send, status: HTTPStatus, detail: str) -> None:
    problem = {"type": "about:blank", "title": status.phrase, "status": status.value, "detail": detail}
    await send_response(
        send, json.dumps(problem).encode(), status=status.value, content_type="application/problem+json"
    )
