"""The counts of duties: which of them are expected, and the rates that follow."""

from decimal import Decimal
from typing import Any

from schemas.events.assessments import Status
from services.reporting.core import duty_counts, duty_lines, timeline
from services.reporting.core.timeline import DutyState
from tests.support.builders.annual_report import AS_OF, DUE, a_key, a_line_context, a_revision, a_timeline


def a_state(ends: Status, agency: str = "h-00", **fields: Any) -> DutyState:
    """Build the state of a duty whose last span has the status *ends*."""
    return timeline.state_at(a_revision(a_key(agency), spans=a_timeline(ends, **fields)), AS_OF)


def test_expected_are_the_duties_that_bind() -> None:
    """Exempt, superseded and ended duties leave the denominator; pending and incomplete ones stay in it."""
    states = [a_state(status, f"h-{n:02d}") for n, status in enumerate(Status) if status is not Status.NOT_APPLICABLE]
    counts = duty_counts.count_duties(duty_lines.build_lines(states, {}, a_line_context()))
    excluded = (counts.exempt, counts.superseded, counts.ended_no_successor)
    assert (counts.expected, counts.actual, counts.outstanding) == (5, 2, 3)
    assert (*excluded, counts.open, counts.fulfilled) == (1, 1, 1, 1, 1)
    assert (counts.reporting_rate, counts.reporting_rate_on_time) == (Decimal(2) / 5, Decimal(1) / 5)


def test_where_none_was_expected_there_is_no_rate() -> None:
    """Both rates are None where the denominator is zero."""
    counts = duty_counts.count_duties(duty_lines.build_lines([a_state(Status.EXEMPT)], {}, a_line_context()))
    assert (counts.reporting_rate, counts.reporting_rate_on_time) == (None, None)


def test_a_nil_return_is_a_report_and_counted_apart() -> None:
    """A nil return counts as an actual report, and once more as a nil return."""
    state = a_state(Status.ON_TIME, flags=("nil_return",), effective_at=DUE)
    counts = duty_counts.count_duties(duty_lines.build_lines([state], {}, a_line_context()))
    assert (counts.actual, counts.nil_returns) == (1, 1)
