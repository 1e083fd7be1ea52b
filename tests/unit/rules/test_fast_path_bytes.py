"""With the fast path on and off, a log leads to the same verdicts, states and refusals, byte for byte.

Off means more than that no duty counts as usual: the processor is restored from its changelog after every record, so
that nothing it knows of a docket beside the state records can make a difference.
"""

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.events.event_origin import TraceContext
from schemas.events.ids import partition_of
from services.console.demo.plan_6766 import scenario
from services.console.demo.plan_6766.scenario import BEGINS_AT
from services.console.support import inputs
from services.rules import assessment_event, fact_decoder, processor
from services.rules.assessment_event import LogPosition
from services.rules.core import fast_path
from services.rules.core.duty_catalogue import DutyCatalogue
from services.rules.core.fast_path import SharedDuty
from services.rules.fact_validation import Rejection
from tests.support.builders import plans
from tests.support.builders import strategies as some
from tests.support.builders.partition_log import PartitionLog
from tests.support.builders.plans import Json

DIRECTORY = Path(__file__).parents[3] / "deploy" / "plans" / "6766-kh-ubnd"
FIRST, SECOND, THIRD = plans.AGENCIES
FROM = "2024-09-25"
NOTICES = ["received", "returned", "extension", "exemption", "succession", "opening"]
REMINDERS: Json = {
    "before": ["P30D", "P1D"],
    "after": ["PT0S"],
    "then_every": "P7D",
    "escalate": [{"after": "P3D", "to": "parent"}],
}
CHECK = {"id": "sum", "cel": "indicators.a <= indicators.b", "message": {"vi": "100 % sai"}}
COMPLETE = some.FULL | {"indicators": {"a": 1, "b": 2.50}}
CONTENTS = (COMPLETE,) * 5 + (some.FULL | {"indicators": {"a": 3, "b": 2}}, *some.CONTENTS)
ABOVE = {"parent": [{"id": THIRD, "to": "2024-12-11"}, {"id": SECOND, "from": "2024-12-11"}]}
REGISTRY = plans.a_registry(
    plans.an_agency(FIRST, aliases=["Huyện Một"], **ABOVE),
    plans.an_agency(SECOND, valid={"from": plans.SINCE, "to": "2025-07-01"}),
    plans.an_agency(THIRD, valid={"from": plans.SINCE, "to": "2024-11-30"}, aliases=["Huyện Ba"]),
    successions=[{"type": "merge_into", "from": [SECOND, THIRD], "to": [FIRST], "on": "2025-07-01"}],
)


def a_version(**changes: Any) -> Json:
    """Build settings with reminders, an urging that repeats, an escalation upwards, notices and a condition."""
    requires = {"sections": ["results"], "checks": [CHECK]}
    return plans.a_version(**{"reminders": REMINDERS, "requires": requires} | changes)


def a_log() -> PartitionLog:
    """Build a log of three plans in two versions: one alone, one with notices, one that takes the place of the first.

    Each plan asks for one report; FIRST co-operates in the second plan's.
    """
    told = a_version(reminders=REMINDERS | {"notices": NOTICES}, requires={"sections": ["results"]})
    successor = plans.an_obligation(a_version(**{"from": FROM}), id="annual")
    supersedes = {"plan": "P-1", "from": FROM, "carries": {"results": "annual"}}
    first = plans.a_plan(plans.an_obligation(a_version()))
    second = plans.a_plan(plans.an_obligation(told, **{"with": [FIRST]}), plan="P-2")
    later = plans.a_version(due={"month": 12, "day": 9}, requires={"sections": ["results"], "signed": True})
    return PartitionLog(
        REGISTRY,
        first,
        second,
        plans.a_plan(successor, plan="P-3", issued_on=FROM, supersedes=supersedes),
        first.model_copy(update={"version": 2, "obligations": (plans.an_obligation(later),)}),
    )


@st.composite
def reports(draw: st.DrawFn) -> Json:
    """Draw a recorded report of an agency of its own, in one of its spellings, mostly complete and often late."""
    sent = draw(st.one_of(st.none(), st.none(), some.instants))
    data = {
        "agency": draw(st.sampled_from([FIRST, FIRST, FIRST, SECOND, SECOND, THIRD, "Huyện Một", "h-khong"])),
        "on_behalf_of": draw(st.sampled_from([None, None, None, None, SECOND])),
        "period": draw(st.sampled_from(["2023", "2024", "2024", "2024", "2025"])),
        "content": draw(st.sampled_from(CONTENTS)),
        "dispatch": {
            "sent_at": sent and sent.isoformat(),
            "proof": draw(st.sampled_from(["none", "postmark"])) if sent else "none",
            "reference": draw(st.sampled_from([None, "RR 100%"])),
        },
    }
    late = st.builds(lambda days: some.FIRST + timedelta(days=days), st.integers(395, 560))
    event = draw(some.recorded_events(st.just(plans.a_submission(f"s-{draw(st.integers(1, 9))}", data=data))))
    return {**event, "receivedtime": draw(st.one_of(some.instants, late)).isoformat()}


