"""A deadline night through a relay that takes twenty mails a minute: nobody is given up, hardly anything is refused."""

import asyncio
import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer

from deploy.local.servers.message_servers import Smsc, Smtp
from schemas.events.topics import VERDICTS
from services.runtime.clock import clock_from
from tests.support.assertions.eventually import eventually
from tests.support.builders import plans
from tests.support.clients.notifier import NotifierClient, a_contact, a_step, an_assessment, an_event_of
from tests.support.mail.slow_relay import SlowRelay, open_relay
from tests.support.servers.kafka import Bus
from tests.support.servers.mongo import Database
from tests.support.servers.services import Launch

MAILS = int(os.environ.get("CHAOS_MAILS", "10000"))
PER_MINUTE = 20
MORNING = datetime(2026, 12, 3, 0, 30, tzinfo=UTC)  # 07:30 in Viet Nam: the sending hours begin
STEP, PAUSE_SECONDS = timedelta(seconds=12), 0.1  # the clock runs 120 times as fast
MOST_ATTEMPTS = 1.05


@pytest.mark.timeout(1500)
async def test_ten_thousand_mails_through_a_relay_that_takes_twenty_a_minute(  # noqa: PLR0913, PLR0917 - its servers
    bus: Bus, database: Database, smtp: Smtp, smsc: Smsc, launch: Launch, tmp_path: Path
) -> None:
    """The whole notifier learns the rate from a few refusals: under 1.05 attempts a mail, each taken once."""
    notifier = NotifierClient(bus, database, smtp, smsc, tmp_path / "clock")
    notifier.set_clock(MORNING)
    agencies = [f"a-{number:05d}" for number in range(MAILS)]
    await notifier.publish_documents(plans.a_registry(*map(plans.an_agency, agencies)), plans.a_plan())
    await notifier.load_contacts(*map(a_contact, agencies))
    relay = SlowRelay(clock=clock_from(notifier.settings["DONDOC_CLOCK"]), per_minute=PER_MINUTE)
    async with open_relay(relay) as port:
        settings = {"DONDOC_NOTIFIER_SMTP_PORT": str(port), "DONDOC_NOTIFIER_LEASE_SECONDS": "60"}
        launch("notifier", **notifier.settings | settings)
        async with AIOKafkaProducer(bootstrap_servers=bus.bootstrap, acks="all", linger_ms=5) as producer:
            for agency in agencies:
                value = an_event_of(an_assessment(a_step(7), agency=agency))
                await producer.send(VERDICTS.name, _encode(value), key=agency.encode())
        followed = database["agendas"]
        await eventually(lambda: followed.estimated_document_count() == MAILS, "all followed", timeout=300)
        now = MORNING
        while sum(relay.taken.values()) < MAILS:
            now += STEP
            notifier.set_clock(now)
            await asyncio.sleep(PAUSE_SECONDS)
        await notifier.wait_until_idle()
    offered, most = sum(relay.offered.values()), max(relay.offered.values())
    print(f"\n{MAILS} mails offered {offered} times in {now - MORNING}, {offered / MAILS:.3f} a mail, {most} at most")
    states = set(database["deliveries"].distinct("state"))
    assert states == {"accepted"}
    assert set(relay.taken.values()) == {1}
    assert offered < MOST_ATTEMPTS * MAILS


def _encode(value: object) -> bytes:
    return json.dumps(value).encode()
