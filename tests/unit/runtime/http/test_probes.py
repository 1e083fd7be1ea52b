"""The probes answer over plain ASGI: live, ready with the name of each check, and the metrics."""

import asyncio
import json
from collections.abc import MutableMapping
from typing import Any

from services.runtime.http.probes import ReadinessCheck, probe_routes
from services.runtime.metrics import new_registry


async def _yes() -> bool:
    return True


async def _no() -> bool:
    return False


async def _broken() -> bool:
    raise OSError("the broker is away")


def _asked(path: str, **ready: ReadinessCheck) -> tuple[int, bytes]:
    sent: list[MutableMapping[str, Any]] = []

    async def receive() -> MutableMapping[str, Any]:
        return {"type": "http.request"}

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    handler = dict(probe_routes(ready, new_registry()))[path]
    asyncio.run(_handled(handler, receive, send))
    return sent[0]["status"], sent[1]["body"]


async def _handled(handler: Any, receive: Any, send: Any) -> None:
    await handler({"type": "http"}, receive, send)


def test_a_service_is_ready_when_every_check_holds() -> None:
    """The answer names the checks."""
    status, body = _asked("/readyz", broker=_yes, references=_yes)
    assert (status, json.loads(body)) == (200, {"broker": True, "references": True})


def test_a_failing_or_broken_check_makes_it_unready_by_name() -> None:
    """A check that raises counts as one that fails; the others are still told."""
    status, body = _asked("/readyz", broker=_broken, references=_yes, database=_no)
    assert (status, json.loads(body)) == (503, {"broker": False, "references": True, "database": False})


def test_a_live_service_says_so() -> None:
    """Liveness asks nothing but that the loop turns."""
    assert _asked("/livez")[0] == 200


def test_metrics_are_served_as_text() -> None:
    """The process's own figures are there without a word from the service."""
    assert b"process_resident_memory_bytes" in _asked("/metrics")[1]


def test_metrics_tell_each_check_anew() -> None:
    """A database that is away shows in the metrics by its name, so that an alert can say it."""
    told = _asked("/metrics", broker=_yes, database=_broken)[1]
    assert b'runtime_check_holds{check="broker"} 1.0' in told
    assert b'runtime_check_holds{check="database"} 0.0' in told
