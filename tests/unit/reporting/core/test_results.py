"""Results are consolidated to the letter of contract section 8: who is summed, who is missing, what compares."""

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.events.assessments import Status
from schemas.plan.indicators import Indicator
from services.reporting.core import results_document
from services.reporting.core.reported_duties import ReportedDuty, StandingSubmission
from services.reporting.core.results import Comparison, IndicatorResult, ObligationResults, ResultsQuestion, consolidate
from services.reporting.core.results_document import PlanResults

LOANS = Indicator(code="loans", unit="million_vnd")
OVERDUE = Indicator(code="overdue")
RATIO = Indicator(code="ratio", kind="ratio", formula="overdue * 100 / loans")
NOVEMBER = date(2024, 11, 30)
LAST_NOVEMBER = date(2023, 11, 30)


def a_duty(agency: str = "h-01", status: Status = Status.ON_TIME, **changes: Any) -> ReportedDuty:
    """Return a duty of a member of `districts`, with the figures in `changes`."""
    content = {name: changes.pop(name) for name in ("cut_off", "sections", "is_nil_return") if name in changes}
    groups = changes.pop("groups", frozenset({"districts"}))
    flags = changes.pop("flags", ())
    has_filed = changes.pop("has_filed", bool(changes or content))
    submission = StandingSubmission(
        source="urn:test",
        id=f"{agency}-1",
        figures={code: Decimal(figure) for code, figure in changes.items()},
        **{"cut_off": NOVEMBER, **content},
    )
    return ReportedDuty(
        agency=agency, status=status, groups=groups, flags=flags, submission=submission if has_filed else None
    )


def ask(
    duties: Sequence[ReportedDuty],
    *indicators: Indicator,
    groups: Sequence[str] = ("districts",),
    sections: Sequence[str] = (),
    previous: Comparison | None = None,
) -> ResultsQuestion:
    """Return the question about 2024."""
    return ResultsQuestion(
        obligation="results",
        period="2024",
        indicators=indicators or (LOANS,),
        groups=groups,
        sections=sections,
        duties=duties,
        previous=previous,
    )


def find(question: ResultsQuestion, code: str = "loans") -> IndicatorResult:
    """Return the result of the indicator *code*."""
    return next(one for one in consolidate(question).indicators if one.indicator.code == code)


def build_document(*obligations: ObligationResults) -> dict[str, Any]:
    """Return the document of a plan as of midnight in Vietnam on 10 December 2024."""
    instant = datetime(2024, 12, 9, 17, tzinfo=UTC)
    zone = ZoneInfo("Asia/Ho_Chi_Minh")
    results = PlanResults(plan="P-1", period="2024", at=instant, known_at=instant, zone=zone, obligations=obligations)
    return results_document.build_document(results)


def test_all_figures_of_expected_agencies_are_summed() -> None:
    """Also of late and incomplete reports, which are counted apart."""
    duties = [
        a_duty("h-03", loans="0.1"),
        a_duty("h-01", Status.LATE, loans="0.2"),
        a_duty("h-02", Status.INCOMPLETE, loans="1"),
        a_duty("h-04", Status.OVERDUE),
        a_duty("h-05", is_nil_return=True, loans="7"),
    ]
    found = find(ask(duties))
    assert (found.total, found.asked, found.agencies, found.late, found.incomplete) == (Decimal("1.3"), 5, 3, 1, 1)
    assert found.not_given == ("h-04", "h-05")
    assert [one.agency for one in found.figures] == ["h-01", "h-02", "h-03"]
    results = consolidate(ask(duties))
    assert (results.expected, results.standing) == (5, 4)


@pytest.mark.parametrize("status", [Status.NOT_APPLICABLE, Status.SUPERSEDED, Status.ENDED_NO_SUCCESSOR])
def test_who_does_not_owe_is_nowhere(status: Status) -> None:
    """Neither expected nor shown."""
    results = consolidate(ask([a_duty(status=status, loans="5", sections={"plans": "text"})], sections=["plans"]))
    assert (results.expected, results.standing, results.indicators[0].asked) == (0, 0, 0)
    assert (results.indicators[0].figures, results.sections["plans"]) == ((), ())


