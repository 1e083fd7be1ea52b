"""Reporting's store on a real mongod whose write concern fails or whose node is interrupted by a fail point."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiokafka import TopicPartition

from schemas.events.ids import DutyKey
from services.reporting.event_decoder import DecodedFact
from services.reporting.store import FACTS, DatabaseUnavailableError, ReportingStore, StateIncompleteError
from services.reporting.stored_documents import StoredFact
from services.runtime.kafka.log_coverage import Coverage
from services.runtime.state.checkpoints import Checkpoint
from services.runtime.state.mongo_checkpoints import Generation, MongoCheckpoints
from tests.support.servers.mongo import DRIVERS, Database, open_client

RECORDED_AT = datetime(2026, 12, 1, 2, tzinfo=UTC)
FAILED_CONCERNS = [{"code": 91, "errmsg": "Replication is being shut down"}, {"code": 64, "errmsg": "timed out"}]


def a_fact(number: int, **changes: Any) -> DecodedFact:
    """Return the fact with *number*."""
    fields: dict[str, Any] = {
        "receiptid": f"{number:032x}",
        "receivedtime": "2026-12-01T02:00:00.000Z",
        "recorded_at": RECORDED_AT,
        "event": f"s-{number}",
        "source": "urn:x",
        "type": "t",
        "duty": DutyKey(plan="p", agency="h-ba", obligation="o", period="2026"),
        "digest": "d",
        "record": b"{}",
    }
    return DecodedFact(**fields | changes)


@pytest.fixture(params=DRIVERS)
async def store(request: pytest.FixtureRequest, database: Database) -> AsyncIterator[ReportingStore]:
    """Return a store of either driver on this test's database, which has all that an empty log has."""
    async with open_client(request.param, database.url) as client:
        yield await _open_store(client, database)


async def _open_store(client: Any, database: Database) -> ReportingStore:
    opened = ReportingStore(client, database.name, partitions=1)
    nothing = Checkpoint(coverage=Coverage(next_offset=0), must_reach=0, begun_at=datetime(2026, 12, 1, tzinfo=UTC))
    opened.checkpoints.require({})
    await opened.checkpoints.begin(dict.fromkeys(opened.checkpoints.partitions, nothing), was_known=False)
    return opened


@pytest.mark.parametrize("concern", FAILED_CONCERNS, ids=lambda one: str(one["code"]))
async def test_a_failed_write_concern_is_tried_again(
    store: ReportingStore, database: Database, concern: dict[str, Any]
) -> None:
    """New facts and stored ones raise "unavailable" until the majority acknowledges them, and are stored once."""
    facts = [a_fact(1), a_fact(2)]
    with database.fail_commands("insert", writeConcernError=concern):
        for _ in range(2):  # the second time every insert is a duplicate, and still not acknowledged
            with pytest.raises(DatabaseUnavailableError):
                await store.insert_facts(facts)
    await store.insert_facts(facts)
    assert [one["_id"] for one in database.documents(FACTS)] == [one.receiptid for one in facts]


@pytest.mark.parametrize("code", [11602, 50])
async def test_an_interrupted_operation_is_tried_again(store: ReportingStore, database: Database, code: int) -> None:
    """A step-down and a time-out raise "unavailable" for writes and queries alike."""
    with database.fail_commands("insert", "find", errorCode=code):
        with pytest.raises(DatabaseUnavailableError):
            await store.insert_facts([a_fact(1)])
        with pytest.raises(DatabaseUnavailableError):
            await store.find_fact(a_fact(1).receiptid)
    await store.insert_facts([a_fact(1)])
    found = StoredFact(receiptid=a_fact(1).receiptid, recorded_at=RECORDED_AT, record=b"{}")
    assert await store.find_fact(a_fact(1).receiptid) == found


async def test_the_first_fact_of_a_receipt_stays(store: ReportingStore, database: Database) -> None:
    """Sent again after a day it is the same fact, recorded later; with other content it is a conflict."""
    await store.insert_facts([a_fact(1)])
    again = a_fact(1, recorded_at=RECORDED_AT + timedelta(days=1), record=b"{ }")
    assert await store.insert_facts([again, a_fact(2)]) == frozenset()
    assert await store.insert_facts([a_fact(3), a_fact(1, digest="e")]) == {1}
    assert {one["record"] for one in database.documents(FACTS)} == {b"{}"}


async def test_facts_are_found_by_docket_and_by_identity_as_known(store: ReportingStore) -> None:
    """A docket is plan, agency and obligation, whatever the period; what was recorded later is not known."""
    other = DutyKey(plan="p", agency="h-ba", obligation="o-2", period="2026")
    later = RECORDED_AT + timedelta(milliseconds=1)
    moved = DutyKey(plan="p", agency="h-ba", obligation="o", period=None)
    await store.insert_facts([a_fact(1), a_fact(2, duty=other), a_fact(3, duty=moved, recorded_at=later)])
    for known_at, numbers in ((RECORDED_AT, [1]), (later, [1, 3])):
        docket = await store.find_docket(a_fact(1).duty, known_at)
        assert sorted(one.receiptid for one in docket) == [f"{number:032x}" for number in numbers]
        events = await store.find_events([("urn:x", "s-1"), ("urn:x", "s-3"), ("urn:y", "s-2")], known_at)
        assert sorted(one.receiptid for one in events) == [f"{number:032x}" for number in numbers]
        about = await store.find_facts_about([a_fact(1).duty, moved], known_at)
        assert sorted(one.receiptid for one in about) == [f"{number:032x}" for number in numbers]


async def test_an_answer_needs_a_database_that_is_complete_all_the_while(
    store: ReportingStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that is complete only afterwards, or was filled anew meanwhile, may have lacked what was asked for."""
    first, second, moved = (
        Generation(database=name, begun=frozenset({(TopicPartition("t", 0), begun)}))
        for name, begun in (("a", RECORDED_AT), ("a", RECORDED_AT + timedelta(seconds=1)), ("b", RECORDED_AT))
    )
    last: list[Generation | None] = [None]
    seen: list[Generation | None] = []

    async def find_generation() -> Generation | None:
        last[:] = [seen.pop(0)]
        return last[0]

    monkeypatch.setattr(store.checkpoints, "find_generation", find_generation)
    monkeypatch.setattr(MongoCheckpoints, "last_generation", property(lambda _: last[0]))
    for generations, is_answered in (
        ([None, first], False),  # nothing is known of it before
        ([first], True),
        ([second], False),
        ([moved], True),
        ([None], False),
        ([first, first], True),
    ):
        seen[:] = generations
        if is_answered:
            assert await store.find_fact("x") is None
        else:
            with pytest.raises(StateIncompleteError):
                await store.find_fact("x")
        assert not seen


async def test_who_was_told_that_it_is_complete_gets_an_answer(store: ReportingStore) -> None:
    """Also where the database was filled anew since the last question."""
    for begun in (RECORDED_AT, RECORDED_AT + timedelta(seconds=1)):
        places = dict.fromkeys(
            store.checkpoints.partitions, Checkpoint(coverage=Coverage(next_offset=0), must_reach=0, begun_at=begun)
        )
        await store.checkpoints.begin(places, was_known=False)
        assert not await store.checkpoints.find_incomplete()  # as the readiness check asks
        assert await store.find_fact("x") is None
