"""The docket keeps each fact once and says which periods it touches."""

from services.rules.core.docket import EVERY_PERIOD, Docket
from services.rules.core.facts import Fact
from tests.support.assertions.spec import received, rfc3339
from tests.support.builders.plans import (
    a_reassignment,
    a_revocation,
    a_submission,
    a_withdrawal,
    an_exemption,
    an_extension,
)

DUE = rfc3339("2025-01-31 00:00")


def told(event: dict[str, object], at: str = "2024-12-01 08:00") -> Fact:
    """The fact, received at some time."""
    return received(event, at)


def test_a_fact_touches_its_period() -> None:
    """Submission, withdrawal and extension are about one."""
    docket = Docket()
    for event in (a_submission("s-1"), a_withdrawal("w-1", "s-1"), an_extension("x-1", DUE)):
        assert docket.add(told(event)) == {"2024"}
    assert len(docket) == 3
    assert docket.periods == {"2024"}


def test_an_exemption_and_its_revocation_touch_every_period() -> None:
    """They are about a span of time."""
    docket = Docket([told(a_submission("s-1"))])
    assert docket.add(told(an_exemption("e-1", DUE, DUE))) == {EVERY_PERIOD}
    assert docket.add(told(a_revocation("r-1", "e-1", DUE))) == {EVERY_PERIOD}
    assert docket.periods == {"2024"}


def test_a_fact_seen_before_changes_nothing() -> None:
    """The first one of an identity is kept."""
    docket = Docket()
    first, again = told(a_submission("s-1")), told(a_submission("s-1"), "2024-12-20 08:00")
    assert docket.add(first) == {"2024"}
    assert docket.add(again) == frozenset()
    assert list(docket) == [first]


def test_a_move_touches_both_periods_whichever_comes_first() -> None:
    """The report that comes after its move touches where it went."""
    move, report = told(a_reassignment("m-1", "s-1", to="2023")), told(a_submission("s-1"))
    assert Docket().add(move) == {"2024", "2023"}
    assert Docket([move]).add(report) == {"2024", "2023"}


def test_a_withdrawal_touches_where_its_report_was_moved() -> None:
    """There the report ends."""
    docket = Docket([told(a_submission("s-1")), told(a_reassignment("m-1", "s-1", to="2023"))])
    assert docket.add(told(a_withdrawal("w-1", "s-1"))) == {"2024", "2023"}


def test_a_withdrawal_under_the_wrong_period_touches_the_report_s_own() -> None:
    """It names the report, and the report is filed elsewhere."""
    docket = Docket([told(a_submission("s-1", data={"period": "2022"}))])
    assert docket.add(told(a_withdrawal("w-1", "s-1"))) == {"2024", "2022"}


def test_a_further_move_touches_every_place_the_report_has_been() -> None:
    """Moves act in order of receipt, so one that comes late may undo the others."""
    docket = Docket([told(a_submission("s-1")), told(a_reassignment("m-1", "s-1", to="2023"))])
    assert docket.add(told(a_reassignment("m-2", "s-1", from_="2023", to="2022"))) == {"2024", "2023", "2022"}