@st.composite
def records(draw: st.DrawFn) -> Json:
    """Draw a fact of any kind, under one of the plans."""
    others = some.recorded_events(st.one_of(some.submissions(), some.adjustments, some.decisions()))
    event = draw(st.one_of(reports(), reports(), others))
    plan = draw(st.sampled_from(["P-1", "P-1", "P-2", "P-3", "P-9"]))
    obligation = "annual" if plan == "P-3" else "results"
    return {**event, "data": event["data"] | {"plan": plan, "obligation": obligation}}


def process(log: PartitionLog, records: Iterable[Json | bytes | str], *, restores: bool = False) -> list[Any]:
    """Return the verdicts of each record, or why it was refused, and the states; a text names a plan to adopt."""
    found: list[Any] = []
    for record in records:
        written = dict(log.changelog)
        try:
            answer: Any = log.adopt_raw(record) if isinstance(record, str) else log.append_raw(record)
        except Rejection as rejection:
            answer = rejection.kind, str(rejection)
        changes = {key: value for key, value in log.changelog.items() if written.get(key) != value}
        found.append((answer, changes, log.processor.digest.hex()))
        if restores:
            log.processor = log.restore_processor()
    return found


def process_in_full(log: PartitionLog, records: Iterable[Json | bytes | str]) -> list[Any]:
    """Return what `process` does, with the fast path off and nothing kept in memory but the state records."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fast_path, "is_usual", lambda _: False)
        return process(log, records, restores=True)


@settings(max_examples=120, deadline=None)
@given(
    before=st.permutations(["P-1", "P-2", "P-3"]),
    first=st.lists(records(), max_size=8),
    after=st.sampled_from([[], ["P-1"], ["P-3", "P-2"]]),
    second=st.lists(records(), max_size=8),
)
def test_a_log_leads_to_the_same_bytes(
    before: Sequence[str], first: list[Json], after: list[str], second: list[Json]
) -> None:
    """Facts of every kind, repeated and contradicting ones, under plans that come into force at any time."""
    mix: list[Json | bytes | str] = [*before[:2], *first, before[2], *after, *second]
    assert process(a_log(), mix) == process_in_full(a_log(), mix)


@pytest.mark.parametrize("day", range(24, 42))
def test_a_report_around_reminders_before_the_opening_leads_to_the_same_bytes(day: int) -> None:
    """Of May, due on 5 May and reminded of from 25 April on: received before, between and after the reminders."""
    before = REMINDERS | {"before": ["P10D", "P5D", "P1D"], "notices": NOTICES}
    monthly = a_version(recurrence="month", due={"day": 5}, reminders=before)
    received = datetime(2024, 4, 1, 9, tzinfo=UTC) + timedelta(days=day - 1)
    events = [
        {
            **plans.a_submission(f"s-{number}", data={"period": "2024-05", "content": COMPLETE, "agency": agency}),
            "subject": agency,
            "receivedtime": (received + timedelta(hours=number)).isoformat(),
            "recordedtime": (received + timedelta(hours=number)).isoformat(),
        }
        for number, agency in enumerate((FIRST, SECOND))
    ]
    mix: list[Json | bytes | str] = ["P-1", *events]
    found = process(PartitionLog(REGISTRY, plans.a_plan(plans.an_obligation(monthly))), mix)
    assert found == process_in_full(PartitionLog(REGISTRY, plans.a_plan(plans.an_obligation(monthly))), mix)
    assert not any(isinstance(answer, tuple) for answer, _, _ in found)


@settings(max_examples=60, deadline=None)
@given(mix=st.lists(reports(), min_size=4, max_size=12))
def test_reports_alone_lead_to_the_same_bytes(mix: list[Json]) -> None:
    """The path that nearly every record takes, with a new version of the plan in force from the middle on."""
    half = len(mix) // 2
    logs = [PartitionLog(REGISTRY, plans.a_plan(plans.an_obligation(a_version()))) for _ in range(2)]
    late = plans.a_plan(plans.an_obligation(a_version(due={"month": 11, "day": 20})), version=2)
    on, off = [], []
    for part, plan in ((mix[:half], None), (mix[half:], late)):
        for log in logs if plan else ():
            log.documents.publish(plan or late)
        on += process(logs[0], ["P-1", *part])
        off += process_in_full(logs[1], ["P-1", *part])
    assert on == off


@pytest.mark.parametrize(
    "record",
    [
        None,
        b"{",
        json.dumps(plans.a_submission("s-1")).encode(),
        json.dumps(plans.a_submission("s-1", receivedtime="yesterday")).encode(),
        json.dumps(
            plans.a_submission(
                "s-1", data={"content": some.FULL | {"indicators": {"a": "x"}}}, receivedtime="2024-12-01T08:00:00Z"
            )
        ).encode(),
        json.dumps(plans.a_submission("s-1", data={"plan": "P-9"}, receivedtime="2024-12-01T08:00:00Z")).encode(),
        json.dumps(plans.a_submission("s-1", data={"period": "x"}, receivedtime="2024-12-01T08:00:00Z")).encode(),
    ],
    ids=["no value", "no JSON", "no time of receipt", "no instant", "no figure", "no plan", "no period"],
)
def test_a_refusal_is_worded_alike(record: bytes | None) -> None:
    """What cannot be read or placed is refused with the same words."""
    mix: list[Any] = ["P-1", record]
    assert process(a_log(), mix) == process_in_full(a_log(), mix)


@pytest.mark.parametrize(("limit", "kind"), [("MOST_CONDITION_UNITS", "costly"), ("LARGEST_DUTY_BYTES", "oversized")])
def test_a_limit_holds_on_both_paths(limit: str, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A complete report that is beyond the budget is refused, and leaves no trace in the state."""
    monkeypatch.setattr(processor, limit, 1)
    event = plans.a_submission("s-1", data={"content": COMPLETE}, receivedtime="2024-12-01T08:00:00Z")
    mix: list[Any] = ["P-1", event]
    found = process(PartitionLog(REGISTRY, plans.a_plan(plans.an_obligation(a_version()))), mix)
    assert found == process_in_full(PartitionLog(REGISTRY, plans.a_plan(plans.an_obligation(a_version()))), mix)
    assert (found[1][0][0], found[1][1]) == (kind, {})


