"""A reader sees of results their own agencies' figures and texts, and every total (contract section 9)."""

from collections.abc import Collection
from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from schemas.events.assessments import Status
from schemas.plan.indicators import Indicator
from services.reporting.core import results, results_document
from services.reporting.core.content import results_scope
from services.reporting.core.content.results_scope import CoversAgency
from services.reporting.core.reported_duties import ReportedDuty, StandingSubmission
from services.reporting.core.results import ResultsQuestion
from services.reporting.core.results_document import PlanResults

NOW = datetime(2024, 12, 9, 17, tzinfo=UTC)


def some_results() -> PlanResults:
    """Return results of three agencies, of which `h-2` gave no figure."""
    duties = [
        a_duty("h-1", "towns", loans="5"),
        a_duty("h-2", "towns"),
        a_duty("h-3", "districts", loans="7"),
    ]
    question = ResultsQuestion(
        obligation="results",
        period="2024",
        indicators=[Indicator(code="loans")],
        groups=["towns", "districts"],
        sections=["plans"],
        duties=duties,
    )
    zone = ZoneInfo("Asia/Ho_Chi_Minh")
    obligations = (results.consolidate(question),)
    return PlanResults(plan="P-1", period="2024", at=NOW, known_at=NOW, zone=zone, obligations=obligations)


def a_duty(agency: str, group: str, **figures: str) -> ReportedDuty:
    """Return a duty with a text and these figures."""
    content = StandingSubmission(
        source="urn:test",
        id=f"{agency}-1",
        figures={code: Decimal(figure) for code, figure in figures.items()},
        sections={"plans": f"text of {agency}"},
    )
    return ReportedDuty(agency=agency, status=Status.ON_TIME, groups=frozenset({group}), submission=content)


def names_in(restricted: PlanResults) -> set[str]:
    """Return every agency that the document names."""
    text = str(results_document.build_document(restricted))
    return {agency for agency in ("h-1", "h-2", "h-3") if agency in text}


def test_an_agency_sees_its_own_figures_and_the_totals() -> None:
    """Neither the figure nor the text nor the silence of another is told; all totals are those of everybody."""
    whole = some_results()
    restricted = results_scope.restrict_results(whole, lambda agency, _groups: agency == "h-1")
    assert names_in(restricted) == {"h-1"}
    (found,), (before,) = (one.obligations[0].indicators for one in (restricted, whole))
    assert [one.agency for one in found.figures] == ["h-1"]
    assert (found.total, found.asked, found.agencies) == (before.total, before.asked, before.agencies)
    assert [(one.group, one.total, one.agencies) for one in found.groups] == [("towns", 5, 1), ("districts", 7, 1)]
    assert before.groups[1].basis.evidence == ("h-3-1",)
    assert [one.basis.evidence for one in (found, *found.groups)] == [(), (), ()]


def test_a_group_sees_its_members() -> None:
    """Also those of its members who gave nothing."""

    def is_town(_agency: str, groups: Collection[str]) -> bool:
        return "towns" in groups

    restricted = results_scope.restrict_results(some_results(), is_town)
    assert names_in(restricted) == {"h-1", "h-2"}
    assert restricted.obligations[0].indicators[0].not_given == ("h-2",)


def test_whoever_sees_everything_sees_it_unchanged() -> None:
    """And whoever sees nobody sees totals alone."""
    everything: CoversAgency = lambda _agency, _groups: True  # noqa: E731 - as short as a lambda
    assert results_scope.restrict_results(some_results(), everything) == some_results()
    nothing = results_scope.restrict_results(some_results(), lambda _agency, _groups: False)
    assert names_in(nothing) == set()
    assert nothing.obligations[0].indicators[0].total == Decimal(12)
