"""Services, broker and database are away or misused, and the real Prometheus finds the alerts for it true."""

from collections.abc import Mapping

import httpx
import pytest

from deploy.local.servers.kafka import Kafka
from deploy.local.servers.mongod import Mongod
from schemas.events.topics import FACTS
from tests.support.clients.notifier import NotifierClient
from tests.support.processes.alert_watch import AlertWatch, StartWatch
from tests.support.servers.intake import open_client
from tests.support.servers.services import Service
from tests.support.tools import needs

ATTEMPTS = 120  # more than a hundred in a quarter of an hour are a loop, or somebody who tries secrets

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(900), needs("prometheus", package="prometheus")]


async def test_what_is_missing_or_asked_for_without_a_key_turns_its_alert_true(
    services: Mapping[str, Service], watch: AlertWatch, client: NotifierClient
) -> None:
    """A plan that is missing, keys, refusals, garbage, nobody to write to."""
    await watch.expect("Watchdog", "PlanMissing", "SourcesShared", "KeyExpiring")
    await client.publish_documents()
    for service in services.values():
        service.wait_until_ready()
    await watch.expect_silence("PlanMissing", "DeadLetters", "RequestsUnauthenticated", "ReadsRefused")
    await watch.expect("NotReached")  # the reminders are due, and nobody has a mailbox
    await _ask_without_key(services)
    await client.bus.publish(FACTS.name, b"no event", key="h-mot", partition=0)
    await watch.expect("RequestsUnauthenticated", "ReadsRefused", "DeadLetters")


async def test_a_server_or_service_that_is_away_turns_its_alert_true(  # noqa: PLR0913, PLR0917 - the servers of a whole installation
    services: Mapping[str, Service],
    watch: AlertWatch,
    start_watch: StartWatch,
    client: NotifierClient,
    kafka: Kafka,
    mongod: Mongod,
) -> None:
    """The broker hangs, the database hangs, a service is gone, and a service is not looked for any more."""
    await client.publish_documents()
    for service in services.values():
        service.wait_until_ready()
    hanging = ("BusUnreachable", "LagUnknown")
    await watch.expect_silence(*hanging, "DatabaseUnreachable", "ServiceDown", "TargetMissing")
    kafka.pause()
    await watch.expect(*hanging)
    kafka.resume()
    await watch.expect_silence(*hanging)
    mongod.pause()
    await watch.expect("DatabaseUnreachable")
    mongod.resume()
    await watch.expect_silence("DatabaseUnreachable")
    services["rules"].kill()
    await watch.expect("ServiceDown")
    await start_watch("rules").expect("TargetMissing")


async def _ask_without_key(services: Mapping[str, Service]) -> None:
    async with open_client(services["intake"], "k.wrong") as sender:
        for _ in range(ATTEMPTS):
            assert (await sender.post("/v1/events", content=b"{}")).status_code == 401
    async with httpx.AsyncClient(base_url=services["reporting"].url, timeout=30) as reader:
        for _ in range(ATTEMPTS):
            assert (await reader.get("/v1/duties")).status_code == 401
