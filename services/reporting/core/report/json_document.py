"""The report for programs: every figure, every line, the results and the grades, as plain JSON values.

Field names are stable English. The schema is published as `schemas/jsonschema/annual-report.schema.json`.
"""

from collections.abc import Iterable
from typing import Any
from zoneinfo import ZoneInfo

from schemas.plan.indicators import Indicator
from services.reporting.core import json_views, results_document
from services.reporting.core.report import figures
from services.reporting.core.report.inputs import GradedAgency, ReportInputs, SealedVersionChanges
from services.reporting.core.results_document import PlanResults


def build_json_document(inputs: ReportInputs, language: str) -> dict[str, Any]:
    """Return the whole report; titles and names are in *language* as far as plan and registry have them."""
    report = inputs.report
    return {
        **json_views.render_report(report),
        "registry": inputs.registry.registry.registry,
        "registry_version": inputs.registry.registry.version,
        "language": language,
        "indicators": [_describe_indicator(one, language) for one in _list_indicators(inputs)],
        "results": [
            results_document.build_document(
                PlanResults(
                    plan=report.plan.plan,
                    period=one.period,
                    at=report.as_of,
                    known_at=report.known_at,
                    zone=ZoneInfo(report.plan.zone),
                    obligations=(one.results,),
                )
            )
            for one in inputs.results
        ],
        "evaluations": [_describe_grade(one) for one in inputs.evaluations],
        "findings": [{"agency": one.agency, "code": one.code, "sentence": one.sentence} for one in inputs.findings],
        "changes": None if inputs.changes is None else _describe_changes(inputs.changes),
        "figures": {one.id: figures.render_figure(one) for one in figures.collect_figures(inputs).values()},
    }


def _describe_changes(since: SealedVersionChanges) -> dict[str, Any]:
    """Return every figure that differs from the version that was sealed before; the keys are those of the figures."""
    return {
        "since_version": since.version,
        "sealed_at": since.sealed_at.isoformat(),
        "figures": {
            one.figure: {"before": one.before, "after": one.after, "unit": one.unit, "evidence": list(one.events)}
            for one in since.changes
        },
    }


def _list_indicators(inputs: ReportInputs) -> Iterable[Indicator]:
    return {
        result.indicator.code: result.indicator for one in inputs.results for result in one.results.indicators
    }.values()


def _describe_indicator(indicator: Indicator, language: str) -> dict[str, str | None]:
    return {
        "code": indicator.code,
        "title": indicator.label_in(language),
        "unit": indicator.unit,
        "kind": indicator.kind,
        "formula": indicator.formula,
    }


def _describe_grade(graded: GradedAgency) -> dict[str, str | None]:
    return {
        "agency": graded.agency,
        "grade": graded.grade,
        "title": graded.title,
        "reason": graded.reason,
        "officer_grade": graded.officer_grade,
        "officer_sentence": graded.officer_sentence or None,
    }