def test_an_exempt_agency_is_shown_and_not_summed() -> None:
    """It reports voluntarily: its figures and texts stand, and count nowhere."""
    duty = a_duty(status=Status.EXEMPT, loans="5", sections={"plans": "text"}, flags=("voluntary_report",))
    results = consolidate(ask([duty], sections=["plans"]))
    found = results.indicators[0]
    assert (results.expected, results.standing, found.total, found.agencies) == (0, 0, Decimal(0), 0)
    assert [(one.value, one.flags) for one in found.figures] == [(Decimal(5), ("voluntary_report",))]
    assert [one.text for one in results.sections["plans"]] == ["text"]
    assert (found.groups[0].total, found.groups[0].agencies) == (Decimal(0), 0)


def test_a_figure_that_is_not_asked_is_shown_and_not_summed() -> None:
    """It bears a flag; who is asked is named by agency or by group."""
    asked = LOANS.model_copy(update={"asked_of": ("towns", "h-09")})
    duties = [
        a_duty("h-01", loans="5"),
        a_duty("h-02", loans="7", groups=frozenset({"districts", "towns"})),
        a_duty("h-09", Status.OVERDUE),
    ]
    found = find(ask(duties, asked))
    assert (found.total, found.asked, found.agencies, found.not_given) == (Decimal(7), 2, 1, ("h-09",))
    assert [(one.agency, one.flags) for one in found.figures] == [("h-01", ("unasked",)), ("h-02", ())]


def test_an_agency_in_two_groups_counts_in_both() -> None:
    """Groups stand in the order of the question, also without members."""
    both = a_duty("h-01", loans="5", groups=frozenset({"districts", "towns"}))
    found = find(ask([both, a_duty("h-02", loans="1")], groups=["towns", "districts", "wards"]))
    assert [(one.group, one.total, one.agencies) for one in found.groups] == [
        ("towns", Decimal(5), 1),
        ("districts", Decimal(6), 2),
        ("wards", Decimal(0), 0),
    ]


def test_a_ratio_comes_from_totals_and_speaks_of_who_gave_every_part() -> None:
    """Its total uses every figure; its agencies are those that gave all of them; it is never summed."""
    duties = [a_duty("h-01", loans="300", overdue="1"), a_duty("h-02", Status.LATE, loans="100"), a_duty("h-03")]
    found = find(ask(duties, LOANS, OVERDUE, RATIO), "ratio")
    assert (found.total, found.asked, found.agencies, found.late) == (Decimal("0.25"), 3, 1, 0)
    assert found.not_given == ("h-02", "h-03")
    assert [(one.agency, one.value) for one in found.figures] == [("h-01", Decimal("0.333333"))]
    assert found.groups[0].total == Decimal("0.25")


def test_a_ratio_that_divides_by_zero_has_no_value() -> None:
    """Null in total and for the agency."""
    found = find(ask([a_duty(loans="0", overdue="1")], LOANS, OVERDUE, RATIO), "ratio")
    assert (found.total, found.figures[0].value, found.agencies) == (None, None, 1)


def test_cut_offs_count_every_summed_figure() -> None:
    """A figure without a cut-off counts as unknown."""
    duties = [
        a_duty("h-01", loans="1"),
        a_duty("h-02", loans="1", cut_off=date(2024, 12, 31)),
        a_duty("h-03", loans="1", cut_off=None),
    ]
    document = build_document(consolidate(ask(duties)))
    assert document["obligations"][0]["indicators"][0]["cut_offs"] == {"2024-11-30": 1, "2024-12-31": 1, "unknown": 1}


def compare(now: Sequence[ReportedDuty], before: Sequence[ReportedDuty], **changes: Any) -> IndicatorResult:
    """Return the loans of 2024 beside those of 2023."""
    return find(ask(now, previous=Comparison(period="2023", duties=before, **changes)))


def last_year(agency: str = "h-01", **changes: Any) -> ReportedDuty:
    """Return a duty of 2023."""
    return a_duty(agency, **{"cut_off": LAST_NOVEMBER, **changes})


