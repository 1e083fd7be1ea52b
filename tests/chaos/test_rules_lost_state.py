"""The state of rules is harmed again and again while reports come in; at the end every verdict is that of the log."""

import asyncio
import random

import pytest

from deploy.local.servers.kafka import Kafka
from schemas.events.topics import DUTIES, FACTS, VERDICTS
from tests.chaos.test_rules_random_kills import a_wide_registry, is_every_report_counted, write_reports
from tests.support.assertions.eventually import eventually
from tests.support.assertions.verdicts_of_log import find_differences
from tests.support.builders import plans
from tests.support.faults.broker_files import flip_bit, read_batches
from tests.support.servers.kafka import Bus
from tests.support.servers.rules import GROUP, QUICK_SESSION, RulesClient
from tests.support.servers.services import Launcher

ROUNDS = 8
TIMEOUT_SECONDS = 240.0


@pytest.mark.timeout(900)
async def test_harm_done_to_the_state_changes_no_verdict(bus: Bus, kafka: Kafka, launch: Launcher) -> None:
    """State emptied, deleted, a record lost, a bit flipped, offsets moved, kills in the rebuild: nothing is wrong."""
    rules = RulesClient(bus)
    await rules.publish(a_wide_registry(), plans.a_plan())
    service = launch("rules", ready=False, **QUICK_SESSION)
    load = asyncio.create_task(write_reports(bus.bootstrap))
    randomness = random.Random(7)  # noqa: S311  # the sequence of harms can be repeated
    for number in range(ROUNDS):
        await asyncio.sleep(randomness.uniform(1.0, 3.0))  # the moment of the harm is what is random here
        service.kill()
        await _do_harm(bus, kafka, number)
        service.launch()
        if number % 2:
            await asyncio.sleep(randomness.uniform(0.5, 2.5))
            service.kill()
            service.launch()
    await load
    await eventually(lambda: is_every_report_counted(rules), "every report counted", timeout=TIMEOUT_SECONDS)
    await eventually(service.is_ready, "rules ready", timeout=60.0)
    await _assert_verdicts_are_those_of_the_log(rules)
    assert await rules.find_repeated() == []


@pytest.mark.timeout(600)
async def test_a_log_that_loses_its_end_takes_no_report_back(bus: Bus, kafka: Kafka, launch: Launcher) -> None:
    """The facts are replaced by their first half while rules is down: every report that was counted stays counted."""
    rules = RulesClient(bus)
    await rules.publish(a_wide_registry(), plans.a_plan())
    service = launch("rules", ready=False, **QUICK_SESSION)
    await write_reports(bus.bootstrap)
    await eventually(lambda: is_every_report_counted(rules), "every report counted", timeout=TIMEOUT_SECONDS)
    service.stop()
    published = len(await bus.records(VERDICTS.name))
    facts = await bus.records(FACTS.name)
    committed = await bus.committed_offsets(GROUP, FACTS.name)
    await bus.recreate_topics(FACTS.name)
    for one in facts[: len(facts) // 2]:
        await bus.publish(FACTS.name, one.value, key=one.key, partition=one.partition, recorded_at=one.recorded_at)
    await bus.commit_offsets(GROUP, FACTS.name, committed)
    service.launch()
    await eventually(service.is_ready, "rules ready", timeout=90.0)
    assert await is_every_report_counted(rules)
    assert len(await bus.records(VERDICTS.name)) == published
    assert kafka.is_running


async def _do_harm(bus: Bus, kafka: Kafka, number: int) -> None:
    match number % 6:
        case 0:
            await bus.recreate_topics(DUTIES.name)
        case 1:
            await bus.delete_topics(DUTIES.name)
        case 2:
            await _lose_state_record(bus)
        case 3:
            await _flip_bit_of_state(bus, kafka)
        case 4:
            await bus.commit_offsets(GROUP, FACTS.name, dict.fromkeys(range(bus.partitions), 0))
        case _:
            ends = {one.partition: one.offset + 1 for one in await bus.records(FACTS.name)}
            await bus.commit_offsets(GROUP, FACTS.name, ends)


async def _lose_state_record(bus: Bus) -> None:
    records = [one for one in await bus.records(DUTIES.name) if one.value is not None and b"|2024" in (one.key or b"")]
    for one in records[-1:]:
        await bus.publish(DUTIES.name, None, key=one.key, partition=one.partition)


async def _flip_bit_of_state(bus: Bus, kafka: Kafka) -> None:
    kafka.stop()
    for partition in range(bus.partitions):
        count = len(list(read_batches(kafka, DUTIES.name, partition)))
        if count > 1:
            flip_bit(kafka, DUTIES.name, partition, batch=count - 2)  # the last one is a marker
    kafka.start()


async def _assert_verdicts_are_those_of_the_log(rules: RulesClient) -> None:
    facts = await rules.bus.records(FACTS.name)
    assert find_differences(await rules.assessments(), facts, plans.a_plan(), a_wide_registry()) == []
