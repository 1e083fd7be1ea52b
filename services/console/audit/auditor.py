"""One audit: the duties of a period, rebuilt from the log, beside what reporting answers, agency by agency.

Both sides are asked for the same instant, so what is recorded meanwhile counts on neither. What differs is looked at
again once rules and reporting have read the log to its end; only what differs then is a difference.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Protocol

from schemas.events.ids import partition_of
from schemas.plan import periods
from services.console.audit import comparison, log_generations, projection_lag
from services.console.audit.comparison import Difference
from services.console.audit.live_duties import CONNECTIONS, JsonObject, LiveDuties, PeriodQuery
from services.console.audit.log_index import LogIndex
from services.console.audit.log_indexer import LogIndexer
from services.console.audit.period_rebuilder import LogBounds, PeriodRebuilder
from services.console.audit.projection_lag import ConsumerGroups
from services.console.audit.rebuild import RebuiltArchive
from services.console.support.inputs import UnusableInputError
from services.reporting import queries
from services.reporting.core import json_views
from services.reporting.core.access.readers import EVERYTHING
from services.reporting.queries import DutyFilter, QueryContext, ReportingQueries
from services.runtime.kafka.published_documents import PublishedDocuments
from services.runtime.settings import KafkaConfig

REVISION = ("revision",)


class AuditProgress(Protocol):
    """Is told how far an audit has come."""

    def on_records_read(self, count: int) -> None: ...
    def on_agencies_planned(self, count: int) -> None: ...
    def on_agency_compared(self) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditTarget:
    """A period of a plan."""

    plan: str
    period: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditResult:
    """What one audit has found."""

    target: AuditTarget
    as_of: datetime
    agencies: int
    duties: int
    differences: int
    unreadable: int
    """Records of the log that cannot be decoded; rules and reporting have set them aside."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditSources:
    """Where an audit gets its two sides from."""

    kafka: KafkaConfig
    groups: ConsumerGroups
    references: PublishedDocuments
    index: LogIndex
    indexer: LogIndexer
    live: LiveDuties


@dataclass(frozen=True, slots=True, kw_only=True)
class AgencyComparison:
    """The two sides of one agency's duties."""

    agency: str
    duties: int
    differences: Sequence[Difference]


class Auditor:
    """Audits one period after the other."""

    def __init__(self, sources: AuditSources, progress: AuditProgress) -> None:
        self._sources = sources
        self._progress = progress

    async def audit(
        self, target: AuditTarget, as_of: datetime, on_difference: Callable[[Difference], None]
    ) -> AuditResult:
        """Compare the duties of *target* as of *as_of*, and give every difference to *on_difference*.

        Raise `UnusableInputError` where nothing can be said: the plan is not published, somebody does not answer or has
        not caught up, or the log has lost records.
        """
        partitions = await self._sources.indexer.read(self._progress.on_records_read)
        generations = await log_generations.read_generations(self._sources.kafka, partitions=partitions)
        comparing = _PeriodComparison(self._sources, target, as_of, generations)
        agencies = comparing.list_agencies()
        self._progress.on_agencies_planned(len(agencies))
        duties, suspects = 0, []
        async for compared in comparing.compare(agencies):
            duties += compared.duties
            suspects += [compared.agency] if compared.differences else []
            self._progress.on_agency_compared()
        suspects += [agency async for agency in comparing.find_strangers(frozenset(agencies))]
        return AuditResult(
            target=target,
            as_of=as_of,
            agencies=len(agencies),
            duties=duties,
            differences=await self._confirm(comparing, suspects, on_difference) if suspects else 0,
            unreadable=self._sources.index.count_unreadable(),
        )

    async def _confirm(
        self, comparing: "_PeriodComparison", suspects: Sequence[str], on_difference: Callable[[Difference], None]
    ) -> int:
        """Compare *suspects* again when everybody has read the log; return the number of differences that are left."""
        sources = self._sources
        await projection_lag.wait_until_read(sources.kafka, sources.groups, partitions=comparing.partitions)
        await sources.indexer.read(self._progress.on_records_read)
        count = 0
        async for compared in comparing.compare(suspects):
            count += len(compared.differences)
            for difference in compared.differences:
                on_difference(difference)
        return count


