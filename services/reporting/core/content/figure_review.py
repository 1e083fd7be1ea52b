"""Figures in the results that look like a slip, for the officer: beside last year's figures of the same agency.

A finding asks for a second look. It refuses nothing, and no status and no sum follows from it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from schemas.content import figure_findings
from schemas.content.figure_findings import FigureFinding
from services.reporting.core.reported_duties import StandingSubmission
from services.reporting.core.results import ResultsQuestion


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewedFigure:
    """A finding on a figure of one agency, with the event that the figure came with."""

    obligation: str
    agency: str
    groups: frozenset[str]
    value: Decimal | None
    finding: FigureFinding
    source: str
    id: str


def review_figures(questions: Iterable[ResultsQuestion]) -> tuple[ReviewedFigure, ...]:
    """Return the findings on the figures that stand, by obligation, agency and the order of the indicators."""
    return tuple(one for question in questions for one in _review_obligation(question))


def _review_obligation(question: ResultsQuestion) -> Iterable[ReviewedFigure]:
    previous = {} if question.previous is None else {duty.agency: duty for duty in question.previous.duties}
    for duty in sorted(question.duties, key=lambda one: one.agency):
        if duty.submission is None or duty.submission.is_nil_return or not duty.is_shown:
            continue
        before = previous.get(duty.agency)
        submission_before = None if before is None else before.submission
        for finding in _find_slips(question, duty.submission, submission_before):
            yield ReviewedFigure(
                obligation=question.obligation,
                agency=duty.agency,
                groups=duty.groups,
                value=duty.submission.figures.get(finding.code),
                finding=finding,
                source=duty.submission.source,
                id=duty.submission.id,
            )


def _find_slips(
    question: ResultsQuestion, submission: StandingSubmission, before: StandingSubmission | None
) -> tuple[FigureFinding, ...]:
    is_known = before is not None and not before.is_nil_return
    previous = before.figures if before is not None and is_known else None
    return figure_findings.find_slips(question.indicators, submission.figures, previous)
