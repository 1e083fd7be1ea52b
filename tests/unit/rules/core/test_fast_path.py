"""The fast path applies to the duties that it is made for, and gives the outcome of the full path."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.rules.core.duty import Duty
from services.rules.core.facts import Fact
from services.rules.core.fast_path import OutcomeCache, compute_outcome
from tests.support.assertions.spec import a_catalogue, a_duty, a_fact, an_undated_version
from tests.support.builders import strategies as some
from tests.support.builders.filings import EMPTY, NIL
from tests.support.builders.plans import (
    AGENCIES,
    Json,
    a_plan,
    a_registry,
    a_submission,
    a_version,
    a_withdrawal,
    an_agency,
    an_extension,
    an_obligation,
)

FIRST, SECOND, THIRD = AGENCIES
REMINDERS: Json = {
    **some.REMINDERS,
    "before": ["P30D", "P7D", "P1D"],
    "after": ["PT0S", "P3D"],
    "notices": ["received", "extension", "exemption", "succession", "opening"],
}
JOINED_LATE = a_registry(
    an_agency(FIRST),
    an_agency(SECOND, groups=[{"id": "huyen", "from": "2024-12-08"}]),
    an_agency(THIRD),
)
CATALOGUE = a_catalogue(a_plan(an_obligation(a_version(reminders=REMINDERS))), JOINED_LATE)
DUTIES: tuple[Duty, ...] = (
    *some.DUTIES,
    a_duty(a_version(reminders=REMINDERS)),
    a_duty(a_version(reminders=REMINDERS, due={"month": 12, "day": 10, "basis": "receipt"})),
    a_duty(a_version(requires={"signed": True}, recurrence="none", due={"date": "2024-12-10"}), period=None),
    a_duty(registry=a_registry(an_agency(FIRST, groups=[{"id": "huyen", "from": "2016-05-05", "to": "2024-06-01"}]))),
)
logs = st.one_of(
    st.lists(some.recorded_events(some.submissions()), max_size=1),
    st.builds(lambda event: [event | {"data": event["data"] | PLAIN}], some.recorded_events(some.submissions())),
    some.logs,
)
PLAIN: Json = {"agency": FIRST, "corrects": None, "period": "2024", "content": some.FULL}


@given(duty=st.sampled_from(DUTIES), log=logs)
def test_the_fast_path_gives_the_outcome_of_the_full_path(duty: Duty, log: list[Json]) -> None:
    """Where the fast path applies, its timeline and alerts are those of the full path, whatever the facts."""
    facts = some.decode_facts(log)
    found = OutcomeCache().try_fast_path(duty, facts)
    assert found is None or found == compute_outcome(duty, facts)


@given(chosen=st.lists(st.tuples(st.sampled_from(AGENCIES), st.sampled_from(some.PERIODS), logs), max_size=5))
def test_duties_of_one_catalogue_share_only_equal_outcomes(chosen: list[tuple[str, str, list[Json]]]) -> None:
    """Duties of different periods, or bound from different days, do not share cached outcomes."""
    outcomes = OutcomeCache()
    for agency, period, log in chosen:
        duty = CATALOGUE.duty(agency=agency, obligation="results", period=period)
        facts = some.decode_facts(log)
        assert outcomes.outcome_of(duty, facts) == compute_outcome(duty, facts)


@pytest.mark.parametrize(
    "facts",
    [
        (),
        (a_fact(a_submission(), "2024-12-01 08:00"),),
        (a_fact(a_submission(), "2025-02-01 08:00"),),
        (a_fact(a_submission(data={"content": NIL}), "2024-12-10 00:00"),),
    ],
    ids=["no facts", "in time", "late", "nothing to report"],
)
def test_the_usual_duty_takes_the_fast_path(facts: Sequence[Fact]) -> None:
    """The fast path applies to a duty without facts and to one with a complete report of its own."""
    assert OutcomeCache().try_fast_path(a_duty(), facts) is not None


@pytest.mark.parametrize(
    "facts",
    [
        (a_fact(a_submission(data={"content": EMPTY}), "2024-12-01 08:00"),),
        (a_fact(a_submission(data={"corrects": "s-0"}), "2024-12-01 08:00"),),
        (a_fact(a_submission(data={"period": "2023"}), "2024-12-01 08:00"),),
        (a_fact(a_submission(data={"agency": SECOND, "on_behalf_of": FIRST}), "2024-12-01 08:00"),),
        (a_fact(an_extension("x-1", "2024-12-20T00:00:00+07:00"), "2024-12-01 08:00"),),
        (a_fact(a_submission(), "2024-12-01 08:00"), a_fact(a_withdrawal("w-1", "s-1"), "2024-12-02 08:00")),
    ],
    ids=["incomplete", "a correction", "another period", "filed by another", "a decision", "two facts"],
)
def test_an_unusual_duty_takes_the_full_path(facts: Sequence[Fact]) -> None:
    """The fast path returns None for every other set of facts."""
    assert OutcomeCache().try_fast_path(a_duty(), facts) is None


def test_the_duty_of_an_agency_that_ends_or_leaves_takes_the_full_path() -> None:
    """The fast path returns None for a duty whose agency ends or leaves the addressed group."""
    ended = a_duty(registry=some.MERGED)
    left = a_duty(
        an_undated_version(),
        registry=a_registry(an_agency(FIRST, groups=[{"id": "huyen", "from": "2016-05-05", "to": "2024-06-01"}])),
        period=None,
    )
    assert [OutcomeCache().try_fast_path(duty, ()) for duty in (ended, left)] == [None, None]
