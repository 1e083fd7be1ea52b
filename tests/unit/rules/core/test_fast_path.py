"""The fast path applies to the duties that it is made for, and its outcomes are those of the full path.

`tests/unit/rules/test_fast_path_bytes.py` holds whole logs to the same bytes.
"""

from collections.abc import Hashable
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from services.rules.core.duty import Duty
from services.rules.core.duty_catalogue import DutyCatalogue
from services.rules.core.facts import Fact
from services.rules.core.fast_path import OutcomeWithoutFacts, SharedDuty, compute_outcome
from tests.support.assertions.spec import a_catalogue, a_duty, a_fact, an_undated_version
from tests.support.builders import strategies as some
from tests.support.builders.filings import EMPTY, NIL
from tests.support.builders.plans import (
    AGENCIES,
    GROUP,
    SINCE,
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
WITHIN = datetime(2024, 6, 1, tzinfo=UTC)


def share(duty: Duty) -> SharedDuty:
    """Return the duty as agencies that are bound alike share it."""
    return SharedDuty(duty, {})


def find_shared(catalogue: DutyCatalogue, agency: str) -> SharedDuty:
    """Return the duty of *agency* for 2024 as agencies that are bound alike share it."""
    return catalogue.shared_duty(agency=agency, obligation="results", period="2024")


@pytest.mark.parametrize(
    "fact",
    [
        a_fact(a_submission(), "2024-12-01 08:00"),
        a_fact(a_submission(), "2025-02-01 08:00"),
        a_fact(a_submission(data={"content": NIL}), "2024-12-10 00:00"),
    ],
    ids=["in time", "late", "nothing to report"],
)
def test_a_complete_report_of_its_own_takes_the_fast_path(fact: Fact) -> None:
    """It discharges the usual duty for ever, whenever it comes."""
    assert share(a_duty()).is_discharged_by(fact)


@pytest.mark.parametrize(
    "fact",
    [
        a_fact(a_submission(data={"content": EMPTY}), "2024-12-01 08:00"),
        a_fact(a_submission(data={"corrects": "s-0"}), "2024-12-01 08:00"),
        a_fact(a_submission(data={"period": "2023"}), "2024-12-01 08:00"),
        a_fact(a_submission(data={"agency": SECOND, "on_behalf_of": FIRST}), "2024-12-01 08:00"),
        a_fact(an_extension("x-1", "2024-12-20T00:00:00+07:00"), "2024-12-01 08:00"),
        a_fact(a_withdrawal("w-1", "s-1"), "2024-12-02 08:00"),
    ],
    ids=["incomplete", "a correction", "another period", "filed by another", "a decision", "a withdrawal"],
)
def test_every_other_fact_takes_the_full_path(fact: Fact) -> None:
    """Only `assess` says what it amounts to."""
    assert not share(a_duty()).is_discharged_by(fact)


@pytest.mark.parametrize(
    "changes",
    [
        {"opens_at": None},
        {"is_untracked": True},
        {"superseded_at": WITHIN},
        {"left_group_at": WITHIN},
        {"agency_ends_at": WITHIN},
        {"carried_from": (a_duty(),)},
    ],
    ids=["never binds", "untracked", "superseded", "left the group", "ended", "carried over"],
)
def test_a_duty_that_more_than_its_reports_decides_takes_the_full_path(changes: dict[str, Any]) -> None:
    """A complete report of its own is then not the end of it."""
    duty = msgspec.structs.replace(a_duty(), **changes)
    assert not share(duty).is_discharged_by(a_fact(a_submission(), "2024-12-01 08:00"))


def test_periods_that_open_at_once_have_outcomes_of_their_own() -> None:
    """After a change of recurrence the first month of a year opens together with the year, and is due before it."""
    year, cached = a_duty(), dict[Hashable, OutcomeWithoutFacts]()
    month = msgspec.structs.replace(year, key=msgspec.structs.replace(year.key, period="2024-01"), due_at=WITHIN)
    outcomes = [SharedDuty(duty, cached).without_facts.outcome for duty in (year, month)]
    assert outcomes == [compute_outcome(duty, ()) for duty in (year, month)]


def an_ending(on: str) -> Json:
    """Build what says of an agency that it ends on that day."""
    return {"valid": {"from": SINCE, "to": on}}


def test_the_end_of_an_agency_matters_only_before_due() -> None:
    """An agency that exists until the duty is due keeps its state (ruling 7), so that its end changes nothing."""
    days = ("2024-12-09", "2024-12-10", "2025-07-01")
    duties = [a_duty(registry=a_registry(an_agency(FIRST, **an_ending(day)))) for day in days]
    assert [share(one).is_usual for one in duties] == [False, True, True]


def test_the_duty_of_an_agency_that_leaves_takes_the_full_path() -> None:
    """An undated duty ends with the membership."""
    leaving = an_agency(FIRST, groups=[{"id": GROUP, "from": SINCE, "to": "2024-06-01"}])
    assert not share(a_duty(an_undated_version(), registry=a_registry(leaving), period=None)).is_usual


def test_agencies_that_are_bound_alike_share_a_duty() -> None:
    """Those that joined on another day, or end before due, do not; those that end after due share its outcome."""
    registry = a_registry(
        an_agency(FIRST),
        an_agency(SECOND),
        an_agency("h-bon", groups=[{"id": GROUP, "from": "2024-12-08"}]),
        an_agency("h-nam", **an_ending("2024-12-01")),
        an_agency("h-sau", **an_ending("2025-07-01")),
    )
    catalogue = a_catalogue(registry=registry)
    first, *others = (find_shared(catalogue, one) for one in (FIRST, SECOND, "h-bon", "h-nam", "h-sau"))
    assert [one is first for one in others] == [True, False, False, False]
    assert [one.without_facts is first.without_facts for one in others] == [True, False, False, True]
    assert catalogue.duty(agency=SECOND, obligation="results", period="2024").key.agency == SECOND


@pytest.mark.parametrize(("ends", "shares"), [("2025-07-01", False), ("2026-02-01", True)])
def test_an_agency_that_ends_while_it_would_be_urged_has_an_outcome_of_its_own(ends: str, *, shares: bool) -> None:
    """Weekly urging goes on for a year, and passes to others when the agency ends."""
    version = a_version(reminders={"then_every": "P7D"})
    registry = a_registry(an_agency(FIRST), an_agency("h-sau", **an_ending(ends)))
    catalogue = a_catalogue(a_plan(an_obligation(version)), registry)
    first, ending = (find_shared(catalogue, one) for one in (FIRST, "h-sau"))
    assert (first.without_facts is ending.without_facts) is shares


def test_an_agency_that_co_operates_in_its_own_report_shares_no_alerts_with_others() -> None:
    """It gets no copy of its own reminders, and the others get none of theirs less."""
    obligation = an_obligation(**{"with": [FIRST]})
    catalogue = a_catalogue(a_plan(obligation), a_registry(an_agency(SECOND), an_agency(FIRST)))
    for agency in (SECOND, FIRST):
        duty = catalogue.duty(agency=agency, obligation="results", period="2024")
        assert find_shared(catalogue, agency).without_facts.outcome == compute_outcome(duty, ())


@pytest.mark.parametrize("duty", some.DUTIES)
def test_the_outcome_without_facts_is_that_of_the_full_path(duty: Duty) -> None:
    """What is kept for all agencies bound alike is what the full path says of each."""
    assert share(duty).without_facts.outcome == compute_outcome(duty, ())
