"""Reporting answers from its database while the broker is away, and at once after it was killed."""

import os
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import httpx
import pytest

from deploy.local.process.ports import free_ports
from deploy.local.servers.kafka import Kafka
from deploy.local.servers.mongod import Mongod
from schemas.events.topics import VERDICTS
from tests.support.assertions.eventually import eventually
from tests.support.builders.annual_report import a_revision
from tests.support.servers.kafka import Bus
from tests.support.servers.services import Service

GROUP = "dondoc-reporting"

Get = Callable[..., Awaitable[httpx.Response]]
PublishEvents = Callable[[Sequence[Any]], Awaitable[None]]
StartReporting = Callable[..., Service]

# From the start of the process to the first answer. About two on an idle machine, of which the imports take most.
OPEN_SECONDS = 8.0


def answers(service: Service, path: str) -> bool:
    """Whether *path* is answered with 200 to the reader of the fixture."""
    headers = {"authorization": f"Bearer {os.environ['DONDOC_READER_KEY']}"}
    try:
        return httpx.get(f"{service.url}{path}", headers=headers, timeout=5.0).status_code == 200
    except httpx.TransportError:
        return False


def metric_of(service: Service, name: str) -> float:
    """Return the value of one sample."""
    lines = httpx.get(f"{service.url}/metrics", timeout=5.0).text.splitlines()
    (value,) = (line.rpartition(" ")[2] for line in lines if line.startswith(f"{name} "))
    return float(value)


async def test_pages_and_api_are_answered_from_the_database_while_the_broker_is_away(
    reporting: StartReporting, publish_events: PublishEvents, get: Get, published: Bus, kafka: Kafka
) -> None:
    """A process that has never seen the broker draws what an earlier one stored, and says what it waits for."""
    first = reporting()
    await publish_events([a_revision()])
    await published.wait_until_consumed(GROUP, VERDICTS.name)
    at = {"as_of": "2026-12-09T00:00:00+07:00"}
    expected = (await get(first, "/v1/duties", **at)).json()
    assert expected["total"] == 1
    first.stop()
    kafka.kill()
    second = reporting(ready=False)
    await eventually(lambda: answers(second, "/v1/duties"), "an answer", timeout=60)
    assert (await get(second, "/v1/duties", **at)).json()["duties"] == expected["duties"]
    page = await get(second, "/", **at)
    assert (page.status_code, "UBND" in page.text) == (200, True)
    waiting_for = (await get(second, "/readyz")).json()["waiting_for"]
    assert "DONDOC_KAFKA_BOOTSTRAP" in waiting_for["kafka"]
    kafka.start()
    second.wait_until_ready()


async def test_a_database_that_has_never_seen_the_plans_is_no_empty_report(
    reporting: StartReporting, get: Get, kafka: Kafka
) -> None:
    """Without broker and without stored plans nothing can be known: 503, and not a report of no duties."""
    kafka.kill()
    service = reporting(ready=False)
    await eventually(lambda: answers(service, "/livez"), "an open port", timeout=60)
    for path in ("/v1/duties", "/", "/v1/plans/6766-KH-UBND/periods/2026/report.json"):
        refused = await get(service, path)
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")


@pytest.mark.chaos
async def test_a_killed_reporting_answers_at_once(
    reporting: StartReporting, publish_events: PublishEvents, published: Bus
) -> None:
    """Its group waits for the session of the dead member to end; its port does not."""
    first = reporting()
    await publish_events([a_revision()])
    await published.wait_until_consumed(GROUP, VERDICTS.name)
    first.kill()
    begun = time.monotonic()
    second = reporting(ready=False)
    await eventually(lambda: answers(second, "/v1/duties"), "an answer", timeout=60)
    assert time.monotonic() - begun < OPEN_SECONDS
    second.wait_until_ready()


@pytest.mark.chaos
async def test_records_that_cannot_be_stored_are_a_lag(
    reporting: StartReporting, publish_events: PublishEvents, mongod: Mongod
) -> None:
    """While the batch waits for the database the lag grows with the log, and the age with the time."""
    service = reporting()
    lag, age = 'reporting_lag_records{topic="verdicts"}', 'reporting_oldest_unread_seconds{topic="verdicts"}'
    await eventually(lambda: metric_of(service, lag) == 0, "a measured lag of 0")
    mongod.pause()
    await publish_events([a_revision()])
    await eventually(lambda: metric_of(service, lag) == 1, "the first record unread")
    await publish_events([a_revision(revision=2)])
    await eventually(lambda: metric_of(service, lag) == 2, "both records unread")
    before = metric_of(service, age)
    await eventually(lambda: metric_of(service, age) > before > 0, "a growing age")
    mongod.resume()
    await eventually(lambda: metric_of(service, lag) == 0 == metric_of(service, age), "nothing unread")


async def test_the_admin_port_shows_what_the_port_of_the_service_does_not(
    reporting: StartReporting, publish_events: PublishEvents, get: Get
) -> None:
    """Metrics and AsyncAPI are on the admin port alone, the probes on both; no page is on the admin port."""
    (port,) = free_ports(1)
    service = reporting(DONDOC_ADMIN_PORT_REPORTING=str(port))
    await publish_events([a_revision()])
    await eventually(lambda: service.readiness()["assessments"], "an assessment that is known")
    statuses: dict[str, tuple[int, int]] = {}
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as admin:
        for path in ("/livez", "/readyz", "/metrics", "/asyncapi", "/v1/duties", "/"):
            statuses[path] = ((await get(service, path)).status_code, (await admin.get(path)).status_code)
    assert statuses == {
        "/livez": (200, 200),
        "/readyz": (200, 200),
        "/metrics": (404, 200),
        "/asyncapi": (404, 200),
        "/v1/duties": (200, 404),
        "/": (200, 404),
    }
