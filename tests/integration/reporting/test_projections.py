"""The documents that reporting stores of the log: each event once, whatever is repeated, reordered or killed."""

import json
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest
from msgspec import structs

from deploy.local.servers.mongod import Mongod
from schemas.events.assessments import Status
from schemas.events.topics import DELIVERIES, VERDICTS
from services.reporting.store import PlanDutyFilter, list_newest_stages
from tests.support.builders.annual_report import AS_OF, DUE, a_key, a_revision, a_timeline, a_year, an_attempt
from tests.support.builders.annual_report_events import a_verdict_event
from tests.support.builders.wire_events import an_acknowledgement_event, encode
from tests.support.faults import fault_plan
from tests.support.servers.kafka import Bus
from tests.support.servers.mongo import Database
from tests.support.servers.services import Service

GROUP = "dondoc-reporting"
STORE = "services.reporting.store"
COLLECTIONS = ("assessments", "alerts")

Get = Callable[..., Awaitable[httpx.Response]]
PublishEvents = Callable[..., Awaitable[None]]
StartReporting = Callable[..., Service]


async def caught_up(bus: Bus) -> None:
    """Wait until reporting has committed all records of both topics."""
    for topic in (VERDICTS.name, DELIVERIES.name):
        await bus.wait_until_consumed(GROUP, topic)


def everything(database: Database) -> dict[str, list[dict[str, Any]]]:
    """Return every document of every collection."""
    return {collection: database.documents(collection) for collection in COLLECTIONS}


async def test_repeated_and_reordered_records_change_nothing(
    reporting: StartReporting, publish_events: PublishEvents, bus: Bus, database: Database
) -> None:
    """The same events, published a second time in another order, leave the documents as they were."""
    revisions, attempts = a_year()
    corrected = [structs.replace(one, event=f"{one.event}!", revision=2) for one in revisions]
    published = [*revisions, *corrected, *(one for several in attempts.values() for one in several)]
    reporting()
    await publish_events(published)
    await caught_up(bus)
    first = everything(database)
    assert len(first["assessments"]) == len(revisions) * 2
    random.Random(6766).shuffle(published)  # noqa: S311 - an order, not a secret
    await publish_events(published)
    await caught_up(bus)
    assert everything(database) == first


@pytest.mark.parametrize(
    "fault",
    [
        fault_plan.kill_before(STORE, "ReportingStore.insert_assessments", call=2),
        pytest.param(
            fault_plan.kill_after(STORE, "ReportingStore.insert_assessments", call=1), marks=pytest.mark.chaos
        ),
        pytest.param(fault_plan.kill_after(STORE, "ReportingStore.insert_attempts", call=1), marks=pytest.mark.chaos),
    ],
    ids=["before-a-write", "before-the-commit", "before-the-commit-of-alerts"],
)
async def test_killed_inside_a_batch_nothing_is_lost_or_stored_twice(
    reporting: StartReporting, publish_events: PublishEvents, bus: Bus, database: Database, fault: str
) -> None:
    """After a kill the next process consumes the batch again and ends with the documents of an undisturbed one."""
    revisions, attempts = a_year()
    alerts = [one for several in attempts.values() for one in several]
    killed = reporting(faults=[fault], ready=False, DONDOC_REPORTING_BATCH_RECORDS="20")
    await publish_events([*revisions, *alerts])
    await killed.wait_until_ended()
    reporting()
    await caught_up(bus)
    assert len(database.documents("assessments")) == len(revisions)
    assert len(database.documents("alerts")) == len(alerts)


