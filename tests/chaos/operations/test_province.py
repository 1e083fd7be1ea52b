"""From first day to last: the runbook's "Bring in a new province" and "Take the system out of service".

Every step is the command that the runbook names, as a process of its own.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import httpx
import pytest

from deploy.local.servers.message_servers import Smsc, Smtp
from schemas.events.topics import FACTS, REFERENCES, REPORTS
from services.runtime import clock
from tests.support.assertions.eventually import eventually
from tests.support.clients import installed_system
from tests.support.clients.notifier import NotifierClient
from tests.support.kafka_tools.kafka_tools import KafkaTools
from tests.support.processes.console_commands import ConsoleCommands
from tests.support.servers.kafka import Bus
from tests.support.servers.mongo import Database
from tests.support.servers.services import Launch, Service
from tests.support.tools import needs

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(900), needs("mvn", package="maven")]

ROOT = Path(__file__).parents[3]
FOLDER = str(ROOT / "deploy/plans/6766-kh-ubnd")
PLAN, YEAR = "6766-KH-UBND", "2026"
REPORT = installed_system.a_report(installed_system.AGENCY)
NOW = datetime.fromisoformat(installed_system.NOW)
SEASON = ("--from", "2026-12-01T00:00:00+07:00", "--to", "2026-12-20T00:00:00+07:00")
PRINTED = ("offset", "timestamp", "key", "headers")
SECONDS = 180.0  # on a machine that has other things to do


@pytest.fixture
def console(bus: Bus, database: Database, smtp: Smtp, smsc: Smsc, tmp_path: Path) -> ConsoleCommands:
    """The console where the services run; it is a morning nine days before the results are due."""
    client = NotifierClient(bus, database, smtp, smsc, tmp_path / "clock")
    clock.steer(client.clock, NOW)
    environment = {
        **client.settings,
        "DONDOC_KAFKA_BOOTSTRAP": bus.bootstrap,
        "DONDOC_PARTITIONS": str(bus.partitions),
        "DONDOC_REPORTING_MONGO_DATABASE": f"{database.name}-r",
        "DONDOC_REPORTING_READERS": str(tmp_path / "readers.json"),
        "DONDOC_INTAKE_KEYS": str(tmp_path / "keys.json"),
        "DONDOC_INTAKE_SIGNING_KEYS": str(tmp_path / "signing.json"),
        "DONDOC_INTAKE_SPOOL": str(tmp_path / "spool"),
    }
    (tmp_path / "contacts.csv").write_text(installed_system.CONTACTS, encoding="utf-8")
    (tmp_path / "empty.jsonl").touch()
    (tmp_path / "report.json").write_text(json.dumps(REPORT), encoding="utf-8")
    return ConsoleCommands(tmp_path, environment)


@pytest.fixture
def services(console: ConsoleCommands, launch: Launch) -> Mapping[str, Service]:
    """The four services, which wait for a plan; the console knows where they are."""
    started = {"rules": launch("rules", ready=False, **console.environment)}
    settings = {**console.environment, "DONDOC_INTAKE_RULES_URL": started["rules"].url}
    started |= {name: launch(name, ready=False, **settings) for name in ("intake", "notifier", "reporting")}
    console.environment |= {f"DONDOC_{name.upper()}_URL": one.url for name, one in started.items()}
    return started


async def test_a_province_is_brought_in_and_taken_out_of_service(
    services: Mapping[str, Service], console: ConsoleCommands, smtp: Smtp, bus: Bus
) -> None:
    """Nobody is written to before the plan is published; what the archive gets is enough without the services."""
    await _prepare(console)
    assert smtp.mails() == []
    await console.run("publish", FOLDER)
    for service in services.values():
        service.wait_until_ready()
    await eventually(lambda: len(smtp.mails()) == 1, "the agency is reminded", timeout=SECONDS)
    await console.run("submit", "report.json", "--dry-run")
    assert not any(REPORT["id"] in str(one.value) for one in await bus.records(FACTS.name))
    (console.folder / "receipts.jsonl").write_text(await console.run("submit", "report.json"), encoding="utf-8")
    await eventually(lambda: len(smtp.mails()) == 2, "the report is acknowledged", timeout=SECONDS)
    await _seal(console)
    await _close(services, console)
    await _hand_over(services, console, bus)
    for service in services.values():
        service.stop()
    await console.run("receipt", "verify", "receipts.jsonl", "--event", "report.json", "--keys", "jwks.json")
    await console.run("audit", PLAN, YEAR, "--sealed", "1")
    assert len(smtp.mails()) == 2


async def _prepare(console: ConsoleCommands) -> None:
    """Steps 1 to 4 of bringing in, with the services running and nothing published."""
    await console.run("check", FOLDER)
    assert installed_system.AGENCY in await console.run("duties", FOLDER, "--period", YEAR)
    files = ("--facts", "empty.jsonl", "--contacts", "contacts.csv")
    assert installed_system.AGENCY in await console.run("simulate", FOLDER, *files, *SEASON)
    await console.run("contacts", "import", "contacts.csv", "--plan", FOLDER)
    unreachable = await console.run("contacts", "check", "--season", YEAR, "--plan", FOLDER, code=1)
    assert installed_system.OTHER_AGENCIES[0] in unreachable
    assert installed_system.AGENCY not in unreachable
    create_key = ("keys", "create", "--system=qlvb", "--agency=*", f"--source={installed_system.SOURCE}", "--rate=10")
    console.environment["DONDOC_KEY"] = json.loads(await console.run(*create_key))["key"]
    create_reader = ("readers", "create", "--name=officer", "--scope=all", "--seals")
    console.environment["DONDOC_READER_KEY"] = json.loads(await console.run(*create_reader))["key"]


async def _seal(console: ConsoleCommands) -> None:
    """Step 1 of taking out of service: the last report is sealed and printed."""
    await console.run("seal", PLAN, YEAR, "--signer", "Nguyễn Văn An")
    await console.run("report", PLAN, YEAR, "-o", "report.pdf")
    assert (console.folder / "report.pdf").read_bytes().startswith(b"%PDF-")


async def _close(services: Mapping[str, Service], console: ConsoleCommands) -> None:
    """Step 2: senders are refused, nobody is written to, and nothing is left in the spool."""
    (key,) = [json.loads(line)["id"] for line in (await console.run("keys", "list")).splitlines()]
    await console.run("keys", "revoke", key)
    await console.run("notify", "stop", "--all", "--author", "Nguyễn Văn An", "--reason", "ngừng vận hành")
    headers = {"authorization": f"Bearer {console.environment['DONDOC_KEY']}"}
    intake = services["intake"]
    async with httpx.AsyncClient(base_url=intake.url, headers=headers, timeout=60) as sender:

        async def is_refused() -> bool:
            return (await sender.post("/v1/events", json={})).status_code == httpx.codes.UNAUTHORIZED

        await eventually(is_refused, "the sender is refused", timeout=SECONDS)
    await eventually(lambda: intake.read_metric("intake_spool_bytes") == 0, "the spool is empty", timeout=SECONDS)


async def _hand_over(services: Mapping[str, Service], console: ConsoleCommands, bus: Bus) -> None:
    """Step 3: the topics that stay are printed, every record of them, and the public keys are kept."""
    async with httpx.AsyncClient(base_url=services["intake"].url, timeout=60) as anybody:
        keys = await anybody.get("/.well-known/jwks.json")
    (console.folder / "jwks.json").write_bytes(keys.content)
    tools = KafkaTools(console.folder / "tools")
    (receipt,) = [json.loads(line) for line in (console.folder / "receipts.jsonl").read_text("utf-8").splitlines()]
    exported = {
        topic: _export(tools, bus.bootstrap, topic, len(await bus.records(topic)))
        for topic in (FACTS.name, REPORTS.name, REFERENCES.name)
    }
    assert sum(receipt["receiptid"] in line for line in exported[FACTS.name]) == 1
    assert any(PLAN in line for line in exported[REPORTS.name])
    assert any(PLAN in line for line in exported[REFERENCES.name])


def _export(tools: KafkaTools, bootstrap: str, topic: str, count: int) -> list[str]:
    """Return the records of *topic* as a console consumer prints them, a line each."""
    printed = [word for name in PRINTED for word in ("--property", f"print.{name}=true")]
    end = ("--from-beginning", "--max-messages", str(count), "--isolation-level", "read_committed")
    lines = tools.run("kafka-console-consumer.sh", "--bootstrap-server", bootstrap, "--topic", topic, *end, *printed)
    assert len(lines.splitlines()) == count
    assert all("Offset:" in line and "CreateTime:" in line for line in lines.splitlines())
    return lines.splitlines()
