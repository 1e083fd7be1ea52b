"""A broker that authenticates clients: every client connects with its settings, or says why it cannot."""

import os
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import httpx
import pytest
from aiokafka.errors import KafkaConnectionError

from deploy.local.process.ports import LOOPBACK, free_ports
from deploy.local.servers.mongod import Mongod
from schemas.events.topics import FACTS, VERDICTS
from services.runtime.kafka.clients import BrokerRefusedError
from services.runtime.kafka.topics import ensure_topics
from services.runtime.settings import KafkaConfig, ServiceSettings
from tests.support.assertions.eventually import eventually
from tests.support.builders.plans import a_submission
from tests.support.servers.certificates import Authority
from tests.support.servers.intake import IntakeFiles, encode_event, open_client, publish_plan
from tests.support.servers.kafka import PARTITIONS, Bus
from tests.support.servers.mongo import Database
from tests.support.servers.secured_kafka import PASSWORD, USER, SecuredKafka, secured_kafka, set_password
from tests.support.servers.services import Launcher, Service

pytestmark = pytest.mark.long

WRONG = "not the password"
BROKER_CHECK = {"rules": "broker", "notifier": "broker", "reporting": "kafka", "intake": "kafka"}


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory, jars: Path) -> Iterator[SecuredKafka]:
    """The broker with one user."""
    made = secured_kafka(tmp_path_factory.mktemp("secured") / "broker", jars)
    made.kafka.start()
    try:
        set_password(made, jars)
        yield made
    finally:
        made.kafka.kill()


@pytest.fixture
async def inside(secured: SecuredKafka) -> Bus:
    """The empty topics, over the listener without authentication."""
    bus = Bus(secured.kafka.bootstrap)
    await bus.recreate_topics()
    return bus


@pytest.fixture
def guarded_launch(tmp_path: Path, secured: SecuredKafka, template: Path) -> Iterator[Launcher]:
    """Start services that authenticate with their password."""
    settings = {**secured.environment(), "DONDOC_PARTITIONS": str(PARTITIONS)}
    launcher = Launcher(tmp_path, settings, template=template)
    yield launcher
    launcher.end()


