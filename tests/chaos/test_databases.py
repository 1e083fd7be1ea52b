"""Databases are dropped, set back and emptied, and offsets moved, during the demo's year: nothing shows, once healed.

After each harm the answers of reporting are those of `dondoc evaluate` on the log, no mail goes out twice, and nobody
did anything but import the contacts again.
"""

import asyncio
import json
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pymongo
import pytest
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from typer.testing import CliRunner

from schemas.events.topics import DELIVERIES, FACTS, VERDICTS
from services.console.demo import contacts, run
from services.console.demo.client import IntakeClient, ScenarioRunner
from services.console.demo.plan_6766 import comparison
from services.console.demo.plan_6766.events import PLAN
from services.console.demo.quiescence import LogFollower, Quiescence
from services.console.main import app
from services.console.support.local_system import ServiceProcess
from services.notifier.settings import GROUP, NotifierSettings
from services.reporting.settings import ReportingSettings
from services.rules.settings import RulesSettings
from services.runtime.clock import instant_of
from services.runtime.settings import ServiceSettings
from tests.support.clients.demo_year import DIRECTORY, DemoSystem, start_demo_system

GROUPS = {"rules": RulesSettings().group, "notifier": GROUP, "reporting": ReportingSettings().group}
DATABASES = (NotifierSettings().mongo_database, ReportingSettings().mongo_database)
CONTACTS = ("contacts", "editions")  # the only collections that are in no log
READ_FROM = {"notifier": (VERDICTS, DELIVERIES), "reporting": (VERDICTS, DELIVERIES, FACTS)}
COMPARED = ("status", "submissions", "flags", "missing")
LEASE_SECONDS = "3"
SESSION_MS = "2000"
WAITS_BETWEEN_HARMS = 6  # for quiescence; something is sent or posted before each
HEALED_SECONDS = 120.0
REQUEST_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class World:
    """The running system, and what can be done to its databases."""

    demo: DemoSystem

    @property
    def services(self) -> tuple[ServiceProcess, ServiceProcess]:
        """The two services that have a database."""
        return self.demo.system.notifier, self.demo.system.reporting

    @property
    def data(self) -> Path:
        """The folder of the database's files."""
        return self.demo.system.stack.folder / "mongo"

    def drop_databases(self) -> None:
        """Drop both databases, and import the contacts again."""
        client: pymongo.MongoClient[dict[str, Any]] = pymongo.MongoClient(self.demo.system.stack.mongod.url)
        people = {name: list(client[DATABASES[0]][name].find()) for name in CONTACTS}
        for name in DATABASES:
            client.drop_database(name)
        for name, documents in people.items():
            client[DATABASES[0]][name].insert_many(documents)
        client.close()

    def copy_files(self) -> None:
        """Copy the files of the stopped database."""
        mongod = self.demo.system.stack.mongod
        mongod.stop()
        shutil.rmtree(self.data.with_name("copy"), ignore_errors=True)
        shutil.copytree(self.data, self.data.with_name("copy"))
        mongod.start()

    def put_copy_back(self) -> None:
        """Put the copy in the place of the files of the stopped database."""
        mongod = self.demo.system.stack.mongod
        mongod.stop()
        shutil.rmtree(self.data)
        shutil.copytree(self.data.with_name("copy"), self.data)
        mongod.start()

    def set_back(self) -> None:
        """Put the copy back, and move the offsets backwards too."""
        self.put_copy_back()
        self.move_offsets(forwards=False)

    def move_offsets(self, *, forwards: bool) -> None:
        """Commit the end, or the beginning, of every partition for both groups, which have no members."""
        for name, topics in READ_FROM.items():
            places = [
                TopicPartition(topic.name, number) for topic in topics for number in range(ServiceSettings().partitions)
            ]
            bootstrap = self.demo.system.stack.kafka.bootstrap
            asyncio.run(_commit(bootstrap, GROUPS[name], places, forwards=forwards))

    def while_stopped(self, harm: Callable[[], None]) -> None:
        """Do *harm* while the two services are stopped."""
        for service in self.services:
            service.stop()
        harm()
        for service in self.services:
            service.launch()

    def wait_until_healed(self) -> float:
        """Wait until both services are ready, and return the seconds that it took."""
        began = time.monotonic()
        while not all(service.is_ready() for service in self.services):
            if time.monotonic() - began > HEALED_SECONDS:
                raise AssertionError([_readiness(service) for service in self.services])
            time.sleep(0.05)
        return time.monotonic() - began


