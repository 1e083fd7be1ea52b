"""A rebuild beside the live projections: whoever reads does not notice it, and a kill at any point changes nothing."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import httpx
import pytest

from schemas.events.assessments import Status
from schemas.events.topics import DELIVERIES, VERDICTS
from services.reporting.core.timeline import AssessmentRevision
from services.runtime import background
from services.runtime.state import active_database
from services.runtime.state.active_database import HOLD_SECONDS, STANDBY_SUFFIX
from tests.integration.reporting.conftest import GROUP, PublishEvents, StartReporting
from tests.support.assertions.eventually import eventually
from tests.support.builders.annual_report import AS_OF, OPENS, a_key, a_revision, a_timeline, a_year
from tests.support.clients.readers import ReadersFile
from tests.support.faults import fault_plan
from tests.support.servers.kafka import Bus
from tests.support.servers.mongo import Database
from tests.support.servers.services import Service

REBUILDER = "services.reporting.projections.rebuilder"
RECORD = "services.runtime.state.active_database"
QUESTION = {"plan": "6766-KH-UBND", "period": "2026", "as_of": AS_OF.isoformat(), "limit": "1000"}
PERIOD = "/v1/plans/6766-KH-UBND/periods/2026"
VISIBLE_SECONDS = 60.0


@dataclass(slots=True)
class Reader:
    """Reads all duties of the period from one process again and again, and compares each answer with the one before."""

    service: Service
    readers: ReadersFile
    answers: int = 0
    expected: int | None = None
    revisions: dict[str, int] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    async def run(self) -> None:
        """Read until cancelled."""
        async with httpx.AsyncClient(base_url=self.service.url, headers=self.readers.headers, timeout=60) as client:
            while True:
                listed = await client.get("/v1/duties", params=QUESTION)
                counted = await client.get(PERIOD, params={"as_of": AS_OF.isoformat()})
                self.answers += 1
                if {listed.status_code, counted.status_code} == {200}:
                    self.compare(listed.json()["duties"], counted.json()["total"]["expected"])
                else:
                    self.faults.append(f"{listed.status_code} {counted.status_code} {listed.text[:200]}")

    def compare(self, duties: list[dict[str, Any]], expected: int) -> None:
        """Note every duty that has gone, every older revision than was seen before, and another number of duties."""
        revisions = {f"{one['agency']}/{one['obligation']}": one["revision"] for one in duties}
        if self.expected not in {None, expected}:
            self.faults.append(f"{expected} duties after {self.expected}")
        self.expected = expected
        for duty, seen in self.revisions.items():
            if revisions.get(duty, 0) < seen:
                self.faults.append(f"{duty}: revision {revisions.get(duty)} after {seen}")
        self.revisions = revisions


class Writer:
    """Publishes new revisions of a few duties, and a record that nobody can read, until it is told to stop."""

    def __init__(self, publish: PublishEvents, bus: Bus) -> None:
        self._publish = publish
        self._bus = bus
        self.revision = 1
        self.published: list[AssessmentRevision] = []

    async def run(self, is_over: asyncio.Event) -> None:
        """Publish until *is_over*."""
        while not is_over.is_set():
            await self.publish_round()

    async def publish_round(self) -> None:
        """Publish the next revision of each duty, which is overdue and on time by turns, and the poison."""
        self.revision += 1
        received = {"submissions": 1, "effective_at": AS_OF - timedelta(days=20)}
        spans = a_timeline(Status.ON_TIME, **received) if self.revision % 2 else a_timeline(Status.OVERDUE)
        revisions = [
            a_revision(a_key(f"h-{number:02d}"), revision=self.revision, spans=spans, recorded_at=OPENS)
            for number in range(1, 8)
        ]
        await self._publish(revisions)
        await self._bus.publish(DELIVERIES.name, {"round": self.revision}, key="h-01")
        self.published += revisions


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveSystem:
    """Two processes of reporting on one database, whose standby may be rebuilt, and who writes and reads."""

    services: tuple[Service, Service]
    database: Database
    standby: Database
    writer: Writer
    readers: ReadersFile
    environment: Mapping[str, str]

    async def rebuild(self, *arguments: str, faults: tuple[str, ...] = ()) -> tuple[int | None, str]:
        """Run `dondoc rebuild`, in which faults may be planted; return its exit status and what it said."""
        program = ("-m", "tests.support.faults.faulty_process", *faults, "--")
        command = (sys.executable, *program, "tests.support.processes.console_command", "rebuild", *arguments)
        child = await asyncio.create_subprocess_exec(*command, env={**os.environ, **self.environment}, stderr=PIPE)
        _, said = await child.communicate()
        return child.returncode, said.decode()

    def find_active(self) -> str:
        """Return the name of the active database."""
        found = self.database[active_database.COLLECTION].find_one() or {}
        return str(found.get("database", self.database.name))

    def expire_lease(self) -> None:
        """End the lease of a rebuild that was killed, which would end by itself half a minute later."""
        self.database[active_database.COLLECTION].update_one({}, {"$unset": {"lease": "", "leased_until": ""}})

    async def see_new_revision(self) -> None:
        """Publish once more, and wait until both processes show it: consumers that were held back go on themselves."""
        await self.writer.publish_round()
        for service in self.services:
            await eventually(
                lambda service=service: self._shows_newest(service),  # type: ignore[misc]
                "the new revision",
                timeout=HOLD_SECONDS + VISIBLE_SECONDS,
            )

    async def _shows_newest(self, service: Service) -> bool:
        query = {**QUESTION, "sort": "-revision", "limit": "1"}
        async with httpx.AsyncClient(base_url=service.url, headers=self.readers.headers, timeout=60) as client:
            answer = await client.get("/v1/duties", params=query)
        return answer.status_code == 200 and answer.json()["duties"][0]["revision"] >= self.writer.revision

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[None]:
        """Let a reader read from each process during the block; whatever they found wrong fails the test."""
        readers = [Reader(one, self.readers) for one in self.services]
        tasks = [asyncio.create_task(one.run()) for one in readers]
        try:
            yield
        finally:
            await background.cancel(*tasks)
        assert [one.faults for one in readers] == [[] for _ in readers]
        assert all(one.answers > 0 for one in readers)


@pytest.fixture
def live_system(
    reporting: StartReporting, publish_events: PublishEvents, readers: ReadersFile, bus: Bus, database: Database
) -> Iterator[LiveSystem]:
    """Start two processes of reporting."""
    standby = Database(url=database.url, name=f"{database.name}{STANDBY_SUFFIX}", client=database.client)
    yield LiveSystem(
        services=(reporting(), reporting()),
        database=database,
        standby=standby,
        writer=Writer(publish_events, bus),
        readers=readers,
        environment={
            "DONDOC_KAFKA_BOOTSTRAP": bus.bootstrap,
            "DONDOC_PARTITIONS": str(bus.partitions),
            "DONDOC_MONGO_URL": database.url,
            "DONDOC_REPORTING_MONGO_DATABASE": database.name,
        },
    )
    standby.drop()


@pytest.mark.timeout(300)
async def test_a_rebuild_is_not_noticed(live_system: LiveSystem, publish_events: PublishEvents, bus: Bus) -> None:
    """Both processes answer 200 and nothing older while the standby is filled under load and takes over."""
    system, (revisions, attempts) = live_system, a_year()
    await publish_events([*revisions, *(one for several in attempts.values() for one in several)])
    await bus.wait_until_consumed(GROUP, VERDICTS.name)
    await bus.wait_until_consumed(GROUP, DELIVERIES.name)
    await system.see_new_revision()
    async with system.reading():
        is_rebuilt = asyncio.Event()
        writing = asyncio.create_task(system.writer.run(is_rebuilt))
        status, said = await system.rebuild()
        is_rebuilt.set()
        await writing
        assert (status, system.find_active()) == (0, system.standby.name), said
        await system.see_new_revision()
    await bus.wait_until_consumed(GROUP, VERDICTS.name)
    await bus.wait_until_consumed(GROUP, DELIVERIES.name)
    before, after = ({one["_id"] for one in place["assessments"].find()} for place in (system.database, system.standby))
    assert len(after) == len(revisions) + len(system.writer.published)
    assert before < after
    dead = {record.value for record in await bus.records(DELIVERIES.dead_letter)}
    assert len(dead) == system.writer.revision - 1


@pytest.mark.chaos
@pytest.mark.timeout(600)
async def test_a_rebuild_that_is_killed_at_any_point_leaves_the_active_database(live_system: LiveSystem) -> None:
    """Both processes answer from it, and go on reading by themselves; what was half filled is emptied or filled up."""
    system = live_system
    await system.see_new_revision()
    async with system.reading():
        for fault in (
            fault_plan.kill_after(RECORD, "ActiveDatabaseRecord.claim_lease"),
            fault_plan.kill_after(RECORD, "ActiveDatabaseRecord.clear"),
            fault_plan.kill_before(REBUILDER, "Rebuilder._fill", call=2),
            fault_plan.kill_after(REBUILDER, "Rebuilder._wait_until_let_go"),
            fault_plan.kill_before(RECORD, "ActiveDatabaseRecord.activate"),
        ):
            status, said = await system.rebuild(faults=(fault,))
            assert (status, system.find_active()) == (-signal.SIGKILL, system.database.name), (fault, said)
            await system.see_new_revision()
            system.expire_lease()
        status, said = await system.rebuild("--resume")
        assert (status, system.find_active()) == (0, system.standby.name), said
        await system.see_new_revision()


@pytest.mark.chaos
@pytest.mark.timeout(300)
async def test_one_rebuild_at_a_time_and_a_way_back(live_system: LiveSystem) -> None:
    """A rebuild is refused while another has the lease; with `--resume` the former database takes its place again."""
    system = live_system
    await system.writer.publish_round()
    await system.rebuild(faults=(fault_plan.kill_after(RECORD, "ActiveDatabaseRecord.claim_lease"),))
    status, said = await system.rebuild()
    assert (status, "another rebuild is under way" in said) == (2, True), said
    system.expire_lease()
    for arguments, answering in (((), system.standby), (("--resume",), system.database), ((), system.standby)):
        status, said = await system.rebuild(*arguments)
        assert (status, system.find_active()) == (0, answering.name), said
        await system.see_new_revision()
