"""What the middle level sees of the reports that it compiles."""

from decimal import Decimal

from schemas.events.assessments import Status
from schemas.plan.indicators import Indicator
from services.reporting.core.content import compiled_report
from services.reporting.core.results import ReportedDuty, ResultsQuestion, StandingSubmission

LOANS = Indicator(code="loans", unit="million_vnd")
RATIO = Indicator(code="ratio", kind="ratio", formula="loans / loans")


def a_duty(agency: str, loans: str | None, *, parts: frozenset[str] = frozenset()) -> ReportedDuty:
    """Build a duty with a report of *loans*, or an overdue one."""
    if loans is None:
        return ReportedDuty(agency=agency, status=Status.OVERDUE)
    submission = StandingSubmission(source="s", id=agency, figures={"loans": Decimal(loans)}, parts=parts)
    return ReportedDuty(agency=agency, status=Status.ON_TIME, submission=submission)


def compile_for(agency: str, own: ReportedDuty, *parts: ReportedDuty) -> list[compiled_report.ConsolidatedReport]:
    """Return what *agency* compiles where the district compiles *parts*."""
    question = ResultsQuestion(
        obligation="districts",
        period="2024",
        indicators=[LOANS, RATIO],
        groups=[],
        sections=[],
        duties=[own],
        parts={own.agency: parts},
    )
    return list(compiled_report.list_compiled_reports([question], agency))


def test_it_says_who_has_reported_and_what_that_adds_up_to() -> None:
    """While a part is outstanding the sum is that of the others, and nothing differs yet; a ratio is not added up."""
    own = a_duty("h-mot", "10", parts=frozenset({"x-hai"}))
    (found,) = compile_for("h-mot", own, a_duty("x-hai", "4.5"), a_duty("x-ba", None))
    assert [(one.agency, one.status, one.is_named) for one in found.parts] == [
        ("x-ba", Status.OVERDUE, False),
        ("x-hai", Status.ON_TIME, True),
    ]
    document = compiled_report.build_document(found, {"x-hai": "UBND xã Hai"})
    assert document["parts"][1] == {
        "agency": "x-hai",
        "name": "UBND xã Hai",
        "status": "on_time",
        "named": True,
        "figures": {"loans": "4.5"},
    }
    assert document["indicators"] == [
        {"code": "loans", "unit": "million_vnd", "own": "10", "parts_total": "4.5", "given": 1, "parts_differ": False}
    ]


def test_a_sum_that_differs_is_told_once_every_part_is_in() -> None:
    """0.1 and 0.2 are 0.3, exactly."""
    parts = a_duty("x-mot", "0.1"), a_duty("x-hai", "0.2")
    for own, differs in (("0.3", False), ("0.30000001", True)):
        (found,) = compile_for("h-mot", a_duty("h-mot", own), *parts)
        assert [one.differs for one in found.totals] == [differs]


def test_nothing_is_compiled_by_who_has_nobody_below() -> None:
    """Neither by another agency, nor where the agency has no parts."""
    own = a_duty("h-mot", "1")
    assert compile_for("h-hai", own, a_duty("x-mot", "1")) == []
    assert compile_for("h-mot", own) == []
