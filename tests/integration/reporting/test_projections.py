"""What reporting keeps of the log: everything once, the newest standing, whatever is repeated, reordered or killed."""

import random
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest

from deploy.local.servers.mongod import Mongod
from schemas.events.assessments import Status
from schemas.events.topics import DELIVERIES, VERDICTS
from tests.support.builders.annual_report import AS_OF, DUE, a_key, a_timeline, a_year, an_assessed, an_attempt
from tests.support.builders.annual_report_events import a_verdict
from tests.support.faults import fault_plan
from tests.support.servers.kafka import Bus
from tests.support.servers.mongo import Database
from tests.support.servers.services import Service

GROUP = "dondoc-reporting"
STORE = "services.reporting.store"
COLLECTIONS = ("assessments", "alerts")

Ask = Callable[..., Awaitable[httpx.Response]]
Tell = Callable[..., Awaitable[None]]
Start = Callable[..., Service]


async def caught_up(bus: Bus) -> None:
    """Wait until reporting has committed both topics."""
    for topic in (VERDICTS.name, DELIVERIES.name):
        await bus.caught_up(GROUP, topic)


def everything(database: Database) -> dict[str, list[dict[str, Any]]]:
    """Return every document of every collection."""
    return {collection: database.documents(collection) for collection in COLLECTIONS}


async def test_repeated_and_reordered_records_change_nothing(
    reporting: Start, tell: Tell, bus: Bus, database: Database
) -> None:
    """The same events, shuffled and told twice, leave the documents as they were."""
    assessed, attempts = a_year()
    corrected = [replace(one, event=f"{one.event}!", revision=2) for one in assessed]
    told = [*assessed, *corrected, *(one for several in attempts.values() for one in several)]
    reporting()
    await tell(told)
    await caught_up(bus)
    first = everything(database)
    assert len(first["assessments"]) == len(assessed) * 2
    random.Random(6766).shuffle(told)  # noqa: S311 - an order, not a secret
    await tell(told)
    await caught_up(bus)
    assert everything(database) == first


@pytest.mark.parametrize(
    "fault",
    [
        fault_plan.kill_before(STORE, "Store.keep_assessments", call=2),
        fault_plan.kill_after(STORE, "Store.keep_assessments", call=1),
        fault_plan.kill_after(STORE, "Store.keep_alerts", call=1),
    ],
    ids=["before-a-write", "before-the-commit", "before-the-commit-of-alerts"],
)
async def test_killed_inside_a_batch_nothing_is_lost_or_kept_twice(
    reporting: Start, tell: Tell, bus: Bus, database: Database, fault: str
) -> None:
    """The next process takes the batch again and ends where an undisturbed one ends."""
    assessed, attempts = a_year()
    alerts = [one for several in attempts.values() for one in several]
    killed = reporting(faults=[fault], ready=False, DONDOC_REPORTING_BATCH_RECORDS="20")
    await tell([*assessed, *alerts])
    await killed.ended()
    reporting()
    await caught_up(bus)
    assert len(database.documents("assessments")) == len(assessed)
    assert len(database.documents("alerts")) == len(alerts)


async def test_a_rebuild_from_the_log_gives_the_same_documents(
    reporting: Start, tell: Tell, bus: Bus, database: Database
) -> None:
    """A second group in a second database, reading from the start in other batches, holds the same bytes."""
    assessed, attempts = a_year()
    corrected = [replace(one, event=f"{one.event}!", revision=2) for one in assessed[::3]]
    reporting()
    await tell([*assessed, *corrected, *(one for several in attempts.values() for one in several)])
    await caught_up(bus)
    rebuilt = f"{database.name}-rebuilt"
    again = {"DONDOC_REPORTING_GROUP": "rebuild", "DONDOC_REPORTING_MONGO_DATABASE": rebuilt}
    try:
        reporting(DONDOC_REPORTING_BATCH_RECORDS="7", **again)
        for topic in (VERDICTS.name, DELIVERIES.name):
            await bus.caught_up("rebuild", topic)
        mirror = replace(database, name=rebuilt)
        assert everything(mirror) == everything(database)
    finally:
        database.client.drop_database(rebuilt)


async def test_a_poison_record_is_set_aside_and_stops_nobody(
    reporting: Start, tell: Tell, ask: Ask, bus: Bus, database: Database
) -> None:
    """It lies byte for byte among the dead letters with its reason; what came before and after it is kept."""
    service = reporting()
    await tell([an_assessed()])
    for poison in (b"{not json", b'{"id":"x","type":"vn.dondoc.other.v1","data":{}}', None):
        await bus.publish(VERDICTS.name, poison, key="h-00")
    naive = a_verdict(an_assessed(revision=9))
    naive["data"]["recorded_at"] = "2026-01-01T00:00:00"
    await bus.publish(VERDICTS.name, naive, key="h-00")
    await bus.publish(DELIVERIES.name, b"[]", key="h-00")
    await tell([an_assessed(a_key("h-01"))])
    await caught_up(bus)
    dead = await bus.records(VERDICTS.dead_letter)
    assert [record.value for record in dead][:3] == [
        b"{not json",
        b'{"id":"x","type":"vn.dondoc.other.v1","data":{}}',
        None,
    ]
    assert all(record.headers["dondoc-reason"] for record in dead)
    assert len(dead) == 4
    assert len(await bus.records(DELIVERIES.dead_letter)) == 1
    assert [document["agency"] for document in database.documents("assessments")] == ["h-00", "h-01"]
    figures = (await ask(service, "/metrics")).text
    assert 'reporting_dead_letters_total{topic="verdicts"} 4.0' in figures


