"""The curve of arrivals, read from timelines."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from schemas.events.assessments import Status
from services.reporting.core import timeline
from services.reporting.core.season import arrivals
from services.reporting.core.timeline import StatusSpan
from tests.support.builders.annual_report import DUE, a_key, a_revision

START = DUE - timedelta(days=40)
STEPS = st.lists(
    st.tuples(
        st.integers(0, 60),
        st.sampled_from([Status.PENDING, Status.ON_TIME, Status.INCOMPLETE, Status.LATE, Status.OVERDUE]),
    ),
    min_size=1,
    max_size=5,
    unique_by=lambda step: step[0],
)


def spans_of(steps: list[tuple[int, Status]]) -> tuple[StatusSpan, ...]:
    """Build a timeline of statuses by days."""
    return tuple(StatusSpan(from_at=START + timedelta(days=day), status=status) for day, status in sorted(steps))


@given(st.lists(STEPS, max_size=6), st.integers(0, 70))
def test_the_curve_counts_the_complete_reports_of_any_instant(
    timelines: list[list[tuple[int, Status]]], day: int
) -> None:
    """At any instant it is the number of those whose timeline says that they have reported, falls included."""
    revisions = [a_revision(key=a_key(f"h-{n:02}"), timeline=spans_of(steps)) for n, steps in enumerate(timelines)]
    end = [timeline.state_at(one, START + timedelta(days=100)) for one in revisions]
    curve = arrivals.add_arrivals([arrivals.tally_arrivals(end)])
    at = START + timedelta(days=day)
    complete = [timeline.state_at(one, at).status in {Status.ON_TIME, Status.LATE} for one in revisions]
    assert (curve.count_at(at), curve.expected) == (sum(complete), len(revisions))
    assert curve.shift(timedelta(days=7)).count_at(at + timedelta(days=7)) == curve.count_at(at)


def test_who_is_exempt_is_not_in_the_curve() -> None:
    """Its denominator is that of the counts."""
    exempt = a_revision(timeline=spans_of([(0, Status.ON_TIME), (1, Status.EXEMPT)]))
    curve = arrivals.add_arrivals([arrivals.tally_arrivals([timeline.state_at(exempt, DUE)])])
    assert (curve.expected, curve.count_at(DUE)) == (0, 0)


def test_the_latest_report_is_the_last_rise() -> None:
    """A withdrawal is no report."""
    fallen = a_revision(timeline=spans_of([(0, Status.PENDING), (3, Status.ON_TIME), (5, Status.PENDING)]))
    curve = arrivals.add_arrivals([arrivals.tally_arrivals([timeline.state_at(fallen, DUE)])])
    assert curve.latest_before(DUE) == START + timedelta(days=3)
    assert curve.latest_before(START) is None
