"""The place of one agency among those of its group, by a figure that a ranking means something of.

Only agencies of one group are compared, and only by a figure that they can decide on: a flow with a target (what was
added in the year), else a ratio, which does not depend on size. A stock such as the outstanding loans says how large a
district is, so nobody is ranked by it. Of fewer agencies than `AGENCIES_MIN` a place would tell the others' figures.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from schemas.events.assessments import Status
from services.reporting.core.results import UNASKED, AgencyFigure, IndicatorResult, ObligationResults

AGENCIES_MIN = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class AgencyRank:
    """The place of an agency from the highest value down, of how many that gave the figure; equal values share one."""

    code: str
    group: str
    place: int
    agencies: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RankedAgency:
    """One agency in a ranking; agencies with equal values share a place."""

    place: int
    figure: AgencyFigure
    value: Decimal


def rank_agency(results: ObligationResults, agency: str) -> AgencyRank | None:
    """Return the place of *agency* in the first of its groups, by the first figure that can rank it; None for none."""
    for result in list_ranking_indicators(results.indicators):
        for group in (one.group for one in result.groups if one.group in results.groups_by_agency.get(agency, ())):
            ranked = place_figures(
                one for one in list_ranked_figures(result) if group in results.groups_by_agency.get(one.agency, ())
            )
            places = [one.place for one in ranked if one.figure.agency == agency]
            if places and len(ranked) >= AGENCIES_MIN:
                return AgencyRank(code=result.indicator.code, group=group, place=places[0], agencies=len(ranked))
    return None


def list_ranking_indicators(indicators: Sequence[IndicatorResult]) -> list[IndicatorResult]:
    """Return those of *indicators* by which a ranking means something, the one to be tried first first."""
    flows = [one for one in indicators if one.indicator.kind == "flow" and one.target is not None]
    return [*flows, *(one for one in indicators if one.indicator.kind == "ratio")]


def list_ranked_figures(result: IndicatorResult) -> list[AgencyFigure]:
    """Return the figures that a ranking compares: those of agencies that were asked and owe the report."""
    return [
        one
        for one in result.figures
        if one.value is not None and UNASKED not in one.flags and one.status is not Status.EXEMPT
    ]


def place_figures(figures: Iterable[AgencyFigure]) -> tuple[RankedAgency, ...]:
    """Return *figures* with their places, the highest first."""
    ordered = sorted(figures, key=lambda one: (-(one.value or Decimal(0)), one.agency))
    values = [one.value or Decimal(0) for one in ordered]
    return tuple(
        RankedAgency(place=values.index(value) + 1, figure=figure, value=value)
        for figure, value in zip(ordered, values, strict=True)
    )
