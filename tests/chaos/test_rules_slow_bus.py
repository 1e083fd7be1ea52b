"""Rules while the broker answers slowly or its connections break: every report counts once, nothing is said twice."""

import asyncio

import pytest

from tests.support.assertions.eventually import eventually
from tests.support.builders import plans
from tests.support.faults.toxiproxy import DISCONNECTIONS, NetworkFault, Proxy, slow
from tests.support.servers.kafka import Bus
from tests.support.servers.rules import QUICK_SESSION, Rules
from tests.support.servers.services import Launch

REPORTS_EACH = 10  # a round
TOLERABLE_MS = 300
HARMED_SECONDS = (0.3, 2.5)  # shorter than the session of a consumer, and longer
PATIENCE_SECONDS = 60.0


@pytest.fixture
async def rules(bus: Bus) -> Rules:
    """A plan is published."""
    rules = Rules(bus)
    await rules.publish(plans.a_registry(), plans.a_plan())
    return rules


async def test_a_slow_broker_only_delays_verdicts(rules: Rules, launch: Launch, proxy: Proxy) -> None:
    """Each transaction takes several answers; all of them late, the last word on each duty counts each report once."""
    async with proxy.with_toxic(slow(TOLERABLE_MS)):
        launch("rules", DONDOC_KAFKA_BOOTSTRAP=proxy.bootstrap)
        await report(rules, "slow")
        await counted(rules, REPORTS_EACH)
    assert await rules.repeated() == []


@pytest.mark.parametrize("harm", DISCONNECTIONS.values(), ids=DISCONNECTIONS.keys())
async def test_connections_that_break_leave_each_report_counted_once(
    rules: Rules, launch: Launch, proxy: Proxy, harm: NetworkFault
) -> None:
    """Wherever in a transaction the connection goes, it is finished or taken back, and never half done."""
    service = launch("rules", DONDOC_KAFKA_BOOTSTRAP=proxy.bootstrap, **QUICK_SESSION)
    for number, held in enumerate(HARMED_SECONDS):
        before = asyncio.create_task(report(rules, f"before-{number}"))
        await counted(rules, 2 * number * REPORTS_EACH + 1)  # in the middle of its work
        async with harm(proxy):
            await report(rules, f"harmed-{number}")
            await asyncio.sleep(held)
        await before
        await counted(rules, 2 * (number + 1) * REPORTS_EACH)
    assert service.is_ready()
    assert await rules.repeated() == []


async def report(rules: Rules, name: str) -> None:
    """Put reports of every agency into the log, the agencies in turn."""
    for number in range(REPORTS_EACH):
        for agency in plans.AGENCIES:
            event = plans.a_submission(f"{name}-{agency}-{number}", data={"agency": agency}, subject=agency)
            await rules.accept(event)


async def counted(rules: Rules, least: int) -> None:
    """Wait until the last verdict on every duty counts so many reports, or more."""

    async def are_counted() -> bool:
        last = {said.agency: said.timeline[-1].submissions for said in await rules.verdicts() if said.period == "2024"}
        return all(last.get(agency, 0) >= least for agency in plans.AGENCIES)

    await eventually(are_counted, f"{least} reports of each agency counted", timeout=PATIENCE_SECONDS)
