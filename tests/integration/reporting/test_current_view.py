"""The current view on a real database: it says what the log of revisions says, however it was written."""

import asyncio
import random
import secrets
from collections.abc import AsyncIterator, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

import msgspec
import pytest

from schemas.events.assessments import Status
from services.reporting import event_decoder
from services.reporting.core import json_views
from services.reporting.core.access.readers import EVERYTHING, ReaderScope
from services.reporting.core.timeline import AssessmentRevision
from services.reporting.current import view as view_module
from services.reporting.current import view_documents
from services.reporting.current.current_duties import CurrentDuties
from services.reporting.current.view import MARKS, CurrentView
from services.reporting.event_decoder import RecordedAssessment, RecordedAttempt
from services.reporting.queries import DutyFilter, QueryContext, ReportingQueries
from services.reporting.store import ASSESSMENTS, CURRENT, PlanDutyFilter, ReportingStore
from services.runtime import mongo
from services.runtime.kafka.log_coverage import Coverage
from services.runtime.state.checkpoints import Checkpoint
from tests.support.builders.annual_report import AS_OF, DUE, a_key, a_plan, a_registry, a_revision, a_timeline, a_year
from tests.support.builders.annual_report_events import a_delivery_event, a_verdict_event
from tests.support.clients.reporting_archive import PublishedInMemory
from tests.support.servers.mongo import Database

GROUP = ReaderScope(groups=frozenset({"ubnd-huyen"}))
INSTANTS = (
    DUE - timedelta(days=40),
    DUE - timedelta(days=5),
    DUE + timedelta(days=2),
    AS_OF,
    AS_OF + timedelta(days=9),
)


@pytest.fixture
async def store(database: Database) -> AsyncIterator[ReportingStore]:
    """Return a store on this test's database, which has all that an empty log has."""
    client = mongo.connect(database.url)
    opened = ReportingStore(client, database.name, partitions=1)
    nothing = Checkpoint(coverage=Coverage(next_offset=0), must_reach=0, begun_at=datetime(2026, 12, 1, tzinfo=UTC))
    opened.checkpoints.require({})
    await opened.checkpoints.begin(dict.fromkeys(opened.checkpoints.partitions, nothing), was_known=False)
    yield opened
    client.close()


