"""What a reader sees of results: their own agencies' figures and texts, and every total (contract section 9)."""

from collections.abc import Callable, Collection
from dataclasses import asdict, replace
from typing import Any

from services.reporting.core import results_document
from services.reporting.core.access.readers import ReaderScope
from services.reporting.core.content import agency_rank
from services.reporting.core.results import IndicatorResult, ObligationResults, PreviousTotal, TotalBasis
from services.reporting.core.results_document import PlanResults

# What stands in place of the ids of the events behind a total: they name the agencies that sent them.
UNTOLD = TotalBasis()

# Whether a reader may see what an agency sent, given the groups that it was in as for the duty.
CoversAgency = Callable[[str, Collection[str]], bool]


def build_document(results: PlanResults, scope: ReaderScope) -> dict[str, Any]:
    """Return the document of *results* as a reader of *scope* may see it.

    A reader of one agency alone finds its place beside the totals of each obligation.
    """
    obligations = [build_obligation(one, scope) for one in results.obligations]
    return {**results_document.build_head(results), results_document.OBLIGATIONS: obligations}


def build_obligation(results: ObligationResults, scope: ReaderScope) -> dict[str, Any]:
    """Return the member of `build_document` about one obligation."""
    if scope.is_everything:
        return results_document.build_obligation(results)
    document = results_document.build_obligation(restrict_obligation(results, scope.covers_agency))
    if scope.own_agency is not None:
        rank = agency_rank.rank_agency(results, scope.own_agency)
        document["rank"] = None if rank is None else asdict(rank)
    return document


def restrict_results(results: PlanResults, covers_agency: CoversAgency) -> PlanResults:
    """Return *results* without the name, figure and text of any agency that the reader may not see; totals stay."""
    return replace(results, obligations=tuple(restrict_obligation(one, covers_agency) for one in results.obligations))


def restrict_obligation(results: ObligationResults, covers_agency: CoversAgency) -> ObligationResults:
    """Return the results of one obligation as `restrict_results` does those of all."""
    shown = {agency: groups for agency, groups in results.groups_by_agency.items() if covers_agency(agency, groups)}
    if len(shown) == len(results.groups_by_agency):
        return results
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
        basis=UNTOLD,
        groups=tuple(replace(one, basis=UNTOLD) for one in result.groups),
        previous=None if result.previous is None else _restrict_previous(result.previous, shown),
    )


def _restrict_previous(previous: PreviousTotal, shown: Collection[str]) -> PreviousTotal:
    same = previous.same
    known = {agency: value for agency, value in same.previous_by_agency.items() if agency in shown}
    restricted = replace(same, previous_by_agency=known, basis_by_agency={}, basis=UNTOLD, previous_basis=UNTOLD)
    return replace(previous, same=restricted, basis=UNTOLD)
