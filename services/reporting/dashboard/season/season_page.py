"""The page of a season: where it stands in one sentence, who needs somebody now, how reports arrive, what they say."""

import asyncio
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from schemas.events.assessments import Status
from services.reporting.content.results_queries import ResultsQueries
from services.reporting.content.submission_contents import UnreadableContentError
from services.reporting.core import annual_report, duty_counts, labels
from services.reporting.core.access.decisions import Access
from services.reporting.core.access.readers import EVERYTHING
from services.reporting.core.annual_report import GroupCounts
from services.reporting.core.duty_counts import EXCLUDED_STATUSES, EXPECTED_STATUSES, UNDER_EXTENSION, DutyCounts
from services.reporting.core.duty_lines import DutyLine
from services.reporting.core.lists import filters, queues
from services.reporting.core.lists.memoized_items import MemoizedBlocks
from services.reporting.core.lists.queues import Queue, QueuedDuties
from services.reporting.core.season import arrivals, seasons
from services.reporting.core.season.arrivals import Arrivals
from services.reporting.core.season.seasons import Season
from services.reporting.core.timeline import DutyState, UnreadableRecord
from services.reporting.current.found_lines import FoundLines
from services.reporting.dashboard.page_renderer import PageRenderer
from services.reporting.dashboard.season import curve_chart, season_choice, sentence
from services.reporting.dashboard.season.curve_chart import CurveChart, CurveInput
from services.reporting.dashboard.season.indicator_rows import ReviewedResults
from services.reporting.dashboard.season.season_choice import SeasonChoice
from services.reporting.dashboard.season.sentence import SentencePart
from services.reporting.http import query_parameters
from services.reporting.http.access.guard import AccessRoute
from services.reporting.http.query_parameters import INSTANTS, QueryParameters
from services.reporting.queries import DutyFilter, QueryContext, ReportingQueries
from services.runtime.clock import Clock

_INDICATORS = 8  # the first of the plan; the page of results has all
_NAMED = 3  # agencies of a queue that are named; its list names all


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusShare:
    """How many duties have a status, and their share of the bar in percent."""

    status: Status
    count: int
    share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SeasonPage:
    """Everything that the template shows of one season."""

    choice: SeasonChoice
    season: Season
    context: QueryContext
    lines: tuple[DutyLine, ...]
    counts: DutyCounts
    groups: tuple[GroupCounts, ...]
    queues: tuple[QueuedDuties, ...]
    chart: CurveChart
    sentence: tuple[SentencePart, ...]
    latest_at: datetime | None
    previous_period: str | None
    results: ReviewedResults | None
    unreadable: tuple[UnreadableRecord, ...]

    @property
    def shares(self) -> tuple[StatusShare, ...]:
        """The counts of the expected statuses, and of those excluded statuses that occur."""
        return share_out(self.counts)

    @property
    def extended(self) -> tuple[DutyLine, ...]:
        """The lines whose due date was moved."""
        return tuple(line for line in self.lines if UNDER_EXTENSION in line.flags)

    @property
    def has_documents(self) -> bool:
        """Whether the reader may have the annual report, which names every agency."""
        return self.context.scope.is_everything

    def share_of_group(self, group: GroupCounts) -> tuple[StatusShare, ...]:
        """Return the counts by status of one group."""
        return share_out(group.counts)

    def describe_members(self, queued: QueuedDuties) -> str:
        """Return what is missing how often, where something is; else the names of the first agencies."""
        language = self.choice.language
        if queued.queue is Queue.INCOMPLETE:
            obligation = self.season.obligation
            parts = Counter(part for line in queued.lines for part in line.missing)
            return ", ".join(
                f"{labels.missing_part_label(part, obligation, self.choice.plan, language=language)}: {count}"
                for part, count in parts.most_common()
            )
        names = ", ".join(line.agency_name for line in queued.lines[:_NAMED])
        others = len(queued.lines) - _NAMED
        if others <= 0:
            return names
        return f"{names} và {others} đơn vị khác" if language == "vi" else f"{names} and {others} more"

    def describe_age(self, queued: QueuedDuties) -> str:
        """Return how long the first duty of a queue has waited; empty where that is not known."""
        if queued.since is None or queued.since > self.context.as_of:
            return ""
        return sentence.describe_distance(self.context.as_of - queued.since, self.choice.language)