async def test_a_rebuild_from_the_log_gives_the_same_documents(
    reporting: StartReporting, publish_events: PublishEvents, bus: Bus, database: Database
) -> None:
    """A second consumer group that fills a second database in other batches ends with the same documents."""
    revisions, attempts = a_year()
    corrected = [structs.replace(one, event=f"{one.event}!", revision=2) for one in revisions[::3]]
    reporting()
    await publish_events([*revisions, *corrected, *(one for several in attempts.values() for one in several)])
    await caught_up(bus)
    rebuilt = f"{database.name}-rebuilt"
    settings = {"DONDOC_REPORTING_GROUP": "rebuild", "DONDOC_REPORTING_MONGO_DATABASE": rebuilt}
    try:
        reporting(DONDOC_REPORTING_BATCH_RECORDS="7", **settings)
        for topic in (VERDICTS.name, DELIVERIES.name):
            await bus.wait_until_consumed("rebuild", topic)
        mirror = replace(database, name=rebuilt)
        assert everything(mirror) == everything(database)
    finally:
        database.client.drop_database(rebuilt)


async def test_a_poison_record_is_set_aside_and_stops_nobody(
    reporting: StartReporting, publish_events: PublishEvents, get: Get, bus: Bus, database: Database
) -> None:
    """Poison lies byte for byte in the dead-letter topic with its reason; the records around it are stored."""
    service = reporting()
    await publish_events([a_revision()])
    for poison in (b"{not json", b'{"id":"x","type":"vn.dondoc.other.v1","data":{}}', None):
        await bus.publish(VERDICTS.name, poison, key="h-00")
    naive = a_verdict_event(a_revision(revision=9))
    naive["data"]["recorded_at"] = "2026-01-01T00:00:00"
    await bus.publish(VERDICTS.name, naive, key="h-00")
    await bus.publish(DELIVERIES.name, b"[]", key="h-00")
    await bus.publish(DELIVERIES.name, encode(an_acknowledgement_event()), key="h-00")
    await publish_events([a_revision(a_key("h-01"))])
    await caught_up(bus)
    dead = await bus.records(VERDICTS.dead_letter)
    assert [record.value for record in dead][:3] == [
        b"{not json",
        b'{"id":"x","type":"vn.dondoc.other.v1","data":{}}',
        None,
    ]
    assert all(record.headers["dondoc-reason"] for record in dead)
    assert len(dead) == 4
    # That an agency has read an alert is no attempt at one, and no poison.
    assert [record.value for record in await bus.records(DELIVERIES.dead_letter)] == [b"[]"]
    assert database.documents("alerts") == []
    assert [document["agency"] for document in database.documents("assessments")] == ["h-00", "h-01"]
    figures = (await get(service, "/metrics")).text
    assert 'reporting_dead_letters_total{topic="verdicts"} 4.0' in figures


async def test_a_query_about_the_past_gets_the_answer_of_then(
    reporting: StartReporting, publish_events: PublishEvents, get: Get, bus: Bus
) -> None:
    """A revision recorded after `known_at` does not exist for a query; an older one arriving late changes nothing."""
    service = reporting()
    without_report = a_revision(revision=1)
    received_at = DUE - timedelta(hours=1)
    corrected = a_revision(
        revision=2,
        recorded_at=DUE + timedelta(days=5),
        spans=a_timeline(Status.ON_TIME, effective_at=received_at, flags=("was_overdue",)),
    )
    await publish_events(
        [corrected, without_report, an_attempt(at=DUE + timedelta(days=1)), an_attempt(at=DUE + timedelta(days=9))]
    )
    await caught_up(bus)

    async def status(as_of: Any, known_at: Any) -> tuple[str, int]:
        answer = await get(service, "/v1/duties", as_of=as_of.isoformat(), known_at=known_at.isoformat())
        (duty,) = answer.json()["duties"]
        return duty["status"], duty["urging"]["urgings"]

    assert await status(DUE + timedelta(days=2), DUE + timedelta(days=2)) == ("overdue", 1)
    assert await status(DUE + timedelta(days=2), DUE + timedelta(days=5)) == ("on_time", 1)
    assert await status(DUE + timedelta(days=10), DUE + timedelta(days=10)) == ("on_time", 2)
    assert await status(DUE - timedelta(days=2), DUE + timedelta(days=9)) == ("pending", 0)
    nothing_known = await get(service, "/v1/duties", as_of=AS_OF.isoformat(), known_at="2020-01-01T00:00:00Z")
    assert nothing_known.json()["duties"] == []


