"""A status at an instant is a lookup in the newest timeline that was known."""

from datetime import timedelta
from itertools import permutations

from schemas.events.assessments import Status
from services.reporting.core.lookup import known_by, standing_at, state_at
from services.reporting.core.projections import newest
from tests.support.builders.annual_report import DUE, OPENS, a_key, a_timeline, an_assessed


def test_a_segment_holds_from_its_instant_until_the_next() -> None:
    """The due instant itself belongs to what follows it."""
    timeline = a_timeline(Status.OVERDUE)
    assert standing_at(timeline, DUE - timedelta(microseconds=1)).status is Status.PENDING
    assert standing_at(timeline, DUE).status is Status.OVERDUE


def test_before_its_timeline_a_duty_does_not_apply() -> None:
    """Nobody owes anything before the duty opens."""
    assert standing_at(a_timeline(Status.LATE), OPENS - timedelta(seconds=1)).status is Status.NOT_APPLICABLE
    assert standing_at((), OPENS).status is Status.NOT_APPLICABLE


def test_the_newest_revision_stands_in_any_order_and_repetition() -> None:
    """Order and repetition of arrival change nothing."""
    revisions = [an_assessed(revision=number) for number in (1, 2, 3)]
    for order in permutations([*revisions, revisions[0]]):
        assert newest(order) == {a_key(): revisions[2]}


def test_what_was_recorded_later_was_not_known() -> None:
    """A question about the past gets the revision of then."""
    first, second = an_assessed(revision=1), an_assessed(revision=2, timeline=a_timeline(Status.ON_TIME))
    assert list(known_by([second, first], second.recorded_at - timedelta(microseconds=1))) == [first]
    assert list(known_by([second, first], second.recorded_at)) == [second]
    assert list(known_by([second, first], OPENS)) == []


def test_a_state_carries_the_revision_that_gives_it() -> None:
    """Whoever reads a status can name the event behind it."""
    state = state_at(an_assessed(revision=7), DUE)
    assert (state.status, state.key, state.assessed.revision) == (Status.OVERDUE, a_key(), 7)
