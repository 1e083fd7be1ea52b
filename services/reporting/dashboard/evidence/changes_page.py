"""The page that compares two instants: "what changed since Friday", statuses and figures, each with its events."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from schemas.content import units
from schemas.events.assessments import Status
from schemas.plan import figures, periods
from schemas.plan.indicators import Indicator
from schemas.plan.periods import Recurrence
from schemas.plan.plan import Plan
from services.reporting.core import labels
from services.reporting.core.access.decisions import Access
from services.reporting.core.evidence import status_changes
from services.reporting.core.evidence.status_changes import FigureShift
from services.reporting.core.evidence.wording import Wording
from services.reporting.dashboard.page_renderer import PageRenderer
from services.reporting.evidence.change_queries import ChangeQueries, ChangesAnswer
from services.reporting.http import query_parameters
from services.reporting.http.access.guard import AccessRoute
from services.reporting.http.query_parameters import QueryParameters
from services.reporting.queries import QueryContext, ReportingQueries
from services.runtime.clock import Clock

CHANGES_SHOWN = 300  # on a page that a person reads; the API has all
_WEEK = timedelta(weeks=1)
_STATUS_ORDER = tuple(Status)


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedInstants:
    """What is compared: a plan's period at one instant, and at a later one."""

    plan: Plan
    period: str
    before: QueryContext
    after: QueryContext

    @property
    def words(self) -> Wording:
        """The words of the reader's language, in the plan's zone."""
        return Wording(zone=ZoneInfo(self.plan.zone), language=self.after.language)


@dataclass(frozen=True, slots=True, kw_only=True)
class FigureShiftView:
    """A figure that differs, in words; without an agency it is the total."""

    title: str
    unit: str
    agency: str
    agency_name: str
    before: str
    after: str
    event: str


class ChangesPage:
    """The handler."""

    def __init__(
        self, queries: ReportingQueries, changes: ChangeQueries, renderer: PageRenderer, *, clock: Clock
    ) -> None:
        self._queries = queries
        self._changes = changes
        self._renderer = renderer
        self._clock = clock

    def routes(self) -> list[BaseRoute]:
        """Return the route."""
        return [AccessRoute("/changes", self.get_page, Access.COVERED)]

    async def get_page(self, request: Request) -> Response:
        """Return the page; without a choice it compares a week ago with now, in the first plan's running year."""
        asked = await self._parse(request)
        answer = await self._changes.find_changes(asked.plan.plan, asked.period, before=asked.before, after=asked.after)
        known = {*await self._queries.find_periods(asked.plan.plan), asked.period}
        values = {
            "periods": sorted(known, key=periods.sort_key, reverse=True),
            # Ten thousand duties and figures may have changed.
            **await asyncio.to_thread(self._describe, answer, asked),
        }
        zone = ZoneInfo(asked.plan.zone)
        return await self._renderer.render_page("changes.html", request, context=asked.after, values=values, zone=zone)

    def _describe(self, answer: ChangesAnswer, asked: ComparedInstants) -> dict[str, object]:
        zone, shown = asked.words.zone, answer.duties.changes[:CHANGES_SHOWN]
        by_agency = [one for one in answer.figures if one.agency is not None]
        return {
            "asked": asked,
            "answer": answer,
            "counts": _list_counts(answer),
            "turned": _count_turned(answer, asked.after.language),
            "rows": shown,
            "reasons": {
                one.line.key: status_changes.describe_reason(one.line, asked.plan, asked.words) for one in shown
            },
            "totals": [self._view_shift(one, asked) for one in answer.figures if one.agency is None],
            "figures": [self._view_shift(one, asked) for one in by_agency[:CHANGES_SHOWN]],
            "figures_count": len(by_agency),
            "plans": self._queries.plans(),
            "since_local": _write_local(asked.before.as_of, zone),
            "until_local": _write_local(asked.after.as_of, zone),
        }

    async def _parse(self, request: Request) -> ComparedInstants:
        parameters = QueryParameters(request)
        after = query_parameters.parse_context(parameters, self._clock)
        since = query_parameters.parse_instant_parameter(parameters, "since", after.as_of - _WEEK)
        known_at = query_parameters.parse_instant_parameter(parameters, "since_known_at", since)
        chosen = parameters.parse("period", _parse_period, None)
        parameters.raise_errors()
        wanted = request.query_params.get("plan") or self._queries.plans()[0].plan
        plan = self._queries.plan(wanted)
        period = chosen or _choose_year(await self._queries.find_periods(plan.plan), after, ZoneInfo(plan.zone))
        return ComparedInstants(
            plan=plan, period=period, before=replace(after, as_of=since, known_at=known_at), after=after
        )

    def _view_shift(self, shift: FigureShift, asked: ComparedInstants) -> FigureShiftView:
        language = asked.after.language
        unit = units.describe_unit(shift.unit)
        return FigureShiftView(
            title=_find_title(shift, asked.plan, language),
            unit=unit.in_language(language) if unit else "",
            agency=shift.agency or "",
            agency_name="" if shift.agency is None else self._queries.agency_name(shift.agency, asked.after),
            before=_write(shift.before, language),
            after=_write(shift.after, language),
            event=next(iter(shift.events), ""),
        )


def _find_title(shift: FigureShift, plan: Plan, language: str) -> str:
    obligation = plan.obligation(shift.obligation)
    versions = reversed(obligation.versions) if obligation else ()
    found: list[Indicator] = [one for version in versions for one in plan.list_indicators(version)]
    return next((one.label_in(language) for one in found if one.code == shift.code), shift.code)


def _write(value: Decimal | None, language: str) -> str:
    return "–" if value is None else figures.write_for_people(value, language)


def _list_counts(answer: ChangesAnswer) -> list[tuple[Status, int, int]]:
    """Return how many duties had and have each status that occurs."""
    before, after = answer.duties.counts_before, answer.duties.counts_after
    return [(one, before.get(one, 0), after.get(one, 0)) for one in _STATUS_ORDER if before.get(one) or after.get(one)]


def _count_turned(answer: ChangesAnswer, language: str) -> Mapping[str, int]:
    """Return how many duties turned to each status, by its label."""
    turned = Counter(one.line.status for one in answer.duties.changes)
    return {labels.status_label(status, language): count for status, count in turned.items()}


def _choose_year(known: Sequence[str], asked: QueryContext, zone: ZoneInfo) -> str:
    """Return the last of the *known* years up to the instant asked about, else the year of that instant."""
    year = asked.as_of.astimezone(zone).year
    years = [one.year for one in map(periods.parse, known) if one.recurrence is Recurrence.YEAR and one.year <= year]
    return str(max(years, default=year))


def _parse_period(text: str) -> str | None:
    return periods.parse(text).text if text else None


def _write_local(instant: datetime, zone: ZoneInfo) -> str:
    return instant.astimezone(zone).replace(tzinfo=None).isoformat(timespec="minutes")