def settings_of(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> ServiceSettings:
    """Load settings as a process with this environment does."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return ServiceSettings()


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-512"])
async def test_a_password_opens_the_bus(secured: SecuredKafka, mechanism: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client authenticates with each mechanism over TLS; the line end of the file is no part of the password."""
    settings = settings_of(secured.environment(mechanism), monkeypatch)
    assert PASSWORD not in repr(settings) + repr(settings.kafka)
    await ensure_topics(settings.kafka, PARTITIONS)
    assert await Bus(secured.kafka.bootstrap).records(FACTS.name) == []


async def test_a_certificate_opens_the_bus(secured: SecuredKafka, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client authenticates with a certificate of the broker's authority; without one the error names the setting."""
    environment = {
        "DONDOC_KAFKA_BOOTSTRAP": secured.by_certificate.bootstrap,
        "DONDOC_KAFKA_SECURITY_PROTOCOL": "SSL",
        "DONDOC_KAFKA_CA_FILE": str(secured.authority.certificate),
    }
    with pytest.raises(BrokerRefusedError, match="DONDOC_KAFKA_CERTIFICATE_FILE"):
        await ensure_topics(settings_of(environment, monkeypatch).kafka, PARTITIONS)
    environment["DONDOC_KAFKA_CERTIFICATE_FILE"] = str(secured.client.certificate)
    environment["DONDOC_KAFKA_KEY_FILE"] = str(secured.client.key)
    await ensure_topics(settings_of(environment, monkeypatch).kafka, PARTITIONS)


async def test_a_report_goes_all_the_way(
    secured: SecuredKafka, inside: Bus, guarded_launch: Launcher, tmp_path: Path, mongod: Mongod
) -> None:
    """All four services are ready on the secured broker, and a report posted to one is assessed by another.

    Of the brokers in their configuration, the first is away.
    """
    await publish_plan(inside)
    intake_files = IntakeFiles(folder=tmp_path)
    bearer = intake_files.add_key()
    database = {"DONDOC_MONGO_URL": mongod.url, "DONDOC_MONGO_DATABASE": "secured"}
    brokers = {"DONDOC_KAFKA_BOOTSTRAP": f"{LOOPBACK}:{free_ports(1)[0]}, {secured.by_password.bootstrap}"}
    names = ("rules", "intake", "notifier", "reporting")
    services = {
        name: guarded_launch(name, ready=False, **intake_files.environment, **database, **brokers) for name in names
    }
    for service in services.values():
        service.wait_until_ready()
    async with open_client(services["intake"], bearer) as client:
        assert (await client.post("/v1/events", content=encode_event(a_submission("s-1")))).status_code == 202

    async def is_assessed() -> bool:
        return any(b'"s-1"' in (record.value or b"") for record in await inside.records(VERDICTS.name))

    await eventually(is_assessed, "a verdict that rests on the report", timeout=30)
    assert len(await inside.records(FACTS.name)) > 0
    for name in ("dondoc.notifier", "dondoc-reporting"):
        await inside.wait_until_consumed(name, VERDICTS.name)


async def test_services_go_on_with_a_wrong_password_and_take_the_right_one_without_a_restart(
    secured: SecuredKafka, inside: Bus, guarded_launch: Launcher, intake_files: IntakeFiles, database: Database
) -> None:
    """The log and `/readyz` say why the broker refuses them, with the settings; the file is read for every attempt.

    The address is in the log alone, and the secret nowhere.
    """
    await publish_plan(inside)
    address = secured.by_password.bootstrap
    environment = secured.environment(password=WRONG)
    own = {"DONDOC_MONGO_URL": database.url, "DONDOC_MONGO_DATABASE": database.name, **intake_files.environment}
    services = {name: guarded_launch(name, ready=False, **environment, **own) for name in BROKER_CHECK}
    for name, service in services.items():
        reason = await eventually(partial(find_refusal, service), "the reason in the log", timeout=60)
        assert reason.startswith(f"the broker at {address} does not take this user with this password")
        assert reason.endswith("look at DONDOC_KAFKA_USERNAME and DONDOC_KAFKA_PASSWORD_FILE")
        answer = httpx.get(f"{service.url}/readyz", timeout=10)
        assert answer.json()["waiting_for"][BROKER_CHECK[name]] == reason.replace(f" at {address}", "")
        assert WRONG not in service.program.log.read_text(encoding="utf-8") + answer.text
    Path(environment["DONDOC_KAFKA_PASSWORD_FILE"]).write_text(PASSWORD, encoding="utf-8")
    for service in services.values():
        service.wait_until_ready()


def find_refusal(service: Service) -> str:
    """Return the first refusal by the broker in the log of *service*, or nothing."""
    reasons = (str(line["reason"]) for line in service.log_lines() if line.get("action") == "broker_refused")
    return next(reasons, "")


async def test_a_broker_that_nobody_vouches_for_is_told_nothing(
    secured: SecuredKafka, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No user and no password are sent to a server with a certificate of an unknown authority."""
    other = Authority(tmp_path, "another")
    environment = {**secured.environment(), "DONDOC_KAFKA_CA_FILE": str(other.certificate)}
    with pytest.raises(BrokerRefusedError, match=r"not trusted: .*; look at DONDOC_KAFKA_CA_FILE"):
        await ensure_topics(settings_of(environment, monkeypatch).kafka, PARTITIONS)


async def test_the_wrong_language_is_named(secured: SecuredKafka, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a broker that disconnects, which may be starting, the error names the protocol and the address."""
    with pytest.raises(KafkaConnectionError, match=r"does not answer in PLAINTEXT; .*DONDOC_KAFKA_SECURITY_PROTOCOL"):
        await ensure_topics(KafkaConfig(bootstrap=secured.by_password.bootstrap), PARTITIONS)
    elsewhere = {**secured.environment(), "DONDOC_KAFKA_BOOTSTRAP": secured.kafka.bootstrap}
    with pytest.raises(KafkaConnectionError, match=r"does not answer in SASL_SSL; .*DONDOC_KAFKA_SECURITY_PROTOCOL"):
        await ensure_topics(settings_of(elsewhere, monkeypatch).kafka, PARTITIONS)


@pytest.mark.parametrize("command", [("dead-letters", "list"), ("sheet", "6766-KH-UBND", "x", "-o", "x.csv")])
def test_the_console_says_why_it_is_not_let_in(secured: SecuredKafka, command: tuple[str, ...]) -> None:
    """The exit code is 2, and the message names the remedy instead of an absent broker."""
    done = run(command, secured.environment(password=WRONG))
    assert done.returncode == 2
    assert "does not take this user with this password" in done.stderr
    assert WRONG not in done.stderr


def test_the_console_comes_in_by_the_same_settings(secured: SecuredKafka) -> None:
    """An operator connects with the same variables as a service."""
    done = run(("dead-letters", "list"), secured.environment())
    assert (done.returncode, done.stderr) == (0, "nothing was set aside\n")


def test_the_console_refuses_settings_that_cannot_be() -> None:
    """A password that would never be sent is refused, because its owner believes that it protects something."""
    done = run(("dead-letters", "list"), {"DONDOC_KAFKA_USERNAME": USER})
    assert done.returncode == 2
    assert done.stderr.startswith("DONDOC_KAFKA_USERNAME would do nothing: PLAINTEXT asks for no password")


def run(command: tuple[str, ...], environment: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    """Run a command of the console."""
    script = "from services.console.main import main; main()"
    line = (sys.executable, "-c", script, *command)
    return subprocess.run(line, env={**os.environ, **environment}, capture_output=True, text=True, check=False)
