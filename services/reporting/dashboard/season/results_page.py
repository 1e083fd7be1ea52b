"""The page of results: the indicators, what looks wrong, who has not given a figure, groups, every agency's figures."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from schemas.content import units
from schemas.plan.values import Bilingual
from services.reporting.content.results_queries import ResultsQueries
from services.reporting.core.access.decisions import Access
from services.reporting.core.duty_lines import DutyLine
from services.reporting.core.lists.memoized_items import MemoizedBlocks
from services.reporting.core.results import AgencyFigure, IndicatorResult
from services.reporting.core.season.seasons import Season
from services.reporting.dashboard.page_renderer import PageRenderer
from services.reporting.dashboard.season import indicator_rows, season_choice
from services.reporting.dashboard.season.indicator_rows import ReviewedResults
from services.reporting.dashboard.season.season_choice import SeasonChoice
from services.reporting.http import query_parameters
from services.reporting.http.access.guard import AccessRoute
from services.reporting.http.query_parameters import INSTANTS, QueryParameters
from services.reporting.queries import DutyFilter, QueryContext, ReportingQueries
from services.runtime.clock import Clock

PATH = "/results"
_RATIO_PLACES = 6
# What a person reads on a page; the document of the results, which is linked, has all.
_ROWS, _NAMES = 300, 50

_RANK = Bilingual(
    vi="Quý cơ quan đứng thứ {place} trong {agencies} đơn vị có số liệu của nhóm “{group}” về chỉ tiêu “{indicator}”, "
    "xếp từ cao xuống thấp.",
    en="Your agency is number {place} of the {agencies} of “{group}” that gave “{indicator}”, from the highest down.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FigureRow:
    """What one agency gave: its figures by code, or none of them."""

    line: DutyLine
    figures: Mapping[str, AgencyFigure]


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultsPage:
    """Everything that the template of the results shows."""

    choice: SeasonChoice
    season: Season
    reviewed: ReviewedResults
    lines: tuple[DutyLine, ...]
    agencies: Mapping[str, DutyLine]
    flagged: frozenset[tuple[str, str]]

    @property
    def figure_rows(self) -> tuple[FigureRow, ...]:
        """The figures of the first agencies that the reader may see, in the order of the list."""
        shown = self.lines[:_ROWS]
        by_agency: dict[str, dict[str, AgencyFigure]] = {line.key.agency: {} for line in shown}
        for result in self.reviewed.results.indicators:
            for figure in result.figures:
                if figure.agency in by_agency:
                    by_agency[figure.agency][result.indicator.code] = figure
        return tuple(FigureRow(line=line, figures=by_agency[line.key.agency]) for line in shown)

    @property
    def groups(self) -> tuple[tuple[str, tuple[tuple[str, int], ...]], ...]:
        """The groups by name, each with the total of every indicator in figures and the number of agencies in it."""
        indicators = self.reviewed.results.indicators
        names = dict.fromkeys(one.group for result in indicators for one in result.groups)
        return tuple((group, tuple(self._total_of(result, group) for result in indicators)) for group in names)

    @property
    def rank(self) -> str:
        """The place of the reader's agency in its group, in words and without the others; empty where it has none."""
        rank, language = self.reviewed.rank, self.choice.language
        if rank is None:
            return ""
        title = next(
            one.indicator.label_in(language)
            for one in self.reviewed.results.indicators
            if one.indicator.code == rank.code
        )
        return _RANK.in_language(language).format(
            place=rank.place, agencies=rank.agencies, group=self.name_group(rank.group), indicator=title
        )

    def name_agency(self, agency: str) -> str:
        """Return an agency's name as its line has it."""
        line = self.agencies.get(agency)
        return line.agency_name if line else agency

    def name_group(self, group: str) -> str:
        """Return a group's name as the lines have it."""
        return next((line.group_name for line in self.lines if line.group == group), group)

    def show(self, figure: AgencyFigure | None) -> str:
        """Return a figure as it came, with its decimals; empty where there is none."""
        if figure is None:
            return ""
        return indicator_rows.format_figure(figure.value, self.choice.language, places=_RATIO_PLACES)

    def is_flagged(self, agency: str, code: str) -> bool:
        """Whether a finding rests on an agency's figure."""
        return (agency, code) in self.flagged

    def describe_unit(self, result: IndicatorResult) -> str:
        """Return the unit of an indicator in words."""
        unit = units.describe_unit(result.indicator.unit)
        return unit.in_language(self.choice.language) if unit else ""

    def _total_of(self, result: IndicatorResult, group: str) -> tuple[str, int]:
        total = next((one for one in result.groups if one.group == group), None)
        if total is None or not total.agencies:
            return "", 0
        return indicator_rows.format_figure(total.total, self.choice.language), total.agencies


class ResultsPages:
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
        return [AccessRoute(PATH, self.get_results, Access.COVERED)]

    async def get_results(self, request: Request) -> Response:
        """Return the results of a season, by default of the one that runs, if it asks for any."""
        parameters = QueryParameters(request)
        parameters.require_known(*season_choice.PARAMETERS, *INSTANTS)
        context = query_parameters.parse_context(parameters, self._clock)
        choice = await season_choice.choose_season(self._queries, parameters, context)
        if choice is None:
            return await self._renderer.render_page("empty.html", request, context=context, values={})
        page = None if choice.season is None else await self._build_page(choice, choice.season, context)
        if page is None:
            values: Mapping[str, object] = {"choice": choice}
            return await self._renderer.render_page("no_results.html", request, context=context, values=values)
        values = {"page": page, "choice": choice, "rows_max": _ROWS, "names_max": _NAMES}
        return await self._renderer.render_page(
            "results.html", request, context=context, values=values, zone=choice.zone
        )

    async def _build_page(self, choice: SeasonChoice, season: Season, context: QueryContext) -> ResultsPage | None:
        if season.period is None:
            return None
        plan = choice.plan.plan
        results = await self._results.find_results(plan, season.period, context)
        select = partial(ReviewedResults.select, results, season.obligation.id, context=context, plan=choice.plan)
        reviewed = await asyncio.to_thread(select)
        if reviewed is None:
            return None
        duties = DutyFilter(plan=plan, obligation=season.obligation.id, periods=(season.period,))
        found = await self._queries.find_lines(duties, context)
        return await asyncio.to_thread(_describe_results, found.listed, reviewed, choice=choice, season=season)


def _describe_results(
    found: MemoizedBlocks[DutyLine], reviewed: ReviewedResults, *, choice: SeasonChoice, season: Season
) -> ResultsPage:
    shown = {one.agency for result in reviewed.results.indicators for one in result.figures}
    shown.update(agency for result in reviewed.results.indicators for agency in result.not_given)
    return ResultsPage(
        choice=choice,
        season=season,
        reviewed=reviewed,
        lines=tuple(line for line in found.items if line.key.agency in shown),
        agencies=found.derive(_index_agencies, _join_agencies),
        flagged=frozenset((one.agency, one.finding.code) for one in reviewed.findings),
    )


def _index_agencies(lines: tuple[DutyLine, ...]) -> Mapping[str, DutyLine]:
    return {line.key.agency: line for line in lines}


def _join_agencies(several: Iterable[Mapping[str, DutyLine]]) -> Mapping[str, DutyLine]:
    joined: dict[str, DutyLine] = {}
    for one in several:
        joined.update(one)
    return joined
