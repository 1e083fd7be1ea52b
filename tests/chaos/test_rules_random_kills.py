"""Replicas of rules and the broker are killed at random moments under load; at the end every fact counts once."""

import asyncio
import json
import random
from collections.abc import Iterator
from datetime import datetime

import pytest
from aiokafka import AIOKafkaProducer

from deploy.local.servers.kafka import Kafka
from schemas.events.facts import SUBMITTED
from schemas.events.topics import FACTS
from schemas.plan.registry import Registry
from services.runtime.clock import milliseconds
from tests.support.assertions.eventually import eventually
from tests.support.builders import plans
from tests.support.servers.kafka import Bus
from tests.support.servers.rules import QUICK_SESSION, Rules
from tests.support.servers.services import Launcher, Service

AGENCIES = tuple(f"h-{number:02d}" for number in range(40))
REPORTS_EACH = 25
REPLICAS = 2
KILLS = 12
BROKER_KILL_NUMBER = 6  # in the middle of the kills
ROUND_PAUSE_SECONDS = 0.7  # spreads the load over the time of all kills
TIMEOUT_SECONDS = 120.0  # each kill costs a session timeout and a restore
RECEIVED_TIME = "2024-12-01T08:00:01.000+07:00"


@pytest.mark.timeout(400)
@pytest.mark.parametrize("seed", [1, 2])
async def test_random_kills_lose_and_double_nothing(bus: Bus, kafka: Kafka, launch: Launcher, seed: int) -> None:
    """However often replicas and broker are killed, the last verdict on each duty counts each report once."""
    rules = Rules(bus)
    await rules.publish(a_wide_registry(), plans.a_plan())
    replicas = [launch("rules", ready=False, **QUICK_SESSION) for _ in range(REPLICAS)]
    load = asyncio.create_task(write_reports(bus.bootstrap))
    await kill_randomly(replicas, kafka, random.Random(seed))  # noqa: S311  # the sequence of kills can be repeated
    await load
    await eventually(lambda: is_every_report_counted(rules), "every report counted", timeout=TIMEOUT_SECONDS)
    assert await rules.repeated() == []
    assert await are_revisions_increasing(rules)
    assert await bus.records(FACTS.dead_letter) == []


async def kill_randomly(replicas: list[Service], kafka: Kafka, randomness: random.Random) -> None:
    """Kill one process after another at random moments, and start each again; kill the broker once."""
    for number in range(KILLS):
        await asyncio.sleep(randomness.uniform(0.2, 2.5))  # the moment of a kill is what is random here
        if number == BROKER_KILL_NUMBER:
            kafka.kill()
            kafka.start()
            continue
        victim = randomness.choice(replicas)
        victim.kill()
        victim.launch()


async def write_reports(bootstrap: str) -> None:
    """Write all reports as intake does: keyed, acknowledged, in order per agency, even while processes die."""
    async with AIOKafkaProducer(
        bootstrap_servers=bootstrap, acks="all", enable_idempotence=True, request_timeout_ms=60_000
    ) as producer:
        for number, event in enumerate(build_reports()):
            if number % len(AGENCIES) == 0:
                await asyncio.sleep(ROUND_PAUSE_SECONDS)
            await producer.send_and_wait(
                FACTS.name,
                json.dumps(event).encode(),
                key=event["subject"].encode(),
                timestamp_ms=milliseconds(datetime.fromisoformat(RECEIVED_TIME)),
            )


def build_reports() -> Iterator[plans.Json]:
    """Yield every agency's reports, the agencies in turn; all are different documents."""
    for number in range(REPORTS_EACH):
        for agency in AGENCIES:
            usual = plans.a_submission(f"{agency}-{number}")
            data = usual["data"] | {"agency": agency}
            yield plans.an_event(SUBMITTED, usual["id"], data, receivedtime=RECEIVED_TIME)


def a_wide_registry() -> Registry:
    """Build a registry with enough agencies for every partition to have some."""
    return plans.a_registry(*(plans.an_agency(agency) for agency in AGENCIES))


async def is_every_report_counted(rules: Rules) -> bool:
    """Return whether the last verdict on every duty counts every report."""
    counted = {one.agency: one.timeline[-1].submissions for one in await rules.verdicts() if one.period == "2024"}
    return counted == dict.fromkeys(AGENCIES, REPORTS_EACH)


async def are_revisions_increasing(rules: Rules) -> bool:
    """Return whether the revisions of each duty's verdicts increase in the order of the log."""
    revisions: dict[str, list[int]] = {}
    for one in await rules.verdicts():
        revisions.setdefault(f"{one.agency} {one.period}", []).append(one.revision)
    return all(sorted(set(one)) == one for one in revisions.values())