class _PeriodComparison:
    """The two sides of one period at one instant."""

    def __init__(
        self, sources: AuditSources, target: AuditTarget, as_of: datetime, generations: Mapping[int, int]
    ) -> None:
        self._sources = sources
        self._plan = target.plan
        self.partitions = len(generations)
        self._generations = generations
        self._query = PeriodQuery(plan=target.plan, periods=list_periods(target.period), as_of=as_of)
        self._live_counts: Counter[str] = Counter()
        if sources.references.plan(target.plan) is None:
            raise UnusableInputError(f"no plan {target.plan!r} is published")
        self._rebuilder = PeriodRebuilder(
            sources.index,
            sources.references,
            plan=target.plan,
            periods=self._query.periods,
            partitions=self.partitions,
        )

    def list_agencies(self) -> list[str]:
        """Return every agency that was ever in a registry of the plan or is named by one of its facts."""
        return self._rebuilder.list_agencies()

    async def compare(self, agencies: Iterable[str]) -> AsyncIterator[AgencyComparison]:
        """Compare, for one of *agencies* after the other, what is rebuilt with what reporting answers."""
        bounds = LogBounds(known_at=self._query.as_of)
        for chunk in self._rebuilder.split(agencies):
            assessments = await self._rebuilder.assess(chunk, bounds)
            archive = RebuiltArchive(assessments.newest, self._sources.index)
            rebuilt = ReportingQueries(archive, self._sources.references)
            remaining = iter(chunk.agencies)
            while batch := list(islice(remaining, CONNECTIONS)):
                answers = await asyncio.gather(*(self._sources.live.of_agency(self._query, one) for one in batch))
                for agency, live in zip(batch, answers, strict=True):
                    yield await self._compare_agency(rebuilt, agency, live)

    async def find_strangers(self, known: frozenset[str]) -> AsyncIterator[str]:
        """Yield each agency that reporting has duties of and that is not *known*.

        Reporting is asked for the number of duties of each obligation; only where it has more than were compared, its
        list is read.
        """
        plan = self._sources.references.plan(self._plan)
        obligations = {one.id for one in plan.obligations} if plan else set()
        found: set[str] = set()
        for obligation in sorted(obligations | set(self._live_counts)):
            count = await self._sources.live.count_of_obligation(self._query, obligation)
            if count != self._live_counts[obligation]:
                async for duty in self._sources.live.of_obligation(self._query, obligation):
                    if duty["agency"] not in known and duty["agency"] not in found:
                        found.add(duty["agency"])
                        yield duty["agency"]

    async def _compare_agency(
        self, rebuilt: ReportingQueries, agency: str, live: Sequence[JsonObject]
    ) -> AgencyComparison:
        duties = DutyFilter(plan=self._plan, agency=agency, periods=self._query.periods)
        context = QueryContext(as_of=self._query.as_of, known_at=self._query.as_of, scope=EVERYTHING, language="vi")
        lines = (await rebuilt.find_lines(duties, context)).lines
        self._live_counts.update(duty["obligation"] for duty in live)
        # After another log the revisions of unchanged duties are still those of that log.
        ignored = REVISION if self._generations[partition_of(agency, self.partitions)] > 0 else ()
        differences = comparison.compare_duties(map(json_views.render_duty, lines), live, ignored=ignored)
        return AgencyComparison(agency=agency, duties=len(lines), differences=list(differences))


def list_periods(text: str) -> tuple[str | None, ...]:
    """Return the period, the shorter ones inside it, and None: a one-off duty may fall due in any period."""
    try:
        period = periods.parse(text)
    except ValueError as cause:
        raise UnusableInputError(str(cause)) from cause
    return (*queries.list_periods_within(period), None)
