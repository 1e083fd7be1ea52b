"""Services and database are killed at random during the demo's year, and the outcome is as expected all the same."""

import asyncio
import json
import random
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import httpx
import pytest

from deploy.local.process.daemon import Daemon
from services.console.demo import contacts, run
from services.console.demo.client import IntakeClient, ScenarioRunner
from services.console.demo.plan_6766 import comparison
from services.console.demo.quiescence import LogFollower, Quiescence
from services.notifier.settings import GROUP
from services.reporting.settings import ReportingSettings
from services.rules.settings import RulesSettings
from services.runtime.settings import ServiceSettings
from tests.support.clients.demo_year import DemoSystem, start_demo_system

GROUPS = {"rules": RulesSettings().group, "notifier": GROUP, "reporting": ReportingSettings().group}
LEASE_SECONDS = "3"  # how long a claim of a killed notifier holds up the mail it claimed
SESSION_MS = "2000"  # how long a killed consumer holds up its partitions
MIN_KILLS = 5  # a year takes over twenty seconds, however fast the machine
RETRY_SECONDS = 0.1
REQUEST_SECONDS = 60.0
# Between two kills, in starts of the database on this machine: shorter, and nothing would ever be done.
PAUSE_STARTS = (0.5, 2.0)


class RetryingTransport(httpx.AsyncBaseTransport):
    """Retries while a service is away, as every upstream system should: the same event gets the same receipt."""

    def __init__(self) -> None:
        self._transport = httpx.AsyncHTTPTransport()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send *request* until it is answered by a service that is there."""
        while True:
            try:
                answer = await self._transport.handle_async_request(request)
            except httpx.TransportError:
                await asyncio.sleep(RETRY_SECONDS)
                continue
            if answer.status_code != httpx.codes.SERVICE_UNAVAILABLE:
                return answer
            await answer.aclose()
            await asyncio.sleep(RETRY_SECONDS)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._transport.aclose()


@pytest.fixture
def demo(tmp_path: Path, jars: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[DemoSystem]:
    """The running system, with short leases and sessions."""
    monkeypatch.setenv("DONDOC_NOTIFIER_LEASE_SECONDS", LEASE_SECONDS)
    monkeypatch.setenv("DONDOC_SESSION_TIMEOUT_MS", SESSION_MS)
    with start_demo_system(tmp_path, jars) as started:
        yield started


@pytest.mark.timeout(900)
async def test_a_year_with_random_kills_comes_out_as_expected(demo: DemoSystem) -> None:
    """No kill changes a status, a figure or the number of alerts, and no mail reaches a mailbox as two mails."""
    killed: list[str] = []
    start_seconds = measure_start(demo.system.stack.mongod)
    killer = asyncio.create_task(kill_at_random(targets(demo), killed, start_seconds=start_seconds))
    await run_scenario(demo)
    killer.cancel()
    await asyncio.gather(killer, return_exceptions=True)
    assert len(killed) >= MIN_KILLS, killed
    for service in demo.system.services:
        service.start()
    annual = json.loads(run.fetch_report(demo.reporting_http, demo.scenario, "json"))
    assert comparison.find_differences(demo.reporting_http, demo.scenario.expectations, annual) == []
    assert count_different_mails(demo) == {
        one.agency: one.alerts.to_agency for one in demo.scenario.expectations if one.alerts.to_agency
    }


def targets(demo: DemoSystem) -> Sequence[Daemon]:
    """Return the processes that are killed: every service, and the database."""
    return (*demo.system.services, demo.system.stack.mongod)


def measure_start(daemon: Daemon) -> float:
    """Kill the process, start it again, and return the seconds that the start took."""
    daemon.kill()
    began = time.monotonic()
    daemon.start()
    return time.monotonic() - began


async def kill_at_random(daemons: Sequence[Daemon], killed: list[str], *, start_seconds: float) -> None:
    """Kill -9 one process after another at random moments and launch each again, until cancelled; note its name."""
    randomness = random.Random(6766)  # noqa: S311  # the order can be repeated, though not the moments
    while True:
        await asyncio.sleep(start_seconds * randomness.uniform(*PAUSE_STARTS))
        victim = randomness.choice(daemons)
        victim.kill()
        victim.launch()
        killed.append(victim.program.name)


async def run_scenario(demo: DemoSystem) -> None:
    """Run the whole scenario; requests to a service that was killed are retried until it is back."""
    async with AsyncExitStack() as resources:
        intake, notifier = [
            await resources.enter_async_context(
                httpx.AsyncClient(base_url=service.url, transport=RetryingTransport(), timeout=REQUEST_SECONDS)
            )
            for service in (demo.system.intake, demo.system.notifier)
        ]
        bootstrap = demo.system.stack.kafka.bootstrap
        follower = await resources.enter_async_context(
            LogFollower(bootstrap, ServiceSettings().partitions, lambda _: None)
        )
        quiescence = Quiescence(follower, notifier, GROUPS)
        runner = ScenarioRunner(demo.clock, IntakeClient(intake, demo.keys), quiescence, max_step=None)
        await runner.run(demo.scenario, lambda _now, _posts: None)


def count_different_mails(demo: DemoSystem) -> Counter[str]:
    """Count each agency's mails by their Message-ID: a mail sent again after a crash is the same mail."""
    mails = {str(mail["Message-ID"]): mail for mail in demo.system.stack.smtp.mails()}
    agencies = {one.agency for one in demo.scenario.expectations}
    found = (str(mail["To"]).rpartition("@")[2].removesuffix(f".{contacts.DOMAIN}") for mail in mails.values())
    return Counter(agency for agency in found if agency in agencies)
