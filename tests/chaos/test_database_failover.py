"""A MongoDB of three nodes is upgraded, node by node, and loses its primary, while reporting and the notifier work."""

import asyncio
import json
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import httpx
import pymongo
import pytest
from aiokafka import AIOKafkaProducer

from deploy.local.servers.message_servers import Smsc, Smtp
from schemas.events.topics import DELIVERIES, VERDICTS
from services.notifier.settings import GROUP
from services.reporting.settings import ReportingSettings
from tests.support.builders import plans
from tests.support.clients.notifier import DUE, NotifierClient, a_contact, a_step, an_assessment, an_event_of
from tests.support.clients.readers import ReadersFile
from tests.support.servers.kafka import Bus
from tests.support.servers.mongo import Database
from tests.support.servers.mongod_replica_set import MongodReplicaSet
from tests.support.servers.services import Launch

AGENCIES = [f"a-{number:03d}" for number in range(240)]
PAUSE_SECONDS = 0.1  # between two verdicts: the load lasts as long as the harm
CAUGHT_UP_SECONDS = 90.0
LEASE_SECONDS = 30


@pytest.fixture
async def replica_set(tmp_path: Path) -> AsyncIterator[MongodReplicaSet]:
    """Three nodes, one of them the primary."""
    started = MongodReplicaSet(tmp_path / "mongod")
    await started.start()
    yield started
    started.kill()


async def restart_in_order(replica_set: MongodReplicaSet) -> None:
    """Stop and start each node, as an upgrade does; the primary steps down when its turn comes."""
    for node in replica_set.nodes:
        node.stop()
        node.start()
        await replica_set.wait_until_whole()


async def kill_primaries(replica_set: MongodReplicaSet) -> None:
    """Kill -9 the primary, three times; another one is elected, and the killed one comes back."""
    for _ in range(3):
        primary = replica_set.find_primary()
        assert primary is not None
        primary.kill()
        await asyncio.sleep(1.0)
        primary.start()
        await replica_set.wait_until_whole()


async def force_step_downs(replica_set: MongodReplicaSet) -> None:
    """Have the primary step down, three times."""
    for _ in range(3):
        primary = replica_set.find_primary()
        assert primary is not None
        client: pymongo.MongoClient[dict[str, object]] = pymongo.MongoClient(primary.host, directConnection=True)
        client.admin.command("replSetStepDown", 5, force=True)
        client.close()
        await replica_set.wait_until_whole()


@pytest.mark.timeout(600)
@pytest.mark.parametrize("harm", [restart_in_order, kill_primaries, force_step_downs])
async def test_no_node_that_goes_ends_a_service_or_loses_or_repeats_anything(  # noqa: PLR0913, PLR0917 - its servers
    bus: Bus,
    replica_set: MongodReplicaSet,
    smtp: Smtp,
    smsc: Smsc,
    launch: Launch,
    readers: ReadersFile,
    tmp_path: Path,
    harm: Callable[[MongodReplicaSet], Awaitable[None]],
) -> None:
    """Both services run on under load, every verdict and outcome is stored once, and every agency has one mail."""
    client: pymongo.MongoClient[dict[str, object]] = pymongo.MongoClient(replica_set.url)
    ledger = Database(url=replica_set.url, name="ledger", client=client)
    projections = Database(url=replica_set.url, name="projections", client=client)
    notifier = NotifierClient(bus, ledger, smtp, smsc, tmp_path / "clock")
    notifier.set_clock(DUE - timedelta(days=6, hours=12))
    await notifier.publish_documents(plans.a_registry(*map(plans.an_agency, AGENCIES)), plans.a_plan())
    await notifier.load_contacts(*map(a_contact, AGENCIES))
    settings = {"DONDOC_MONGO_URL": replica_set.url, "DONDOC_REPORTING_MONGO_DATABASE": projections.name}
    # Longer than any election: what was begun when a primary went is recorded by the process that sent it.
    lease = {"DONDOC_NOTIFIER_LEASE_SECONDS": str(LEASE_SECONDS)}
    services = [launch("notifier", **notifier.settings | lease), launch("reporting", **settings)]
    load = asyncio.create_task(write_verdicts(bus))
    began = time.monotonic()
    await harm(replica_set)
    print(f"{harm.__name__}: {time.monotonic() - began:.1f} s", flush=True)
    await load
    await wait_until_done(bus, notifier)
    assert [service.exit_status for service in services] == [None, None]
    assert len(projections.documents("assessments")) == len(AGENCIES)
    assert [await bus.records(topic.dead_letter) for topic in (VERDICTS, DELIVERIES)] == [[], []]
    mails = Counter(str(mail["To"]) for mail in smtp.mails())
    outcomes = Counter(one.outcome.value for one in await notifier.read_attempts())
    print(f"{harm.__name__}: {mails.total()} mails to {len(mails)} agencies, {dict(outcomes)}", flush=True)
    assert mails == dict.fromkeys((f"van-thu@{agency}.example" for agency in AGENCIES), 1)
    assert outcomes == {"accepted": len(AGENCIES)}
    query = {"as_of": DUE.isoformat(), "limit": "1"}
    answer = httpx.get(f"{services[1].url}/v1/duties", params=query, headers=readers.headers, timeout=60)
    assert answer.json()["total"] == len(AGENCIES)
    client.close()


async def write_verdicts(bus: Bus) -> None:
    """Publish one assessment after another, each with an alert that is due."""
    async with AIOKafkaProducer(bootstrap_servers=bus.bootstrap, acks="all") as producer:
        for agency in AGENCIES:
            event = an_event_of(an_assessment(a_step(7), agency=agency))
            await producer.send_and_wait(VERDICTS.name, json.dumps(event).encode(), key=agency.encode())
            await asyncio.sleep(PAUSE_SECONDS)


async def wait_until_done(bus: Bus, notifier: NotifierClient) -> None:
    """Wait until both services have read everything, and nothing is left to be sent or published."""
    for group in (GROUP, ReportingSettings().group):
        await bus.wait_until_consumed(group, VERDICTS.name, timeout=CAUGHT_UP_SECONDS)
    await notifier.wait_until_recovered()
    await notifier.wait_until_idle()
    await notifier.wait_for_attempts(len(AGENCIES))
    for group in (GROUP, ReportingSettings().group):
        await bus.wait_until_consumed(group, DELIVERIES.name, timeout=CAUGHT_UP_SECONDS)
