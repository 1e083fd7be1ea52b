"""The log refuses, lacks or replaces records, and the real Prometheus finds the alerts for it true."""

from collections.abc import Mapping

import pytest

from schemas.events.topics import FACTS, REFERENCES, VERDICTS
from services.rules.settings import RulesSettings
from tests.support.builders import plans
from tests.support.clients.notifier import NOON, NotifierClient
from tests.support.processes.alert_watch import AlertWatch
from tests.support.servers.intake import encode_event, open_client
from tests.support.servers.services import Service
from tests.support.tools import needs

STUCK = ("RulesStumbling", "RulesBehind")
FOUND_GONE = ("LogReplaced", "StateRebuilt")
LOST = ("LogShorter", "ReceiptedEventsMissing")

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(900), needs("prometheus", package="prometheus")]


@pytest.fixture
async def season(client: NotifierClient, services: Mapping[str, Service], bearer: str) -> Mapping[str, Service]:
    """The plan is published, and one report has come in and is assessed."""
    await client.publish_documents()
    for service in services.values():
        service.wait_until_ready()
    async with open_client(services["intake"], bearer) as sender:
        event = plans.a_submission("s-1", data={"period": "2026"})
        answer = await sender.post("/v1/events", content=encode_event(event))
    assert answer.status_code == 202, answer.text
    await client.bus.wait_until_consumed(RulesSettings().group, FACTS.name)
    return services


async def test_records_that_are_unreadable_or_refused_turn_their_alert_true(
    season: Mapping[str, Service], watch: AlertWatch, client: NotifierClient
) -> None:
    """A published document is garbage; a fact is, too, and cannot be set aside; what rules has adopted is gone."""
    await watch.expect_silence("RecordsUnreadable", *STUCK, "PartitionNotOwned")
    await client.bus.publish(REFERENCES.name, b"no document", key="plan/P-1/2", partition=0)
    await watch.expect("RecordsUnreadable")
    async with client.bus.refuse_records(FACTS.dead_letter):
        await client.bus.publish(FACTS.name, b"no event", key="h-mot", recorded_at=NOON, partition=0)  # two days ago
        await watch.expect(*STUCK)
    await watch.expect_silence("RulesBehind")
    rules = season["rules"]
    rules.stop()
    await client.bus.recreate_topics(REFERENCES.name)
    rules.launch()
    await watch.expect("PartitionNotOwned")
    await client.publish_documents()
    await watch.expect_silence("PartitionNotOwned")


async def test_a_log_that_is_made_anew_turns_its_alerts_true(
    season: Mapping[str, Service], watch: AlertWatch, client: NotifierClient
) -> None:
    """Somebody deletes the verdicts, and then the facts."""
    await watch.expect_silence(*FOUND_GONE, *LOST)
    for topic, alerts in ((VERDICTS, FOUND_GONE), (FACTS, LOST)):
        season["rules"].stop()
        await client.bus.recreate_topics(topic.name)
        season["rules"].launch()
        await watch.expect(*alerts)
        season["rules"].wait_until_ready()
