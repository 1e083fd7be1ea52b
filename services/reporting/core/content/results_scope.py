"""What a reader sees of results: their own agencies' figures and texts, and every total (contract section 9)."""

from collections.abc import Callable, Collection
from dataclasses import replace

from services.reporting.core.content import agency_rank
from services.reporting.core.results import IndicatorResult, ObligationResults, PreviousTotal
from services.reporting.core.results_document import PlanResults

# Whether a reader may see what an agency sent, given the groups that it was in as for the duty.
CoversAgency = Callable[[str, Collection[str]], bool]


def show_own_rank(results: PlanResults, agency: str) -> PlanResults:
    """Return *results* with the place of *agency* in each obligation; to be asked before the others are left out."""
    return replace(results, ranks={one.obligation: agency_rank.rank_agency(one, agency) for one in results.obligations})


def restrict_results(results: PlanResults, covers_agency: CoversAgency) -> PlanResults:
    """Return *results* without the name, figure and text of any agency that the reader may not see; totals stay."""
    return replace(results, obligations=tuple(_restrict(one, covers_agency) for one in results.obligations))


def _restrict(results: ObligationResults, covers_agency: CoversAgency) -> ObligationResults:
    shown = {agency: groups for agency, groups in results.groups_by_agency.items() if covers_agency(agency, groups)}
    sections = results.sections.items()
    return replace(
        results,
        indicators=tuple(_restrict_indicator(one, shown) for one in results.indicators),
        sections={section: tuple(one for one in texts if one.agency in shown) for section, texts in sections},
        groups_by_agency=shown,
    )


def _restrict_indicator(result: IndicatorResult, shown: Collection[str]) -> IndicatorResult:
    return replace(
        result,
        not_given=tuple(agency for agency in result.not_given if agency in shown),
        figures=tuple(one for one in result.figures if one.agency in shown),
        previous=None if result.previous is None else _restrict_previous(result.previous, shown),
    )


def _restrict_previous(previous: PreviousTotal, shown: Collection[str]) -> PreviousTotal:
    same = previous.same
    known = {agency: value for agency, value in same.previous_by_agency.items() if agency in shown}
    return replace(previous, same=replace(same, previous_by_agency=known))
