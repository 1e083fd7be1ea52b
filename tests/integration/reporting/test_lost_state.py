"""A database that is lost, older or emptied is filled again by reporting itself, which answers nothing until then."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import CommitFailedError

from schemas.events.topics import DELIVERIES, FACTS, VERDICTS
from services.reporting.store import CURRENT
from tests.support.assertions.eventually import eventually
from tests.support.builders.annual_report import AS_OF, a_key, a_revision, a_year
from tests.support.clients.readers import ReadersFile
from tests.support.matrix import matrix
from tests.support.servers.kafka import Bus
from tests.support.servers.mongo import Database
from tests.support.servers.services import Service

GROUP = "dondoc-reporting"
AT = AS_OF.isoformat()
DROPS = 100
COLLECTIONS = ("assessments", "alerts", "facts")
REPORT = "/v1/plans/6766-KH-UBND/periods/2026/report.json"

Get = Callable[..., Awaitable[httpx.Response]]
PublishEvents = Callable[..., Awaitable[None]]
StartReporting = Callable[..., Service]


@pytest.fixture
async def running(reporting: StartReporting, publish_events: PublishEvents, bus: Bus) -> Service:
    """Reporting that has stored a year, and a receipt."""
    service = reporting()
    revisions, attempts = a_year()
    await publish_events([*revisions, *(one for several in attempts.values() for one in several)])
    data = {"plan": "6766-KH-UBND", "obligation": "annual-results", "period": "2026", "agency": "h-03"}
    fact = {"id": "e-1", "source": "s", "type": "t", "receiptid": "r-1", "receivedtime": AT, "subject": "h-03"}
    await bus.publish(FACTS.name, {**fact, "data": data}, key="h-03")
    await wait_until_consumed(bus)
    return service


async def wait_until_consumed(bus: Bus) -> None:
    """Wait until reporting has committed every record of every topic."""
    for topic in (VERDICTS, DELIVERIES, FACTS):
        await bus.wait_until_consumed(GROUP, topic.name)


def documents(database: Database) -> dict[str, list[dict[str, Any]]]:
    """Return every document that was made from the log."""
    return {name: database.documents(name) for name in COLLECTIONS}


async def assert_no_wrong_answer_until_complete(get: Get, service: Service, expected: int) -> set[str]:
    """Ask until the answer is complete; every answer before it is a 503. Return the types of those problems."""
    problems: set[str] = set()

    async def is_complete() -> bool:
        answer = await get(service, "/v1/duties", as_of=AT)
        if answer.status_code == httpx.codes.OK:
            assert answer.json()["total"] == expected
            return True
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
        problems.add(answer.json()["type"])
        return False

    await eventually(is_complete, "a complete answer", timeout=60)
    return problems


@pytest.mark.parametrize("harm", matrix(["database", "view", "collection", "documents"], in_every_run=2))
async def test_a_database_that_is_lost_while_reporting_runs_is_filled_again(
    running: Service, get: Get, database: Database, bus: Bus, harm: str
) -> None:
    """Dropped as a whole, or one collection of it: no answer is given from what is left, and all comes back."""
    before, report = documents(database), (await get(running, REPORT, as_of=AT)).json()
    match harm:
        case "database":
            database.drop()
        case "collection":
            database["assessments"].drop()
        case "view":
            database[CURRENT].drop()
        case _:
            database["checkpoints"].delete_many({})
            database["assessments"].delete_many({})
    assert await assert_no_wrong_answer_until_complete(get, running, 76) == {"/problems/incomplete"}
    await wait_until_consumed(bus)
    assert documents(database) == before
    assert (await get(running, REPORT, as_of=AT)).json() == report
    await eventually(running.is_ready, "a reporting that is ready again")
    metrics = (await get(running, "/metrics")).text
    assert 'agreement="state_lost",topic="dondoc.verdicts.v1"} 0.0' not in metrics
    assert 'runtime_state_missing_records{topic="dondoc.verdicts.v1"} 0.0' in metrics
    assert {one["key"].keys().__iter__().__next__() for one in database["assessments"].list_indexes()} == {
        "_id",
        "plan",
    }


async def test_a_database_that_is_lost_while_reporting_is_stopped_is_filled_again(
    running: Service, reporting: StartReporting, get: Get, database: Database, readers: ReadersFile
) -> None:
    """The next process reads the log from the beginning, although everything is committed; pages say so in words."""
    before = documents(database)
    running.stop()
    database.drop()
    service = reporting(ready=False, DONDOC_REPORTING_BATCH_RECORDS="1")
    await eventually(lambda: "projections" in service.readiness(), "a reporting that answers", timeout=60)
    async with httpx.AsyncClient(base_url=service.url, headers={"accept": "text/html", **readers.headers}) as browser:
        page = await browser.get("/")
    assert page.status_code == 503
    assert "đang được đọc lại" in page.text
    assert service.readiness()["projections"] is False
    await assert_no_wrong_answer_until_complete(get, service, 76)
    await eventually(lambda: documents(database) == before, "the documents of before")
    await eventually(service.is_ready, "a reporting that is ready")


async def test_a_database_that_takes_no_index_for_a_while_is_waited_for(
    running: Service, get: Get, database: Database
) -> None:
    """As while somebody drops it, or while it has no primary: the process does not end, and fills it afterwards."""
    before = documents(database)
    with database.fail_commands("createIndexes", errorCode=215):
        database.drop()
        await eventually(lambda: "state_waiting" in actions_of(running), "a database that is waited for", timeout=30)
    await assert_no_wrong_answer_until_complete(get, running, 76)
    await eventually(lambda: documents(database) == before, "the documents of before")
    assert "halted" not in actions_of(running)


@pytest.mark.chaos
@pytest.mark.timeout(600)
async def test_a_database_that_is_dropped_again_and_again_ends_no_process(
    running: Service, get: Get, database: Database
) -> None:
    """At any moment, also while it is filled and while indexes are made; at the end everything is there again."""
    before = documents(database)
    chance = random.Random(3)  # noqa: S311  # the moments can be repeated
    for _ in range(DROPS):
        database.drop()
        await asyncio.sleep(chance.uniform(0.0, 0.5))
        assert running.is_running
    await assert_no_wrong_answer_until_complete(get, running, 76)
    await eventually(lambda: documents(database) == before, "the documents of before")


def actions_of(service: Service) -> set[str]:
    """The actions that the log of a service names."""
    return {str(line.get("action")) for line in service.log_lines()}


@pytest.mark.chaos
async def test_killed_while_it_fills_the_database_it_is_still_incomplete(
    running: Service, reporting: StartReporting, get: Get, database: Database, bus: Bus
) -> None:
    """How far the log must be read is stored, and does not depend on what the group commits meanwhile."""
    running.stop()
    database.drop()
    killed = reporting(ready=False, DONDOC_REPORTING_BATCH_RECORDS="1")
    await eventually(lambda: database["assessments"].count_documents({}) > 3, "some documents", timeout=60)
    killed.kill()
    await move_offsets(bus, 0)
    service = reporting(ready=False, DONDOC_REPORTING_BATCH_RECORDS="1")
    await eventually(lambda: "projections" in service.readiness(), "a reporting that answers", timeout=60)
    await assert_no_wrong_answer_until_complete(get, service, 76)


async def move_offsets(bus: Bus, moved_to: int | None) -> None:
    """Commit *moved_to* for every partition of the verdicts, by default its end; the group must have no members."""
    # A member that was killed belongs to the group until its session ends, and the broker refuses commits of others.
    await eventually(lambda: _commit_offsets(bus, moved_to), "offsets that are moved", timeout=30)


async def _commit_offsets(bus: Bus, moved_to: int | None) -> bool:
    places = [TopicPartition(VERDICTS.name, number) for number in range(bus.partitions)]
    async with AIOKafkaConsumer(bootstrap_servers=bus.bootstrap, group_id=GROUP, enable_auto_commit=False) as consumer:
        consumer.assign(places)
        ends = await consumer.end_offsets(places)
        try:
            await consumer.commit({place: ends[place] if moved_to is None else moved_to for place in places})
        except CommitFailedError:
            return False
    return True


@pytest.mark.parametrize("moved_to", [0, 1_000_000, None], ids=["backwards", "beyond the end", "to the end"])
async def test_offsets_that_somebody_moved_lose_and_repeat_nothing(  # noqa: PLR0913, PLR0917 - the whole system
    running: Service,
    reporting: StartReporting,
    publish_events: PublishEvents,
    get: Get,
    bus: Bus,
    moved_to: int | None,
) -> None:
    """The database decides where reading goes on: a verdict that came before the move is read, and once."""
    running.stop()
    await publish_events([a_revision(a_key("h-99"))])
    await move_offsets(bus, moved_to)
    service = reporting(ready=False)
    await eventually(lambda: service.readiness().get("projections"), "complete projections", timeout=60)
    assert (await get(service, "/v1/duties", as_of=AT)).json()["total"] == 77


async def test_a_log_that_became_shorter_is_named_and_what_is_stored_is_kept(
    running: Service, publish_events: PublishEvents, database: Database, bus: Bus
) -> None:
    """The topic is made anew while reporting runs: `/readyz`, a metric and the log name it; new records are read."""
    count = len(database.documents("assessments"))
    await bus.recreate_topics(VERDICTS.name)
    await publish_events([a_revision(a_key("h-99"))])
    await eventually(lambda: running.readiness().get("log") is False, "a failed check of the log", timeout=60)
    await bus.wait_until_consumed(GROUP, VERDICTS.name)
    await eventually(lambda: len(database.documents("assessments")) == count + 1, "the new one beside the stored ones")
    compared = [line for line in running.log_lines() if line.get("action") == "state_compared"]
    # The same partition may be compared again after it was read again; then it agrees.
    named = [line for line in compared if line["agreement"] in {"log_shorter", "log_replaced"}]
    assert named
    assert {line["level"] for line in named} == {"error"}


async def test_the_same_id_with_other_content_is_set_aside_and_counted(
    running: Service, get: Get, database: Database, bus: Bus
) -> None:
    """A contradicting verdict or delivery is a dead letter; such a fact is counted, and set aside by rules."""
    before = documents(database)
    forged = 0
    for topic in (VERDICTS, DELIVERIES, FACTS):
        for record in (await bus.records(topic.name))[:2]:
            forged += 1
            value = (record.value or b"").replace(b"overdue", b"on_time").replace(b"}", b', "forged": 1}', 1)
            await bus.publish(topic.name, value, key=record.key)
            await bus.publish(topic.name, record.value, key=record.key)
    await wait_until_consumed(bus)
    assert documents(database) == before
    letters = [one for topic in (VERDICTS, DELIVERIES, FACTS) for one in await bus.records(topic.dead_letter)]
    assert (len(letters), forged) == (4, 5)
    assert {one.headers["dondoc-reason"].split(b":")[0] for one in letters} == {b"conflict"}
    metrics = (await get(running, "/metrics")).text
    assert 'reporting_conflicts_total{topic="verdicts"} 2.0' in metrics
    assert 'reporting_conflicts_total{topic="deliveries"} 2.0' in metrics
    assert 'reporting_conflicts_total{topic="facts"} 1.0' in metrics


async def test_two_contents_under_one_id_in_one_batch_conflict(
    reporting: StartReporting, publish_events: PublishEvents, database: Database, bus: Bus
) -> None:
    """Of two verdicts of one revision that are read together the first is stored, the second is set aside."""
    first = a_revision()
    other = a_revision(recorded_at=AS_OF)
    await publish_events([first, other])
    reporting()
    await bus.wait_until_consumed(GROUP, VERDICTS.name)
    assert len(database.documents("assessments")) == 1
    assert len(await bus.records(VERDICTS.dead_letter)) == 1


async def test_a_published_plan_that_nobody_assessed_is_not_answered_with_nothing(
    reporting: StartReporting, publish_events: PublishEvents, get: Get, bus: Bus
) -> None:
    """While rules has not begun, "no duties" would read as "nobody owes any": 503, and not ready."""
    service = reporting()
    assert service.readiness()["assessments"] is False
    answer = await get(service, "/v1/duties", as_of=AT)
    assert (answer.status_code, answer.json()["type"]) == (503, "/problems/not-assessed")
    assert (await get(service, REPORT, as_of=AT)).status_code == 503
    await publish_events([a_revision()])
    await bus.wait_until_consumed(GROUP, VERDICTS.name)
    await eventually(lambda: service.readiness()["assessments"], "the check of assessments holds")
    assert (await get(service, "/v1/duties", as_of=AT)).json()["total"] == 1