async def test_the_view_says_what_the_log_says(store: ReportingStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Records in any order, some twice: lists and reports of any two instants are the same from the view as without."""
    monkeypatch.setattr(view_module, "INSERTED_AT_ONCE", 25)
    view = CurrentView(store)
    revisions, attempts = list(build_revisions()), build_attempts()
    shuffle = random.Random(6766).shuffle  # noqa: S311 - an order, not a secret
    with_view, without = ask(store, view), ask(store, None)
    for _ in range(2):
        shuffle(revisions)
        shuffle(attempts)
        for begin in range(0, len(revisions), 60):
            await view.insert_assessments(list(map(record, revisions[begin : begin + 60])))
            await view.insert_attempts(attempts[begin : begin + 60])
        for as_of, known_at, scope in product(INSTANTS, INSTANTS, (EVERYTHING, GROUP)):
            context = QueryContext(as_of=as_of, known_at=known_at, scope=scope)
            assert await describe(with_view, context) == await describe(without, context), context


@pytest.mark.parametrize("named_max", [4, 300])
async def test_who_asks_after_every_write_knows_what_one_knows_who_reads_everything(
    store: ReportingStore, database: Database, monkeypatch: pytest.MonkeyPatch, named_max: int
) -> None:
    """Marks name what was changed: by writes side by side, by more than they name, and by one that names nothing."""
    monkeypatch.setattr(view_documents, "NAMED_MAX", named_max)
    view, chance = CurrentView(store), random.Random(6766)  # noqa: S311 - an order, not a secret
    revisions, attempts = list(build_revisions()), build_attempts()
    chance.shuffle(revisions)
    question = PlanDutyFilter(plan=revisions[0].key.plan, periods=("2026", None))
    asking = CurrentDuties(view, lambda _record: None)
    while revisions or attempts:
        several = [[revisions.pop() for _ in range(min(chance.choice((1, 1, 2, 5)), len(revisions)))] for _ in range(3)]
        tried = [attempts.pop() for _ in range(min(2, len(attempts)))]
        await asyncio.gather(
            *(view.insert_assessments(list(map(record, one))) for one in several), view.insert_attempts(tried)
        )
        if chance.random() < 0.2:
            # A version that names nothing has renewed the mark, for a duty that it has changed.
            key = a_key("h-03")
            database[CURRENT].update_one({"_id": str(key)}, {"$set": {"last_write": "earlier", "attempts": {}}})
            database[MARKS].update_many({}, {"$set": {"last_write": secrets.token_hex(16)}})
        known, anew = await asking.find(question), await CurrentDuties(view, lambda _record: None).find(question)
        assert (known.assessments, known.attempts, known.version) == (anew.assessments, anew.attempts, anew.version)
        assert set(known.boundaries) >= set(anew.boundaries)


async def test_a_conflict_is_told_by_its_position_in_the_batch_and_folded_nowhere(
    store: ReportingStore, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A batch is inserted in portions: the forged record of a later one has its place in the whole batch."""
    monkeypatch.setattr(view_module, "INSERTED_AT_ONCE", 2)
    view = CurrentView(store)
    sound = [record(a_revision(a_key(f"a-{number}"))) for number in range(5)]
    assert not await view.insert_assessments(sound)
    before = read_view(database)
    forged = record(a_revision(a_key("a-3"), recorded_at=AS_OF))
    new = record(a_revision(a_key("a-9")))
    assert await view.insert_assessments([*sound[:3], forged, new]) == {3}
    after = read_view(database)
    assert [one for one in after if one in before] == before
    assert len(after) == len(before) + 1


async def test_a_kill_before_the_view_was_written_loses_nothing(store: ReportingStore, database: Database) -> None:
    """The batch comes again: what the log has already is folded now, and what was folded stays as it is."""
    view = CurrentView(store)
    older, newer = (record(a_revision(revision=number)) for number in (1, 2))
    await store.insert_assessments([newer])
    await view.insert_assessments([newer, older])
    before = read_view(database)
    await view.insert_assessments([older])
    assert read_view(database) == before
    context = QueryContext(as_of=AS_OF, known_at=AS_OF, scope=EVERYTHING)
    assert [line.revision for line in (await ask(store, view).find_lines(DutyFilter(), context)).lines] == [2]


async def test_a_view_that_was_filled_anew_is_read_anew(store: ReportingStore, database: Database) -> None:
    """What was read of a database before it was dropped is not taken for what is in it after as many writes."""
    view = CurrentView(store)
    revisions = [record(a_revision(revision=number)) for number in (1, 2)]
    queries = ask(store, view)
    context = QueryContext(as_of=AS_OF, known_at=AS_OF, scope=EVERYTHING)
    await view.insert_assessments(revisions[:1])
    await queries.find_lines(DutyFilter(), context)
    await view.insert_assessments(revisions[1:])
    for name in (ASSESSMENTS, CURRENT, MARKS):
        database[name].delete_many({})
    await view.insert_assessments(revisions)
    assert [line.revision for line in (await queries.find_lines(DutyFilter(), context)).lines] == [2]


async def test_a_revision_with_other_content_changes_no_view(store: ReportingStore, database: Database) -> None:
    """What is refused as a conflict is not folded."""
    view = CurrentView(store)
    await view.insert_assessments([record(a_revision())])
    before = read_view(database)
    assert await view.insert_assessments([record(a_revision(spans=a_timeline(Status.LATE)))]) == {0}
    assert read_view(database) == before


async def test_the_questions_to_the_view_read_only_what_they_return(store: ReportingStore, database: Database) -> None:
    """The very queries, explained: an index leads to each document, and each document that is read is returned."""
    view = CurrentView(store)
    await view.insert_assessments(list(map(record, build_revisions())))
    await view.insert_attempts(build_attempts())
    keys = [one["_id"] for one in database.documents(CURRENT)]
    client = database.client[database.name]
    client.command("profile", 2)
    questions = (
        DutyFilter(plan="6766-KH-UBND", obligation="annual-results", periods=("2026",)),
        DutyFilter(plan="6766-KH-UBND", periods=("2026", "2026-Q1", None)),
        DutyFilter(plan="6766-KH-UBND"),
    )
    for question in questions:
        duties = question.in_plan("6766-KH-UBND")
        await view.find_version(duties)
        assert await view.find_last_writes(duties)
    assert len(await view.find_documents(keys[:20])) == 20
    client.command("profile", 0)
    profiled = list(
        client["system.profile"].find({"ns": {"$in": [f"{client.name}.{CURRENT}", f"{client.name}.{MARKS}"]}})
    )
    assert len(profiled) >= 7
    for one in profiled:
        assert one["docsExamined"] <= one["nreturned"], one["command"]
        assert one["ns"].endswith(MARKS) or "COLLSCAN" not in one["planSummary"], one["command"]


def build_revisions() -> Iterator[AssessmentRevision]:
    """Yield a year of assessments, each duty with three revisions that were recorded a fortnight apart."""
    revisions, _ = a_year()
    for one in revisions:
        for number in (1, 2, 3):
            recorded_at = DUE - timedelta(days=45 - 14 * number)
            spans = one.timeline if number == 3 else a_timeline(Status.INCOMPLETE)
            yield a_revision(one.key, revision=number, spans=spans, recorded_at=recorded_at)
    yield a_revision(a_key("h-03", period="2025"), recorded_at=AS_OF)


def build_attempts() -> list[RecordedAttempt]:
    """Return the attempts of the same year, as they are decoded."""
    _, attempts = a_year()
    events = (msgspec.json.encode(a_delivery_event(one)) for several in attempts.values() for one in several)
    return [event_decoder.decode_delivery(event) for event in events]


def record(revision: AssessmentRevision) -> RecordedAssessment:
    """Return a revision as it is decoded from its record."""
    return event_decoder.decode_verdict(msgspec.json.encode(a_verdict_event(revision)))


def ask(store: ReportingStore, view: CurrentView | None) -> ReportingQueries:
    """Return the queries, on the view or on the log alone."""
    return ReportingQueries(store, PublishedInMemory(a_plan(), a_registry()), view=view)


async def describe(queries: ReportingQueries, context: QueryContext) -> Mapping[str, Any]:
    """Return every list and the whole report of 2026 as JSON, with the digest."""
    lines = (await queries.find_lines(DutyFilter(), context)).lines
    report = await queries.compile_report("6766-KH-UBND", "2026", context)
    return {"lines": list(map(json_views.render_duty, lines)), "report": json_views.render_report(report)}


def read_view(database: Database) -> list[Any]:
    """Return what the view says, without by which writes."""
    return [{**one, "last_write": None} for one in database.documents(CURRENT)]