def _readiness(service: ServiceProcess) -> str:
    try:
        return httpx.get(f"{service.url}/readyz").text
    except httpx.TransportError as cause:
        return repr(cause)


async def _commit(bootstrap: str, group: str, places: Sequence[TopicPartition], *, forwards: bool) -> None:
    async with AIOKafkaConsumer(bootstrap_servers=bootstrap, group_id=group, enable_auto_commit=False) as consumer:
        consumer.assign(places)
        bounds = await (consumer.end_offsets(places) if forwards else consumer.beginning_offsets(places))
        await consumer.commit(bounds)


HARMS: dict[str, Callable[[World], None]] = {
    "databases dropped while running": World.drop_databases,
    "files copied": World.copy_files,
    "databases dropped while stopped": lambda world: world.while_stopped(world.drop_databases),
    "offsets moved forwards": lambda world: world.while_stopped(lambda: world.move_offsets(forwards=True)),
    "older files put back while running": World.put_copy_back,
    "offsets moved backwards": lambda world: world.while_stopped(lambda: world.move_offsets(forwards=False)),
    "files copied again": World.copy_files,
    "older files put back while stopped": lambda world: world.while_stopped(world.put_copy_back),
    "older files and older offsets": lambda world: world.while_stopped(world.set_back),
    "databases dropped again while running": World.drop_databases,
}