async def test_a_question_about_the_past_gets_the_answer_of_then(
    reporting: Start, tell: Tell, ask: Ask, bus: Bus
) -> None:
    """What was recorded after `known_at` does not exist for it; an older revision that comes late changes nothing."""
    service = reporting()
    silent = an_assessed(revision=1)
    came = DUE - timedelta(hours=1)
    found_later = an_assessed(
        revision=2,
        recorded_at=DUE + timedelta(days=5),
        timeline=a_timeline(Status.ON_TIME, effective_at=came, flags=("was_overdue",)),
    )
    await tell([found_later, silent, an_attempt(at=DUE + timedelta(days=1)), an_attempt(at=DUE + timedelta(days=9))])
    await caught_up(bus)

    async def status(as_of: Any, known_at: Any) -> tuple[str, int]:
        answer = await ask(service, "/v1/duties", as_of=as_of.isoformat(), known_at=known_at.isoformat())
        (duty,) = answer.json()["duties"]
        return duty["status"], duty["urging"]["urgings"]

    assert await status(DUE + timedelta(days=2), DUE + timedelta(days=2)) == ("overdue", 1)
    assert await status(DUE + timedelta(days=2), DUE + timedelta(days=5)) == ("on_time", 1)
    assert await status(DUE + timedelta(days=10), DUE + timedelta(days=10)) == ("on_time", 2)
    assert await status(DUE - timedelta(days=2), DUE + timedelta(days=9)) == ("pending", 0)
    nothing_known = await ask(service, "/v1/duties", as_of=AS_OF.isoformat(), known_at="2020-01-01T00:00:00Z")
    assert nothing_known.json()["duties"] == []


async def test_the_database_away_for_a_while_loses_nothing(
    reporting: Start, tell: Tell, ask: Ask, bus: Bus, mongod: Mongod
) -> None:
    """The batch waits and is kept when the database is back; meanwhile the interface says so."""
    service = reporting()
    assert (await ask(service, "/readyz")).status_code == 200
    mongod.kill()
    await tell([an_assessed()])
    refused = await ask(service, "/v1/duties")
    assert (refused.status_code, refused.json()["type"]) == (503, "/problems/unavailable")
    assert refused.headers["retry-after"]
    assert (await ask(service, "/readyz")).json()["mongo"] is False
    mongod.start()
    await caught_up(bus)
    assert (await ask(service, "/v1/duties")).json()["total"] == 1


async def test_every_question_is_answered_from_an_index(
    reporting: Start, tell: Tell, bus: Bus, database: Database
) -> None:
    """No question reads a whole collection."""
    reporting()
    assessed, attempts = a_year()
    await tell([*assessed, *(one for several in attempts.values() for one in several)])
    await caught_up(bus)
    key = str(a_key())
    plans = [
        _explained(database, "assessments", {"plan": "6766-KH-UBND", "period": {"$in": ["2026", None]}}),
        _explained(database, "assessments", {"_id": {"$gte": "6766-KH-UBND|h-00|", "$lt": "6766-KH-UBND|h-00|\x7f"}}),
        _explained(database, "assessments", {"_id": {"$in": [f"{key}|{1:019d}"]}}),
        _explained(database, "alerts", {"duties": {"$in": [key]}, "attempted_at": {"$lte": AS_OF}}),
    ]
    assert [plan for plan in plans if "COLLSCAN" in plan or not ("IXSCAN" in plan or "IDHACK" in plan)] == []


def _explained(database: Database, collection: str, condition: dict[str, Any]) -> str:
    return str(database[collection].find(condition).explain()["queryPlanner"]["winningPlan"])


async def test_an_unwritable_dead_letter_stops_without_a_commit(reporting: Start, bus: Bus) -> None:
    """Nothing is lost: the poison record is still there for the next process."""
    fault = fault_plan.raise_before("services.runtime.dead_letters", "DeadLetters.set_aside")
    service = reporting(faults=[fault])
    await bus.publish(VERDICTS.name, b"{", key="h-00")
    await service.ended()
    assert sum((await bus.committed(GROUP, VERDICTS.name)).values()) == 0
    reporting()
    await caught_up(bus)
    assert len(await bus.records(VERDICTS.dead_letter)) == 1
