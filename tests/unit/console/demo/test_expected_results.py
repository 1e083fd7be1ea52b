"""The results of the scenario are what it planted, figure by figure, by the same function that reporting uses."""

import itertools
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from services.console.demo.plan_6766 import expected_results, reported_content, scenario
from services.console.demo.plan_6766.expected import ENDS_AT
from services.console.demo.plan_6766.scenario import BEGINS_AT, Plan6766Scenario
from services.console.main import app
from services.console.support import inputs

DIRECTORY = Path(__file__).parents[4] / "deploy" / "plans" / "6766-kh-ubnd"


@pytest.fixture(scope="module")
def year() -> Plan6766Scenario:
    """The scenario of 2024."""
    return scenario.build_scenario(inputs.read_plan_folder(DIRECTORY).registry)


@pytest.fixture(scope="module")
def results(year: Plan6766Scenario, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Any]:
    """What `dondoc results` makes of the scenario's events at its end."""
    posts = [*((BEGINS_AT, event) for event in year.archive), *((one.at, one.event) for one in year.posts)]
    lines = [json.dumps({**event, "receivedtime": at.isoformat()}) for at, event in posts]
    facts = tmp_path_factory.mktemp("log") / "facts.jsonl"
    facts.write_text("\n".join(lines), encoding="utf-8")
    options = ["--facts", str(facts), "--period", "2024", "--at", ENDS_AT.isoformat()]
    answer = CliRunner().invoke(app, ["results", str(DIRECTORY), *options])
    assert answer.exit_code == 0, answer.stderr
    document: Mapping[str, Any] = json.loads(answer.stdout)
    return document


def test_the_results_are_what_was_planted(year: Plan6766Scenario, results: Mapping[str, Any]) -> None:
    """Every total, ratio, figure of an agency, comparison with 2023 and text, more than a thousand of them."""
    compared = expected_results.compare_results(year.expectations, results)
    assert list(compared.differences) == []
    assert compared.count > 1300


def test_a_figure_that_differs_is_named(year: Plan6766Scenario, results: Mapping[str, Any]) -> None:
    """A changed total and a text that is gone are two differences."""
    changed = json.loads(json.dumps(results))
    obligation = next(one for one in changed["obligations"] if one["obligation"] == "annual-results")
    obligation["indicators"][0]["total"] = "1"
    gone = obligation["sections"][0]["texts"].pop()
    first, second = expected_results.compare_results(year.expectations, changed).differences
    assert first.startswith("entrusted_local_budget.total is 1 in the results, ")
    assert second.startswith(f"section results of {gone['agency']} is nothing in the results, ")


def test_the_budget_and_the_loans_of_an_agency_never_shrink(year: Plan6766Scenario) -> None:
    """Figures differ by agency and grow by year; what was added in the year is the growth of what there is."""
    for one in year.expectations:
        by_year = [reported_content.draw_figures(one.agency, number) for number in range(2016, 2025)]
        entrusted = [figures["entrusted_local_budget"] for figures in by_year]
        assert entrusted == sorted(entrusted)
        if "outstanding_loans" in by_year[0]:
            loans = [figures["outstanding_loans"] for figures in by_year]
            assert loans == sorted(set(loans))
            added = [figures["entrusted_added_in_year"] for figures in by_year[1:]]
            assert added == [after - before for before, after in itertools.pairwise(entrusted)]
    loans_of_2024 = {
        reported_content.draw_figures(one.agency, 2024).get("outstanding_loans") for one in year.expectations
    }
    assert len(loans_of_2024) == 28  # 27 districts and the departments, which have none