def test_a_report_in_the_partition_of_another_agency_is_refused() -> None:
    """Two owners must never both keep one agency, however usual its report is and however often it comes."""
    log = PartitionLog()
    report = fact_decoder.decode_fact(json.dumps(plans.a_submission(receivedtime="2024-12-01T08:00:00Z")).encode())
    log.catalogues.partitions = next(count for count in range(2, 99) if partition_of(report.agency, count) != 0)
    log.processor = processor.PartitionProcessor(0, log.catalogues)
    log.adopt()
    for _ in range(2):
        with pytest.raises(Rejection, match="is at home in partition"):
            list(log.processor.process(report, position=log.position))


def test_a_report_that_counts_for_another_obligation_too_leads_to_the_same_bytes() -> None:
    """A plan may take its own place, and carry the reports of one obligation over to another: both are assessed."""
    own = {"plan": "P-1", "from": FROM, "carries": {"results": "annual"}}
    obligations = [plans.an_obligation(a_version(), id=one) for one in ("results", "annual")]
    plan = plans.a_plan(*obligations, supersedes=own)
    event = plans.a_submission("s-1", data={"content": COMPLETE}, receivedtime="2024-12-01T08:00:00Z")
    mix: list[Any] = ["P-1", event]
    found = process(PartitionLog(REGISTRY, plan), mix)
    assert found == process_in_full(PartitionLog(REGISTRY, plan), mix)
    assert len(found[1][0]) == len(obligations)


@pytest.mark.parametrize("state", [None, 'a="b'])
def test_a_trace_stands_in_the_same_place(state: str | None) -> None:
    """What a sender says of a trace is in the assessment alike, with or without a state."""
    trace = TraceContext(parent=f"00-{'1' * 32}-{'2' * 16}-01", state=state)
    catalogue = DutyCatalogue(plans.a_plan(), plans.a_registry())
    report = fact_decoder.decode_fact(json.dumps(plans.a_submission(receivedtime="2024-12-01T08:00:00Z")).encode())
    position = LogPosition(offset=7, recorded_at=report.recorded_at, trace=trace)

    def assess() -> bytes:
        duty = catalogue.duty(agency=FIRST, obligation="results", period="2024")
        return assessment_event.encode_assessment(catalogue, duty, [report], position=position)

    quick = assess()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SharedDuty, "is_discharged_by", lambda *_: False)
        assert assess() == quick


def test_the_demo_year_leads_to_the_same_bytes() -> None:
    """Every verdict and state of the year of plan 6766 is the same, and five reports in six take the fast path."""
    catalogue = inputs.read_plan_folder(DIRECTORY)
    year = scenario.build_scenario(catalogue.registry)
    posts = [*((BEGINS_AT, event) for event in year.archive), *((one.at, one.event) for one in year.posts)]
    mix: list[Json | bytes | str] = [dict(event) | {"receivedtime": at.isoformat()} for at, event in posts]
    on, off = (PartitionLog(catalogue.registry, catalogue.plan) for _ in range(2))
    for log in (on, off):
        log.adopt(catalogue.plan.plan, now=BEGINS_AT)
    taken: list[bytes] = []
    with pytest.MonkeyPatch.context() as patch:
        original = type(on.processor)._process_usual_report

        def count(*given: Any) -> Any:
            found = original(*given)
            taken.extend([] if found is None else [found])
            return found

        patch.setattr(type(on.processor), "_process_usual_report", count)
        found = process(on, mix)
    assert found == process_in_full(off, mix)
    assert len(taken) > len(mix) * 5 // 6
