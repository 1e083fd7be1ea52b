"""Counts, for the operator, the duties of the season that runs: by status over all plans, and when it is due.

On the night before a deadline these figures say whether reports come in at all. Nothing else may depend on them.
"""

import asyncio
import logging
import math
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from schemas.events.assessments import Status
from schemas.plan.plan import Plan
from services.reporting.core.access.readers import EVERYTHING
from services.reporting.core.season import seasons
from services.reporting.core.season.seasons import Season
from services.reporting.core.timeline import DutyState
from services.reporting.metrics import ReportingMetrics
from services.reporting.queries import DocumentsUnreadError, NotFoundError, QueryContext, ReportingQueries
from services.reporting.store import (
    DatabaseRefusedError,
    DatabaseUnavailableError,
    NotAssessedError,
    PlanDutyFilter,
    StateIncompleteError,
)
from services.runtime.clock import Clock

INTERVAL_SECONDS = 15.0
SHARE_OF_TIME = 20  # a count that takes a second is made every twenty seconds at most
LONGEST_SECONDS = 300.0
UNKNOWABLE = (
    DatabaseRefusedError,
    DatabaseUnavailableError,
    DocumentsUnreadError,
    NotAssessedError,
    NotFoundError,
    StateIncompleteError,
)

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class SeasonCount:
    """The duties of the seasons that run, by status, and the due instant that is looked at; None where none runs."""

    statuses: Counter[Status]
    due_at: datetime | None


class SeasonMonitor:
    """Sets the gauges of the season from `run` on."""

    def __init__(self, queries: ReportingQueries, metrics: ReportingMetrics, clock: Clock) -> None:
        self._queries = queries
        self._metrics = metrics
        self._clock = clock

    async def run(self) -> None:
        """Count again and again until cancelled; what cannot be known now is shown as unknown."""
        while True:
            delay = INTERVAL_SECONDS
            started = time.perf_counter()
            try:
                found = await self._count(self._clock.now())
            except UNKNOWABLE:
                self._metrics.forget_season()
            else:
                due = math.nan if found.due_at is None else found.due_at.timestamp()
                self._metrics.show_season(found.statuses, due)
                delay = max(delay, min(LONGEST_SECONDS, SHARE_OF_TIME * (time.perf_counter() - started)))
            await asyncio.sleep(delay)

    async def _count(self, now: datetime) -> SeasonCount:
        running: list[Season] = []
        statuses: Counter[Status] = Counter()
        for plan in self._queries.plans():
            season = await self._find_season(plan, now)
            if season is not None:
                running.append(season)
                statuses.update(state.status for state in await self._find_states(plan, season, now))
        return SeasonCount(statuses=statuses, due_at=choose_due(running, now))

    async def _find_season(self, plan: Plan, now: datetime) -> Season | None:
        cited, registry = self._queries.find_cited_documents(plan, [])
        known = await self._queries.find_periods(plan.plan)
        return seasons.choose_season(seasons.list_seasons(cited, registry, known), now)

    async def _find_states(self, plan: Plan, season: Season, now: datetime) -> list[DutyState]:
        duties = PlanDutyFilter(plan=plan.plan, obligation=season.obligation.id, periods=(season.period,))
        context = QueryContext(as_of=now, known_at=now, scope=EVERYTHING)
        states, _unreadable = await self._queries.find_states(duties, context)
        return states


def choose_due(running: Iterable[Season], now: datetime) -> datetime | None:
    """Return the next due instant of the seasons that run, else the last one that has passed; None where none runs."""
    dues = [one.due_at for one in running]
    coming = [one for one in dues if one > now]
    return min(coming) if coming else max(dues, default=None)