def test_a_silent_agency_does_not_read_as_a_fall() -> None:
    """Only agencies that gave the figure in both years as of the same day are compared."""
    now = [a_duty("h-01", loans="11"), a_duty("h-02", Status.OVERDUE), a_duty("h-03", loans="9", cut_off=None)]
    found = compare(now, [last_year("h-01", loans="10"), last_year("h-02", loans="50"), last_year("h-03", loans="8")])
    assert found.previous is not None
    assert (found.previous.total, found.previous.agencies) == (Decimal(68), 3)
    same = found.previous.same
    assert (same.agencies, same.total, same.previous) == (1, Decimal(11), Decimal(10))


def test_a_merged_agency_counts_under_its_heir() -> None:
    """The heir is compared with what it and the merged ones gave together."""
    found = compare(
        [a_duty("tp-01", loans="30")],
        [last_year("tp-01", loans="10"), last_year("h-01", loans="15")],
        heirs={"h-01": "tp-01"},
    )
    assert found.previous is not None
    same = found.previous.same
    assert (same.agencies, same.total, same.previous) == (1, Decimal(30), Decimal(25))


def test_an_agency_that_reported_before_it_was_merged_counts_under_its_heir_in_both_years() -> None:
    """What it sent is kept, so it stands beside the heir this year; without it the heir would read as a fall.

    The heir's own figure has no figure of the year before: that one speaks of the merged agency too.
    """
    found = compare(
        [a_duty("tp-01", loans="12"), a_duty("h-01", loans="18")],
        [last_year("tp-01", loans="10"), last_year("h-01", loans="15")],
        heirs={"h-01": "tp-01"},
    )
    assert found.previous is not None
    same = found.previous.same
    assert (same.agencies, same.total, same.previous) == (1, Decimal(30), Decimal(25))
    assert same.previous_by_agency == {}


def test_an_agency_whose_heir_is_not_asked_is_compared_with_itself() -> None:
    """It gave the figure in both years, the second time before it was merged."""
    found = compare([a_duty(loans="11")], [last_year(loans="10")], heirs={"h-01": "tp-01"})
    assert found.previous is not None
    same = found.previous.same
    assert (same.agencies, same.total, same.previous) == (1, Decimal(11), Decimal(10))


@pytest.mark.parametrize(
    ("now", "before", "is_comparable"),
    [
        ([NOVEMBER], [LAST_NOVEMBER], True),
        ([NOVEMBER, NOVEMBER], [LAST_NOVEMBER], True),
        ([date(2024, 2, 29)], [date(2023, 2, 28)], True),
        ([date(2024, 2, 28)], [date(2023, 2, 28)], True),
        ([NOVEMBER], [date(2023, 11, 29)], False),
        ([NOVEMBER], [date(2023, 12, 31)], False),
        ([NOVEMBER, date(2024, 12, 31)], [LAST_NOVEMBER], False),
        ([None], [None], False),
        ([NOVEMBER], [], False),
    ],
)
def test_totals_compare_where_each_year_has_one_cut_off_on_the_same_day(
    now: list[date | None],
    before: list[date | None],
    is_comparable: bool,  # noqa: FBT001
) -> None:
    """The last of February is one day in both years."""
    found = compare(
        [a_duty(f"h-{place}", loans="1", cut_off=day) for place, day in enumerate(now)],
        [last_year(f"h-{place}", loans="1", cut_off=day) for place, day in enumerate(before)],
    )
    assert found.previous is not None
    assert found.previous.is_comparable is is_comparable


def test_totals_do_not_compare_when_an_agency_was_split() -> None:
    """Nobody knows which part of its figure belongs to which heir."""
    found = compare([a_duty(loans="1")], [last_year(loans="1")], has_split=True)
    assert found.previous is not None
    assert not found.previous.is_comparable


def test_there_is_no_year_before_where_the_obligation_had_none() -> None:
    """Null, and not zero."""
    assert find(ask([a_duty(loans="1")])).previous is None


