"""What is known of duties: instants that are put in one by one are those that all duties together have."""

from dataclasses import replace
from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.reporting.current import known_duties
from services.reporting.current.known_duties import KnownDuties
from tests.support.builders.annual_report import DUE, a_key, a_revision, an_attempt

INSTANTS = st.integers(0, 9).map(lambda days: DUE + timedelta(days=days))


@given(st.sets(INSTANTS), st.lists(INSTANTS))
def test_boundaries_are_added_each_once_in_order(known: set[datetime], more: list[datetime]) -> None:
    """Whether they were there before or not."""
    assert known_duties.add_boundaries(tuple(sorted(known)), more) == tuple(sorted(known.union(more)))


def test_attempts_of_later_are_left_out() -> None:
    """Before the last attempt they are chosen one by one; from then on all are the same as before."""
    early, late = an_attempt(a_key(), at=DUE), an_attempt(a_key(), at=DUE + timedelta(days=1))
    attempts = {a_key(): (early, late)}
    known = KnownDuties(assessments=(a_revision(),), attempts=attempts, attempted_at=late.attempted_at)
    assert known.list_attempts(DUE) == {a_key(): (early,)}
    assert known.list_attempts(late.attempted_at) is attempts


def test_an_epoch_does_not_depend_on_how_many_boundaries_are_known() -> None:
    """Those of another obligation divide an epoch, and give none of its parts the name of another one."""
    many = KnownDuties(assessments=(a_revision(),), attempts={}, boundaries=(DUE - timedelta(days=1), DUE), version=1)
    few = replace(many, boundaries=(DUE,))
    assert many.find_epoch(DUE) == few.find_epoch(DUE) == DUE
    assert few.find_epoch(DUE - timedelta(days=1)) is None
    assert many.find_epoch(DUE - timedelta(days=1)) not in {
        few.find_epoch(DUE - timedelta(days=2)),
        few.find_epoch(DUE),
    }


def test_the_part_of_an_obligation_has_the_boundaries_of_all() -> None:
    """So an answer about it is worked out once more than it has to be, and never too seldom."""
    whole = KnownDuties(assessments=(a_revision(),), attempts={}, boundaries=(DUE,), version=1)
    part = whole.narrow(a_key().obligation)
    assert (part.assessments, part.boundaries, part.version) == (whole.assessments, whole.boundaries, whole.version)
    assert whole.narrow("another").assessments == ()
