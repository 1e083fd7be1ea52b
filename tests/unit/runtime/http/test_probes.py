"""The probes answer over plain ASGI: liveness, readiness with the name of each check, and metrics."""

import asyncio
import json
from collections.abc import MutableMapping
from typing import Any

from services.runtime.http.probes import NotReadyError, ReadinessCheck, probe_routes
from services.runtime.metrics import new_registry


async def _yes() -> bool:
    return True


async def _no() -> bool:
    return False


async def _broken() -> bool:
    raise OSError("the broker is away")


async def _waiting() -> bool:
    raise NotReadyError("the database; look at DONDOC_MONGO_URL")


def _get(path: str, **ready: ReadinessCheck) -> tuple[int, bytes]:
    sent: list[MutableMapping[str, Any]] = []

    async def receive() -> MutableMapping[str, Any]:
        return {"type": "http.request"}

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    handler = dict(probe_routes(ready, new_registry()))[path]
    asyncio.run(_call(handler, receive, send))
    return sent[0]["status"], sent[1]["body"]


async def _call(handler: Any, receive: Any, send: Any) -> None:
    await handler({"type": "http", "headers": []}, receive, send)


def test_a_service_is_ready_when_every_check_holds() -> None:
    """The response names the checks."""
    status, body = _get("/readyz", broker=_yes, references=_yes)
    assert (status, json.loads(body)) == (200, {"broker": True, "references": True})


def test_a_failing_or_broken_check_makes_it_unready_by_name() -> None:
    """A check that raises counts as failed; the results of the others are still in the response."""
    status, body = _get("/readyz", broker=_broken, references=_yes, database=_no)
    assert (status, json.loads(body)) == (503, {"broker": False, "references": True, "database": False})


def test_a_check_says_what_it_waits_for() -> None:
    """Beside the checks stands, for those that can say it, what is missing and where to look."""
    status, body = _get("/readyz", broker=_yes, database=_waiting, references=_no)
    assert status == 503
    assert json.loads(body) == {
        "broker": True,
        "database": False,
        "references": False,
        "waiting_for": {"database": "the database; look at DONDOC_MONGO_URL"},
    }


def test_a_live_service_says_so() -> None:
    """Liveness requires only that the event loop runs."""
    assert _get("/livez")[0] == 200


def test_metrics_are_served_as_text() -> None:
    """The metrics of the process are there without code in the service."""
    assert b"process_resident_memory_bytes" in _get("/metrics")[1]


def test_metrics_tell_each_check_anew() -> None:
    """A database that is away appears in the metrics by its name, so that an operator alert can name it."""
    metrics = _get("/metrics", broker=_yes, database=_broken)[1]
    assert b'runtime_check_holds{check="broker"} 1.0' in metrics
    assert b'runtime_check_holds{check="database"} 0.0' in metrics