@pytest.mark.chaos
async def test_the_database_away_for_a_while_loses_nothing(
    reporting: StartReporting, publish_events: PublishEvents, get: Get, bus: Bus, mongod: Mongod
) -> None:
    """Killed or stopped in order: the batch is stored once it is back; meanwhile the API answers 503, not ready."""
    service = reporting()
    assert service.is_ready()
    for total, end in enumerate((mongod.kill, mongod.stop), 1):
        end()
        await publish_events([a_revision(a_key(f"h-{total}"))])
        refused = await get(service, "/v1/duties")
        assert (refused.status_code, refused.json()["type"]) == (503, "/problems/unavailable")
        assert refused.headers["retry-after"]
        assert (await get(service, "/readyz")).json()["mongo"] is False
        mongod.start()
        await caught_up(bus)
        assert (await get(service, "/v1/duties")).json()["total"] == total


async def test_every_query_is_answered_from_an_index(
    reporting: StartReporting, publish_events: PublishEvents, bus: Bus, database: Database
) -> None:
    """No query of the store reads a document that is not in its answer; the newest revisions are read off the index."""
    reporting()
    revisions, attempts = a_year()
    await publish_events([*revisions, *(one for several in attempts.values() for one in several)])
    await caught_up(bus)
    key = str(a_key())
    of_period, one_off = list_newest_stages(
        PlanDutyFilter(plan="6766-KH-UBND", periods=("2026", "2026-Q1", None)), AS_OF + timedelta(days=1)
    )
    assert _measure(database, "assessments", of_period) == (0, 38)
    examined, returned = _measure(database, "assessments", one_off)
    assert 0 < returned == examined
    conditions: list[tuple[str, dict[str, Any]]] = [
        ("assessments", {"_id": {"$gte": "6766-KH-UBND|h-00|", "$lt": "6766-KH-UBND|h-00|\x7f"}}),
        ("assessments", {"_id": {"$in": [f"{key}|{1:019d}"]}}),
        ("alerts", {"duties": {"$in": [key]}, "attempted_at": {"$lte": AS_OF}}),
        ("facts", {"identity": {"$in": ["s\x1ee-1"]}, "recorded_at": {"$lte": AS_OF}}),
        ("facts", {"duty": {"$gte": key, "$lt": f"{key}\x7f"}, "recorded_at": {"$lte": AS_OF}}),
    ]
    for collection, condition in conditions:
        examined, returned = _measure(database, collection, [{"$match": condition}])
        assert examined <= returned, condition


def _measure(database: Database, collection: str, stages: Sequence[Mapping[str, Any]]) -> tuple[int, int]:
    """Return how many documents an aggregation reads, and how many its first stage returns; fail if it scans."""
    command = {"aggregate": collection, "pipeline": list(stages), "cursor": {}}
    explained = database.client[database.name].command("explain", command, verbosity="executionStats")
    text = json.dumps(explained, default=str)
    assert "COLLSCAN" not in text
    stats = explained["stages"][0]["$cursor"] if "stages" in explained else explained
    return stats["executionStats"]["totalDocsExamined"], stats["executionStats"]["nReturned"]


async def test_an_unwritable_dead_letter_stops_without_a_commit(reporting: StartReporting, bus: Bus) -> None:
    """If a dead letter cannot be written, the process stops without a commit and the next one reads it again."""
    fault = fault_plan.raise_before("services.runtime.kafka.dead_letters", "DeadLetters.set_aside")
    service = reporting(faults=[fault])
    await bus.publish(VERDICTS.name, b"{", key="h-00")
    await service.wait_until_ended()
    assert sum((await bus.committed_offsets(GROUP, VERDICTS.name)).values()) == 0
    reporting()
    await caught_up(bus)
    assert len(await bus.records(VERDICTS.dead_letter)) == 1
