"""A deadline night in a storm: notifiers killed at random while everything falls due, and every alert accounted for."""

import asyncio
import random
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest

from deploy.local.servers.message_servers import Smsc, Smtp
from schemas.events.deliveries import AttemptOutcome
from tests.support.assertions.eventually import eventually
from tests.support.builders import plans
from tests.support.clients.notifier import DUE, Alerts, a_contact, a_step, an_assessment
from tests.support.servers.kafka import Bus
from tests.support.servers.mongo import Database
from tests.support.servers.services import Launch, Service

AGENCIES = [f"a-{number:03d}" for number in range(400)]
FALLS_DUE = DUE - timedelta(days=6, hours=12)
KILLS = 6
QUICK = {"DONDOC_NOTIFIER_LEASE_SECONDS": "3", "DONDOC_NOTIFIER_RETRY_FIRST_SECONDS": "0.01"}


@pytest.mark.timeout(300)
async def test_a_storm_of_kills_loses_no_alert_and_doubles_none_unseen(  # noqa: PLR0913, PLR0917 - its servers
    bus: Bus, database: Database, smtp: Smtp, smsc: Smsc, launch: Launch, tmp_path: Path
) -> None:
    """Two notifiers, six kills: every agency has its mail, and one that has two has an `unknown` in the record."""
    alerts = Alerts(bus, database, smtp, smsc, tmp_path / "clock")
    alerts.now_is(FALLS_DUE)
    await alerts.published(plans.a_registry(*map(plans.an_agency, AGENCIES)), plans.a_plan())
    await alerts.reachable(*map(a_contact, AGENCIES))
    settings = alerts.settings | QUICK
    running = [launch("notifier", **settings), launch("notifier", **settings)]
    saying = asyncio.create_task(alerts.assessed(*(an_assessment(a_step(7), agency=one) for one in AGENCIES)))
    chance = random.Random(6766)  # noqa: S311 - which one dies when must be repeatable, not secret
    for _ in range(KILLS):
        await asyncio.sleep(chance.uniform(0.3, 1.5))
        await _replace(running, chance, launch, settings)
    await saying
    await alerts.followed()
    await _settled(alerts)
    _assert_accounted(alerts, [(one.to_agency, one.outcome) for one in await alerts.told(len(AGENCIES))])


async def _replace(running: list[Service], chance: random.Random, launch: Launch, settings: dict[str, str]) -> None:
    victim = running.pop(chance.randrange(len(running)))
    victim.kill()
    running.append(launch("notifier", ready=False, **settings))


async def _settled(alerts: Alerts) -> None:
    """Move the clock on past the pauses until nothing is left to be sent or told."""
    for minute in range(1, 6):
        await alerts.recovered()
        alerts.now_is(FALLS_DUE + timedelta(minutes=minute))
        await alerts.nothing_left()
    done = {"state": "delivered"}
    await eventually(lambda: alerts.database["deliveries"].count_documents(done) == len(AGENCIES), "all delivered")


def _assert_accounted(alerts: Alerts, told: list[tuple[str, AttemptOutcome]]) -> None:
    mails = Counter(str(mail["To"]).removeprefix("van-thu@").removesuffix(".example") for mail in alerts.smtp.mails())
    ids = {(str(mail["To"]), str(mail["Message-ID"])) for mail in alerts.smtp.mails()}
    outcomes = Counter(told)
    assert set(mails) == set(AGENCIES)
    assert len(ids) == len(AGENCIES)
    assert [one for one in AGENCIES if outcomes[one, AttemptOutcome.DELIVERED] != 1] == []
    assert [one for one, count in mails.items() if count > 1 + outcomes[one, AttemptOutcome.UNKNOWN]] == []
