"""One run of the demo: posts the scenario to a running system and fetches its answers at the end."""

from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console

from schemas.plan.registry import Registry
from services.console.demo.client import IntakeClient, ScenarioRunner
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


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoRun:
    """A scenario and what a run of it needs.

    `keys` holds the bearer key of each source; `clock` is the file by which the services' clock is steered.
    """

    scenario: Scenario
    registry: Registry
    keys: Mapping[str, str]
    clock: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResult:
    """Intake's answers with the receipts, and the facts as the log holds them."""

    answers: Sequence[Mapping[str, Any]]
    facts: Sequence[Mapping[str, Any]]


async def run_scenario(system: LocalSystem, demo_run: DemoRun) -> RunResult:
    """Run the scenario against the running *system* and show its progress on stderr."""
    statistics = DemoStatistics(counted=demo_run.scenario.counted)
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
        runner = ScenarioRunner(demo_run.clock, intake, quiescence, max_step=demo_run.scenario.max_step)
        with _create_view(demo_run, statistics) as view:
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


def fetch_report(reporting: httpx.Client, scenario: Scenario, extension: str) -> bytes:
    """Return the annual report of the scenario's year."""
    answer = reporting.get(f"/v1/plans/{scenario.plan}/periods/{scenario.year}/report.{extension}")
    answer.raise_for_status()
    return answer.content


def _create_view(demo_run: DemoRun, statistics: DemoStatistics) -> ProgressView:
    # Agencies may post under an alias, such as a former id; the view shows the name of the agency for both.
    agencies = {name: one for one in demo_run.registry.agencies for name in (one.id, *one.aliases)}
    return create_view(
        Console(stderr=True), statistics, lambda agency, day: agencies[agency].name_on(day), scenario=demo_run.scenario
    )
