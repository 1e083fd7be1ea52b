"""For any bytes, every reader of records returns or refuses, and what passes can be used, stored and drawn."""

import contextlib
import itertools
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.events.ids import DutyKey
from services.reporting import event_decoder, submission_content
from services.reporting.core import annual_report, timeline
from services.reporting.core.annual_report import ReportQuery
from services.reporting.core.duty_lines import LineContext
from services.reporting.core.registry_index import RegistryIndex
from services.reporting.core.report.inputs import ReportInputs
from services.reporting.documents.formats import FORMATS
from services.rules import fact_decoder
from services.rules.core.facts import Submission
from services.runtime.decoding import UnreadableRecordError
from tests.support.builders import plans
from tests.support.hostile import records
from tests.support.hostile.readers import ReaderChecker
from tests.support.hostile.records import Json
from tests.support.matrix import matrix

Decoded = TypeVar("Decoded")
SHARES = 3  # of the damage to a record: `make test` does one, and `make chaos` the others

VALID = {
    "facts": records.valid_facts,
    "verdicts": records.valid_verdicts,
    "deliveries": records.valid_deliveries,
    "reports": records.valid_reports,
    "documents": records.valid_documents,
}
# Which readers read the valid records of a kind; the others refuse them, or pass over them.
READ_BY = {
    "facts": {"rules: facts", "reporting: facts", "intake: facts"},
    "verdicts": {"reporting: verdicts", "notifier: verdicts"},
    "deliveries": {"reporting: deliveries"},
    "reports": {"reporting: reports"},
    "documents": {"all: published documents"},
}
EVENTS = [(kind, name, event) for kind, events in VALID.items() for name, event in events()]
UNTIL = datetime(2026, 12, 31, tzinfo=UTC)

valid_bytes = st.sampled_from([records.encode_valid(event) for _, _, event in EVENTS])
any_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@pytest.fixture(scope="module")
def checker() -> ReaderChecker:
    """Return a checker of all readers."""
    return ReaderChecker()


@pytest.mark.parametrize(
    ("kind", "event"), [pytest.param(kind, event, id=f"{kind}-{name}") for kind, name, event in EVENTS]
)
def test_a_valid_record_is_read_by_its_readers(checker: ReaderChecker, kind: str, event: Json) -> None:
    """The corpus starts from records that are read: otherwise it would be refused for the wrong reason."""
    assert checker.check(records.encode_valid(event)).keys() >= READ_BY[kind]


@pytest.mark.parametrize("value", [pytest.param(value, id=name) for name, value in records.hostile_values()])
def test_a_hostile_value_is_refused_by_whoever_reads_events(checker: ReaderChecker, value: bytes | None) -> None:
    """What is no event at all is refused as unreadable, not with another error, by every reader of events."""
    assert checker.check(value).keys().isdisjoint({"rules: facts", "reporting: verdicts", "reporting: deliveries"})


@pytest.mark.parametrize("share", matrix(range(SHARES), in_every_run=1))
@pytest.mark.parametrize("event", [pytest.param(event, id=f"{kind}-{name}") for kind, name, event in EVENTS])
def test_a_damaged_record_is_read_or_refused(checker: ReaderChecker, event: Json, share: int) -> None:
    """With any one of its values damaged, a record is read or refused, and what is read can be used and stored.

    A share has damage at every place, and of every kind at some place: the number of kinds is no multiple of theirs.
    """
    assert records.DAMAGES % SHARES
    for name, value in itertools.islice(records.damage_event(event), share, None, SHARES):
        try:
            checker.check(value)
        except Exception as error:
            raise AssertionError(name) from error


def test_what_rules_counts_reporting_can_read() -> None:
    """A report that stands for a duty has the figures and texts in the results that rules has judged it by."""
    for name, value, fact in _read_submissions():
        recorded = event_decoder.decode_fact(value, recorded_at=UNTIL)
        content = submission_content.decode_submission(value)
        assert recorded is not None, name
        assert (recorded.source, recorded.event) == (content.source, content.id) == (fact.source, fact.id), name
        assert (content.figures, content.is_nil_return) == (fact.report.indicators, fact.report.is_nil_return), name
        assert content.sections.items() <= fact.report.sections.items(), name


def _read_submissions() -> Iterator[tuple[str, bytes | None, Submission]]:
    """Yield the damaged submissions, in UTF-8, that rules reads and that name a duty which can be one."""
    for _, event in records.valid_facts():
        for name, value in records.damage_event(event):
            with contextlib.suppress(UnreadableRecordError, ValueError):
                fact, _ = fact_decoder.decode_event(value)
                (value or b"").decode()
                if isinstance(fact, Submission):
                    named = {"plan": fact.plan, "agency": fact.agency, "obligation": fact.obligation}
                    DutyKey.from_event(**named, period=fact.period)
                    yield name, value, fact


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=st.binary(max_size=200))
def test_arbitrary_bytes_are_read_or_refused(checker: ReaderChecker, value: bytes) -> None:
    """No bytes lead to anything but a value or a refusal."""
    checker.check(value)


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=valid_bytes, at=st.floats(0, 1), cut=st.integers(0, 40), put=st.binary(max_size=20))
def test_a_mutated_record_is_read_or_refused(
    checker: ReaderChecker, value: bytes, at: float, cut: int, put: bytes
) -> None:
    """A record in which some bytes were exchanged for others is read or refused."""
    start = int(at * len(value))
    checker.check(value[:start] + put + value[start + cut :])


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(event=st.sampled_from([event for _, _, event in EVENTS]), name=st.text(max_size=5), value=any_json)
def test_any_further_value_is_ignored_or_refused(checker: ReaderChecker, event: Json, name: str, value: Any) -> None:
    """A record with any JSON beside what it should hold, in the envelope and in the data, is read or refused."""
    further = (
        {name: value, **event, "data": {name: value, **event["data"]}} if "data" in event else {name: value, **event}
    )
    checker.check(json.dumps(further).encode("utf-8", "surrogatepass"))


@pytest.mark.parametrize("extension", FORMATS)
def test_what_reporting_reads_can_be_drawn(extension: str) -> None:
    """Every verdict and every delivery of the corpus that passes is a line of one report, in every format."""
    read = [one.assessment for one in _read_all(records.valid_verdicts, event_decoder.decode_verdict)]
    # Most of the damage is where reporting does not look: what it draws of those records is the same.
    assessments = list({(one.key, one.clause, one.timeline): one for one in read}.values())
    deliveries = _read_all(records.valid_deliveries, event_decoder.decode_delivery)
    attempts = [attempt for delivery in deliveries for attempt in delivery.attempts]
    assert min(len(assessments), len(attempts)) > 100
    plan, registry = plans.a_plan(), RegistryIndex.of(plans.a_registry())
    report = annual_report.compile_report(
        ReportQuery(period="2026", as_of=UNTIL, known_at=UNTIL),
        [timeline.state_at(one, UNTIL) for one in assessments],
        attempts={one.key: attempts for one in assessments},
        context=LineContext(plan=plan, registry=registry, as_of=UNTIL),
    )
    assert FORMATS[extension].render(ReportInputs(report=report, registry=registry), "vi")


def _read_all(events: Callable[[], Iterator[tuple[str, Json]]], decode: Callable[[bytes], Decoded]) -> list[Decoded]:
    """Return what the damaged records decode to that can be decoded."""
    read = []
    for _, event in events():
        for _, value in records.damage_event(event):
            with contextlib.suppress(UnreadableRecordError):
                read.append(decode(value))
    return read
