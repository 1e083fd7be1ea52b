"""A storm over rules: replicas and broker killed at random moments under load; at the end every fact counts once."""

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
from tests.support.servers.rules import QUICK_SESSION, RulesClient
from tests.support.servers.services import Launcher, Service

AGENCIES = tuple(f"h-{number:02d}" for number in range(40))
REPORTS_EACH = 25
REPLICAS = 2
KILLS = 12
BROKER_KILLED_AT = 6  # in the middle of the storm
ROUND_SECONDS = 0.7  # spreads the load over the whole storm
PATIENCE_SECONDS = 120.0  # each kill costs a session timeout and a restore
RECEIVED = "2024-12-01T08:00:01.000+07:00"


@pytest.mark.timeout(400)
@pytest.mark.parametrize("seed", [1, 2])
async def test_a_storm_of_kills_loses_and_doubles_nothing(bus: Bus, kafka: Kafka, launch: Launcher, seed: int) -> None:
    """However often replicas and broker are killed, the last word on each duty counts each report once."""
    rules = RulesClient(bus)
    await rules.publish(a_wide_registry(), plans.a_plan())
    replicas = [launch("rules", ready=False, **QUICK_SESSION) for _ in range(REPLICAS)]
    load = asyncio.create_task(post(bus.bootstrap))
    await storm(replicas, kafka, random.Random(seed))  # noqa: S311  # a storm that can be repeated
    await load
    await eventually(lambda: all_counted(rules), "every report counted", timeout=PATIENCE_SECONDS)
    assert await rules.find_repeated() == []
    assert await revisions_go_up(rules)
    assert await bus.records(FACTS.dead_letter) == []


async def storm(replicas: list[Service], kafka: Kafka, chance: random.Random) -> None:
    """Kill one process after another at random moments, and start each again."""
    for number in range(KILLS):
        await asyncio.sleep(chance.uniform(0.2, 2.5))  # the moment of a kill is what is random here
        if number == BROKER_KILLED_AT:
            kafka.kill()
            kafka.start()
            continue
        victim = chance.choice(replicas)
        victim.kill()
        victim.launch()


async def post(bootstrap: str) -> None:
    """Write all reports as intake does: keyed, acknowledged, in order per agency, through whatever happens."""
    async with AIOKafkaProducer(
        bootstrap_servers=bootstrap, acks="all", enable_idempotence=True, request_timeout_ms=60_000
    ) as producer:
        for number, event in enumerate(reports()):
            if number % len(AGENCIES) == 0:
                await asyncio.sleep(ROUND_SECONDS)
            await producer.send_and_wait(
                FACTS.name,
                json.dumps(event).encode(),
                key=event["subject"].encode(),
                timestamp_ms=milliseconds(datetime.fromisoformat(RECEIVED)),
            )


def reports() -> Iterator[plans.Json]:
    """Every agency's reports, the agencies in turn; all different documents."""
    for number in range(REPORTS_EACH):
        for agency in AGENCIES:
            usual = plans.a_submission(f"{agency}-{number}")
            data = usual["data"] | {"agency": agency}
            yield plans.an_event(SUBMITTED, usual["id"], data, receivedtime=RECEIVED)


def a_wide_registry() -> Registry:
    """Enough agencies for every partition to have some."""
    return plans.a_registry(*(plans.an_agency(agency) for agency in AGENCIES))


async def all_counted(rules: RulesClient) -> bool:
    """See whether the last verdict on every duty counts every report."""
    usual = [one for one in await rules.assessments() if one.period == "2024"]
    counted = {one.agency: one.timeline[-1].submissions for one in usual}
    return counted == dict.fromkeys(AGENCIES, REPORTS_EACH)


async def revisions_go_up(rules: RulesClient) -> bool:
    """See whether each duty was spoken of in the order of its facts."""
    said: dict[str, list[int]] = {}
    for one in await rules.assessments():
        said.setdefault(f"{one.agency} {one.period}", []).append(one.revision)
    return all(sorted(set(revisions)) == revisions for revisions in said.values())
