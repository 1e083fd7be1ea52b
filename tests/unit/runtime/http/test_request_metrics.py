"""Every request is counted under what it asked for and how it ended, and timed."""

import asyncio
from collections.abc import MutableMapping
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from services.reporting.metrics import surface_of
from services.runtime.http import probes
from services.runtime.http.asgi import Receive, Scope, Send, send_response
from services.runtime.http.request_metrics import MeasuredApp, RequestMetrics
from services.runtime.metrics import new_registry


def count_after(app: Any) -> CollectorRegistry:
    """Send one request for a page to *app*, and return the registry in which it was counted."""
    registry = CollectorRegistry()
    measured = MeasuredApp(app, RequestMetrics(registry, ("pages", "api")), lambda _path: "pages")

    async def receive() -> MutableMapping[str, Any]:
        return {"type": "http.request"}

    async def send(_message: MutableMapping[str, Any]) -> None:
        """Drop the answer."""

    async def ask() -> None:
        await measured({"type": "http", "path": "/"}, receive, send)

    asyncio.run(ask())
    return registry


@pytest.mark.parametrize(("status", "code"), [(200, "2xx"), (304, "3xx"), (429, "4xx"), (503, "5xx")])
def test_a_request_counts_under_the_class_of_its_status(status: int, code: str) -> None:
    """One request is one in its class, none in the others, and one in the histogram."""

    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send_response(send, b"{}", status=status)

    registry = count_after(app)
    counted = {
        one: registry.get_sample_value("runtime_http_requests_total", {"surface": "pages", "code": one})
        for one in ("2xx", "3xx", "4xx", "5xx")
    }
    assert counted == {**dict.fromkeys(counted, 0.0), code: 1.0}
    assert registry.get_sample_value("runtime_http_request_seconds_count", {"surface": "pages"}) == 1.0
    assert registry.get_sample_value("runtime_http_request_seconds_count", {"surface": "api"}) == 0.0


def test_a_request_that_breaks_its_handler_counts_as_failed() -> None:
    """What is raised before an answer began is answered by the server with 500."""

    async def app(_scope: Scope, _receive: Receive, _send: Send) -> None:
        raise OSError("broken")

    registry = CollectorRegistry()
    measured = MeasuredApp(app, RequestMetrics(registry, ("pages",)), lambda _path: "pages")
    with pytest.raises(OSError, match="broken"):
        asyncio.run(measured({"type": "http", "path": "/"}, None, None))  # type: ignore[arg-type]  # neither is used
    assert registry.get_sample_value("runtime_http_requests_total", {"surface": "pages", "code": "5xx"}) == 1.0


@pytest.mark.parametrize(
    ("path", "surface"),
    [
        ("/", "pages"),
        ("/duties/6766/so-nnptnt/annual/2026", "pages"),
        ("/v1/duties", "api"),
        ("/v1/plans/6766/periods/2026/reports/2", "api"),
        ("/v1/plans/6766/periods/2026/report.pdf", "documents"),
        ("/v1/stream", "stream"),
        ("/readyz", "operations"),
        ("/nowhere", "pages"),
    ],
)
def test_paths_of_reporting_have_a_surface(path: str, surface: str) -> None:
    """The groups are closed: whatever path somebody asks for falls into one of them."""
    assert surface_of(path) == surface


def test_openmetrics_is_spoken_to_who_asks_for_it() -> None:
    """Only that format has exemplars; everybody else gets the text format."""
    registry = new_registry()
    plain = probes.encode_metrics(registry, "")
    asked = probes.encode_metrics(registry, "application/openmetrics-text;version=1.0.0,text/plain;q=0.5")
    assert plain.content_type.startswith("text/plain")
    assert asked.content_type.startswith("application/openmetrics-text")
    assert asked.content.endswith(b"# EOF\n")


def test_no_series_tells_when_it_was_created() -> None:
    """The build is told, and no metric has a `_created` beside it, in either format."""
    registry = new_registry()
    RequestMetrics(registry, ("pages",))
    for accept in ("", "application/openmetrics-text;version=1.0.0"):
        content = probes.encode_metrics(registry, accept).content.decode()
        assert "_created" not in content
        assert "dondoc_build_info{" in content
