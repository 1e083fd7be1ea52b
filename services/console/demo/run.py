"""One performance of the story: played to a running system, then compared with what that system says."""

from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console

from schemas.plan.registry import Registry
from services.console.demo import comparison
from services.console.demo.client import ONE_DAY, Keys, Mailroom, Player
from services.console.demo.events import PLAN, RESULTS, YEAR
from services.console.demo.progress_view import Screen, screen_for
from services.console.demo.quiescence import Log, Rest
from services.console.demo.statistics import Tally
from services.console.demo.story import Story
from services.console.support.local_system import System
from services.notifier.settings import GROUP
from services.reporting.settings import ReportingSettings
from services.rules.settings import RulesSettings
from services.runtime.settings import ServiceSettings

ANSWER_SECONDS = 60.0  # a busy machine lays out a report
MANY = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Performance:
    """One story, and what it takes to play it. `every` is how often the clock stops where nothing happens."""

    story: Story
    registry: Registry
    keys: Keys
    clock: Path
    every: timedelta | None = ONE_DAY


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """What came back: intake's answers, and the facts as the log holds them."""

    answers: Sequence[Mapping[str, Any]]
    facts: Sequence[Mapping[str, Any]]


async def play(running: System, performance: Performance) -> Played:
    """Play the story to the *running* system."""
    tally = Tally()
    groups = {"rules": RulesSettings().group, "notifier": GROUP, "reporting": ReportingSettings().group}
    async with AsyncExitStack() as opened:
        intake, notifier = [
            await opened.enter_async_context(httpx.AsyncClient(base_url=service.url, timeout=ANSWER_SECONDS))
            for service in (running.intake, running.notifier)
        ]
        log = await opened.enter_async_context(
            Log(running.stack.kafka.bootstrap, ServiceSettings().partitions, tally.hear)
        )
        mailroom = Mailroom(intake, performance.keys)
        player = Player(performance.clock, mailroom, Rest(log, notifier, groups), every=performance.every)
        with _screen(performance.registry, tally) as screen:
            await player.play(performance.story, screen.happened)
        return Played(answers=mailroom.answers, facts=tally.facts)


def key_set(url: str) -> bytes:
    """Return the keys that intake at *url* signs its receipts with."""
    answer = httpx.get(f"{url}/.well-known/jwks.json", timeout=ANSWER_SECONDS)
    answer.raise_for_status()
    return answer.content


def report(url: str, extension: str) -> bytes:
    """Return the annual report of the story's year from the reporting service at *url*."""
    answer = httpx.get(f"{url}/v1/plans/{PLAN}/periods/{YEAR}/report.{extension}", timeout=ANSWER_SECONDS)
    answer.raise_for_status()
    return answer.content


def differences(url: str, told: Story, annual: Mapping[str, Any]) -> list[str]:
    """Return where the dashboard's API at *url*, or the *annual* report, depart from the story."""
    asked: dict[str, str | int] = {"plan": PLAN, "period": YEAR, "obligation": RESULTS, "limit": MANY}
    answer = httpx.get(f"{url}/v1/duties", params=asked, timeout=ANSWER_SECONDS)
    answer.raise_for_status()
    lines = [line for chapter in annual["chapters"] for line in chapter["duties"]]
    return [
        *comparison.differences(told.truths, answer.json()["duties"], said_by="the dashboard's API"),
        *comparison.differences(told.truths, lines, said_by="the report"),
    ]


def _screen(registry: Registry, tally: Tally) -> Screen:
    agencies = {name: one for one in registry.agencies for name in (one.id, *one.aliases)}
    return screen_for(Console(stderr=True), tally, lambda agency, day: agencies[agency].name_on(day))
