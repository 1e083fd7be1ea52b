"""What reporting answers is, byte for byte, what `dondoc results` prints of the same facts."""

import asyncio
import contextlib
import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from schemas.lint import documents
from schemas.lint.documents import PLAN_FILE, REGISTRY_FILE
from schemas.plan.plan import Plan
from schemas.plan.registry import Registry
from services.console.main import app
from services.reporting.cited_documents import NotFoundError
from services.reporting.content import results_encoding, submission_contents
from services.reporting.content.results_queries import ResultsQueries
from services.reporting.content.submission_contents import UnreadableContentError
from services.reporting.core import annual_report, duty_counts
from services.reporting.core.access.readers import EVERYTHING
from services.reporting.core.consolidation import agency_blocks
from services.reporting.core.lists import facets, filters, memoized_items, queues, sorting
from services.reporting.core.lists.memoized_items import MemoizedBlocks, MemoizedItems
from services.reporting.core.season import arrivals
from services.reporting.core.timeline import EventIdentity
from services.reporting.current.found_lines import FoundLines
from services.reporting.queries import DutyFilter, QueryContext, ReportingQueries
from services.reporting.store import StateIncompleteError
from services.rules.fact_validation import Rejection
from tests.support.builders import plans
from tests.support.builders.partition_log import NOON, PartitionLog
from tests.support.builders.plans import Json
from tests.support.clients.reporting_archive import InMemoryArchive, InMemoryView

