"""`/livez`, `/readyz` and `/metrics` as plain ASGI handlers, which every service serves on its own port.

A process is live if its event loop runs. It is ready if it can do its work: `/readyz` names each check and its result.
"""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from typing import Any

from prometheus_client import CollectorRegistry, Gauge
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
AsgiHandler = Callable[[Scope, Receive, Send], Awaitable[None]]
ReadinessCheck = Callable[[], Awaitable[bool]]

CHECK_SECONDS = 2.0  # a prober such as Kubernetes gives up at about this time, and would not see which check failed
JSON = "application/json"

log = logging.getLogger(__name__)


def probe_routes(
    ready: Mapping[str, ReadinessCheck],
    registry: CollectorRegistry,
    encode_metrics: Callable[[], Awaitable[bytes]] | None = None,
) -> Sequence[tuple[str, AsgiHandler]]:
    """Return the three routes. *ready* has the checks that must hold for this service to do its work, by name.

    *encode_metrics* answers `/metrics` where that covers more than this process; by default *registry* is encoded.
    """
    check_gauge = Gauge("runtime_check_holds", "1 while a readiness check holds, else 0", ["check"], registry=registry)
    for name in ready:
        check_gauge.labels(name).set(0)

    async def run_checks() -> Mapping[str, bool]:
        found = dict(zip(ready, await asyncio.gather(*map(_run_check, ready.values())), strict=True))
        for name, holds in found.items():
            check_gauge.labels(name).set(holds)
        return found

    async def livez(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send_response(send, b'{"live": true}')

    async def readyz(_scope: Scope, _receive: Receive, send: Send) -> None:
        found = await run_checks()
        await send_response(send, json.dumps(found).encode(), status=200 if all(found.values()) else 503)

    async def metrics(_scope: Scope, _receive: Receive, send: Send) -> None:
        await run_checks()
        content = generate_latest(registry) if encode_metrics is None else await encode_metrics()
        await send_response(send, content, content_type=CONTENT_TYPE_LATEST)

    return (("/livez", livez), ("/readyz", readyz), ("/metrics", metrics))


async def send_response(send: Send, body: bytes, *, status: int = 200, content_type: str = JSON) -> None:
    """Send one whole response."""
    headers = [(b"content-type", content_type.encode()), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _run_check(check: ReadinessCheck) -> bool:
    try:
        return await asyncio.wait_for(check(), CHECK_SECONDS)
    except Exception:
        log.warning("a readiness check failed", exc_info=True, extra={"action": "check_failed"})
        return False
