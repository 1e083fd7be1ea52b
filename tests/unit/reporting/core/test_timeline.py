"""The status at an instant is looked up in the newest timeline that was known."""

from datetime import timedelta
from itertools import permutations

from schemas.events.assessments import Status
from services.reporting.core import timeline
from tests.support.builders.annual_report import DUE, OPENS, a_key, a_revision, a_timeline


def test_a_span_holds_from_its_instant_until_the_next() -> None:
    """The due instant itself belongs to the span that begins with it."""
    spans = a_timeline(Status.OVERDUE)
    assert timeline.span_at(spans, DUE - timedelta(microseconds=1)).status is Status.PENDING
    assert timeline.span_at(spans, DUE).status is Status.OVERDUE


def test_before_its_timeline_a_duty_does_not_apply() -> None:
    """Before the first span, and where there is no span at all, the status is `not_applicable`."""
    assert timeline.span_at(a_timeline(Status.LATE), OPENS - timedelta(seconds=1)).status is Status.NOT_APPLICABLE
    assert timeline.span_at((), OPENS).status is Status.NOT_APPLICABLE


def test_the_newest_revision_counts_in_any_order_and_repetition() -> None:
    """The order and the repetition of revisions do not change which of them is the newest."""
    revisions = [a_revision(revision=number) for number in (1, 2, 3)]
    for order in permutations([*revisions, revisions[0]]):
        assert timeline.newest_revisions(order) == {a_key(): revisions[2]}


def test_what_was_recorded_later_was_not_known() -> None:
    """A query with an earlier `known_at` gets the revision that was the newest at that instant."""
    first, second = a_revision(revision=1), a_revision(revision=2, spans=a_timeline(Status.ON_TIME))
    before_second = second.recorded_at - timedelta(microseconds=1)
    assert list(timeline.newest_revisions_known_at([second, first], before_second)) == [first]
    assert list(timeline.newest_revisions_known_at([second, first], second.recorded_at)) == [second]
    assert list(timeline.newest_revisions_known_at([second, first], OPENS)) == []


def test_a_state_carries_the_revision_that_gives_it() -> None:
    """A state names the assessment revision, so that a reader can find the event behind a status."""
    state = timeline.state_at(a_revision(revision=7), DUE)
    assert (state.status, state.key, state.assessment.revision) == (Status.OVERDUE, a_key(), 7)
