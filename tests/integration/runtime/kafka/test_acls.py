"""The rights of deploy/kafka/acls.py on a real broker with Kafka's authorizer: enough for all, and no more."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path

import httpx
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.errors import (
    GroupAuthorizationFailedError,
    TopicAuthorizationFailedError,
    TransactionalIdAuthorizationFailed,
)

from deploy.kafka import acls
from deploy.kafka.acls import USERS, BusUser, Operation, Resource
from deploy.local.servers.message_servers import Smsc, Smtp
from schemas.events.topics import FACTS, TOPICS, VERDICTS, WITH_DEAD_LETTERS
from services.runtime.kafka.topics import TopicsMissingError, ensure_topics
from tests.support.assertions.eventually import eventually
from tests.support.builders import plans
from tests.support.builders.plan_folders import a_folder
from tests.support.clients.notifier import NotifierClient
from tests.support.clients.readers import ReadersFile
from tests.support.matrix import matrix
from tests.support.servers.authorized_kafka import AuthorizedKafka
from tests.support.servers.intake import IntakeFiles, encode_event, open_client
from tests.support.servers.kafka import PARTITIONS, Bus
from tests.support.servers.mongo import Database
from tests.support.servers.services import Launcher, Service

REMINDED = datetime.fromisoformat("2026-12-03T08:00:00+07:00")
ALL_TOPICS = [topic.name for topic in TOPICS] + [topic.dead_letter for topic in WITH_DEAD_LETTERS]
REPORTER = plans.AGENCIES[1]


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory, jars: Path) -> Iterator[AuthorizedKafka]:
    """The broker, on which nobody has a right yet."""
    made = AuthorizedKafka(tmp_path_factory.mktemp("authorized"), jars=jars)
    made.start()
    yield made
    made.kill()


@pytest.fixture
async def granted(broker: AuthorizedKafka) -> AuthorizedKafka:
    """The broker with empty topics and all rights of the table."""
    await Bus(broker.bootstrap).recreate_topics()
    await broker.grant(*USERS)
    return broker


@pytest.fixture
def launch_as(broker: AuthorizedKafka, tmp_path: Path, template: Path) -> Iterator[Callable[..., Service]]:
    """Start a service that is a user of the broker."""
    settings = {"DONDOC_PARTITIONS": str(PARTITIONS), "DONDOC_REPORTING_READERS": str(tmp_path / "readers.json")}
    launcher = Launcher(tmp_path, settings, template=template)
    yield lambda name, user, **settings: launcher(name, **{**broker.environment(user), **settings})
    launcher.end()


@pytest.mark.parametrize(
    "user",
    matrix([user for user in USERS if user is not acls.PUBLISH], in_every_run=2),
    ids=lambda user: user.name,
)
async def test_no_service_creates_topics(broker: AuthorizedKafka, user: BusUser) -> None:
    """A service on a broker without topics says which are missing and who creates them."""
    await Bus(broker.bootstrap).delete_topics()
    await broker.grant(user)
    message = r"dondoc\.deliveries\.v1, .*: missing, or not to be seen by this user, which may not create them"
    with pytest.raises(TopicsMissingError, match=message):
        await ensure_topics(broker.config(user), PARTITIONS)


@pytest.mark.chaos
async def test_an_event_goes_to_a_page_and_a_reminder_to_a_mail(  # noqa: PLR0913, PLR0917 - the whole system
    broker: AuthorizedKafka,
    launch_as: Callable[..., Service],
    database: Database,
    smtp: Smtp,
    smsc: Smsc,
    readers: ReadersFile,
    tmp_path: Path,
) -> None:
    """Every service and command does its work as its own user, from the creation of the topics to the audit."""
    inside = Bus(broker.bootstrap)
    await inside.delete_topics()
    await broker.grant(*USERS)
    notifier = NotifierClient(inside, database, smtp, smsc, tmp_path / "clock")
    notifier.set_clock(REMINDED)
    shared = {**notifier.settings, "DONDOC_REPORTING_MONGO_DATABASE": f"{database.name}-reporting"}
    published = await dondoc(broker, acls.PUBLISH, "publish", str(a_folder(tmp_path)))
    assert published.returncode == 0, published.stderr
    await notifier.load_contacts()
    files = IntakeFiles(folder=tmp_path)
    bearer = files.add_key()
    launch_as("rules", acls.RULES, **shared)
    intake = launch_as("intake", acls.INTAKE, **shared, **files.environment)
    launch_as("notifier", acls.NOTIFIER, **shared)
    reporting = launch_as("reporting", acls.REPORTING, **shared)
    async with open_client(intake, bearer) as client:
        event = plans.a_submission("s-1", data={"agency": REPORTER, "period": "2026"})
        assert (await client.post("/v1/events", content=encode_event(event))).status_code == 202
    await inside.publish(FACTS.name, b"{not json", key=REPORTER)
    (mail,) = await notifier.wait_for_mails(1)
    assert mail["To"] == f"van-thu@{plans.AGENCIES[0]}.example"

    def is_on_page() -> bool:
        page = httpx.get(
            f"{reporting.url}/v1/duties", params={"agency": REPORTER, "period": "2026"}, headers=readers.headers
        ).json()
        return [duty["status"] for duty in page["duties"]] == ["on_time"]

    await eventually(is_on_page, "the report on the page")
    await commands_do_their_work(broker, reporting, notifier)


async def commands_do_their_work(broker: AuthorizedKafka, reporting: Service, notifier: NotifierClient) -> None:
    """Audit, list what was set aside and send it again, each as the user that the page names for it."""
    settings = {"DONDOC_REPORTING_URL": reporting.url, "DONDOC_CLOCK": f"steered:{notifier.clock}"}
    audited = await dondoc(broker, acls.AUDIT, "audit", plans.PLAN, "2026", **settings)
    assert (audited.returncode, "0 differences, 1 records" in audited.stderr) == (0, True), audited.stderr
    listed = await dondoc(broker, acls.RULES, "dead-letters", "list", "--format", "jsonl")
    assert (listed.returncode, listed.stdout.count("facts/")) == (1, 1), listed.stderr
    replayed = await dondoc(broker, acls.RULES, "dead-letters", "replay", "--all")
    assert replayed.returncode == 0, replayed.stderr


@pytest.mark.parametrize("user", USERS, ids=lambda user: user.name)
async def test_a_user_writes_to_its_own_topics_and_to_no_other(granted: AuthorizedKafka, user: BusUser) -> None:
    """Each of all topics is tried: the record is taken, or refused by the broker, as the table says."""
    own = {
        right.name
        for right in user.rights
        if right.resource is Resource.TOPIC and Operation.WRITE in right.operations and not right.is_prefix
    }
    taken = set()
    for topic in ALL_TOPICS:
        async with producer(granted, user) as sending:
            try:
                await sending.send_and_wait(topic, b"{}", key=b"key", partition=0)
            except TopicAuthorizationFailedError:
                continue
            taken.add(topic)
    assert taken == own


def test_only_who_must_writes_facts_verdicts_deliveries_and_plans() -> None:
    """The table itself says what was asked of it."""
    writers = {
        topic.name: sorted(
            user.name
            for user in USERS
            for right in user.rights
            if right.name == topic.name and Operation.WRITE in right.operations
        )
        for topic in TOPICS
    }
    assert writers == {
        "dondoc.facts.v1": ["dondoc-intake", "dondoc-rules"],
        "dondoc.verdicts.v1": ["dondoc-rules"],
        "dondoc.duties.v1": ["dondoc-rules"],
        "dondoc.deliveries.v1": ["dondoc-notifier"],
        "dondoc.references.v1": ["dondoc-publish"],
        "dondoc.reports.v1": ["dondoc-reporting"],
    }


async def test_a_user_joins_no_group_and_uses_no_transaction_of_another(granted: AuthorizedKafka) -> None:
    """Offsets of another service cannot be moved, nor its transactions fenced, nor topics created or deleted."""
    consumer = AIOKafkaConsumer(
        VERDICTS.name, **granted.config(acls.REPORTING).client(), group_id="dondoc-rules", enable_auto_commit=False
    )
    with pytest.raises(GroupAuthorizationFailedError):
        await consumer.start()
    await consumer.stop()
    fencing = AIOKafkaProducer(**granted.config(acls.NOTIFIER).client(), transactional_id="dondoc-rules-x")
    with pytest.raises(TransactionalIdAuthorizationFailed):
        await fencing.start()
    await fencing.stop()


@asynccontextmanager
async def producer(broker: AuthorizedKafka, user: BusUser) -> AsyncIterator[AIOKafkaProducer]:
    """Open a producer of *user*."""
    opened = AIOKafkaProducer(**broker.config(user).client(), acks="all")
    await opened.start()
    try:
        yield opened
    finally:
        await opened.stop()


async def dondoc(
    broker: AuthorizedKafka, user: BusUser, *arguments: str, **settings: str
) -> "subprocess.CompletedProcess[str]":
    """Run a command of the console as *user*."""
    script = "from services.console.main import main; main()"
    environment = {**os.environ, **broker.environment(user), "DONDOC_PARTITIONS": str(PARTITIONS), **settings}
    command = (sys.executable, "-c", script, *arguments)
    return await asyncio.to_thread(
        subprocess.run, command, env=environment, capture_output=True, text=True, check=False, timeout=60
    )