YEARS = ("2023", "2024")
INSTANTS = [datetime(2024, 11, 30, tzinfo=UTC) + timedelta(hours=11 * number) for number in range(60)]
BY_STATUS = sorting.parse_order("-status,agency_name")
FIGURE = st.one_of(
    st.integers(0, 10**12),
    st.decimals("0", "1e9", places=3).map(str),
    st.sampled_from([0.1, 0.2, "1E+3", "3.1400000000000000000000000001", "0"]),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A plan of two obligations over a registry in which one agency was merged and another is in two groups."""
    yearly = plans.a_version(
        requires={"indicators": ["loans"], "sections": ["results"]},
        accepts={"indicators": ["overdue"], "sections": [{"id": "proposals", "title": {"vi": "Kiến nghị"}}]},
    )
    plan = plans.a_plan(
        plans.an_obligation(yearly),
        plans.an_obligation(plans.a_version(requires={}, accepts={"indicators": ["loans"]}), id="programme"),
        indicators=[
            {"code": "ratio", "kind": "ratio", "unit": "percent", "formula": "overdue * 100 / loans"},
            {"code": "loans", "unit": "million_vnd", "target": {"2024": 100}},
            {"code": "overdue", "asked_of": ["towns"]},
        ],
    )
    both = [{"id": plans.GROUP, "from": plans.SINCE}, {"id": "towns", "from": "2023-06-01"}]
    registry = plans.a_registry(
        plans.an_agency("h-mot"),
        plans.an_agency("h-hai", groups=both),
        plans.an_agency("h-ba", valid={"from": plans.SINCE, "to": "2024-06-01"}),
        groups=[{"id": plans.GROUP, "name": {"vi": "Huyện"}}, {"id": "towns", "name": {"vi": "Thị xã"}}],
        successions=[{"type": "merge_into", "from": ["h-ba"], "to": ["h-hai"], "on": "2024-06-01", "act": "NQ"}],
    )
    made = tmp_path_factory.mktemp("plan")
    for name, document in ((PLAN_FILE, plan), (REGISTRY_FILE, registry)):
        content = json.loads(document.model_dump_json(by_alias=True, exclude_none=True))
        (made / name).write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
    return made


@st.composite
def facts_of_a_log(draw: st.DrawFn) -> list[Json]:
    """Draw facts in the order of a log: reports, corrections, withdrawals, moves, extensions and exemptions."""
    facts: list[Json] = []
    for number in range(draw(st.integers(1, 12))):
        agency, year = draw(st.sampled_from(["h-mot", "h-hai", "h-ba"])), draw(st.sampled_from(YEARS))
        known = [one["id"] for one in facts] or ["s-0"]
        event, target = f"s-{number}", draw(st.sampled_from(known))
        match draw(st.sampled_from(["report"] * 5 + ["correct", "withdraw", "move", "extend", "exempt"])):
            case "withdraw":
                fact = plans.a_withdrawal(event, target)
            case "move":
                fact = plans.a_reassignment(event, target, from_=year, to="2024" if year == "2023" else "2023")
            case "extend":
                fact = plans.an_extension(event, "2024-12-20T00:00:00+07:00")
            case "exempt":
                fact = plans.an_exemption(event, "2024-12-01T00:00:00+07:00", "2024-12-31T00:00:00+07:00")
            case kind:
                fact = a_report(draw, event, year, corrects=target if kind == "correct" else None)
        obligation = draw(st.sampled_from([plans.OBLIGATION, plans.OBLIGATION, "programme"]))
        fact["subject"] = fact["data"]["agency"] = agency
        fact["data"]["obligation"] = obligation
        facts.append(fact | {"receivedtime": draw(st.sampled_from(INSTANTS)).isoformat()})
    return facts


def a_report(draw: st.DrawFn, event: str, year: str, *, corrects: str | None) -> Json:
    """Draw a report, complete or not."""
    content = {
        "nil_return": draw(st.integers(0, 9)) == 0,
        "figures_as_of": draw(st.sampled_from([f"{year}-11-30", f"{year}-12-31", None])),
        "sections": draw(st.dictionaries(st.sampled_from(["results", "proposals"]), st.text(max_size=5))),
        "indicators": draw(st.dictionaries(st.sampled_from(["loans", "overdue"]), FIGURE)),
    }
    data: dict[str, Any] = {"period": year, "content": content, "corrects": corrects}
    data["document"] = {"number": f"{event}/BC", "issued_on": "2024-12-01", "signed_by": "A", "title": "BC"}
    return plans.a_submission(event, data=data)


def fill(folder: Path, facts: list[Json]) -> tuple[InMemoryArchive, list[Json]]:
    """Return what reporting stores of *facts*, and the facts as the log holds them."""
    plan, registry = read_documents(folder)
    log, archive, recorded = PartitionLog(plan, registry), InMemoryArchive(), []
    for assessment in log.adopt_raw():
        archive.store_verdict(assessment)
    for fact in facts:
        with contextlib.suppress(Rejection):
            for assessment in log.append_raw(fact):
                archive.store_verdict(assessment)
        recorded_at = log.position.recorded_at
        archive.store_fact(json.dumps(fact, ensure_ascii=False).encode(), recorded_at=recorded_at)
        recorded.append(fact | {"recordedtime": recorded_at.isoformat()})
    return archive, recorded


@cache
def read_documents(folder: Path) -> tuple[Plan, Registry]:
    """Return the plan and registry in *folder*."""
    return (
        documents.parse_plan((folder / PLAN_FILE).read_text(encoding="utf-8")),
        documents.parse_registry((folder / REGISTRY_FILE).read_text(encoding="utf-8")),
    )


def answer(folder: Path, archive: InMemoryArchive, context: QueryContext) -> bytes:
    """Return the document that reporting answers with about 2024."""
    queries = ResultsQueries(archive.ask(*read_documents(folder)), archive)
    results = asyncio.run(queries.find_results(plans.PLAN, "2024", context)).results
    return results_encoding.complete_document(results, results_encoding.encode_obligations(results, EVERYTHING))


def print_results(folder: Path, recorded: list[Json], context: QueryContext) -> bytes:
    """Return what `dondoc results` prints about 2024."""
    path = folder / "facts.jsonl"
    path.write_text("".join(f"{json.dumps(one, ensure_ascii=False)}\n" for one in recorded), encoding="utf-8")
    instants = ["--at", context.as_of.isoformat(), "--known-at", context.known_at.isoformat()]
    command = ["results", str(folder), "--facts", str(path), "--period", "2024", *instants]
    printed = CliRunner().invoke(app, command)
    assert printed.exit_code == 0, printed.stderr
    return printed.stdout_bytes


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=20, deadline=None)
@given(facts=facts_of_a_log(), as_of=st.sampled_from(INSTANTS), known=st.integers(0, 12))
def test_reporting_answers_what_the_command_prints(
    folder: Path, facts: list[Json], as_of: datetime, known: int
) -> None:
    """For any facts, at any instant, by what was known at any other."""
    archive, recorded = fill(folder, facts)
    context = QueryContext(scope=EVERYTHING, as_of=as_of, known_at=NOON + timedelta(seconds=known))
    assert answer(folder, archive, context) == print_results(folder, recorded, context)


REPORT = plans.a_submission(
    data={"content": {"nil_return": False, "sections": {"results": "x"}, "indicators": {"loans": "0.10"}}},
    receivedtime="2024-12-01T05:00:00Z",
)
MIDDLE = QueryContext(scope=EVERYTHING, as_of=INSTANTS[30], known_at=INSTANTS[30])


def test_a_fact_that_is_stored_a_moment_after_its_verdict_is_waited_for(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Facts and verdicts are read side by side: an officer's page must not fail because one is a moment behind."""
    archive, _ = fill(folder, [REPORT])
    facts = dict(archive.facts)
    archive.facts.clear()
    find, asked = InMemoryArchive.find_events, []

    async def store_after_the_first_question(
        self: InMemoryArchive, identities: Iterable[EventIdentity], known_at: datetime
    ) -> Any:
        asked.append(await find(self, identities, known_at))
        self.facts.update(facts)
        return asked[-1]

    monkeypatch.setattr(InMemoryArchive, "find_events", store_after_the_first_question)
    assert b'"total": "0.1"' in answer(folder, archive, MIDDLE)
    assert [len(found) for found in asked] == [0, 1]


def test_a_verdict_whose_fact_is_not_stored_is_not_answered_without_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A figure that is about to come must not read as one not given."""
    monkeypatch.setattr(submission_contents, "LATECOMERS_SECONDS", 0.0)
    archive, _ = fill(folder, [REPORT])
    assert b'"total": "0.1"' in answer(folder, archive, MIDDLE)
    archive.facts.clear()
    with pytest.raises(StateIncompleteError):
        answer(folder, archive, MIDDLE)


async def test_facts_that_are_read_anew_meanwhile_give_no_answer(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Verdicts of before a loss are not answered together with facts of after it."""
    archive, _ = fill(folder, [REPORT])
    queries = ResultsQueries(archive.ask(*read_documents(folder)), archive)
    find = InMemoryArchive.find_events

    async def lose(self: InMemoryArchive, identities: Iterable[EventIdentity], known_at: datetime) -> Any:
        self.generation += 1
        return await find(self, identities, known_at)

    monkeypatch.setattr(InMemoryArchive, "find_events", lose)
    with pytest.raises(StateIncompleteError):
        await queries.find_results(plans.PLAN, "2024", MIDDLE)
    monkeypatch.undo()
    assert (await queries.find_results(plans.PLAN, "2024", MIDDLE)).results.obligations


async def test_a_plan_that_was_never_published_is_not_found(folder: Path) -> None:
    """It is told from a plan of which no duty is assessed yet."""
    archive, _ = fill(folder, [REPORT])
    archive.verdicts.clear()
    queries = ResultsQueries(archive.ask(*read_documents(folder)), archive)
    with pytest.raises(NotFoundError):
        await queries.find_results("P-2", "2024", MIDDLE)


def test_a_damaged_record_is_not_answered_without(folder: Path) -> None:
    """The document has no place for what it lacks; the error counts the records."""
    archive, _ = fill(folder, [REPORT])
    archive.facts = {key: replace(fact, record=b"{") for key, fact in archive.facts.items()}
    with pytest.raises(UnreadableContentError, match="1 of the stored records"):
        answer(folder, archive, MIDDLE)


def describe_blocks(found: FoundLines) -> tuple[object, ...]:
    """Return what pages show of lines, as it is put together of blocks."""
    shown = found.listed.narrow(filters.narrow_lines, filters.APPLICABLE)
    return (
        found.lines,
        shown.derive(duty_counts.count_duties, duty_counts.add_counts),
        shown.derive(annual_report.count_by_group, annual_report.add_group_counts),
        shown.derive(queues.fill_queues, queues.join_queues),
        found.placed.derive(arrivals.tally_arrivals, arrivals.add_arrivals),
        facets.count_facets(found.listed, filters.APPLICABLE),
        sorting.paginate(shown, order=BY_STATUS, limit=2, after=None).lines,
    )


def describe_whole(found: FoundLines) -> tuple[object, ...]:
    """Return the same of all lines at once."""
    shown = filters.filter_lines(found.lines, filters.APPLICABLE)
    whole = MemoizedBlocks([MemoizedItems(found.lines)] if found.lines else [])
    return (
        found.lines,
        duty_counts.count_duties(shown),
        annual_report.count_by_group(shown),
        queues.fill_queues(shown),
        arrivals.add_arrivals([arrivals.tally_arrivals(found.states)]),
        facets.count_facets(whole, filters.APPLICABLE),
        sorting.sort_lines(shown, BY_STATUS)[:2],
    )


async def compare_answers(
    kept: ReportingQueries,
    kept_results: ResultsQueries,
    anew: ReportingQueries,
    archive: InMemoryArchive,
    context: QueryContext,
) -> None:
    """Fail where whoever was asked before answers something else than one who reads everything."""
    expected = await ResultsQueries(anew, archive).find_results(plans.PLAN, "2024", context)
    found = await kept_results.find_results(plans.PLAN, "2024", context)
    assert (found.results, found.reviewed.items) == (expected.results, expected.reviewed.items)
    for obligation in (None, plans.OBLIGATION, "programme"):
        duties = DutyFilter(plan=plans.PLAN, obligation=obligation, periods=("2024",))
        lines, lines_anew = await kept.find_lines(duties, context), await anew.find_lines(duties, context)
        assert describe_blocks(lines) == describe_whole(lines_anew)
    report = await kept.compile_report(plans.PLAN, "2024", context)
    assert report == await anew.compile_report(plans.PLAN, "2024", context)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=20, deadline=None)
