"""A state that is gone, old or damaged is rebuilt from the log, and nothing is published that was not true before."""

from urllib.request import urlopen

import pytest

from schemas.events.topics import DUTIES, FACTS, REFERENCES, VERDICTS
from tests.support.assertions.eventually import eventually
from tests.support.assertions.verdicts_of_log import find_differences
from tests.support.builders import plans
from tests.support.matrix import matrix
from tests.support.servers.kafka import Bus
from tests.support.servers.rules import GROUP, QUICK_SESSION, RulesClient
from tests.support.servers.services import Launch, Service

FIRST, SECOND, THIRD = plans.AGENCIES
STATE_KEY = f"P-1|{FIRST}|results|2024"
Verdicts = list[tuple[int, bytes | None, bytes | None]]


async def empty_state(bus: Bus) -> None:
    """Delete the state topic and create it anew."""
    await bus.recreate_topics(DUTIES.name)


async def lose_record(bus: Bus) -> None:
    """Delete one record of the state."""
    await _overwrite_state(bus, None)


async def flip_record(bus: Bus) -> None:
    """Change one letter in one record of the state."""
    (record,) = [one for one in await bus.records(DUTIES.name) if one.key == STATE_KEY.encode()][-1:]
    await _overwrite_state(bus, (record.value or b"").replace(b'"s-1"', b'"s-9"'))


async def garble_record(bus: Bus) -> None:
    """Put bytes that nobody can read in place of one record of the state."""
    await _overwrite_state(bus, b"\xff{")


async def lose_coverage(bus: Bus) -> None:
    """Garble the coverage record of every partition."""
    for number in range(bus.partitions):
        await bus.publish(DUTIES.name, b"{}", key="coverage", partition=number)


DAMAGES = {
    "emptied": (empty_state, "state_lost"),
    "a record lost": (lose_record, "state_damaged"),
    "a record flipped": (flip_record, "state_damaged"),
    "a record garbled": (garble_record, "state_damaged"),
    "coverage lost": (lose_coverage, "state_lost"),
}


@pytest.mark.parametrize("damage", matrix(list(DAMAGES), in_every_run=2))
async def test_a_lost_state_is_rebuilt_and_nothing_is_published_again(
    rules: RulesClient, launch: Launch, damage: str
) -> None:
    """The next owner knows every fact again, writes no verdict for it, counts the rebuild, and says so on `/readyz`."""
    first = launch("rules", ready=False, **QUICK_SESSION)
    await report_from_all(rules)
    first.stop()
    published = await verdict_records(rules)
    do_damage, reason = DAMAGES[damage]
    await do_damage(rules.bus)
    second = launch("rules", **QUICK_SESSION)
    assert read_metric(second, f'rules_state_rebuilds_total{{reason="{reason}"}}') >= 1
    assert await verdict_records(rules) == published
    await rules.append_fact(plans.a_withdrawal("w-1", "s-1", receivedtime="2024-12-07T08:00:00+07:00"))
    await eventually(lambda: is_withdrawn(rules), "the withdrawal counted")
    assert len(await verdict_records(rules)) == len(published) + 1
    assert await differences(rules) == []
    second.stop()
    third = launch("rules", **QUICK_SESSION)
    assert count_rebuilds(third) == 0
    assert len(await verdict_records(rules)) == len(published) + 1


async def test_verdicts_that_are_lost_are_written_again_to_the_byte(rules: RulesClient, launch: Launch) -> None:
    """Where the verdicts topic is emptied, every verdict is written again at its place, with the bytes it had."""
    await _test_written_again(rules, launch, VERDICTS.name, reason="verdicts_lost")


async def test_verdicts_and_state_that_are_lost_are_written_again_to_the_byte(
    rules: RulesClient, launch: Launch
) -> None:
    """Where both topics of rules are emptied, and its offsets are there, both come back from the log."""
    await _test_written_again(rules, launch, VERDICTS.name, DUTIES.name, reason="state_lost")


@pytest.mark.parametrize("to", ["the end", "the beginning"])
async def test_a_moved_offset_skips_and_repeats_nothing(rules: RulesClient, launch: Launch, to: str) -> None:
    """The state says where reading goes on: facts that the offset skips are assessed, those it repeats are not."""
    first = launch("rules", ready=False, **QUICK_SESSION)
    await report_from_all(rules)
    first.stop()
    published = len(await verdict_records(rules))
    await rules.append_fact(plans.a_withdrawal("w-1", "s-1", receivedtime="2024-12-07T08:00:00+07:00"))
    await _move_offsets(rules, to)
    launch("rules", **QUICK_SESSION)
    await eventually(lambda: is_withdrawn(rules), "the withdrawal counted")
    await rules.wait_until_consumed()
    assert len(await verdict_records(rules)) == published + 1
    assert await differences(rules) == []


@pytest.mark.chaos
async def test_a_rebuild_waits_for_the_documents_that_were_adopted(rules: RulesClient, launch: Launch) -> None:
    """Where state and published documents are both gone, nothing is set aside: rules waits until they are back."""
    first = launch("rules", ready=False, **QUICK_SESSION)
    await report_from_all(rules)
    first.stop()
    published = await verdict_records(rules)
    await rules.bus.recreate_topics(DUTIES.name, REFERENCES.name)
    second = launch("rules", ready=False, **QUICK_SESSION)
    await eventually(lambda: second.answers() and not read_checks(second)["references"], "rules waiting")
    await rules.publish(plans.a_registry(), plans.a_plan())
    await eventually(second.is_ready, "rules ready", timeout=40.0)
    assert await rules.bus.records(FACTS.dead_letter) == []
    assert await verdict_records(rules) == published


