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
from services.reporting.cited_documents import NotFoundError
from services.reporting.core.access.readers import EVERYTHING
from services.reporting.core.season import seasons
from services.reporting.core.season.seasons import Season
from services.reporting.core.timeline import DutyState
from services.reporting.metrics import ReportingMetrics
from services.reporting.queries import DocumentsUnreadError, QueryContext, ReportingQueries
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
    """The duties of the seasons that run, by status, and the due instant to count the days to; None where none is."""

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
        known: list[Season] = []
        statuses: Counter[Status] = Counter()
        for plan in self._queries.plans():
            of_plan = await self._list_seasons(plan)
            known += of_plan
            running = seasons.choose_season(of_plan, now)
            if running is not None:
                statuses.update(state.status for state in await self._find_states(plan, running, now))
        return SeasonCount(statuses=statuses, due_at=choose_due(known, now))

    async def _list_seasons(self, plan: Plan) -> tuple[Season, ...]:
        cited, registry = self._queries.find_cited_documents(plan, [])
        return seasons.list_seasons(cited, registry, await self._queries.find_periods(plan.plan))

    async def _find_states(self, plan: Plan, season: Season, now: datetime) -> list[DutyState]:
        duties = PlanDutyFilter(plan=plan.plan, obligation=season.obligation.id, periods=(season.period,))
        context = QueryContext(as_of=now, known_at=now, scope=EVERYTHING)
        states, _unreadable = await self._queries.find_states(duties, context)
        return states


def choose_due(known: Iterable[Season], now: datetime) -> datetime | None:
    """Return the next due instant of *known* seasons, begun or not, else the last one; None where there is none."""
    dues = [one.due_at for one in known]
    coming = [one for one in dues if one > now]
    return min(coming) if coming else max(dues, default=None)
