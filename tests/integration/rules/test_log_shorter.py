"""The log has lost its end or was replaced: what was known stays known, what is new is assessed, and rules says so."""

from datetime import datetime
from functools import partial

import pytest

from schemas.events.assessments import Status
from schemas.events.topics import DUTIES, FACTS, VERDICTS
from services.rules.assessment_event import OFFSETS_A_GENERATION
from tests.integration.rules.test_state_lost import (
    FIRST,
    SECOND,
    THIRD,
    has_logged,
    read_checks,
    read_metric,
    report_from_all,
    verdict_records,
)
from tests.support.assertions.eventually import eventually
from tests.support.assertions.verdicts_of_log import newest_verdicts
from tests.support.builders import plans
from tests.support.servers.kafka import Bus, Record
from tests.support.servers.rules import GROUP, QUICK_SESSION, RulesClient, key_of, status_at
from tests.support.servers.services import Launch, Service

AFTER_DUE = "2024-12-10T00:00:00+07:00"


@pytest.mark.chaos
async def test_a_shorter_log_changes_nothing_that_was_known(rules: RulesClient, launch: Launch) -> None:
    """Rules reads what is left again and publishes nothing of it; it is not ready, and counts and logs the incident."""
    first = launch("rules", ready=False, **QUICK_SESSION)
    await report_from_all(rules)
    first.stop()
    published = await verdict_records(rules)
    await cut_log(rules.bus, keep=1)
    second = launch("rules", ready=False, **QUICK_SESSION)
    await eventually(lambda: has_logged(second, "reread"), "the log read again")
    assert not read_checks(second)["log"]
    assert count_incidents(second) >= 1
    assert has_logged(second, "log_incident")
    assert await verdict_records(rules) == published
    await eventually(second.is_ready, "ready once the incident has been seen", timeout=60.0)


async def test_a_fact_in_a_shorter_log_is_assessed_with_what_the_log_has_lost(
    rules: RulesClient, launch: Launch
) -> None:
    """A withdrawal finds the report that only the state still knows; its verdict is newer than all before."""
    first = launch("rules", ready=False, **QUICK_SESSION)
    await report_from_all(rules)
    first.stop()
    await cut_log(rules.bus, keep=1)
    await rules.append_fact(plans.a_submission("s-4", data={"agency": THIRD}))
    launch("rules", ready=False, **QUICK_SESSION)
    await eventually(lambda: is_reported(rules, THIRD), "the report that was written before the start")
    withdrawal = plans.a_withdrawal("w-1", "s-2", receivedtime="2024-12-07T08:00:00+07:00")
    await rules.append_fact({**withdrawal, "data": {**withdrawal["data"], "agency": SECOND}})
    await eventually(lambda: is_counted(rules, SECOND, "w-1"), "the withdrawal")
    newest = {key_of(one): one for one in newest_verdicts(await rules.assessments()).values()}
    second = next(one for key, one in newest.items() if (key.agency, key.period) == (SECOND, "2024"))
    assert status_at(second, AFTER_DUE) is Status.OVERDUE
    assert second.revision > OFFSETS_A_GENERATION
    assert await is_reported(rules, FIRST)


@pytest.mark.chaos
async def test_a_log_and_a_state_lost_at_once_take_nothing_back(rules: RulesClient, launch: Launch) -> None:
    """Nobody knows the lost reports any more but the verdicts; none of them is replaced by an earlier one."""
    first = launch("rules", ready=False, **QUICK_SESSION)
    await report_from_all(rules)
    first.stop()
    before = newest_verdicts(await rules.assessments())
    await cut_log(rules.bus, keep=1)
    await rules.bus.recreate_topics(DUTIES.name)
    second = launch("rules", ready=False, **QUICK_SESSION)
    await eventually(second.is_ready, "rules ready", timeout=60.0)
    assert count_incidents(second) >= 1
    after = newest_verdicts(await rules.assessments())
    assert {key: one.timeline for key, one in after.items()} == {key: one.timeline for key, one in before.items()}


async def test_a_log_replaced_under_running_rules_is_read_from_its_beginning(
    rules: RulesClient, launch: Launch
) -> None:
    """The topic is deleted and made anew while rules runs: its producer is replaced, and the new facts are assessed."""
    service = launch("rules", ready=False, **QUICK_SESSION)
    await report_from_all(rules)
    await rules.bus.recreate_topics(FACTS.name)
    await rules.append_fact(plans.a_submission("s-4", data={"agency": THIRD}))
    await eventually(lambda: is_reported(rules, THIRD), "the report in the new log", timeout=90.0)
    assert service.is_running
    assert count_incidents(service) >= 1
    assert await is_reported(rules, FIRST)
    assert await is_reported(rules, SECOND)
    await rules.append_fact(plans.a_withdrawal("w-1", "s-3", receivedtime="2024-12-07T08:00:00+07:00"))
    await eventually(lambda: is_counted(rules, FIRST, "w-1"), "the withdrawal")


