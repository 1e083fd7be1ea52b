"""A deadline night in a storm: notifiers are killed at random while everything falls due, and no alert is lost."""

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
from tests.support.clients.notifier import DUE, NotifierClient, a_contact, a_step, an_assessment
from tests.support.servers.kafka import Bus
from tests.support.servers.mongo import Database
from tests.support.servers.services import Launch, Service

AGENCIES = [f"a-{number:03d}" for number in range(400)]
FALLS_DUE = DUE - timedelta(days=6, hours=12)
KILLS = 6
QUICK = {"DONDOC_NOTIFIER_LEASE_SECONDS": "3", "DONDOC_NOTIFIER_RETRY_FIRST_SECONDS": "0.01"}


@pytest.mark.timeout(300)
async def test_a_storm_of_kills_loses_no_alert_and_repeats_none_unrecorded(  # noqa: PLR0913, PLR0917 - its servers
    bus: Bus, database: Database, smtp: Smtp, smsc: Smsc, launch: Launch, tmp_path: Path
) -> None:
    """After six kills of two notifiers every agency has its mail, and one that has two has a recorded `unknown`."""
    notifier = NotifierClient(bus, database, smtp, smsc, tmp_path / "clock")
    notifier.set_clock(FALLS_DUE)
    await notifier.publish_documents(plans.a_registry(*map(plans.an_agency, AGENCIES)), plans.a_plan())
    await notifier.load_contacts(*map(a_contact, AGENCIES))
    settings = notifier.settings | QUICK
    running = [launch("notifier", **settings), launch("notifier", **settings)]
    publishing = asyncio.create_task(
        notifier.publish_assessments(*(an_assessment(a_step(7), agency=one) for one in AGENCIES))
    )
    chance = random.Random(6766)  # noqa: S311 - which one dies when must be repeatable, not secret
    for _ in range(KILLS):
        await asyncio.sleep(chance.uniform(0.3, 1.5))
        await _replace(running, chance, launch, settings)
    await publishing
    await notifier.wait_until_followed()
    await _wait_until_all_delivered(notifier)
    _assert_accounted(
        notifier, [(one.to_agency, one.outcome) for one in await notifier.wait_for_attempts(len(AGENCIES))]
    )


async def _replace(running: list[Service], chance: random.Random, launch: Launch, settings: dict[str, str]) -> None:
    victim = running.pop(chance.randrange(len(running)))
    victim.kill()
    running.append(launch("notifier", ready=False, **settings))


async def _wait_until_all_delivered(notifier: NotifierClient) -> None:
    """Move the clock past the backoffs until nothing is left to send or publish."""
    for minute in range(1, 6):
        await notifier.wait_until_recovered()
        notifier.set_clock(FALLS_DUE + timedelta(minutes=minute))
        await notifier.wait_until_idle()
    done = {"state": "accepted"}
    await eventually(lambda: notifier.database["deliveries"].count_documents(done) == len(AGENCIES), "all delivered")


def _assert_accounted(notifier: NotifierClient, attempts: list[tuple[str, AttemptOutcome]]) -> None:
    mails = Counter(str(mail["To"]).removeprefix("van-thu@").removesuffix(".example") for mail in notifier.smtp.mails())
    ids = {(str(mail["To"]), str(mail["Message-ID"])) for mail in notifier.smtp.mails()}
    outcomes = Counter(attempts)
    assert set(mails) == set(AGENCIES)
    assert len(ids) == len(AGENCIES)
    assert [one for one in AGENCIES if outcomes[one, AttemptOutcome.ACCEPTED] != 1] == []
    assert [one for one, count in mails.items() if count > 1 + outcomes[one, AttemptOutcome.UNKNOWN]] == []
