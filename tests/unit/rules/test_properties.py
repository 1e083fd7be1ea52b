"""What holds of every assessment, whatever the facts."""

from datetime import datetime, timedelta, timezone
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from schemas.events.assessments import Status
from services.console.commands.plans.evaluate import StatusQuery, answer_query
from services.rules.core.alerts import steps
from services.rules.core.assess import assess
from services.rules.core.docket import EVERY_PERIOD, Docket
from services.rules.core.duty import Duty
from services.rules.core.facts import Fact
from tests.support.assertions.spec import a_book, a_duty, instant, known
from tests.support.builders import strategies as some
from tests.support.builders.plans import Json, a_submission

UNSETTLED = frozenset({Status.PENDING, Status.INCOMPLETE, Status.OVERDUE})
duties = st.sampled_from(some.DUTIES)
DUE = instant("2024-12-10 00:00")


@given(duty=duties, log=some.logs, chosen=st.data())
def test_any_order_and_any_repetition_of_the_facts_give_the_same_assessment(
    duty: Duty, log: list[Json], chosen: st.DataObject
) -> None:
    """The assessment depends on the set of facts."""
    facts = some.facts_of(log)
    again = chosen.draw(st.permutations(facts)) + chosen.draw(st.permutations(facts))
    first, second = assess(duty, facts), assess(duty, again)
    assert first == second
    assert steps(first) == steps(second)


@given(duty=duties, log=some.logs, at=some.instants, known_at=some.instants)
def test_the_status_as_known_then_is_the_status_from_the_facts_known_then(
    duty: Duty, log: list[Json], at: datetime, known_at: datetime
) -> None:
    """What was recorded later, or never, makes no difference: last year's answer can be given again."""
    facts = some.facts_of(log)
    query = StatusQuery(fields={"at": at.isoformat()}, duty=duty, at=at, known_at=known_at)
    then = answer_query(a_book(), query, facts)
    assert then == answer_query(a_book(), query, known(facts, known_at))
    found = assess(duty, [fact for fact in facts if fact.recorded_at <= known_at]).at(at)
    assert (then["status"], then["flags"], then["evidence"]) == (found.status, list(found.flags), list(found.evidence))


@given(duty=duties, log=some.logs)
def test_a_timeline_is_whole(duty: Duty, log: list[Json]) -> None:
    """It starts where the duty starts, goes strictly on, and each segment says something new."""
    assessment = assess(duty, some.facts_of(log))
    assert assessment.timeline[0].starts_at == duty.opens_at
    for earlier, later in pairwise(assessment.timeline):
        assert earlier.starts_at < later.starts_at
        assert not earlier.says_the_same(later)
    for segment in assessment.timeline:
        assert assessment.at(segment.starts_at) is segment
        assert assessment.at(segment.starts_at - timedelta(microseconds=1)) is not segment


@given(duty=duties, log=some.logs, zone=some.offsets)
def test_every_writing_of_an_instant_is_the_same_instant(duty: Duty, log: list[Json], zone: timezone) -> None:
    """An offset is a way of writing, not a time."""
    rewritten = some.written_in(zone, log)
    assert assess(duty, some.facts_of(log)) == assess(duty, some.facts_of(rewritten))


@given(
    minutes_early=st.integers(1, 500_000),
    minutes_until_recorded=st.integers(0, 1_000_000),
    others=st.lists(some.recorded(some.submissions()), max_size=4),
)
def test_what_came_in_time_is_never_overdue_once_it_is_known(
    minutes_early: int, minutes_until_recorded: int, others: list[Json]
) -> None:
    """However late the log recorded it: the bus being down makes nobody late."""
    received_at = DUE - timedelta(minutes=minutes_early)
    event = a_submission("in-time") | {
        "receivedtime": received_at.isoformat(),
        "recordedtime": (received_at + timedelta(minutes=minutes_until_recorded)).isoformat(),
    }
    timeline = assess(a_duty(), some.facts_of([event, *others])).timeline
    assert Status.OVERDUE not in {segment.status for segment in timeline}


@given(duty=duties, log=some.logs)
def test_no_alert_falls_where_the_duty_is_settled(duty: Duty, log: list[Json]) -> None:
    """Nobody is reminded of what is done, lifted or passed on; a repetition ends where it would be."""
    assessment = assess(duty, some.facts_of(log))
    for step in steps(assessment):
        assert assessment.at(step.at).status in UNSETTLED
        if step.every is None:
            continue
        ends_at = step.until or step.at + timedelta(days=400)
        assert step.at < ends_at
        within = [one for one in assessment.timeline if step.at < one.starts_at < ends_at]
        assert {one.status for one in within} <= UNSETTLED


@given(log=some.logs)
def test_a_new_fact_changes_no_duty_that_it_is_not_said_to_touch(log: list[Json]) -> None:
    """What the docket calls untouched need not be assessed again."""
    docket = Docket()
    before = _assessed(())
    for fact in some.facts_of(log):
        touched = docket.add(fact)
        after = _assessed(docket)
        changed = {duty.key.period for duty, one, other in zip(some.DUTIES, before, after, strict=True) if one != other}
        assert EVERY_PERIOD in touched or changed <= touched
        before = after


@given(log=some.logs)
def test_the_docket_keeps_what_an_assessment_needs(log: list[Json]) -> None:
    """Adding facts one by one, in the order of the log, is as good as having them all."""
    events = sorted(log, key=lambda event: event["recordedtime"])
    first = {(event["source"], event["id"]): event for event in reversed(events)}
    facts, own = some.facts_of(events), some.facts_of(list(first.values()))
    assert _assessed(Docket(facts)) == _assessed(own)


@given(log=some.logs, at=some.instants)
def test_an_undated_duty_is_never_late(log: list[Json], at: datetime) -> None:
    """Whatever is decided about it."""
    found = assess(some.DUTIES[-1], some.facts_of(log)).at(at)
    assert found.status not in {Status.LATE, Status.OVERDUE, Status.PENDING, Status.ON_TIME}
    assert found.due_at is None


def _assessed(facts: Docket | tuple[Fact, ...] | list[Fact]) -> list[object]:
    return [assess(duty, facts) for duty in some.DUTIES]