@pytest.fixture
def demo(tmp_path: Path, jars: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[DemoSystem]:
    """The running system, with short leases and sessions."""
    monkeypatch.setenv("DONDOC_NOTIFIER_LEASE_SECONDS", LEASE_SECONDS)
    monkeypatch.setenv("DONDOC_SESSION_TIMEOUT_MS", SESSION_MS)
    with start_demo_system(tmp_path, jars) as started:
        yield started


@pytest.mark.timeout(1_800)
async def test_a_year_with_harmed_databases_comes_out_as_expected(demo: DemoSystem, tmp_path: Path) -> None:
    """Every figure is as expected and every alert went out once, whatever was lost; the seconds are printed."""
    facts = Facts(tmp_path)
    harms = await run_scenario(demo, facts)
    differing = harms.differing
    mails = Counter(str(mail["Message-ID"]) for mail in demo.system.stack.smtp.mails())
    doubled = sum(mails.values()) - len(mails)
    print(f"duties that differ {len(differing)}, mails {sum(mails.values())}, doubled {doubled}", flush=True)
    annual = json.loads(run.fetch_report(demo.reporting_http, demo.scenario, "json"))
    assert comparison.find_differences(demo.reporting_http, demo.scenario.expectations, annual) == []
    assert not differing
    assert doubled == 0
    assert count_mails(demo) == {
        one.agency: count for one in demo.scenario.expectations if (count := one.alerts.to_agency)
    }


class HarmingQuiescence(Quiescence):
    """Harms the system now and then when it is quiescent, and waits until it is so again."""

    def __init__(self, follower: LogFollower, notifier: httpx.AsyncClient, world: World, facts: "Facts") -> None:
        super().__init__(follower, notifier, GROUPS)
        self._world = world
        self._facts = facts
        self._harms = iter(HARMS.items())
        self._waits = 0
        self.differing: list[str] = []
        self.is_done = False

    async def wait(self) -> datetime | None:
        """Return when the next alert falls due, after a harm if it is time for one."""
        next_alert_at = await super().wait()
        self._waits += 1
        if self.is_done or self._waits % WAITS_BETWEEN_HARMS:
            return next_alert_at
        name, harm = next(self._harms, ("", None))
        if harm is None:
            self.is_done = True
            return next_alert_at
        # In a thread: the clients of this process go on meanwhile.
        await asyncio.to_thread(harm, self._world)
        seconds = await asyncio.to_thread(self._world.wait_until_healed)
        next_alert_at = await super().wait()
        print(f"{name}: recovered in {seconds:.1f} s", flush=True)
        found = await asyncio.to_thread(self._facts.compare, self._world.demo)
        self.differing += [f"after {name}: {one}" for one in found]
        return next_alert_at


class Facts:
    """The facts of the log, in a file, and the answers of `dondoc evaluate` on them."""

    def __init__(self, folder: Path) -> None:
        self._facts = folder / "facts.jsonl"
        self._queries = folder / "queries.jsonl"

    def add_record(self, record: "ConsumerRecord[bytes, bytes]") -> None:
        """Write a fact with the time at which the log recorded it."""
        if record.topic == FACTS.name:
            event = {**json.loads(record.value or b"{}"), "recordedtime": instant_of(record.timestamp).isoformat()}
            with self._facts.open("a", encoding="utf-8") as file:
                file.write(f"{json.dumps(event, ensure_ascii=False)}\n")

    def compare(self, demo: DemoSystem) -> list[str]:
        """Return the duties of which reporting answers something else than the evaluation of the log."""
        at = demo.clock.read_text(encoding="ascii")
        query: dict[str, str | int] = {"plan": PLAN, "as_of": at, "limit": 1_000}
        live: list[dict[str, Any]] = []
        cursor: str | None = ""
        while cursor is not None:
            answer = demo.reporting_http.get("/v1/duties", params={**query, "cursor": cursor})
            answer.raise_for_status()
            live += answer.json()["duties"]
            cursor = answer.json()["next_cursor"]
        assert live
        asked = [{**{field: one[field] for field in ("agency", "obligation", "period")}, "at": at} for one in live]
        self._queries.write_text("".join(f"{json.dumps(one)}\n" for one in asked), encoding="utf-8")
        files = ["--facts", str(self._facts), "--query", str(self._queries)]
        evaluated = CliRunner().invoke(app, ["evaluate", str(DIRECTORY), *files])
        assert evaluated.exit_code == 0, evaluated.stderr
        lines = [json.loads(line) for line in evaluated.stdout.splitlines()]
        return [
            f"{one['agency']} {one['obligation']} {one['period']} at {at}: {field} {one[field]}, not {line[field]}"
            for one, line in zip(live, lines, strict=True)
            for field in COMPARED
            if one[field] != line[field]
        ]


async def run_scenario(demo: DemoSystem, facts: Facts) -> HarmingQuiescence:
    """Run the whole scenario with all harms; return what they led to."""
    async with AsyncExitStack() as resources:
        intake, notifier = [
            await resources.enter_async_context(httpx.AsyncClient(base_url=service.url, timeout=REQUEST_SECONDS))
            for service in (demo.system.intake, demo.system.notifier)
        ]
        bootstrap = demo.system.stack.kafka.bootstrap
        follower = await resources.enter_async_context(
            LogFollower(bootstrap, ServiceSettings().partitions, facts.add_record)
        )
        quiescence = HarmingQuiescence(follower, notifier, World(demo), facts)
        runner = ScenarioRunner(demo.clock, IntakeClient(intake, demo.keys), quiescence, max_step=None)
        await runner.run(demo.scenario, lambda _now, _posts: None)
    assert quiescence.is_done
    return quiescence


def count_mails(demo: DemoSystem) -> Counter[str]:
    """Count each agency's mails; a mail that was sent twice counts twice."""
    agencies = {one.agency for one in demo.scenario.expectations}
    mails = demo.system.stack.smtp.mails()
    found = (str(mail["To"]).rpartition("@")[2].removesuffix(f".{contacts.DOMAIN}") for mail in mails)
    return Counter(agency for agency in found if agency in agencies)
