"""Properties of every assessment, whatever the facts."""

from datetime import datetime, timedelta, timezone
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.events.assessments import Status, StepKind
from services.console.commands.plans.evaluate import StatusQuery, answer_query
from services.rules.core.alerts import plan_alerts
from services.rules.core.assess import assess, has_same_answer
from services.rules.core.duty import Duty
from services.rules.core.facts import EVERY_PERIOD, Docket, Fact
from tests.support.assertions.assessment_by_definition import timeline_by_definition
from tests.support.assertions.spec import a_catalogue, a_duty, facts_recorded_by, instant
from tests.support.builders import strategies as some
from tests.support.builders.plans import Json, a_submission

UNSETTLED = frozenset({Status.PENDING, Status.INCOMPLETE, Status.OVERDUE})
HAS_DUTY = frozenset(Status) - {Status.NOT_APPLICABLE, Status.SUPERSEDED, Status.ENDED_NO_SUCCESSOR}
duties = st.sampled_from(some.DUTIES)
DUTIES_OF_2024 = [duty for duty in some.DUTIES if duty.key.period == "2024"]
DUE = instant("2024-12-10 00:00")


@given(duty=duties, log=some.logs, chosen=st.data())
def test_any_order_and_any_repetition_of_the_facts_give_the_same_assessment(
    duty: Duty, log: list[Json], chosen: st.DataObject
) -> None:
    """The assessment depends on the set of facts, not on their order or repetition."""
    facts = some.decode_facts(log)
    again = chosen.draw(st.permutations(facts)) + chosen.draw(st.permutations(facts))
    first, second = assess(duty, facts), assess(duty, again)
    assert first == second
    assert plan_alerts(first) == plan_alerts(second)


@given(duty=duties, log=some.logs, crowded=some.crowded_logs, duty_of_2024=st.sampled_from(DUTIES_OF_2024))
@settings(max_examples=300)
def test_the_timeline_is_the_one_that_the_rulings_define(
    duty: Duty, log: list[Json], crowded: list[Json], duty_of_2024: Duty
) -> None:
    """The timeline computed step by step is the one computed anew at every instant, straight from the rulings."""
    for one, facts in ((duty, some.decode_facts(log)), (duty_of_2024, some.decode_facts(crowded))):
        assert assess(one, facts).timeline == timeline_by_definition(one, facts)


@given(duty=duties, log=some.logs, at=some.instants, known_at=some.instants)
def test_the_status_as_known_then_is_the_status_from_the_facts_known_then(
    duty: Duty, log: list[Json], at: datetime, known_at: datetime
) -> None:
    """Facts recorded after `known_at` make no difference to the answer, so last year's answer can be given again."""
    facts = some.decode_facts(log)
    query = StatusQuery(fields={"at": at.isoformat()}, duty=duty, at=at, known_at=known_at)
    then = answer_query(a_catalogue(), query, facts)
    assert then == answer_query(a_catalogue(), query, facts_recorded_by(known_at, facts))
    found = assess(duty, [fact for fact in facts if fact.recorded_at <= known_at]).at(at)
    assert (then["status"], then["flags"], then["evidence"]) == (found.status, list(found.flags), list(found.evidence))


@given(duty=duties, log=some.logs)
def test_a_timeline_is_whole(duty: Duty, log: list[Json]) -> None:
    """A timeline starts where the duty opens, its instants increase, and each segment differs from the one before."""
    assessment = assess(duty, some.decode_facts(log))
    assert assessment.timeline[0].starts_at == duty.opens_at
    for earlier, later in pairwise(assessment.timeline):
        assert earlier.starts_at < later.starts_at
        assert not has_same_answer(earlier, later)
    for segment in assessment.timeline:
        assert assessment.at(segment.starts_at) is segment
        assert assessment.at(segment.starts_at - timedelta(microseconds=1)) is not segment


@given(duty=duties, log=some.logs, zone=some.offsets)
def test_every_writing_of_an_instant_is_the_same_instant(duty: Duty, log: list[Json], zone: timezone) -> None:
    """The offset with which an instant is written makes no difference to the assessment."""
    rewritten = some.rewrite_offsets(zone, log)
    assert assess(duty, some.decode_facts(log)) == assess(duty, some.decode_facts(rewritten))


@given(
    minutes_early=st.integers(1, 500_000),
    minutes_until_recorded=st.integers(0, 1_000_000),
    others=st.lists(some.recorded_events(some.submissions()), max_size=4),
)
def test_what_came_in_time_is_never_overdue_once_it_is_known(
    minutes_early: int, minutes_until_recorded: int, others: list[Json]
) -> None:
    """A report received in time is never overdue, however late the log recorded it."""
    received_at = DUE - timedelta(minutes=minutes_early)
    event = a_submission("in-time") | {
        "receivedtime": received_at.isoformat(),
        "recordedtime": (received_at + timedelta(minutes=minutes_until_recorded)).isoformat(),
    }
    timeline = assess(a_duty(), some.decode_facts([event, *others])).timeline
    assert Status.OVERDUE not in {segment.status for segment in timeline}


@given(duty=duties, log=some.logs)
def test_no_alert_falls_where_the_duty_is_settled(duty: Duty, log: list[Json]) -> None:
    """Every alert falls where the duty is unsettled, and a repetition ends before the duty is settled.

    A return is told whatever the status, as long as the agency has the duty: also to one that is exempt and reported.
    """
    assessment = assess(duty, some.decode_facts(log))
    for step in plan_alerts(assessment):
        allowed = HAS_DUTY if step.kind is StepKind.RETURNED else UNSETTLED
        assert assessment.at(step.at).status in allowed
        if step.every is None:
            continue
        ends_at = step.until or step.at + timedelta(days=400)
        assert step.at < ends_at
        within = [one for one in assessment.timeline if step.at < one.starts_at < ends_at]
        assert {one.status for one in within} <= UNSETTLED


@given(log=some.logs)
def test_a_new_fact_changes_only_the_duties_that_it_touches(log: list[Json]) -> None:
    """A new fact changes only the duties of the periods that `Docket.add` returns."""
    docket = Docket()
    before = _assess_all(())
    for fact in some.decode_facts(log):
        touched = docket.add(fact)
        after = _assess_all(docket)
        changed = {duty.key.period for duty, one, other in zip(some.DUTIES, before, after, strict=True) if one != other}
        assert EVERY_PERIOD in touched or changed <= touched
        before = after


@given(log=some.logs)
def test_the_docket_keeps_what_an_assessment_needs(log: list[Json]) -> None:
    """A docket filled in the order of the log gives the same assessments as all facts at once."""
    events = sorted(log, key=lambda event: event["recordedtime"])
    first = {(event["source"], event["id"]): event for event in reversed(events)}
    facts, own = some.decode_facts(events), some.decode_facts(list(first.values()))
    assert _assess_all(Docket(facts)) == _assess_all(own)


@given(log=some.logs, at=some.instants)
def test_an_undated_duty_is_never_late(log: list[Json], at: datetime) -> None:
    """An undated duty has no due instant and is never pending, on time, late or overdue."""
    found = assess(some.DUTIES[-1], some.decode_facts(log)).at(at)
    assert found.status not in {Status.LATE, Status.OVERDUE, Status.PENDING, Status.ON_TIME}
    assert found.due_at is None


def _assess_all(facts: Docket | tuple[Fact, ...] | list[Fact]) -> list[object]:
    return [assess(duty, facts) for duty in some.DUTIES]
