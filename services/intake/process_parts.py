"""What every process of intake has of its own, the main one and each worker: settings, clock, keys and metrics."""

import math
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

import httpx
from prometheus_client import CollectorRegistry

from services.intake.core.problems import AuthenticationFailure
from services.intake.http.api_keys import ApiKeys
from services.intake.metrics import IntakeMetrics
from services.intake.receipts.signing import SigningKeys
from services.intake.settings import IntakeSettings
from services.runtime.access.link_revocations import LinkRevocations
from services.runtime.access.refusal_log import RefusalLog
from services.runtime.clock import Clock, clock_from
from services.runtime.metrics import new_registry
from services.runtime.observability import spans
from services.runtime.observability.spans import SpanExporter

BackgroundTask = Callable[[], Coroutine[Any, Any, None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessParts:
    """What every process of intake has of its own, main or worker."""

    settings: IntakeSettings
    clock: Clock
    registry: CollectorRegistry
    metrics: IntakeMetrics
    refusals: RefusalLog[AuthenticationFailure]
    keys: ApiKeys
    signing_keys: SigningKeys
    revocations: LinkRevocations
    rules: httpx.AsyncClient
    spans: SpanExporter | None

    async def close(self) -> None:
        """Close what leaves the machine: questions to rules, spans to a collector."""
        await self.rules.aclose()
        await spans.close_exporter(self.spans)

    def background_tasks(self) -> tuple[BackgroundTask, ...]:
        """Return what runs in every process besides requests: the files are reloaded, refusals are reported."""
        watches = (self.keys.watch, self.signing_keys.watch, self.revocations.watch)
        return (*watches, self.refusals.run)


def build_parts(settings: IntakeSettings) -> ProcessParts:
    """Make the parts of one process; nothing is opened or read yet."""
    clock = clock_from(settings.clock)
    registry = new_registry()
    metrics = IntakeMetrics(registry)
    # One line a minute of an address: upstream systems are programs, and repeat what failed.
    refusals = RefusalLog("unauthenticated", lines_max=1, count=metrics.keys.count_failure)
    return ProcessParts(
        settings=settings,
        clock=clock,
        registry=registry,
        metrics=metrics,
        refusals=refusals,
        keys=ApiKeys(settings.keys, clock, refusals),
        signing_keys=SigningKeys(settings.signing_keys, settings.issuer),
        revocations=LinkRevocations(settings.link_revocations),
        rules=httpx.AsyncClient(),
        spans=spans.open_exporter("intake", settings.otlp_endpoint),
    )


def watch_keys(parts: ProcessParts) -> None:
    """Measure what an operator must know of the keys. All processes have the same, so only the main one measures."""

    def access_end() -> float:
        end = parts.keys.first_access_end()
        return math.inf if end is None else end.timestamp()

    parts.metrics.keys.access_ends_at.set_function(access_end)
    parts.metrics.keys.open_systems.set_function(lambda: len(parts.keys.open_systems()))
