"""Rules while the broker answers slowly or connections break: every report counts once, nothing is written twice."""

import asyncio

import pytest

from tests.support.assertions.eventually import eventually
from tests.support.builders import plans
from tests.support.faults.toxiproxy import DISCONNECTIONS, NetworkFault, Proxy, slow
from tests.support.servers.kafka import Bus
from tests.support.servers.rules import QUICK_SESSION, RulesClient
from tests.support.servers.services import Launch

REPORTS_EACH = 10  # a round
TOLERABLE_MS = 300
HARMED_SECONDS = (0.3, 2.5)  # shorter than the session of a consumer, and longer
TIMEOUT_SECONDS = 60.0


@pytest.fixture
async def rules(bus: Bus) -> RulesClient:
    """Return a client of the bus on which the usual plan is published."""
    rules = RulesClient(bus)
    await rules.publish(plans.a_registry(), plans.a_plan())
    return rules


async def test_a_slow_broker_only_delays_verdicts(rules: RulesClient, launch: Launch, proxy: Proxy) -> None:
    """With every answer of the broker late, the last assessment of each duty counts each report once."""
    async with proxy.with_toxic(slow(TOLERABLE_MS)):
        launch("rules", DONDOC_KAFKA_BOOTSTRAP=proxy.bootstrap)
        await append_reports(rules, "slow")
        await wait_until_counted(rules, REPORTS_EACH)
    assert await rules.find_repeated() == []


@pytest.mark.parametrize("harm", DISCONNECTIONS.values(), ids=DISCONNECTIONS.keys())
async def test_connections_that_break_leave_each_report_counted_once(
    rules: RulesClient, launch: Launch, proxy: Proxy, harm: NetworkFault
) -> None:
    """A transaction whose connection breaks is committed or aborted as a whole, and each report counts once."""
    service = launch("rules", DONDOC_KAFKA_BOOTSTRAP=proxy.bootstrap, **QUICK_SESSION)
    for number, held in enumerate(HARMED_SECONDS):
        before = asyncio.create_task(append_reports(rules, f"before-{number}"))
        await wait_until_counted(rules, 2 * number * REPORTS_EACH + 1)  # in the middle of its work
        async with harm(proxy):
            await append_reports(rules, f"harmed-{number}")
            await asyncio.sleep(held)
        await before
        await wait_until_counted(rules, 2 * (number + 1) * REPORTS_EACH)
    await eventually(service.is_ready, "rules ready")
    assert await rules.find_repeated() == []


async def append_reports(rules: RulesClient, name: str) -> None:
    """Append reports of every agency to the log, the agencies in turn."""
    for number in range(REPORTS_EACH):
        for agency in plans.AGENCIES:
            event = plans.a_submission(f"{name}-{agency}-{number}", data={"agency": agency}, subject=agency)
            await rules.append_fact(event)


async def wait_until_counted(rules: RulesClient, least: int) -> None:
    """Wait until the last assessment of every duty counts so many reports, or more."""

    async def are_counted() -> bool:
        last = {one.agency: one.timeline[-1].submissions for one in await rules.assessments() if one.period == "2024"}
        return all(last.get(agency, 0) >= least for agency in plans.AGENCIES)

    await eventually(are_counted, f"{least} reports of each agency counted", timeout=TIMEOUT_SECONDS)
