"""What one partition knows and says: once each, the same after a restore, the same for the same log."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from schemas.ids import DutyKey
from schemas.plan import Plan
from schemas.registry import Registry
from services.rules import adoption, keeper, reader, states
from services.rules.books import Books
from services.rules.core.assess import assess
from services.rules.core.docket import Docket
from services.rules.judgement import Refused
from services.rules.keeper import Keeper
from services.rules.verdicts import Applied
from tests.support import builders

NOON = datetime(2024, 12, 1, 5, tzinfo=UTC)
FIRST, SECOND, _ = builders.AGENCIES


class Shelf:
    """The published documents, without a bus."""

    def __init__(self, *documents: Plan | Registry) -> None:
        self.documents = list(documents)

    def plan(self, plan_id: str) -> Plan | None:
        found = [one for one in self.documents if isinstance(one, Plan) and one.plan == plan_id]
        return max(found, key=lambda one: one.version, default=None)

    def registry(self, registry_id: str) -> Registry | None:
        found = [one for one in self.documents if isinstance(one, Registry) and one.registry == registry_id]
        return max(found, key=lambda one: one.version, default=None)

    def plans(self) -> tuple[Plan, ...]:
        ids = sorted({one.plan for one in self.documents if isinstance(one, Plan)})
        return tuple(plan for plan in map(self.plan, ids) if plan is not None)

    def version(self, kind: str, document_id: str, version: int) -> Plan | Registry | None:
        names = {
            ("plan" if isinstance(one, Plan) else "registry", _id_of(one), one.version): one for one in self.documents
        }
        return names.get((kind, document_id, version))


class Log:
    """Applies records to a keeper one after the other, as the log would hand them over."""

    def __init__(self, *documents: Plan | Registry) -> None:
        self.shelf = Shelf(*(documents or (builders.a_registry(), builders.a_plan())))
        self.books = Books(self.shelf, 1)
        self.keeper = Keeper(0, self.books)
        self.offset = -1
        self.changelog: dict[str, bytes] = {}

    def append(self, event: dict[str, Any] | bytes | None) -> list[dict[str, Any]]:
        """Apply one record and return what is said, decoded."""
        return [json.loads(value)["data"] for value in self.raw(event)]

    def raw(self, event: dict[str, Any] | bytes | None) -> list[bytes]:
        """Apply one record and return what is said, byte for byte."""
        self.offset += 1
        value = event if isinstance(event, bytes | None) else json.dumps(event).encode()
        said = list(self.keeper.apply(value, applied=self.applied))
        self.changelog.update(self.keeper.changes())
        return [value for _, value in said]

    @property
    def applied(self) -> Applied:
        """The place of the record being applied, a second after the one before."""
        return Applied(offset=self.offset, recorded_at=NOON + timedelta(seconds=self.offset))

    def adopt(self, *, now: datetime = NOON) -> list[dict[str, Any]]:
        """Append the adoption of the latest documents."""
        (book,) = self.books.all_latest()
        wanted = adoption.wanted(book, partition=0, now=now)
        return self.append(adoption.event(wanted, now=now))

    def restored(self) -> Keeper:
        """Return a keeper that starts from the changelog."""
        fresh = Keeper(0, self.books)
        for key, value in self.changelog.items():
            fresh.restore(key.encode(), value)
        assert fresh.missing_books() == ()
        return fresh


@pytest.fixture
def log() -> Log:
    """A log in which the usual plan is adopted."""
    log = Log()
    log.adopt()
    return log


def a_report(event: str = "s-1", **data: Any) -> dict[str, Any]:
    """Build a recorded submission."""
    return builders.a_submission(event, data=data, receivedtime="2024-12-01T08:00:00+07:00")


def test_adoption_speaks_of_every_duty_that_opens_before_the_horizon() -> None:
    """Three agencies, from 2016 to the year of the horizon, sent or silent."""
    said = Log().adopt()
    assert {one["agency"] for one in said} == set(builders.AGENCIES)
    assert {one["period"] for one in said} == {str(year) for year in range(2016, 2027)}


def test_a_repeated_fact_says_and_changes_nothing(log: Log) -> None:
    """The identity of an event is its source and id."""
    assert len(log.append(a_report())) == 1
    assert log.append(a_report()) == []
    assert log.keeper.changes() == []


def test_a_repeated_adoption_says_nothing(log: Log) -> None:
    """A zombie's or a replica's second word on the same versions and horizon is heard once."""
    assert log.adopt() == []


def test_a_moved_horizon_speaks_only_of_what_it_uncovers(log: Log) -> None:
    """A year later one more year of each agency is told."""
    said = log.adopt(now=NOON + timedelta(days=366))
    assert {one["period"] for one in said} == {"2027"}


def test_a_fact_before_the_adoption_waits_and_counts_then() -> None:
    """The plan is published but not adopted here: the fact is kept, and the adoption tells of it."""
    log = Log()
    assert log.append(a_report()) == []
    (said,) = [one for one in log.adopt() if (one["agency"], one["period"]) == (FIRST, "2024")]
    assert said["timeline"][-1]["status"] == "on_time"


def test_a_fact_for_an_agency_of_a_later_registry_waits_for_its_adoption(log: Log) -> None:
    """Intake may know a new version a moment before the partition adopts it."""
    agencies = [*builders.a_registry().agencies, builders.an_agency("h-moi")]
    log.shelf.documents.append(builders.a_registry(*agencies, version=2))
    assert log.append(a_report(agency="h-moi")) == []
    (said,) = [one for one in log.adopt() if (one["agency"], one["period"]) == ("h-moi", "2024")]
    assert (said["registry_version"], said["timeline"][-1]["status"]) == (2, "on_time")


def test_an_older_version_is_never_adopted_over_a_newer(log: Log) -> None:
    """A replica whose documents lag behind cannot take a plan back."""
    (old,) = log.books.all_latest()
    log.shelf.documents.append(builders.a_plan(version=2))
    log.adopt()
    late = adoption.wanted(old, partition=0, now=NOON + timedelta(days=400))
    assert log.append(adoption.event(late, now=NOON)) == []
    assert log.keeper.adoptions["P-1"].plan_version == 2


@pytest.mark.parametrize(
    "event, kind",
    [
        (None, "unreadable"),
        (b"{", "unreadable"),
        (a_report(plan="P-9"), "unknown"),
        (a_report(agency="nobody"), "unknown"),
        (a_report(period="2024-Q1"), "unknown"),
    ],
)
def test_what_cannot_be_applied_is_refused_and_leaves_no_trace(log: Log, event: Any, kind: str) -> None:
    """The refusal names its kind; the keeper knows nothing of the record."""
    before = dict(log.changelog)
    with pytest.raises(Refused) as refused:
        log.append(event)
    assert (refused.value.kind, log.keeper.changes()) == (kind, [])
    assert log.changelog == before


def test_a_duty_takes_only_so_many_facts(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    """A flood for one duty ends in dead letters, not in ever larger states; a later year is not touched by it."""
    monkeypatch.setattr(keeper, "MOST_FACTS_A_DUTY", 2)
    log.append(a_report("s-1"))
    log.append(a_report("s-2"))
    with pytest.raises(Refused) as refused:
        log.append(a_report("s-3"))
    assert refused.value.kind == "oversized"
    assert len(log.append(a_report("s-4", period="2023"))) == 1


@settings(max_examples=25)
@given(some.lists(some.integers(min_value=0, max_value=7), max_size=12))
def test_a_restored_keeper_goes_on_as_if_it_had_never_stopped(numbers: list[int]) -> None:
    """After any facts, what is said of the next one is the same byte for byte."""
    log = Log()
    log.adopt()
    facts = _facts()
    for number in numbers:
        log.raw(facts[number])
    restored = log.restored()
    last = json.dumps(a_report("s-last")).encode()
    log.offset += 1
    assert list(restored.apply(last, applied=log.applied)) == list(log.keeper.apply(last, applied=log.applied))


@settings(max_examples=25)
@given(some.lists(some.integers(min_value=0, max_value=7), max_size=12))
def test_the_same_log_gives_the_same_bytes(numbers: list[int]) -> None:
    """Replayed from the beginning, verdicts are identical."""
    facts = _facts()
    first, second = Log(), Log()
    assert first.adopt() == second.adopt()
    assert [first.raw(facts[one]) for one in numbers] == [second.raw(facts[one]) for one in numbers]


@settings(max_examples=25)
@given(some.permutations(range(8)))
def test_the_order_of_facts_changes_no_final_timeline(order: list[int]) -> None:
    """Whatever comes first, once all are known the duty stands as it stands."""
    facts = _facts()
    log, other = Log(), Log()
    for one in (log, other):
        one.adopt()
    last = [log.raw(fact) for fact in facts]
    moved = [other.raw(facts[number]) for number in order]
    assert _final(last) == _final(moved)


def test_states_are_read_back_as_they_were_written(log: Log) -> None:
    """Every kind of fact survives its state record."""
    for fact in _facts():
        log.raw(fact)
    known = log.keeper.known(DutyKey(plan="P-1", agency=FIRST, obligation="results", period="2024"))
    kept = {
        fact for key, value in log.changelog.items() if "|results|" in key for fact in map(repr, states.read(value))
    }
    assert kept == {repr(fact) for fact in known}


@settings(max_examples=50)
@given(some.lists(some.sampled_from(range(12)), unique=True))
def test_the_facts_that_bear_on_a_duty_assess_it_as_the_whole_docket_does(numbers: list[int]) -> None:
    """Leaving out the reports of other years changes nothing, whatever withdrawals, moves and reliefs there are."""
    log = Log()
    log.adopt()
    whole = Docket()
    facts = [*_facts(), *(a_report(f"o-{year}", period=str(year)) for year in (2022, 2023, 2024, 2025))]
    for number in numbers:
        log.raw(facts[number])
        whole.add(reader.read_fact(json.dumps(facts[number]).encode(), recorded_at=log.applied.recorded_at))
    (book,) = log.books.all_latest()
    for period in ("2022", "2023", "2024", "2025"):
        duty = book.duty(agency=FIRST, obligation="results", period=period)
        assert assess(duty, log.keeper.known(duty.key)) == assess(duty, whole)


def _facts() -> list[dict[str, Any]]:
    """Return one fact of every kind about the first agency, each received at its own minute."""
    move = {**a_report()["data"], "submission": "s-2", "from_period": "2024", "to_period": "2023", "reason": "Nhầm"}
    facts = [
        a_report("s-1"),
        a_report("s-2", content={"nil_return": True, "sections": {}, "indicators": {"x": 1.5}}),
        a_report("s-3", corrects="s-1", attachments=[_file()]),
        builders.a_withdrawal("w-1", "s-1"),
        builders.an_extension("x-1", "2024-12-20T00:00:00+07:00"),
        builders.an_exemption("e-1", "2025-01-01T00:00:00Z", "2026-01-01T00:00:00Z"),
        builders.a_revocation("r-1", "e-1", "2025-12-20T00:00:00+07:00"),
        builders.an_event("vn.dondoc.report.reassigned.v1", "m-1", move),
    ]
    return [fact | {"receivedtime": f"2024-12-01T08:0{minute}:00+07:00"} for minute, fact in enumerate(facts)]


def _id_of(document: Plan | Registry) -> str:
    return document.plan if isinstance(document, Plan) else document.registry


def _file() -> dict[str, Any]:
    return {"name": "a.pdf", "media_type": "application/pdf", "size": 1, "sha256": "0" * 64, "url": None}


def _final(said: list[list[bytes]]) -> dict[str, Any]:
    """Return the last timeline told of each period."""
    told = [json.loads(value)["data"] for batch in said for value in batch]
    return {one["period"]: (one["timeline"], one["steps"]) for one in told}