DOCUMENT = {
    "plan": "P-1",
    "period": "2024",
    "at": "2024-12-10T00:00:00.000+07:00",
    "known_at": "2024-12-10T00:00:00.000+07:00",
    "obligations": [
        {
            "obligation": "results",
            "expected": 1,
            "standing": 1,
            "indicators": [
                {
                    "code": "loans",
                    "unit": "million_vnd",
                    "kind": "stock",
                    "total": "1000",
                    "asked": 1,
                    "agencies": 1,
                    "late": 0,
                    "incomplete": 0,
                    "not_given": [],
                    "cut_offs": {"2024-11-30": 1},
                    "target": "400000.5",
                    "previous": {
                        "period": "2023",
                        "total": "999.9",
                        "agencies": 1,
                        "comparable": True,
                        "same": {"agencies": 1, "total": "1000", "previous": "999.9"},
                    },
                    "groups": [{"group": "districts", "total": "1000", "agencies": 1}],
                    "figures": [
                        {
                            "agency": "h-01",
                            "value": "1000",
                            "status": "on_time",
                            "cut_off": "2024-11-30",
                            "source": "urn:test",
                            "id": "h-01-1",
                            "flags": [],
                        }
                    ],
                }
            ],
            "sections": [
                {
                    "id": "plans",
                    "texts": [{"agency": "h-01", "text": "Kiến nghị", "source": "urn:test", "id": "h-01-1"}],
                }
            ],
        }
    ],
}


def test_the_document_is_that_of_the_contract() -> None:
    """Every member of contract section 8 under its name, numbers as plain text."""
    targeted = LOANS.model_copy(update={"target": {"2024": Decimal("400000.50")}})
    question = ask(
        [a_duty(loans="1E+3", sections={"plans": "Kiến nghị"})],
        targeted,
        sections=["plans"],
        previous=Comparison(period="2023", duties=[last_year(loans="999.90")]),
    )
    assert build_document(consolidate(question)) == DOCUMENT


FIGURES = st.dictionaries(
    st.sampled_from(["loans", "overdue"]), st.decimals(allow_nan=False, allow_infinity=False, places=3).map(str)
)


@st.composite
def many_duties(draw: st.DrawFn) -> list[ReportedDuty]:
    """Draw duties of different agencies in any state."""
    agencies = draw(st.lists(st.sampled_from([f"h-{number:02}" for number in range(20)]), unique=True))
    return [
        a_duty(
            agency,
            draw(st.sampled_from(list(Status))),
            has_filed=draw(st.booleans()),
            is_nil_return=draw(st.booleans()),
            **draw(FIGURES),
        )
        for agency in agencies
    ]


@given(many_duties(), st.randoms(use_true_random=False))
def test_totals_are_a_fold_over_the_duties_in_any_order(duties: list[ReportedDuty], order: random.Random) -> None:
    """The total is the sum of the figures of expected agencies; who gave and who did not are all who are asked."""
    shuffled = [*duties]
    order.shuffle(shuffled)
    assert consolidate(ask(duties, LOANS, OVERDUE, RATIO)) == consolidate(ask(shuffled, LOANS, OVERDUE, RATIO))
    found = find(ask(duties))
    summed = [one for one in duties if one.is_expected and one.figure("loans") is not None]
    assert Fraction(found.total or 0) == sum((Fraction(one.figure("loans") or 0) for one in summed), Fraction(0))
    assert found.agencies + len(found.not_given) == found.asked == sum(one.is_expected for one in duties)
    assert sum(found.cut_offs.values()) == found.agencies
    assert {one.agency for one in found.figures} >= {one.agency for one in summed}


def test_a_thousand_agencies_with_twenty_indicators_take_less_than_a_second_of_work() -> None:
    """The work grows with the number of figures alone: twice the agencies, twice the work."""
    indicators = [Indicator(code=f"i{number}") for number in range(20)]
    given_figures: dict[str, Any] = {one.code: "12.5" for one in indicators}
    duties = [a_duty(f"h-{number:04}", **given_figures) for number in range(1000)]
    results = consolidate(ask(duties, *indicators, previous=Comparison(period="2023", duties=duties)))
    assert all(one.total == Decimal(12500) for one in results.indicators)
    assert replace(results, indicators=()).expected == 1000
