"""A bit flips in the log of the facts: rules stands before the damage, says where, and goes on once it is set aside."""

import json
import os
import subprocess
import sys

import pytest

from deploy.local.servers.kafka import Kafka
from schemas.events.ids import partition_of
from schemas.events.topics import DUTIES, FACTS
from tests.integration.rules.test_state_lost import count_rebuilds, has_logged, read_checks, read_metric
from tests.support.assertions.eventually import eventually
from tests.support.builders import plans
from tests.support.faults.broker_files import flip_bit, read_batches
from tests.support.servers.kafka import Bus
from tests.support.servers.rules import GROUP, QUICK_SESSION, RulesClient
from tests.support.servers.services import Launch

FIRST = plans.AGENCIES[0]


@pytest.mark.chaos
async def test_rules_stands_before_damage_and_goes_on_once_it_is_set_aside(
    rules: RulesClient, launch: Launch, kafka: Kafka
) -> None:
    """Metric, log and `/readyz` name it; after the command the facts behind it count, and a rebuild passes it too."""
    first = launch("rules", ready=False, **QUICK_SESSION)
    await rules.publish_usual_plan()
    first.stop()
    offsets = [(await rules.append_fact(plans.a_submission(f"s-{number}"))).offset for number in range(3)]
    kafka.stop()
    place = partition_of(FIRST, rules.bus.partitions)
    number = [batch.base_offset for batch in read_batches(kafka, FACTS.name, place)].index(offsets[1])
    flip_bit(kafka, FACTS.name, place, batch=number)
    kafka.start()
    second = launch("rules", ready=False, **QUICK_SESSION)
    name = f'runtime_damaged_batch_offset{{partition="{place}",topic="{FACTS.name}"}}'
    await eventually(lambda: second.answers() and _metric_is(second, name, offsets[1]), "the damage", timeout=40.0)
    assert not read_checks(second)["consumer"]
    assert has_logged(second, "damaged_batch")
    (assessed,) = (await rules.assessments_of(FIRST))[1:]
    assert assessed.timeline[-1].evidence == ("s-0",)
    letter = _skip_damaged(rules.bus, place, offsets[1])
    assert (letter["offset"], letter["next_offset"]) == (offsets[1], offsets[2])
    _, _, assessed = await rules.wait_for_assessments(FIRST, times=3)
    assert assessed.timeline[-1].evidence == ("s-0", "s-2")
    await eventually(second.is_ready, "rules ready")
    second.stop()
    await rules.bus.recreate_topics(DUTIES.name)
    launch("rules", **QUICK_SESSION)
    assert len(await rules.assessments_of(FIRST)) == 3


@pytest.mark.chaos
async def test_a_damaged_state_record_is_passed_over_and_rebuilt(
    rules: RulesClient, launch: Launch, kafka: Kafka
) -> None:
    """Damage in the state topic costs a rebuild and nobody's attention."""
    first = launch("rules", ready=False, **QUICK_SESSION)
    await rules.publish_usual_plan()
    await rules.append_fact(plans.a_submission())
    await rules.wait_for_assessments(FIRST, times=2)
    await rules.wait_until_consumed()
    first.stop()
    place = partition_of(FIRST, rules.bus.partitions)
    kafka.stop()
    last = len(list(read_batches(kafka, DUTIES.name, place))) - 2  # the last one is the marker of the transaction
    flip_bit(kafka, DUTIES.name, place, batch=last)
    kafka.start()
    second = launch("rules", ready=False, **QUICK_SESSION)
    await eventually(second.is_ready, "rules ready", timeout=40.0)
    assert count_rebuilds(second) == 1
    second.stop()
    third = launch("rules", **QUICK_SESSION)
    assert count_rebuilds(third) == 0
    assert len(await rules.assessments_of(FIRST)) == 2


async def test_a_damaged_end_of_the_state_shows_in_the_verdicts_where_the_offset_was_moved_too(
    rules: RulesClient, launch: Launch, kafka: Kafka
) -> None:
    """Both at once make an older state look like the latest one: no verdict is written a second time all the same."""
    first = launch("rules", ready=False, **QUICK_SESSION)
    await rules.publish_usual_plan()
    for number in range(2):
        await rules.append_fact(plans.a_submission(f"s-{number}"))
        await rules.wait_for_assessments(FIRST, times=2 + number)
    await rules.wait_until_consumed()
    first.stop()
    place = partition_of(FIRST, rules.bus.partitions)
    kafka.stop()
    last = len(list(read_batches(kafka, DUTIES.name, place))) - 2  # the last one is the marker of the transaction
    flip_bit(kafka, DUTIES.name, place, batch=last)
    kafka.start()
    await rules.bus.commit_offsets(GROUP, FACTS.name, dict.fromkeys(range(rules.bus.partitions), 0))
    second = launch("rules", ready=False, **QUICK_SESSION)
    await eventually(second.is_ready, "rules ready", timeout=40.0)
    await rules.append_fact(plans.a_submission("s-2"))
    await rules.wait_for_assessments(FIRST, times=4)
    assert count_rebuilds(second) == 1
    assert await rules.find_repeated() == []


def _metric_is(service: object, name: str, value: int) -> bool:
    try:
        return read_metric(service, name) == value  # type: ignore[arg-type] # a launched service
    except StopIteration:
        return False


def _skip_damaged(bus: Bus, partition: int, offset: int) -> plans.Json:
    arguments = ["dead-letters", "skip-damaged", "facts", str(partition), str(offset), "--reason", "a test"]
    command = [sys.executable, "-c", "from services.console.main import main; main()", *arguments]
    environment = {**os.environ, "DONDOC_KAFKA_BOOTSTRAP": bus.bootstrap}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    found: plans.Json = json.loads(done.stdout)
    return found
