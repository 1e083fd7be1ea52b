"""What operators and Prometheus ask of a service: probes, metrics, and the AsyncAPI document of its topics.

They have a port of their own (`DONDOC_ADMIN_PORT_<SERVICE>`), which nobody else can be let in to reach. Without one, as
on a development machine, they are on the port of the service, and all but the probes answer this machine alone.
"""

from collections.abc import Mapping, Sequence
from http import HTTPStatus

from faststream.asgi import AsyncAPIRoute
from faststream.kafka import KafkaBroker
from faststream.specification import AsyncAPI

from services.runtime.http import private_routes
from services.runtime.http.asgi import AsgiHandler, Receive, Scope, Send
from services.runtime.http.private_routes import guard_route
from services.runtime.http.request_metrics import OPERATIONS, MeasuredApp, RequestMetrics

ASYNCAPI_PATH = "/asyncapi"
PUBLIC_PATHS = frozenset({"/livez", "/readyz"})  # a load balancer asks for them where it sends requests to
SAFE_METHODS = frozenset({"GET", "HEAD"})

Routes = Sequence[tuple[str, AsgiHandler]]


class AdminApp:
    """The ASGI application of the admin port, and the part of it that the port of the service shows.

    *admin_port* is None, or the port of the service, where there is no port of its own.
    """

    def __init__(self, admin_port: int | None, routes: Routes, requests: RequestMetrics, *, service_port: int) -> None:
        self.port = None if admin_port == service_port else admin_port
        """The port of its own, or None."""
        self.requests = requests
        """The metrics of the requests to either port."""
        self._routes: Mapping[str, AsgiHandler] = dict(routes)
        self._measured = MeasuredApp(self._answer, requests, lambda _path: OPERATIONS)

    def routes_on_service_port(self) -> Routes:
        """Return what the port of the service answers besides its own routes."""
        if self.port is not None:
            return [(path, handler) for path, handler in self._routes.items() if path in PUBLIC_PATHS]
        return [
            (path, handler if path in PUBLIC_PATHS else guard_route(handler)) for path, handler in self._routes.items()
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request on the admin port."""
        await self._measured(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        handler = self._routes.get(scope["path"])
        if handler is None:
            await private_routes.refuse(send, HTTPStatus.NOT_FOUND, f"there is {', '.join(self._routes)}")
        elif scope["method"] not in SAFE_METHODS:
            await private_routes.refuse(send, HTTPStatus.METHOD_NOT_ALLOWED, "use GET")
        else:
            await handler(scope, receive, send)


def asyncapi_route(broker: KafkaBroker, *, title: str, description: str) -> tuple[str, AsgiHandler]:
    """Return the path and the handler of the page that describes the topics of *broker*."""
    specification = AsyncAPI(title=title, version="1", description=description)
    specification.add_broker(broker)
    # Without "try it out": that page would publish to Kafka for anybody who asks.
    handler: AsgiHandler = AsyncAPIRoute(ASYNCAPI_PATH, try_it_out_path=None)(specification)
    return ASYNCAPI_PATH, handler
