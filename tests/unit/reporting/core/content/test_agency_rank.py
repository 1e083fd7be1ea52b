"""The place of one agency in its group, told without a name or a figure of the others."""

from dataclasses import asdict, replace
from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from schemas.events.assessments import Status
from schemas.plan.indicators import Indicator
from services.reporting.core import results
from services.reporting.core.access import readers
from services.reporting.core.content import agency_rank, results_scope
from services.reporting.core.reported_duties import ReportedDuty, StandingSubmission
from services.reporting.core.results import Comparison, ObligationResults, ResultsQuestion
from services.reporting.core.results_document import PlanResults

LENT = Indicator(code="lent", kind="flow", target={"2024": Decimal(100)})
LOANS = Indicator(code="loans", kind="stock")
OVERDUE = Indicator(code="overdue", kind="stock")
RATIO = Indicator(code="ratio", kind="ratio", formula="overdue * 100 / loans")
NOW = datetime(2024, 12, 9, 17, tzinfo=UTC)


def a_duty(agency: str, group: str = "towns", status: Status = Status.ON_TIME, **figures: int) -> ReportedDuty:
    """Build a duty with these figures."""
    given = {code: Decimal(figure) for code, figure in figures.items()}
    content = StandingSubmission(source="urn:test", id=f"{agency}-1", figures=given)
    return ReportedDuty(agency=agency, status=status, groups=frozenset({group}), submission=content)


def consolidate(*duties: ReportedDuty, indicators: tuple[Indicator, ...] = (LENT,)) -> ObligationResults:
    """Consolidate the duties of two groups, with the same duties a year before."""
    question = ResultsQuestion(
        obligation="results",
        period="2024",
        indicators=indicators,
        groups=["towns", "districts"],
        sections=[],
        duties=duties,
        previous=Comparison(period="2023", duties=duties),
    )
    return results.consolidate(question)


TOWNS = [a_duty(f"t-{number}", lent=number) for number in range(5)]


def test_an_agency_is_placed_among_its_own_group() -> None:
    """The largest comes first, equal ones share a place, and districts are not compared with towns."""
    found = consolidate(*TOWNS, a_duty("t-9", lent=3), a_duty("d-1", "districts", lent=99))
    places = {agency: agency_rank.rank_agency(found, agency) for agency in ("t-4", "t-3", "t-9", "t-2", "d-1", "x")}
    assert [None if one is None else one.place for one in places.values()] == [1, 2, 2, 4, None, None]
    assert places["t-4"] == agency_rank.AgencyRank(code="lent", group="towns", place=1, agencies=6)


@pytest.mark.parametrize(
    ("fifth", "is_ranked"),
    [
        (a_duty("t-4", lent=4), True),
        (a_duty("t-4"), False),
        (a_duty("t-4", status=Status.EXEMPT, lent=4), False),
        (a_duty("t-4", group="districts", lent=4), False),
    ],
)
def test_of_fewer_than_five_nobody_is_ranked(fifth: ReportedDuty, is_ranked: bool) -> None:  # noqa: FBT001 - one of two
    """Of two agencies the place of the one tells the other's; who is exempt, or gave nothing, is not compared."""
    assert (agency_rank.rank_agency(consolidate(*TOWNS[:4], fifth), "t-1") is not None) == is_ranked


def test_nobody_is_ranked_by_how_large_it_is() -> None:
    """A flow without a target and a stock rank nobody; a ratio does, which is the next choice after a flow."""
    duties = [a_duty(f"t-{number}", loans=100, overdue=number, lent=9 - number) for number in range(5)]
    without_target = LENT.model_copy(update={"target": {}})
    assert agency_rank.rank_agency(consolidate(*duties, indicators=(LOANS, OVERDUE, without_target)), "t-1") is None
    by_ratio = agency_rank.rank_agency(consolidate(*duties, indicators=(LOANS, OVERDUE, RATIO, without_target)), "t-1")
    by_flow = agency_rank.rank_agency(consolidate(*duties, indicators=(LOANS, OVERDUE, RATIO, LENT)), "t-1")
    assert [None if one is None else (one.code, one.place) for one in (by_ratio, by_flow)] == [
        ("ratio", 4),
        ("lent", 2),
    ]


def test_the_answer_to_an_agency_holds_its_place_and_no_other_agency() -> None:
    """Not in the document, and not in the value either from which other views are drawn."""
    whole = PlanResults(
        plan="P-1",
        period="2024",
        at=NOW,
        known_at=NOW,
        zone=ZoneInfo("Asia/Ho_Chi_Minh"),
        obligations=(consolidate(*TOWNS),),
    )
    own = readers.agency_reader("t-1").scope
    document = results_scope.build_document(whole, own)
    assert document["obligations"][0]["rank"] == {"code": "lent", "group": "towns", "place": 4, "agencies": 5}
    restricted = asdict(replace(results_scope.restrict_results(whole, own.covers_agency), zone=ZoneInfo("UTC")))
    assert not any(f"t-{number}" in f"{document}{restricted}" for number in (0, 2, 3, 4))
    for scope in (readers.EVERYTHING, readers.parse_scope(["group:towns"])):
        assert "rank" not in results_scope.build_document(whole, scope)["obligations"][0]
