"""`/livez`, `/readyz` and `/metrics` as plain ASGI handlers.

A process is live if its event loop runs. It is ready if it can do its work: `/readyz` names each check and its result,
and what a failing check waits for where the check can say it:
`{"broker": false, "database": true, "waiting_for": {"broker": "the broker; look at DONDOC_KAFKA_BOOTSTRAP"}}`.
"""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Gauge
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from services.runtime.http.asgi import AsgiHandler, Receive, Scope, Send, send_response

ReadinessCheck = Callable[[], Awaitable[bool]]
MetricsEncoder = Callable[[str], Awaitable["EncodedMetrics"]]

WAITING_FOR = "waiting_for"  # beside the names of the checks, and only while one of them has something to say
CHECK_SECONDS = 2.0  # a prober such as Kubernetes gives up at about this time, and would not see which check failed

log = logging.getLogger(__name__)


class NotReadyError(Exception):
    """A readiness check does not hold. The message says what it waits for, without addresses: anybody may read it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadinessResult:
    """Whether a readiness check holds; if it does not, what it waits for, or nothing."""

    holds: bool
    waiting_for: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class EncodedMetrics:
    """An answer to `/metrics`, and its media type."""

    content: bytes
    content_type: str


def encode_metrics(registry: Collector, accept: str) -> EncodedMetrics:
    """Return the metrics of *registry* as *accept* asks for them: OpenMetrics with exemplars, or plain text."""
    encode, content_type = choose_encoder(accept)
    return EncodedMetrics(content=encode(registry), content_type=content_type)


def probe_routes(
    ready: Mapping[str, ReadinessCheck], registry: CollectorRegistry, encode: MetricsEncoder | None = None
) -> Sequence[tuple[str, AsgiHandler]]:
    """Return the three routes. *ready* has the checks that must hold for this service to do its work, by name.

    *encode* answers `/metrics` where that covers more than this process; by default *registry* is encoded. It is given
    the `Accept` header of the request.
    """
    check_gauge = Gauge("runtime_check_holds", "1 while a readiness check holds, else 0", ["check"], registry=registry)
    for name in ready:
        check_gauge.labels(name).set(0)

    async def run_checks() -> Mapping[str, ReadinessResult]:
        found = dict(zip(ready, await asyncio.gather(*map(_run_check, ready, ready.values())), strict=True))
        for name, result in found.items():
            check_gauge.labels(name).set(result.holds)
        return found

    async def livez(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send_response(send, b'{"live": true}')

    async def readyz(_scope: Scope, _receive: Receive, send: Send) -> None:
        found = await run_checks()
        answer: dict[str, object] = {name: result.holds for name, result in found.items()}
        if waiting_for := {name: result.waiting_for for name, result in found.items() if result.waiting_for}:
            answer[WAITING_FOR] = waiting_for
        is_ready = all(result.holds for result in found.values())
        await send_response(send, json.dumps(answer).encode(), status=200 if is_ready else 503)

    async def metrics(scope: Scope, _receive: Receive, send: Send) -> None:
        await run_checks()
        accept = ",".join(value.decode("latin-1") for name, value in scope["headers"] if name == b"accept")
        found = encode_metrics(registry, accept) if encode is None else await encode(accept)
        await send_response(send, found.content, content_type=found.content_type)

    return (("/livez", livez), ("/readyz", readyz), ("/metrics", metrics))


async def _run_check(name: str, check: ReadinessCheck) -> ReadinessResult:
    try:
        return ReadinessResult(holds=await asyncio.wait_for(check(), CHECK_SECONDS))
    except NotReadyError as cause:
        return ReadinessResult(holds=False, waiting_for=str(cause))
    except Exception as cause:  # noqa: BLE001 - logged, and shown as a check that does not hold
        # Without a traceback: while a server is away, every probe of every prober comes here.
        details = {"action": "check_failed", "check": name, "error": repr(cause)}
        log.warning("a readiness check failed", extra=details)
        return ReadinessResult(holds=False)