class SeasonPages:
    """The handler."""

    def __init__(
        self, queries: ReportingQueries, results: ResultsQueries, renderer: PageRenderer, *, clock: Clock
    ) -> None:
        self._queries = queries
        self._results = results
        self._renderer = renderer
        self._clock = clock

    def routes(self) -> list[BaseRoute]:
        """Return the route."""
        return [AccessRoute("/", self.get_season, Access.COUNTS)]

    async def get_season(self, request: Request) -> Response:
        """Return the page of the season that is chosen, by default of the one that runs.

        Whoever has no scope gets the counts by status alone; the guard lets them in where these are public.
        """
        parameters = QueryParameters(request)
        parameters.require_known(*season_choice.PARAMETERS, *INSTANTS)
        context = query_parameters.parse_context(parameters, self._clock)
        choice = await season_choice.choose_season(self._queries, parameters, context)
        if choice is None:
            return await self._renderer.render_page("empty.html", request, context=context, values={})
        if not context.scope.covers_duties:
            return await self._get_counts(request, choice, context)
        if choice.season is None:
            return await self._renderer.render_page(
                "no_season.html", request, context=context, values={"choice": choice}
            )
        page = await self._build_page(choice, choice.season, context)
        live = choice.link_live(choice.season)
        undated = await self._count_undated(choice, context)
        values = {"page": page, "undated": undated, "choice": choice, "indicators_shown": _INDICATORS, "live": live}
        return await self._renderer.render_page(
            "season.html", request, context=context, values=values, zone=choice.zone
        )

    async def _get_counts(self, request: Request, choice: SeasonChoice, context: QueryContext) -> Response:
        period = (choice.season.period if choice.season else None) or str(context.as_of.astimezone(choice.zone).year)
        everybody = query_parameters.with_scope(context, EVERYTHING)
        report = await self._queries.compile_report(choice.plan.plan, period, everybody)
        values = {"report": report, "counts": annual_report.count_by_status(report)}
        return await self._renderer.render_page(
            "counts.html", request, context=context, values=values, zone=choice.zone
        )

    async def _build_page(self, choice: SeasonChoice, season: Season, context: QueryContext) -> SeasonPage:
        found = await self._queries.find_lines(_filter_of(choice, season, season.period), context)
        before = seasons.find_year_before(season.period)
        earlier = None if before is None else await self._find_earlier(choice, season, before, context)
        results = await self._find_results(choice, season, context)
        return await asyncio.to_thread(
            _describe_season, found, earlier, choice=choice, context=context, results=results
        )

    async def _count_undated(self, choice: SeasonChoice, context: QueryContext) -> DutyCounts:
        """Return the counts of what belongs to no season, under the same plan."""
        found = await self._queries.find_lines(DutyFilter(plan=choice.plan.plan, periods=(None,)), context)
        return await asyncio.to_thread(found.listed.derive, duty_counts.count_duties, duty_counts.add_counts)

    async def _find_earlier(
        self, choice: SeasonChoice, season: Season, before: str, context: QueryContext
    ) -> tuple[Season, MemoizedBlocks[DutyState]] | None:
        """Return the season of the year before and the states of its duties; None where there was none."""
        earlier = next(
            (one for one in choice.seasons if one.period == before and one.obligation.id == season.obligation.id), None
        )
        if earlier is None:
            return None
        found = await self._queries.find_lines(_filter_of(choice, season, before), context)
        return (earlier, found.placed) if len(found.placed) else None

    async def _find_results(
        self, choice: SeasonChoice, season: Season, context: QueryContext
    ) -> ReviewedResults | None:
        """Return the results of the season so far; None where it asks for none, or where stored ones are damaged."""
        if season.period is None:
            return None
        try:
            found = await self._results.find_results(choice.plan.plan, season.period, context)
        except UnreadableContentError:
            return None
        select = partial(ReviewedResults.select, found, season.obligation.id, context=context, plan=choice.plan)
        return await asyncio.to_thread(select)


def share_out(counts: DutyCounts) -> tuple[StatusShare, ...]:
    """Return the counts by status. Excluded statuses take no share of the bar, which shows the denominator."""
    by_status = {status: getattr(counts, status.value) for status in (*EXPECTED_STATUSES, *EXCLUDED_STATUSES)}
    return tuple(
        StatusShare(
            status=status,
            count=count,
            share=100 * count / (counts.expected or 1) if status in EXPECTED_STATUSES else 0,
        )
        for status, count in by_status.items()
        if count or status in EXPECTED_STATUSES
    )


def _filter_of(choice: SeasonChoice, season: Season, period: str | None) -> DutyFilter:
    return DutyFilter(plan=choice.plan.plan, obligation=season.obligation.id, periods=(period,))


def _describe_season(
    found: FoundLines,
    earlier: tuple[Season, MemoizedBlocks[DutyState]] | None,
    *,
    choice: SeasonChoice,
    context: QueryContext,
    results: ReviewedResults | None,
) -> SeasonPage:
    season = choice.season
    if season is None:
        raise ValueError("a page is about a season")
    applicable = found.listed.narrow(filters.narrow_lines, filters.APPLICABLE)
    counts = applicable.derive(duty_counts.count_duties, duty_counts.add_counts)
    now = found.placed.derive(arrivals.tally_arrivals, arrivals.add_arrivals)
    before = _align(earlier, season)
    behind = None if before is None else before.count_at(context.as_of) - now.count_at(context.as_of)
    chart = curve_chart.lay_out_chart(
        CurveInput(
            now=now, before=before, due_at=season.due_at, lead=season.lead, as_of=context.as_of, zone=choice.zone
        )
    )
    return SeasonPage(
        choice=choice,
        season=season,
        context=context,
        lines=applicable.items,
        counts=counts,
        groups=applicable.derive(annual_report.count_by_group, annual_report.add_group_counts),
        queues=applicable.derive(queues.fill_queues, queues.join_queues),
        chart=chart,
        sentence=sentence.write_sentence(
            counts, due_at=season.due_at, as_of=context.as_of, behind=behind, language=choice.language
        ),
        latest_at=now.latest_before(context.as_of),
        previous_period=earlier[0].period if earlier else None,
        results=results,
        unreadable=found.unreadable,
    )


def _align(earlier: tuple[Season, MemoizedBlocks[DutyState]] | None, season: Season) -> Arrivals | None:
    """Return last year's curve so that both years fall due at the same instant."""
    if earlier is None:
        return None
    before, states = earlier
    return states.derive(arrivals.tally_arrivals, arrivals.add_arrivals).shift(season.due_at - before.due_at)