@given(facts=facts_of_a_log(), asked=st.lists(st.sampled_from(INSTANTS), min_size=1, max_size=3))
def test_what_is_kept_changes_no_answer(
    folder: Path, monkeypatch: pytest.MonkeyPatch, facts: list[Json], asked: list[datetime]
) -> None:
    """After any facts, about any instants in turn: who was asked before answers as one who reads everything anew."""
    monkeypatch.setattr(agency_blocks, "BLOCK_AGENCIES", 1)
    monkeypatch.setattr(memoized_items, "BLOCK_ITEMS", 2)
    plan, registry = read_documents(folder)
    log, archive, view = PartitionLog(plan, registry), InMemoryArchive(), InMemoryView(named_max=2)
    kept = archive.ask(plan, registry, view=view)
    kept_results = ResultsQueries(kept, archive)
    recorded = [log.position.recorded_at]

    async def compare() -> None:
        for as_of, known_at in product(asked, (NOON + timedelta(days=1), recorded[len(recorded) // 2])):
            context = QueryContext(scope=EVERYTHING, as_of=as_of, known_at=known_at)
            await compare_answers(kept, kept_results, archive.ask(plan, registry), archive, context)

    async def follow() -> None:
        for verdict in log.adopt_raw():
            archive.store_verdict(verdict)
            view.store_verdict(verdict)
        for fact in facts:
            verdicts: list[bytes] = []
            with contextlib.suppress(Rejection):
                verdicts += log.append_raw(fact)
            recorded.append(log.position.recorded_at)
            archive.store_fact(json.dumps(fact).encode(), recorded_at=recorded[-1])
            for verdict in verdicts:
                archive.store_verdict(verdict)
                view.store_verdict(verdict)
            await compare()

    asyncio.run(follow())


def test_no_figure_outlives_the_facts_that_it_was_read_from(folder: Path) -> None:
    """The topic was lost and filled again: the event of the same id has another figure, and the verdicts are equal."""
    plan, registry = read_documents(folder)
    log, archive, view = PartitionLog(plan, registry), InMemoryArchive(), InMemoryView()
    for verdict in (*log.adopt_raw(), *log.append_raw(REPORT)):
        archive.store_verdict(verdict)
        view.store_verdict(verdict)
    archive.store_fact(json.dumps(REPORT).encode(), recorded_at=log.position.recorded_at)
    queries = ResultsQueries(archive.ask(plan, registry, view=view), archive)

    async def find_total() -> Decimal | None:
        found = await queries.find_results(plans.PLAN, "2024", MIDDLE)
        return next(one.total for one in found.results.obligations[0].indicators if one.indicator.code == "loans")

    async def ask_before_and_after() -> tuple[Decimal | None, Decimal | None]:
        before = await find_total()
        archive.facts.clear()
        archive.generation += 1
        refilled = json.dumps(REPORT).replace('"0.10"', '"7"').encode()
        archive.store_fact(refilled, recorded_at=log.position.recorded_at)
        return before, await find_total()

    assert asyncio.run(ask_before_and_after()) == (Decimal("0.1"), Decimal(7))
