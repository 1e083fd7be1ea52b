"""Compares what reporting answers about the year of plan 6766 with what must come of it."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import httpx

from services.console.demo.plan_6766 import expected, expected_results
from services.console.demo.plan_6766.events import PLAN, RESULTS, YEAR
from services.console.demo.plan_6766.expected import ExpectedDuty
from services.console.demo.scenario import ScenarioComparison

PAGE_LIMIT = 1_000


def compare_year(
    reporting: httpx.Client, annual: Mapping[str, Any], expectations: Sequence[ExpectedDuty]
) -> ScenarioComparison:
    """Compare duties, the *annual* report and the consolidated results with the *expectations*."""
    differences = find_differences(reporting, expectations, annual)
    answer = reporting.get(f"/v1/plans/{PLAN}/periods/{YEAR}/results")
    answer.raise_for_status()
    results: Mapping[str, Any] = answer.json()
    compared = expected_results.compare_results(expectations, results)
    return ScenarioComparison(
        compared=(
            f"{len(expectations)} agencies compared: {_count(differences, 'dashboard and report are as expected')}",
            f"{compared.count} consolidated figures and texts compared: "
            + _count(compared.differences, "as the agencies reported them"),
        ),
        differences=(*differences, *compared.differences),
        results={YEAR: results},
    )


def find_differences(
    reporting: httpx.Client, expectations: Iterable[ExpectedDuty], annual: Mapping[str, Any]
) -> list[str]:
    """Return where the API of *reporting*, or the *annual* report, departs from the expected outcome."""
    query: dict[str, str | int] = {"plan": PLAN, "period": YEAR, "obligation": RESULTS, "limit": PAGE_LIMIT}
    answer = reporting.get("/v1/duties", params=query)
    answer.raise_for_status()
    lines = [line for chapter in annual["chapters"] for line in chapter["duties"]]
    expectations = tuple(expectations)
    return [
        *expected.compare_duties(expectations, answer.json()["duties"], source="the dashboard's API"),
        *expected.compare_duties(expectations, lines, source="the report"),
    ]


def _count(differences: Sequence[str], none: str) -> str:
    return f"{len(differences)} differences" if differences else none
