"""Which plan, period and obligation a page of a season is about: what its address names, else the season that runs."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlencode
from zoneinfo import ZoneInfo

from schemas.plan import periods
from schemas.plan.plan import Plan
from services.reporting.core.duty_lines import DutyLine
from services.reporting.core.season import seasons
from services.reporting.core.season.seasons import Season
from services.reporting.dashboard import page_renderer
from services.reporting.http.query_parameters import ONE_OFF, QueryParameters
from services.reporting.queries import QueryContext, ReportingQueries

# The parameters that choose a season.
PARAMETERS = ("plan", "period", "obligation")


@dataclass(frozen=True, slots=True, kw_only=True)
class SeasonChoice:
    """The chosen season of a plan, and those that could be chosen; None where the plan asks nobody for anything."""

    plan: Plan
    plans: tuple[Plan, ...]
    seasons: tuple[Season, ...]
    season: Season | None
    language: str
    link_parameters: Mapping[str, str]

    @property
    def zone(self) -> ZoneInfo:
        """The zone of the plan's days."""
        return ZoneInfo(self.plan.zone)

    @property
    def number(self) -> str:
        """What people call the plan: the number of its first document, else its id."""
        return self.plan.sources[0].number if self.plan.sources else self.plan.plan

    @property
    def period_name(self) -> str:
        """The period of the season by its own name."""
        return self.name_period(self.season.period if self.season else None)

    @property
    def periods(self) -> tuple[tuple[str, str], ...]:
        """The periods that can be chosen, each once, the latest first: the value in an address, and its own name."""
        values = dict.fromkeys(one.period for one in reversed(self.seasons))
        return tuple((value or ONE_OFF, self.name_period(value)) for value in values)

    @property
    def siblings(self) -> tuple[Season, ...]:
        """The seasons of other obligations in the same period."""
        chosen = self.season
        return tuple(one for one in self.seasons if chosen and one.period == chosen.period and one != chosen)

    def name_period(self, period: str | None) -> str:
        """Return a period by its own name."""
        return seasons.name_period(period, self.language)

    def link_to(self, path: str, season: Season | None = None, **conditions: str) -> str:
        """Return the address of a page about *season*, by default the chosen one, narrowed by *conditions*."""
        season = season or self.season
        chosen = {"plan": self.plan.plan}
        if season is not None:
            chosen |= {"period": season.period or ONE_OFF, "obligation": season.obligation.id}
        return f"{path}?{urlencode({**chosen, **conditions, **self.link_parameters})}"

    def link_live(self, season: Season) -> Mapping[str, str]:
        """Return where a script hears of changes of *season* and counts it anew, and which season it is."""
        period = season.period or ONE_OFF
        plan = quote(self.plan.plan, safe="")
        year = season.period or str(season.due_at.astimezone(self.zone).year)
        return {
            "stream": f"/v1/stream?{urlencode({'plan': self.plan.plan, 'period': period})}",
            "counts": f"/v1/plans/{plan}/periods/{year}",
            "obligation": season.obligation.id,
            "period": period,
        }

    def link_to_duty(self, line: DutyLine) -> str:
        """Return the address of the page of one duty."""
        key = line.key
        parts = (quote(part, safe="") for part in (key.plan, key.agency, key.obligation, key.period or "-"))
        return f"/duties/{'/'.join(parts)}?{urlencode(self.link_parameters)}"


async def choose_season(
    queries: ReportingQueries, parameters: QueryParameters, context: QueryContext
) -> SeasonChoice | None:
    """Return the season that the query names, else the one that runs; None where no plan is published.

    Raises `InvalidQueryError`, and `NotFoundError` for a plan that nobody has published.
    """
    query = parameters.request.query_params
    period = parameters.parse("period", _parse_period, "")
    parameters.raise_errors()
    plans = queries.plans()
    if not plans:
        return None
    plan = queries.plan(query["plan"]) if query.get("plan") else plans[0]
    plan, registry = queries.find_cited_documents(plan, [])
    all_seasons = seasons.list_seasons(plan, registry, await queries.find_periods(plan.plan))
    wanted = [
        one
        for one in all_seasons
        if period in {"", one.period or ONE_OFF} and query.get("obligation") in {None, "", one.obligation.id}
    ]
    return SeasonChoice(
        plan=plan,
        plans=plans,
        seasons=all_seasons,
        season=seasons.choose_season(wanted, context.as_of),
        language=context.language,
        link_parameters=page_renderer.list_link_parameters(parameters.request, context),
    )


def _parse_period(text: str) -> str:
    """Return the chosen period; a form sends an empty text for no choice."""
    return text if text in {"", ONE_OFF} else periods.parse(text).text
