"""The season that the demo makes of a shipped plan comes out as it says, by the pure evaluation of its posts."""

import json
from collections import Counter
from functools import cache
from pathlib import Path

import pytest
from typer.testing import CliRunner

from services.console.demo.any_plan import comparison, season
from services.console.demo.any_plan.reports import Outcome
from services.console.demo.any_plan.season import PlanSeason
from services.console.main import app
from services.console.support import inputs

PLANS = Path(__file__).parents[4] / "deploy" / "plans"
SHIPPED = ("09-2019-nd-cp", "01-2024-tt-ttcp-thanh-hoa")
COMPARED = ("status", "due_at", "effective_at", "submissions", "flags", "missing")


@cache
def build(name: str) -> PlanSeason:
    """Build the season of a shipped plan."""
    catalogue = inputs.read_plan_folder(PLANS / name)
    return season.build_season(catalogue.plan, catalogue.registry)


def write_facts(scenario: PlanSeason, file: Path) -> str:
    """Write the posts as the log would hold them: received and recorded at the instant of the post."""
    lines = (
        {**post.event, "receivedtime": post.at.isoformat(), "recordedtime": post.at.isoformat(), "receiptid": "r"}
        for post in scenario.posts
    )
    file.write_text("".join(f"{json.dumps(line, ensure_ascii=False)}\n" for line in lines), encoding="utf-8")
    return str(file)


def run(*arguments: str) -> list[dict[str, object]]:
    """Run a command of `dondoc` and return the rows on stdout."""
    result = CliRunner().invoke(app, list(arguments))
    assert result.exit_code == 0, result.stderr
    return [json.loads(line) for line in result.stdout.splitlines()]


@pytest.mark.parametrize("name", SHIPPED)
def test_every_duty_comes_out_as_the_season_says(name: str, tmp_path: Path) -> None:
    """Status, instants, flags and missing parts of each duty at the season's end."""
    scenario = build(name)
    at = scenario.ends_at.isoformat()
    fields = ("agency", "obligation", "period")
    questions = [dict(zip(fields, one.duty.name, strict=True)) | {"at": at} for one in scenario.outcomes]
    query = tmp_path / "q.jsonl"
    query.write_text("".join(f"{json.dumps(one)}\n" for one in questions), encoding="utf-8")
    answers = run(
        "evaluate", str(PLANS / name), "--facts", write_facts(scenario, tmp_path / "f.jsonl"), "--query", str(query)
    )
    differing = [
        (one.duty.name, wanted, found)
        for one, answer in zip(scenario.outcomes, answers, strict=True)
        if (wanted := expected_fields(scenario, one))
        != (found := comparison.describe_row({**answer, "days_late": None}))
    ]
    assert differing == []


def expected_fields(scenario: PlanSeason, outcome: Outcome) -> dict[str, object]:
    """Return what is expected of a duty, without the days late that evaluation does not tell."""
    return {**comparison.describe_outcome(outcome, scenario.ends_at.date()), "days_late": None}


@pytest.mark.parametrize(
    ("name", "period"), [(SHIPPED[0], "2026-9M"), (SHIPPED[0], "2026-Q1"), (SHIPPED[1], "2025-9M")]
)
def test_the_figures_are_what_the_agencies_reported(name: str, period: str, tmp_path: Path) -> None:
    """Totals, counts, each agency's own figure, each text, and where a compiled report departs from its parts."""
    scenario = build(name)
    [document] = run(
        "results", str(PLANS / name), "--facts", write_facts(scenario, tmp_path / "f.jsonl"), "--period", period,
        "--at", scenario.ends_at.isoformat(),
    )  # fmt: skip
    wanted = dict(comparison.list_results([one for one in scenario.outcomes if one.duty.period.text == period]))
    assert dict(comparison.read_results({period: document})) == wanted
    assert wanted


def test_a_season_has_every_kind_of_agency() -> None:
    """Reports in time, late ones, silent and incomplete agencies, nil returns, corrections."""
    scenario = build(SHIPPED[0])
    assert {one.status.value for one in scenario.outcomes} == {"on_time", "late", "overdue", "incomplete"}
    flags = Counter(flag for one in scenario.outcomes for flag in one.flags)
    assert {"nil_return", "amended_after_deadline", "past_due"} <= flags.keys()


def test_posts_are_in_order_and_few_stops_are_enough() -> None:
    """The clock stops where something is posted: a season of 1,300 reports has no more than 250 such instants."""
    instants = [post.at for post in build(SHIPPED[0]).posts]
    assert instants == sorted(instants)
    assert len(set(instants)) <= 250


def test_made_up_figures_hold_together() -> None:
    """No agency settles more than it received, and six months of a province are less than nine."""
    posted = [post.event["data"]["content"]["indicators"] for name in SHIPPED for post in build(name).posts]
    petitions = [one for one in posted if "petitions_received" in one]
    assert petitions
    assert all(int(one["petitions_settled"]) <= int(one["petitions_received"]) for one in petitions)
    totals: Counter[str] = Counter()
    for post in build("01-2024-tt-ttcp-thanh-hoa").posts:
        data = post.event["data"]
        if data["obligation"] == "commune-report" and "corrects" not in data:
            totals[data["period"]] += int(data["content"]["indicators"].get("petitions_received", 0))
    assert totals["2025-H1"] < totals["2025-9M"] < totals["2025"]
