"""The year of the demo, services and database killed at random while it is played: the same truth comes out."""

import asyncio
import json
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import httpx
import pytest

from deploy.local.process.daemon import Daemon
from services.console.demo import contacts, run
from services.console.demo.client import Mailroom, Player
from services.console.demo.quiescence import Log, Rest
from services.notifier.settings import GROUP
from services.reporting.settings import ReportingSettings
from services.rules.settings import RulesSettings
from services.runtime.settings import ServiceSettings
from tests.support.clients.demo_year import RunningDemo, a_running_demo

GROUPS = {"rules": RulesSettings().group, "notifier": GROUP, "reporting": ReportingSettings().group}
LEASE_SECONDS = "3"  # how long a claim of a killed notifier holds up the mail it claimed
SESSION_MS = "2000"  # how long a killed consumer holds up its partitions
FEWEST_KILLS = 5  # a year takes over twenty seconds, however fast the machine
RETRY_SECONDS = 0.1
ASKED_SECONDS = 60.0
PAUSE_SECONDS = (1.0, 4.0)  # between two kills: shorter, and nothing would ever be done


class Patient(httpx.AsyncBaseTransport):
    """Asks again while a service is away, as every upstream system should: the same event gets the same receipt."""

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
def stage(tmp_path: Path, jars: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunningDemo]:
    """The system, with short leases and sessions."""
    monkeypatch.setenv("DONDOC_NOTIFIER_LEASE_SECONDS", LEASE_SECONDS)
    monkeypatch.setenv("DONDOC_SESSION_TIMEOUT_MS", SESSION_MS)
    with a_running_demo(tmp_path, jars) as standing:
        yield standing


@pytest.mark.timeout(900)
async def test_a_year_under_fire_comes_out_as_planted(stage: RunningDemo) -> None:
    """No kill changes a status, a figure or the number of alerts; no mail reaches a mailbox as two."""
    killed: list[str] = []
    fire = asyncio.create_task(kill_at_random(targets(stage), killed))
    await play(stage)
    fire.cancel()
    await asyncio.gather(fire, return_exceptions=True)
    assert len(killed) >= FEWEST_KILLS, killed
    for service in stage.system.services:
        service.start()
    annual = json.loads(run.report(stage.system.reporting.url, "json"))
    assert run.differences(stage.system.reporting.url, stage.story, annual) == []
    assert different_mails(stage) == {
        truth.agency: truth.told.reminders + truth.told.urgings + truth.told.about_incomplete
        for truth in stage.story.truths
        if truth.told.reminders + truth.told.urgings + truth.told.about_incomplete
    }


def targets(stage: RunningDemo) -> Sequence[Daemon]:
    """What is killed: every service, and the database."""
    return (*stage.system.services, stage.system.stack.mongod)


async def kill_at_random(daemons: Sequence[Daemon], killed: list[str]) -> None:
    """Kill -9 one after another at random moments and launch each again, until cancelled; note whom."""
    chance = random.Random(6766)  # noqa: S311  # the order can be repeated, though not the moments
    while True:
        await asyncio.sleep(chance.uniform(*PAUSE_SECONDS))
        victim = chance.choice(daemons)
        victim.kill()
        victim.launch()
        killed.append(victim.program.name)


async def play(stage: RunningDemo) -> None:
    """Play the whole story, patiently."""
    async with AsyncExitStack() as opened:
        intake, notifier = [
            await opened.enter_async_context(
                httpx.AsyncClient(base_url=service.url, transport=Patient(), timeout=ASKED_SECONDS)
            )
            for service in (stage.system.intake, stage.system.notifier)
        ]
        bootstrap = stage.system.stack.kafka.bootstrap
        log = await opened.enter_async_context(Log(bootstrap, ServiceSettings().partitions, lambda _: None))
        player = Player(stage.clock, Mailroom(intake, stage.keys), Rest(log, notifier, GROUPS), every=None)
        await player.play(stage.story, lambda _now, _posted: None)


def different_mails(stage: RunningDemo) -> Counter[str]:
    """Count each agency's mails by their Message-ID: a mail sent again after a crash is the same mail."""
    mails = {str(mail["Message-ID"]): mail for mail in stage.system.stack.smtp.mails()}
    agencies = {truth.agency for truth in stage.story.truths}
    found = (str(mail["To"]).rpartition("@")[2].removesuffix(f".{contacts.DOMAIN}") for mail in mails.values())
    return Counter(agency for agency in found if agency in agencies)
