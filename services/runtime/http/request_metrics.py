"""Counts and times the requests of a service, by what was asked for: rate, errors and duration of every surface.

A surface is a group of paths that people would speak of together, such as the pages or the API. A path itself is never
a label, because anybody can ask for any.
"""

import time
from collections.abc import Callable, Sequence

from prometheus_client import CollectorRegistry, Counter, Histogram

from services.runtime.http.asgi import AsgiHandler, Receive, Scope, Send
from services.runtime.metrics import SECONDS_BUCKETS

OPERATIONS = "operations"
"""What operators ask for: probes, metrics, the description of the topics."""

_CLASSES = (2, 3, 4, 5)
_FAILED = 5


class RequestMetrics:
    """The requests of one process, by surface and by the class of the answer's status."""

    def __init__(self, registry: CollectorRegistry, surfaces: Sequence[str]) -> None:
        counter = Counter(
            "runtime_http_requests",
            "Requests that were answered, by what was asked for and the class of the status",
            ["surface", "code"],
            registry=registry,
        )
        histogram = Histogram(
            "runtime_http_request_seconds",
            "Seconds from the head of a request to the end of its answer, by what was asked for",
            ["surface"],
            buckets=SECONDS_BUCKETS,
            registry=registry,
        )
        self.requests = {(name, one): counter.labels(name, f"{one}xx") for name in surfaces for one in _CLASSES}
        self.seconds = {name: histogram.labels(name) for name in surfaces}


class MeasuredApp:
    """An ASGI application whose requests are counted under the surface that *surface_of* gives their path."""

    def __init__(self, app: AsgiHandler, metrics: RequestMetrics, surface_of: Callable[[str], str]) -> None:
        self._app = app
        self._metrics = metrics
        self._surface_of = surface_of

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        status_class = _FAILED  # what uvicorn answers where the application raises before it has answered

        async def send_and_note(message: Scope) -> None:
            nonlocal status_class
            if message["type"] == "http.response.start":
                status_class = message["status"] // 100
            await send(message)

        surface = self._surface_of(scope["path"])
        try:
            await self._app(scope, receive, send_and_note)
        finally:
            self._metrics.requests[surface, status_class].inc()
            self._metrics.seconds[surface].observe(time.perf_counter() - started)
