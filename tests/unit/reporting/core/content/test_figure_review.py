"""Figures that look like a slip are shown to the officer beside the agency's own figures of last year."""

from decimal import Decimal
from typing import Any

from schemas.content.figure_findings import FindingKind
from schemas.events.assessments import Status
from schemas.plan.indicators import Indicator
from services.reporting.core.content import figure_review
from services.reporting.core.reported_duties import ReportedDuty, StandingSubmission
from services.reporting.core.results import Comparison, ResultsQuestion

LOANS = Indicator(code="loans", unit="million_vnd")


def a_duty(agency: str, loans: str | None, **changes: Any) -> ReportedDuty:
    """Return a duty with that figure."""
    figures = {} if loans is None else {"loans": Decimal(loans)}
    content = {"is_nil_return": changes.pop("is_nil_return", False), "figures": figures}
    submission = StandingSubmission(source="urn:test", id=f"{agency}-1", **content)
    return ReportedDuty(agency=agency, submission=submission, **{"status": Status.ON_TIME, **changes})


def review(now: list[ReportedDuty], before: list[ReportedDuty]) -> list[tuple[str, FindingKind]]:
    """Return who has which finding."""
    question = ResultsQuestion(
        obligation="results",
        period="2024",
        indicators=[LOANS],
        groups=[],
        sections=[],
        duties=now,
        previous=Comparison(period="2023", duties=before) if before else None,
    )
    return [(one.agency, one.finding.kind) for one in figure_review.review_figures([question])]


def test_a_figure_is_compared_with_the_agencys_own_of_last_year() -> None:
    """A thousandfold, or the very same sum, is worth a second look; a plausible growth is not."""
    now = [a_duty("h-3", "1250000"), a_duty("h-1", "1250.5"), a_duty("h-2", "1300")]
    before = [a_duty("h-1", "1250.5"), a_duty("h-2", "1200"), a_duty("h-3", "1200")]
    assert review(now, before) == [("h-1", FindingKind.UNCHANGED), ("h-3", FindingKind.THOUSANDFOLD)]


def test_what_is_not_summed_is_not_reviewed() -> None:
    """Neither a nil return nor a duty that passed to a successor, and nobody is compared with a nil return."""
    before = [a_duty("h-1", "5000"), a_duty("h-2", "5000"), a_duty("h-3", "5000", is_nil_return=True)]
    now = [
        a_duty("h-1", "5000", is_nil_return=True),
        a_duty("h-2", "5000", status=Status.SUPERSEDED),
        a_duty("h-3", "5000"),
    ]
    assert review(now, before) == []
    assert review(now, []) == []
