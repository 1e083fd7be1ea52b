"""The status at an instant is looked up in the newest timeline that was known."""

from datetime import timedelta

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


def test_a_state_carries_the_revision_that_gives_it() -> None:
    """A state names the assessment revision, so that a reader can find the event behind a status."""
    state = timeline.state_at(a_revision(revision=7), DUE)
    assert (state.status, state.key, state.assessment.revision) == (Status.OVERDUE, a_key(), 7)