@pytest.mark.chaos
@pytest.mark.parametrize("topic", [VERDICTS.name, DUTIES.name])
async def test_a_topic_deleted_under_running_rules_comes_back(rules: RulesClient, launch: Launch, topic: str) -> None:
    """A topic that rules writes is deleted while it runs: facts are assessed again soon, and no verdict stays lost."""
    service = launch("rules", ready=False, **QUICK_SESSION)
    await report_from_all(rules)
    published = {value for _, _, value in await verdict_records(rules)}
    await rules.bus.delete_topics(topic)
    await rules.append_fact(plans.a_submission("s-4", data={"agency": FIRST}))
    await eventually(lambda: rules.bus.has_topic(topic), "the topic made anew", timeout=120.0)
    await eventually(lambda: is_counted(rules, FIRST, "s-4"), "the report", timeout=60.0)
    assert service.is_running
    service.stop()
    launch("rules", ready=False, **QUICK_SESSION)
    await eventually(lambda: _are_all_published(rules, published), "every verdict on the topic", timeout=60.0)


@pytest.mark.chaos
@pytest.mark.parametrize("lost", [DUTIES.name, VERDICTS.name])
async def test_a_second_loss_publishes_no_earlier_verdict_as_the_newer(
    rules: RulesClient, launch: Launch, lost: str
) -> None:
    """After a shorter log the state or the verdicts are lost too: nobody who has reported is told to be overdue."""
    for step in ("first", "second", "third"):
        service = launch("rules", ready=step == "third", **QUICK_SESSION)
        if step == "first":
            await report_from_all(rules)
        await eventually(partial(is_idle, rules, service), "rules idle", timeout=60.0)
        service.stop()
        if step == "first":
            before = newest_verdicts(await rules.assessments())
            await cut_log(rules.bus, keep=3)
        if step == "second":
            await rules.bus.recreate_topics(lost)
    after = newest_verdicts(await rules.assessments())
    assert {key: one.timeline for key, one in after.items()} == {key: one.timeline for key, one in before.items()}


async def cut_log(bus: Bus, *, keep: int) -> None:
    """Replace the facts by their first *keep* records of each partition; the offsets of the group stay."""
    facts = await bus.records(FACTS.name)
    committed = await bus.committed_offsets(GROUP, FACTS.name)
    await bus.recreate_topics(FACTS.name)
    for number in range(bus.partitions):
        for record in [one for one in facts if one.partition == number][:keep]:
            await _append_again(bus, record)
    await bus.commit_offsets(GROUP, FACTS.name, committed)


async def _append_again(bus: Bus, record: Record) -> None:
    await bus.publish(
        FACTS.name, record.value, key=record.key, partition=record.partition, recorded_at=record.recorded_at
    )


async def is_reported(rules: RulesClient, agency: str) -> bool:
    """Whether the newest verdict on the agency's usual duty counts a report."""
    return await _newest(rules, agency) > 0


async def is_counted(rules: RulesClient, agency: str, event: str) -> bool:
    """Whether the newest verdict on the agency's usual duty rests on *event*."""
    found = newest_verdicts(await rules.assessments())
    return any(
        event in one.timeline[-1].evidence for key, one in found.items() if (key.agency, key.period) == (agency, "2024")
    )


async def is_idle(rules: RulesClient, service: Service) -> bool:
    """Whether every partition is open, nothing is read again, and every fact is consumed."""
    checks = read_checks(service) if service.answers() else {}
    return bool(checks.get("partitions") and checks.get("state")) and await rules.bus.lag(GROUP, FACTS.name) == 0


def count_incidents(service: Service) -> float:
    """Return how many partitions of the log were found shorter or replaced."""
    kinds = ("log_shorter", "log_replaced")
    return sum(read_metric(service, f'rules_log_incidents_total{{kind="{kind}"}}') for kind in kinds)


async def _newest(rules: RulesClient, agency: str) -> int:
    found = newest_verdicts(await rules.assessments())
    at = datetime.fromisoformat("2024-12-09T00:00:00+07:00")
    for key, one in found.items():
        if (key.agency, key.period) == (agency, "2024"):
            return [segment.submissions for segment in one.timeline if segment.from_ <= at][-1]
    return 0


async def _are_all_published(rules: RulesClient, published: set[bytes | None]) -> bool:
    return published <= {value for _, _, value in await verdict_records(rules)}
