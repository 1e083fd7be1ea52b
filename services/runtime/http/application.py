"""The ASGI application of a service: FastStream's, with the routes of the service and of its admin interface."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from faststream.asgi import AsgiFastStream
from faststream.kafka import KafkaBroker

from services.runtime.http.admin import AdminApp
from services.runtime.http.asgi import AsgiHandler, Receive, Scope, Send
from services.runtime.http.request_metrics import OPERATIONS, MeasuredApp


class ServiceApp(AsgiFastStream):
    """FastStream's application whose lifespan is the service's own.

    FastStream would start the broker as soon as the lifespan has begun. Here the lifespan itself starts it, after what
    its consumers need; and it begins at once, so that the port opens before any server has answered. Requests are
    counted under the surface that *surface_of* gives their path.
    """

    def __init__(
        self,
        broker: KafkaBroker,
        *,
        lifespan: Callable[[], AbstractAsyncContextManager[None]],
        routes: Sequence[tuple[str, AsgiHandler]],
        admin: AdminApp,
        surface_of: Callable[[str], str] = lambda _path: OPERATIONS,
    ) -> None:
        super().__init__(broker, logger=None, asgi_routes=[*admin.routes_on_service_port(), *routes])
        self.admin = admin
        self._lifespan = lifespan
        self._answer = MeasuredApp(super().__call__, admin.requests, surface_of)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._answer(scope, receive, send)

    @asynccontextmanager
    async def start_lifespan_context(self, run_extra_options: dict[str, Any] | None = None) -> AsyncIterator[None]:  # noqa: ARG002 - FastStream's own signature
        """Enter the lifespan of the service, without FastStream's own start."""
        async with self._lifespan():
            yield
