"""What a reader sees of results: their own agencies' figures and texts, and every total (contract section 9)."""

from collections.abc import Callable, Collection
from dataclasses import replace

from services.reporting.core.results import IndicatorResult, ObligationResults
from services.reporting.core.results_document import PlanResults

# Whether a reader may see what an agency sent, given the groups that it was in as for the duty.
CoversAgency = Callable[[str, Collection[str]], bool]


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
    )
