"""The docket keeps each fact once and returns the periods that it touches."""

from services.rules.core.facts import EVERY_PERIOD, Docket, Fact
from tests.support.assertions.spec import a_fact, rfc3339
from tests.support.builders.plans import (
    a_reassignment,
    a_revocation,
    a_submission,
    a_withdrawal,
    an_exemption,
    an_extension,
)

DUE = rfc3339("2025-01-31 00:00")


def a_recorded_fact(event: dict[str, object], at: str = "2024-12-01 08:00") -> Fact:
    """Build the fact of *event*, received at some time."""
    return a_fact(event, at)


def test_a_fact_touches_its_period() -> None:
    """A submission, a withdrawal and an extension touch the one period that they are about."""
    docket = Docket()
    for event in (a_submission("s-1"), a_withdrawal("w-1", "s-1"), an_extension("x-1", DUE)):
        assert docket.add(a_recorded_fact(event)) == {"2024"}
    assert len(list(docket)) == 3
    assert docket.periods == {"2024"}


def test_an_exemption_and_its_revocation_touch_every_period() -> None:
    """An exemption and its revocation touch every period, because they are about a span of time."""
    docket = Docket([a_recorded_fact(a_submission("s-1"))])
    assert docket.add(a_recorded_fact(an_exemption("e-1", DUE, DUE))) == {EVERY_PERIOD}
    assert docket.add(a_recorded_fact(a_revocation("r-1", "e-1", DUE))) == {EVERY_PERIOD}
    assert docket.periods == {"2024"}


def test_a_fact_seen_before_changes_nothing() -> None:
    """Of two facts with one identity the first is kept, and the second touches nothing."""
    docket = Docket()
    first, again = a_recorded_fact(a_submission("s-1")), a_recorded_fact(a_submission("s-1"), "2024-12-20 08:00")
    assert docket.add(first) == {"2024"}
    assert docket.add(again) == frozenset()
    assert list(docket) == [first]


def test_a_move_touches_both_periods_whichever_comes_first() -> None:
    """A reassignment touches both periods, and so does a report that is added after its reassignment."""
    move, report = a_recorded_fact(a_reassignment("m-1", "s-1", to="2023")), a_recorded_fact(a_submission("s-1"))
    assert Docket().add(move) == {"2024", "2023"}
    assert Docket([move]).add(report) == {"2024", "2023"}


def test_a_withdrawal_touches_where_its_report_was_moved() -> None:
    """A withdrawal touches the period to which its report was moved."""
    docket = Docket([a_recorded_fact(a_submission("s-1")), a_recorded_fact(a_reassignment("m-1", "s-1", to="2023"))])
    assert docket.add(a_recorded_fact(a_withdrawal("w-1", "s-1"))) == {"2024", "2023"}


def test_a_withdrawal_under_the_wrong_period_touches_the_report_s_own() -> None:
    """A withdrawal under the wrong period also touches the period of the report that it names."""
    docket = Docket([a_recorded_fact(a_submission("s-1", data={"period": "2022"}))])
    assert docket.add(a_recorded_fact(a_withdrawal("w-1", "s-1"))) == {"2024", "2022"}


def test_a_further_move_touches_every_place_the_report_has_been() -> None:
    """A further reassignment touches every period in which the report has been, as it may undo the others."""
    docket = Docket([a_recorded_fact(a_submission("s-1")), a_recorded_fact(a_reassignment("m-1", "s-1", to="2023"))])
    assert docket.add(a_recorded_fact(a_reassignment("m-2", "s-1", from_="2023", to="2022"))) == {
        "2024",
        "2023",
        "2022",
    }
