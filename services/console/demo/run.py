"""One run of the demo: the scenario is posted to a running system, then the system's answers are compared with it."""

from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console

from schemas.plan.registry import Registry
from services.console.demo import expected
from services.console.demo.client import ONE_DAY, IntakeClient, ScenarioRunner
from services.console.demo.events import PLAN, RESULTS, YEAR
from services.console.demo.progress_view import ProgressView, create_view
from services.console.demo.quiescence import LogFollower, Quiescence
from services.console.demo.scenario import Scenario
from services.console.demo.statistics import DemoStatistics
from services.console.support.local_system import LocalSystem
from services.notifier.settings import GROUP
from services.reporting.settings import ReportingSettings
from services.rules.settings import RulesSettings
from services.runtime.settings import ServiceSettings

REQUEST_SECONDS = 60.0  # to render a report takes that long on a busy machine
PAGE_LIMIT = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoRun:
    """A scenario and what a run of it needs.

    `keys` holds the bearer key of each source; `clock` is the file by which the services' clock is steered. `max_step`
    bounds how far the clock moves at once; None lets it go straight to the next post or alert.
    """

    scenario: Scenario
    registry: Registry
    keys: Mapping[str, str]
    clock: Path
    max_step: timedelta | None = ONE_DAY


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResult:
    """Intake's answers with the receipts, and the facts as the log holds them."""

    answers: Sequence[Mapping[str, Any]]
    facts: Sequence[Mapping[str, Any]]


async def run_scenario(system: LocalSystem, demo_run: DemoRun) -> RunResult:
    """Run the scenario against the running *system* and show its progress on stderr."""
    statistics = DemoStatistics()
    groups = {"rules": RulesSettings().group, "notifier": GROUP, "reporting": ReportingSettings().group}
    async with AsyncExitStack() as resources:
        intake_http, notifier_http = [
            await resources.enter_async_context(httpx.AsyncClient(base_url=service.url, timeout=REQUEST_SECONDS))
            for service in (system.intake, system.notifier)
        ]
        follower = await resources.enter_async_context(
            LogFollower(system.stack.kafka.bootstrap, ServiceSettings().partitions, statistics.add_record)
        )
        intake = IntakeClient(intake_http, demo_run.keys)
        quiescence = Quiescence(follower, notifier_http, groups)
        runner = ScenarioRunner(demo_run.clock, intake, quiescence, max_step=demo_run.max_step)
        with _create_view(demo_run.registry, statistics) as view:
            await runner.run(demo_run.scenario, view.show)
        return RunResult(answers=intake.answers, facts=statistics.facts)


def fetch_key_set(url: str) -> bytes:
    """Return the published key set with which intake at *url* signs its receipts."""
    answer = httpx.get(f"{url}/.well-known/jwks.json", timeout=REQUEST_SECONDS)
    answer.raise_for_status()
    return answer.content


def open_reporting(url: str, reader_key: str) -> httpx.Client:
    """Return a client of the reporting service at *url* that reads with *reader_key*."""
    return httpx.Client(base_url=url, headers={"authorization": f"Bearer {reader_key}"}, timeout=REQUEST_SECONDS)


def fetch_report(reporting: httpx.Client, extension: str) -> bytes:
    """Return the annual report of the scenario's year."""
    answer = reporting.get(f"/v1/plans/{PLAN}/periods/{YEAR}/report.{extension}")
    answer.raise_for_status()
    return answer.content


def fetch_results(reporting: httpx.Client) -> Mapping[str, Any]:
    """Return the consolidated results of the scenario's year."""
    answer = reporting.get(f"/v1/plans/{PLAN}/periods/{YEAR}/results")
    answer.raise_for_status()
    document: Mapping[str, Any] = answer.json()
    return document


def find_differences(reporting: httpx.Client, scenario: Scenario, annual: Mapping[str, Any]) -> list[str]:
    """Return where the API of *reporting*, or the *annual* report, departs from the expected outcome."""
    query: dict[str, str | int] = {"plan": PLAN, "period": YEAR, "obligation": RESULTS, "limit": PAGE_LIMIT}
    answer = reporting.get("/v1/duties", params=query)
    answer.raise_for_status()
    lines = [line for chapter in annual["chapters"] for line in chapter["duties"]]
    return [
        *expected.compare_duties(scenario.expectations, answer.json()["duties"], source="the dashboard's API"),
        *expected.compare_duties(scenario.expectations, lines, source="the report"),
    ]


def _create_view(registry: Registry, statistics: DemoStatistics) -> ProgressView:
    # Agencies may post under an alias, such as a former id; the view shows the name of the agency for both.
    agencies = {name: one for one in registry.agencies for name in (one.id, *one.aliases)}
    return create_view(Console(stderr=True), statistics, lambda agency, day: agencies[agency].name_on(day))
