"""The annual report of many agencies, indicators and periods: how long each format takes, and how long it gets.

Processor time is measured, for it does not depend on what else the machine does.
"""

import io
import time
from dataclasses import replace
from itertools import islice
from typing import Any

import pytest
from msgspec import structs
from pypdf import PdfReader

from schemas.plan.plan import Plan
from services.reporting.core import annual_report, timeline
from services.reporting.core.annual_report import ReportQuery
from services.reporting.core.report.inputs import PeriodResults, ReportInputs
from services.reporting.core.results import ObligationResults
from services.reporting.documents.formats import FORMATS
from tests.support.builders.annual_report import AS_OF, a_line_context, a_registry, a_year
from tests.support.builders.reports.report_inputs import a_results_plan, consolidate_lines, some_report_inputs

SECONDS_MAX = 10.0
INDICATORS = 20
PAGES_MAX = 40
BYTES_MAX = 2_000_000


def inputs_of(agencies: int, months: int) -> ReportInputs:
    """Build the inputs of a report on *agencies* that report once a year, or in each of twelve *months*."""
    groups = [{"id": "ubnd-huyen", "name": {"vi": "UBND xã, phường"}}]
    listed = [
        {"id": f"h-{number:04d}", "names": [{"vi": f"UBND xã số {number}"}], "groups": [{"id": "ubnd-huyen"}]}
        for number in range(agencies)
    ]
    registry, plan = a_registry(groups=groups, agencies=listed), a_results_plan() if months == 1 else a_monthly_plan()
    revisions, attempts = a_year(registry)
    dated = [one for one in revisions if one.key.obligation == "annual-results"]
    states, attempted = [], {}
    for period in ["2026"] if months == 1 else [f"2026-{month + 1:02d}" for month in range(months)]:
        for revision in dated:
            key = structs.replace(revision.key, period=period)
            states.append(timeline.state_at(structs.replace(revision, key=key), AS_OF))
            attempted[key] = attempts[revision.key]
    context = a_line_context(plan=plan, registry=registry)
    query = ReportQuery(period="2026", as_of=AS_OF, known_at=AS_OF)
    report = annual_report.compile_report(query, states, attempts=attempted, context=context)
    results = tuple(
        PeriodResults(
            period=one.period or "",
            results=repeat_indicators(consolidate_lines(list(one.lines), plan, period=one.period or "")),
        )
        for one in report.chapters
    )
    graded = some_report_inputs().evaluations
    evaluations = tuple(
        replace(graded[number % len(graded)], agency=line.key.agency)
        for number, line in enumerate(report.chapters[0].lines)
    )
    return ReportInputs(report=report, registry=context.registry, results=results, evaluations=evaluations)


def repeat_indicators(results: ObligationResults) -> ObligationResults:
    """Return *results* with as many indicators as the plan of a province has: its own again under other codes."""
    own = results.indicators
    several = (
        replace(one, indicator=one.indicator.model_copy(update={"code": f"{one.indicator.code}_{number}"}))
        for number in range(INDICATORS)
        for one in own
    )
    return replace(results, indicators=tuple(islice(several, INDICATORS)))


def a_monthly_plan() -> Plan:
    """Build the plan with a report each month."""
    fields: dict[str, Any] = a_results_plan().model_dump(mode="json", by_alias=True)
    fields["obligations"][0]["versions"][0].update(recurrence="month", due={"day": 10})
    return Plan.model_validate(fields)


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("agencies", "months"), [(1000, 1), (300, 12)], ids=["1000-agencies", "300-agencies-12-months"]
)
def test_every_format_of_a_large_report_takes_under_ten_seconds(agencies: int, months: int) -> None:
    """Print the time of each format; the PDF of 300 agencies and twelve months stays under 40 pages and 2 MB."""
    inputs = inputs_of(agencies, months)
    for name, renderer in FORMATS.items():
        start = time.process_time()
        body = renderer.render(inputs, "vi")
        seconds = time.process_time() - start
        print(f"\nreport of {agencies} agencies, {months} periods, {name}: {seconds:.2f} s, {len(body)} bytes")
        assert seconds < SECONDS_MAX, name
        if name == "pdf" and months > 1:
            assert len(PdfReader(io.BytesIO(body)).pages) < PAGES_MAX
            assert len(body) < BYTES_MAX