async def test_poison_is_not_set_aside_twice_by_a_rebuild(rules: RulesClient, launch: Launch) -> None:
    """A record that is in the dead letters already is passed over when the log is read again."""
    first = launch("rules", ready=False, **QUICK_SESSION)
    await report_from_all(rules)
    await rules.bus.publish(FACTS.name, b"poison", key=FIRST)
    await rules.append_fact(plans.a_submission(data={"document": {"number": "9/BC", "issued_on": "2024-12-01"}}))
    await eventually(lambda: _are_set_aside(rules, 2), "two dead letters")
    first.stop()
    await empty_state(rules.bus)
    launch("rules", **QUICK_SESSION)
    await rules.append_fact(plans.a_withdrawal("w-1", "s-1", receivedtime="2024-12-07T08:00:00+07:00"))
    await eventually(lambda: is_withdrawn(rules), "the withdrawal counted")
    assert await _are_set_aside(rules, 2)


async def report_from_all(rules: RulesClient) -> None:
    """Publish the usual plan; the first agency reports, corrects and is granted an extension, the second reports."""
    await rules.publish_usual_plan()
    await rules.append_fact(plans.a_submission())
    await rules.append_fact(plans.a_submission("s-2", data={"agency": SECOND}))
    await rules.append_fact(
        plans.an_extension("e-1", "2024-12-20T00:00:00+07:00", receivedtime="2024-12-04T08:00:00+07:00")
    )
    await rules.append_fact(
        plans.a_submission("s-3", data={"corrects": "s-1"}, receivedtime="2024-12-06T08:00:00+07:00")
    )
    await rules.wait_for_assessments(FIRST, times=4)
    await rules.wait_for_assessments(SECOND, times=2)
    await rules.wait_until_consumed()


async def is_withdrawn(rules: RulesClient) -> bool:
    """Whether the last verdict on the first agency counts the withdrawal."""
    assessed = (await rules.assessments_of(FIRST))[-1]
    return "w-1" in assessed.timeline[-1].evidence


async def differences(rules: RulesClient) -> list[str]:
    """Return where the verdicts differ from `dondoc evaluate` on the log."""
    facts = await rules.bus.records(FACTS.name)
    return find_differences(await rules.assessments(), facts, plans.a_plan(), plans.a_registry())


async def verdict_records(rules: RulesClient) -> Verdicts:
    """Return partition, key and value of every verdict, in the order of the topic."""
    return [(one.partition, one.key, one.value) for one in await rules.bus.records(VERDICTS.name)]


def read_checks(service: Service) -> dict[str, bool]:
    """Return the checks of `/readyz`, whatever its status."""
    lines = _read_metrics(service)
    prefix = 'runtime_check_holds{check="'
    return {line[len(prefix) :].split('"')[0]: line.endswith(" 1.0") for line in lines if line.startswith(prefix)}


def read_metric(service: Service, name: str) -> float:
    """Return the value of one metric, named with its labels."""
    return next(float(line.split()[-1]) for line in _read_metrics(service) if line.startswith(f"{name} "))


def count_rebuilds(service: Service) -> float:
    """Return how many partitions were rebuilt, for any reason."""
    return sum(
        float(line.split()[-1]) for line in _read_metrics(service) if line.startswith("rules_state_rebuilds_total")
    )


def has_logged(service: Service, action: str) -> bool:
    """Whether the service has logged *action*."""
    return any(line.get("action") == action for line in service.log_lines())


def _read_metrics(service: Service) -> list[str]:
    with urlopen(f"{service.url}/metrics", timeout=5.0) as answer:  # noqa: S310 # loopback
        lines: list[str] = answer.read().decode().splitlines()
        return lines


async def _test_written_again(rules: RulesClient, launch: Launch, *topics: str, reason: str) -> None:
    first = launch("rules", ready=False, **QUICK_SESSION)
    await report_from_all(rules)
    first.stop()
    published = await verdict_records(rules)
    await rules.bus.recreate_topics(*topics)
    second = launch("rules", **QUICK_SESSION)
    assert read_metric(second, f'rules_state_rebuilds_total{{reason="{reason}"}}') >= 1
    assert await verdict_records(rules) == published
    await rules.append_fact(plans.a_withdrawal("w-1", "s-1", receivedtime="2024-12-07T08:00:00+07:00"))
    await eventually(lambda: is_withdrawn(rules), "the withdrawal counted")
    assert len(await verdict_records(rules)) == len(published) + 1
    assert await differences(rules) == []


async def _are_set_aside(rules: RulesClient, count: int) -> bool:
    return len(await rules.bus.records(FACTS.dead_letter)) == count


async def _overwrite_state(bus: Bus, value: bytes | None) -> None:
    (record,) = [one for one in await bus.records(DUTIES.name) if one.key == STATE_KEY.encode()][-1:]
    await bus.publish(DUTIES.name, value, key=STATE_KEY, partition=record.partition)


async def _move_offsets(rules: RulesClient, to: str) -> None:
    records = await rules.bus.records(FACTS.name)
    ends = dict.fromkeys(range(rules.bus.partitions), 0)
    if to == "the end":
        ends |= {record.partition: record.offset + 1 for record in records}
    await rules.bus.commit_offsets(GROUP, FACTS.name, ends)
